"""Checks that a document has the documented structure, so that other code can rely on it.

`{"Patient": {"DICOM"}, "Study": {"DICOM", "Series": {uid: {"DICOM", "Instances": {uid: {"DICOM",
"DICOMVRs"}}}}}}`. Parts may be missing, but each existing part must be a mapping.

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.dicom.content import Section, section_of
from reconciler.core.model.address import instance_at, series_at
from reconciler.core.model.value import Document


def misshapen(document: Document) -> str:
    """Return the path of the first wrong part, "" if there is none. It contains no value."""
    return next(_odd(document), "")


def _odd(document: Document) -> Iterator[str]:
    yield from _wrong(document.raw, "", "Patient", "Study")
    yield from _wrong(section_of(document.raw, "Patient"), "Patient/", "DICOM")
    study = section_of(document.raw, "Study")
    yield from _wrong(study, "Study/", "DICOM", "Series")
    all_series = section_of(study, "Series")
    for uid in all_series:
        where = series_at(uid).shown()
        if not isinstance(all_series[uid], dict):
            yield where
        section = section_of(all_series, uid)
        yield from _wrong(section, f"{where}/", "DICOM", "DICOMVRs", "Instances")
        inside = section_of(section, "Instances")
        for inner in inside:
            there = instance_at(uid, inner).shown()
            if not isinstance(inside[inner], dict):
                yield there
            yield from _wrong(section_of(inside, inner), f"{there}/", "DICOM", "DICOMVRs")


def _wrong(section: Section, where: str, *names: str) -> Iterator[str]:
    for name in names:
        if name in section and not isinstance(section[name], dict):
            yield f"{where}{name}"
