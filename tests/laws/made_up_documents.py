"""Made-up metadata documents: of the documented structure, with whatever else in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.documents import DATASTORE_ID

# Well-formed, malformed, and keys that mean something else in a manifest.
UIDS = [
    "1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4.",
    "1..2",
    "1." + "2" * 68,
    "UNKNOWN-001",
    "Doe^John",
    "19700101",
    "null",
    "~",
    "A/B",
    "a: b # c",
    "*",
    "",
    "DICOM",
    "Instances",
    "x" * 1100,
    "a\0b",
    "a\nb",
    "\ud800",
    "\u202e",
]
# Several spellings of one attribute, every level, private elements, and what DICOM does not have.
KEYS = [
    "PatientName",
    "00100010",
    "PatientID",
    "PatientBirthDate",
    "PatientSize",
    "OtherPatientNames",
    "StudyDate",
    "StudyID",
    "SoftwareVersions",
    "Modality",
    "Rows",
    "WindowCenter",
    "KVP",
    "ImageType",
    "RescaleSlope",
    "FrameIncrementPointer",
    "PixelData",
    "RedPaletteColorLookupTableData",
    "ReferencedImageSequence",
    "AnatomicRegionSequence",
    "00082218",
    "SmallestImagePixelValue",
    "00090010",
    "00091001",
    "0009100a",
    "0009100A",
    "00000002",
    "00010010",
    "00191001",
    "Odd",
    "odd: key #",
]
VRS = ["LO", "DS", "US", "UN", "SQ", "OB", "FD", "AT", "US or SS", "XX", ""]
_TEXTS = [
    "",
    " ",
    "CT",
    "Garcia^Gloria",
    "00123",
    "1.50 ",
    "20200230",
    "20200101",
    "a\\b",
    "null",
    "a # b",
    "é\u2028\x85\ufeff",
    "\x07",
    "\0",
    "\udc00",
    "1.2..3",
    "1.2.3",
    "QUJD",
    "00181065",
    "=^^=",
]
_atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-70000, 70000),
    st.sampled_from([0.5, 1.0, 1e300, 2**70, float("nan"), float("inf")]),
    st.sampled_from(_TEXTS),
    st.text(max_size=6),
)
values = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(st.dictionaries(st.sampled_from(KEYS), inner, max_size=3), max_size=2),
    ),
    max_leaves=6,
)


def nested(depth: int) -> list[Any]:
    """A sequence of as many sequences inside each other."""
    found: list[Any] = [{"CodeValue": "1"}]
    for _ in range(depth - 1):
        found = [{"AnatomicRegionSequence": found}]
    return found


deep = st.integers(1, 60).map(nested)


def _dicom(own: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    any_of = st.dictionaries(st.sampled_from(KEYS), values | deep, max_size=4)
    return st.tuples(own, any_of).map(lambda pair: {**pair[1], **pair[0]})


def _section(**own: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=own).flatmap(
        lambda inner: _dicom(st.just(inner)).map(lambda dicom: {"DICOM": dicom})
    )


def _with_vrs(section: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    keys = sorted(section["DICOM"])
    stated = st.dictionaries(st.sampled_from(keys), st.sampled_from(VRS)) if keys else st.just({})
    return stated.map(lambda vrs: {**section, "DICOMVRs": vrs})


def _blocks(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(UIDS), inner, max_size=3)


_uids = st.sampled_from([None, *UIDS])
_instances = _blocks(_section(SOPInstanceUID=_uids).flatmap(_with_vrs))
_series = _blocks(
    st.tuples(_section(SeriesInstanceUID=_uids), _instances).map(
        lambda pair: {**pair[0], "Instances": pair[1]}
    )
)


@st.composite
def documents(draw: st.DrawFn, image_set_id: str) -> dict[str, Any]:
    """A whole document."""
    return {
        "SchemaVersion": "1.1",
        "DatastoreID": DATASTORE_ID,
        "ImageSetID": image_set_id,
        "Patient": draw(_section(PatientName=st.just("Garcia^Gloria"))),
        "Study": {**draw(_section(StudyInstanceUID=_uids)), "Series": draw(_series)},
    }
