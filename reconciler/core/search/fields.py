"""The columns of a search: what the service states of an image set, and attributes by keyword."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from textwrap import wrap

from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.node import shown

PROPERTIES = (
    "datastore",
    "imageSetId",
    "versionId",
    "isPrimary",
    "createdAt",
    "updatedAt",
    "lastAccessedAt",
    "storageTier",
)
FIELDS = (*PROPERTIES, *MEMBERS)
_BY_SPELLING = {field.casefold(): field for field in FIELDS}


def fields(text: str) -> tuple[str, ...]:
    """Read names with commas between them, each once. Raises ReconcilerError."""
    return tuple(dict.fromkeys(map(_field, text.split(","))))


def near(name: str, names: Collection[str]) -> list[str]:
    """The names that resemble this one, the nearest first."""
    spelled = {one.casefold(): one for one in names}
    short = name[:64].casefold()
    return [spelled[one] for one in get_close_matches(short, spelled, n=2, cutoff=0.7)]


def _field(name: str) -> str:
    if found := _BY_SPELLING.get(name.strip().casefold()):
        return found
    close = near(name, FIELDS)
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    raise ReconcilerError(
        f"--fields: there is no field {shown(name)}", f"{meant}The fields are:\n{listed(FIELDS)}"
    )


def listed(names: Iterable[str]) -> str:
    """The names, with commas between them, in lines that fit a terminal."""
    return "\n".join(wrap(", ".join(names), 76, break_on_hyphens=False))
