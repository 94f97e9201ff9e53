"""reconciler.key: the file that holds the key of the digests in records, reports and commits.

The first apply that records makes it. No run ever replaces it: with another key, no record would
match its ask any more.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from reconciler.core.errors import RecordError
from reconciler.core.model.key import KEY_BYTES, KEY_FILE, Key
from reconciler.core.ports import Files
from reconciler.edges import files as disk

# `\r`: git may check text out with the line ends of Windows (core.autocrlf).
_LINE = re.compile(rb"([0-9A-Fa-f]{64})(?:\r?\n)?")
_MOST_BYTES = 1024  # to look at, of a file that may be anything

_RESTORE = f"restore the committed key with `git checkout HEAD -- {KEY_FILE}`"
_REPAIR = (
    f"{_RESTORE}. If no commit has one, delete the file: the next apply that records writes a new "
    "key, and each document is read once more"
)


def path(root: Path) -> Path:
    """Where the key of a repository is, beside reconciler.yaml."""
    return root / KEY_FILE


def read(root: Path) -> Key | None:
    """The key of a repository, None where there is none yet.

    Raises `RecordError` for a file that holds no key. A symbolic link is not followed: it could
    name any file of this machine.
    """
    try:
        content = _content(path(root))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(
            f"{KEY_FILE}: cannot be read ({error.strerror})", "fix its permissions"
        ) from None
    if content is None:
        raise RecordError(f"{KEY_FILE}: is not a regular file", _REPAIR)
    key = parse(content)
    if key is None:
        raise RecordError(
            f"{KEY_FILE}: does not hold a key, which is one line of 64 hex digits", _REPAIR
        )
    return key


def parse(content: bytes) -> Key | None:
    """The key in the content of its file, None where there is none."""
    found = _LINE.fullmatch(content)
    return Key(bytes.fromhex(found[1].decode("ascii"))) if found else None


def settled(own: Key | None, committed: bytes) -> Key | None:
    """The key of the work tree, once it is sure that it is the committed one.

    `committed` is the file's content in the commit that is checked out, b"" where it has none.
    Raises `RecordError` for another key, and for a committed key that the work tree lacks: the next
    apply would replace it.
    """
    theirs = parse(committed)
    if theirs is None or theirs == own:
        return own
    what = "is missing, but the commit has it" if own is None else "is not the committed key"
    raise RecordError(f"{KEY_FILE}: {what}; a key is never replaced", _RESTORE)


def make(root: Path, *, files: Files = disk.REAL) -> Key:
    """A new key in its file; the key that is there, where another run was faster.

    Raises `RecordError` where the file cannot be written: it is then not there at all.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    try:
        disk.place(path(root), f"{secret.hex()}\n".encode(), files=files)
    except FileExistsError:
        found = read(root)
        if found is None:
            raise RecordError(f"{KEY_FILE}: was removed during this run", "run again") from None
        return found
    except OSError as error:
        raise RecordError(
            f"{KEY_FILE}: cannot be written ({error.strerror})",
            "make room or fix the permissions, then run again. Where the file system has no hard "
            f"links, make the key yourself: `openssl rand -hex 32 > {KEY_FILE}`",
        ) from None
    return Key(secret)


def sweep(root: Path, *, files: Files = disk.REAL) -> None:
    """Remove what a run that was killed while it wrote has left."""
    disk.sweep(root, KEY_FILE, files=files)


def _content(file: Path) -> bytes | None:
    """The beginning of a regular file; None of a link, folder, pipe, socket or device."""
    if not stat.S_ISREG(file.lstat().st_mode):
        return None
    handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as opened:
        return opened.read(_MOST_BYTES)
