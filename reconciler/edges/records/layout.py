"""The names of record files: how many characters of an image set ID name the file of its entry.

`layout.json` in the folder of a data store states that width. It only grows, so that a file stays
small in a large data store: a run rewrites whole files, and git stores them. Files of a smaller
width may remain, for example after a merge of two branches. They are read, too, and their entries
move when they are next written.
"""

from __future__ import annotations

import re

import orjson

from reconciler.core.errors import RecordError
from reconciler.core.model.api_version import API_VERSION

FILE = "layout.json"
KIND = "RecordLayout"
# The width of a folder without layout.json.
FIRST_WIDTH = 2
MOST_WIDTH = 6
# At this many entries a file, the width grows by one. AWS makes IDs of hexadecimal digits, so each
# character makes 16 files of one.
ENTRIES_PER_FILE, FILES_PER_CHARACTER = 64, 16

_RECORD = re.compile(rf"([0-9a-z]{{1,{MOST_WIDTH + 1}}})\.json")
_ID = re.compile(rb'"imageSetId": ?"([0-9a-z]{1,64})"')
# Other files of the folder. An image set ID may begin like one of them: it is [0-9a-z]{32}.
_OTHERS = frozenset({"layout", "scan"})


def file_of(image_set_id: str, width: int) -> str:
    """Return the name of the file with the entry of an image set."""
    stem = image_set_id[:width]
    return f"{stem if stem not in _OTHERS else image_set_id[: width + 1]}.json"


def is_record(name: str) -> bool:
    """Whether a file name is that of a record file, of any width."""
    found = _RECORD.fullmatch(name)
    return found is not None and found[1] not in _OTHERS


def is_narrow(name: str, width: int) -> bool:
    """Whether a record file is named as by a smaller width."""
    stem = name.removesuffix(".json")
    return len(stem) < width


def image_sets(content: bytes) -> frozenset[str]:
    """Return the IDs of the image sets in a record file. Quick: nothing is checked."""
    return frozenset(one.decode() for one in _ID.findall(content))


def width_for(entries: int, width: int) -> int:
    """Return the width for a number of entries: never less than the width that they have."""
    while width < MOST_WIDTH and entries >= ENTRIES_PER_FILE * FILES_PER_CHARACTER**width:
        width += 1
    return width


def parse(content: bytes, name: str) -> int:
    """Return the width that a layout.json states; that of a folder without it for b"".

    Raises RecordError for a content that `reconcile` did not write. `name` is that of the file.
    """
    if not content:
        return FIRST_WIDTH
    try:
        held = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _invalid(f"{name}:{error.lineno}: the file is damaged", name) from None
    if not isinstance(held, dict) or (held.get("apiVersion"), held.get("kind")) != (
        API_VERSION,
        KIND,
    ):
        raise _invalid(f"{name}: is not a {KIND} of {API_VERSION}", name)
    if others := sorted(set(held) - {"apiVersion", "kind", "width"}):
        raise _invalid(f"{name}: has unknown fields: {', '.join(others)}", name)
    width = held.get("width")
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= MOST_WIDTH:
        raise _invalid(f"{name}: `width` is not a whole number from 1 to {MOST_WIDTH}", name)
    return width


def content(width: int) -> bytes:
    """Return the content of the layout.json of a width."""
    held = {"apiVersion": API_VERSION, "kind": KIND, "width": width}
    return orjson.dumps(held, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def misplaced(name: str, width: int) -> str:
    """Return what is wrong with the name of a record file where a width is stated, or ""."""
    stem = name.rpartition("/")[2].removesuffix(".json")
    if len(stem) <= width or (len(stem) == width + 1 and stem[:-1] in _OTHERS):
        return ""
    stated = "states" if width != FIRST_WIDTH else "is missing, or states"
    return (
        f"{name}: the file is in the wrong place. {FILE} beside it {stated} that {width} "
        f"{'character names' if width == 1 else 'characters name'} a record file"
    )


def _invalid(problem: str, name: str) -> RecordError:
    return RecordError(
        problem,
        f"Only `reconcile` writes this file. Restore it with `git checkout -- {name}`. If the "
        f"change is committed, find the last good commit with `git log -- {name}`.",
    )
