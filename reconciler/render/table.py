"""Render tables of image sets and of data stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.dicom.content import key_tag
from reconciler.core.escape import escape
from reconciler.core.model.observed import Summary
from reconciler.core.model.settings import EMULATOR, Datastore, Redact
from reconciler.core.review.mask import is_uid, masked, shape
from reconciler.render.style import Look, Style
from reconciler.render.values import cut, pad, short_uid, width

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
# Members of DICOMTags that are not named `DICOM` and the keyword.
_KEYWORDS = {
    "DICOMPatientId": "PatientID",
    "DICOMStudyId": "StudyID",
    "DICOMSeriesModality": "Modality",
    "DICOMSeriesBodyPart": "BodyPartExamined",
}
# UIDs are addresses: shown unless every value is masked.
_ADDRESSES = ("DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")
# The columns to sort by, and the largest width that a value may give its column.
_ORDER = ("DICOMPatientId", "DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")
_WIDEST = 28


def table(heads: Sequence[str], lines: Iterable[Sequence[str]], look: Look) -> Iterator[str]:
    """Columns two blanks apart, heads in bold; columns that are empty throughout are left out."""
    cells = [list(line) for line in lines]
    used = [i for i in range(len(heads)) if not cells or any(line[i] for line in cells)]
    widths = {i: max(width(heads[i]), *(width(line[i]) for line in cells), 0) for i in used}
    head = "  ".join(pad(heads[i].upper(), widths[i]) for i in used).rstrip()
    yield look.paint(head, Style.STRONG)
    for line in cells:
        yield "  ".join(pad(line[i], widths[i]) for i in used).rstrip()


def image_set_table(found: Iterable[Summary], look: Look) -> Iterator[str]:
    """One line per image set: patient, study, series and version."""
    heads = ["image set", "version", "primary", *(head for head, _ in _COLUMNS)]
    return table(heads, (_line(summary, look) for summary in found), look)


def in_order(found: Iterable[Summary]) -> list[Summary]:
    """Sort image sets by patient, study and series."""

    def key(summary: Summary) -> tuple[str, ...]:
        tags = dict(summary.tags)
        return (*(tags.get(name, "") for name in _ORDER), summary.image_set_id)

    return sorted(found, key=key)


_PRIMARY = {True: "yes", False: "no", None: "unknown"}


def _line(summary: Summary, look: Look) -> list[str]:
    tags = dict(summary.tags)
    primary = _PRIMARY[summary.is_primary]
    cells = [summary.image_set_id, summary.version_id, primary]
    return cells + [_cell(name, tags.get(name, ""), look) for _, name in _COLUMNS]


def _cell(name: str, text: str, look: Look) -> str:
    seen = found_value(name, text, look)
    return short_uid(escape(seen)) if name in _ADDRESSES else cut(escape(seen), _WIDEST)


def found_value(name: str, text: str, look: Look) -> str:
    """A member of DICOMTags: its value, or its shape where `look` masks it."""
    if not text or (name in _ADDRESSES and look.redact is not Redact.ALL and is_uid(text)):
        return text
    tag = key_tag(_KEYWORDS.get(name, name.removeprefix("DICOM")))
    return f"<{shape(text)}>" if masked(tag, text, look.redact) else text


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
