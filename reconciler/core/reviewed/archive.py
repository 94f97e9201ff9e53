"""The zip of an artifact -> the review in it. Nothing is written to disk."""

from __future__ import annotations

import io
import zipfile
import zlib
from hashlib import sha256

from reconciler.core.errors import ReviewFileError
from reconciler.core.reviewed.transport import MEMBER

MOST_BYTES = 200_000_000
_AGAIN = "Run the plan of a pull request that contains its manifests."
# 1 is the bit for encryption (PKWARE APPNOTE 4.4.4).
_ENCRYPTED = 1


def review_in(data: bytes, digest: str) -> bytes:
    """Return the only member of a zip. Raises ReviewFileError unless it is one review.json."""
    found = f"sha256:{sha256(data).hexdigest()}"
    if found != digest:
        raise ReviewFileError(f"its digest is {found}, and GitHub states {digest}", _AGAIN)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _member(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
        raise ReviewFileError("it is not a complete zip file", _AGAIN) from None


def _member(archive: zipfile.ZipFile) -> bytes:
    members = archive.infolist()
    # orig_filename: `filename` has the separators of this machine, and ends before a null byte.
    if [one.orig_filename for one in members] != [MEMBER]:
        raise ReviewFileError(f"it holds {len(members)} files, not one {MEMBER} alone", _AGAIN)
    if members[0].flag_bits & _ENCRYPTED:
        raise ReviewFileError(f"its {MEMBER} is encrypted", _AGAIN)
    if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ReviewFileError(
            f"its {MEMBER} is compressed in a way that GitHub does not use", _AGAIN
        )
    # The size that the zip states may be false, so reading itself stops.
    with archive.open(members[0]) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ReviewFileError(f"its {MEMBER} is larger than a review can be", _AGAIN)
    return content
