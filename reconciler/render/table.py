"""Render tables of image sets and of data stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.lookalikes import reveal
from reconciler.core.model.settings import EMULATOR, Datastore
from reconciler.core.review.search import ShownImageSet
from reconciler.core.review.shown import ShownValue
from reconciler.render.style import Look, Style
from reconciler.render.values import cut, isolated, pad, short_uid, width

# Heads, and the members of DICOMTags in botocore's model of SearchImageSets.
_COLUMNS = (
    ("patient", "DICOMPatientId"),
    ("name", "DICOMPatientName"),
    ("study", "DICOMStudyInstanceUID"),
    ("description", "DICOMStudyDescription"),
    ("series", "DICOMSeriesInstanceUID"),
    ("modality", "DICOMSeriesModality"),
    ("number", "DICOMSeriesNumber"),
)
# Columns of UIDs, which are shortened.
_UIDS = ("DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")
# The largest width that a value may give its column.
_WIDEST = 28
_PRIMARY = {True: "yes", False: "no", None: "unknown"}


def table(heads: Sequence[str], lines: Iterable[Sequence[str]], look: Look) -> Iterator[str]:
    """Columns two blanks apart, heads in bold; columns that are empty throughout are left out."""
    cells = [list(line) for line in lines]
    used = [i for i in range(len(heads)) if not cells or any(line[i] for line in cells)]
    widths = {i: max(width(heads[i]), *(width(line[i]) for line in cells), 0) for i in used}
    head = "  ".join(pad(heads[i].upper(), widths[i]) for i in used).rstrip()
    yield look.paint(head, Style.STRONG)
    for line in cells:
        yield "  ".join(pad(line[i], widths[i]) for i in used).rstrip()


def image_set_table(found: Iterable[ShownImageSet], look: Look) -> Iterator[str]:
    """One line per image set: patient, study, series and version."""
    heads = ["image set", "version", "primary", *(head for head, _ in _COLUMNS)]
    return table(heads, map(_line, found), look)


def _line(image_set: ShownImageSet) -> list[str]:
    cells = [image_set.image_set_id, image_set.version_id, _PRIMARY[image_set.is_primary]]
    return cells + [_cell(name, image_set.tags.get(name)) for _, name in _COLUMNS]


def _cell(name: str, value: ShownValue | None) -> str:
    text = reveal(value.plain) if value else ""
    return short_uid(text) if name in _UIDS else isolated(cut(text, _WIDEST))


def datastore_table(found: Iterable[Datastore], look: Look) -> Iterator[str]:
    """One line per data store."""
    heads = ["name", "data store ID", "region", "account", "endpoint"]
    lines = (
        (store.name, store.datastore_id, store.region, store.account_id, endpoint_of(store))
        for store in found
    )
    return table(heads, lines, look)


def endpoint_of(store: Datastore) -> str:
    """The endpoint of a data store, in words."""
    if store.is_aws:
        return "AWS HealthImaging"
    return "the embedded emulator" if store.endpoint == EMULATOR else store.endpoint
