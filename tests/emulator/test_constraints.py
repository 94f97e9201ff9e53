"""Every DICOM metadata constraint of the guide, by its number."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.emulator.conftest import EmulatedStore

SERIES = "1.2.840.99.5.1"
FIRST, SECOND = "1.2.840.99.7.1", "1.2.840.99.7.2"


def patient(**dicom: Any) -> dict[str, Any]:
    return {"Patient": {"DICOM": dicom}}


def study(**dicom: Any) -> dict[str, Any]:
    return {"Study": {"DICOM": dicom}}


def series(**dicom: Any) -> dict[str, Any]:
    return {"Study": {"Series": {SERIES: {"DICOM": dicom}}}}


def instance(**dicom: Any) -> dict[str, Any]:
    return {"Study": {"Series": {SERIES: {"Instances": {FIRST: {"DICOM": dicom}}}}}}


def absent(level: str) -> dict[str, Any]:
    block = {"DICOM": {"StationName": "X"}}
    if level == "instance":
        return {"Study": {"Series": {SERIES: {"Instances": {"1.9": block}}}}}
    return {"Study": {"Series": {"1.9": block}}}


@pytest.fixture
def image_set(store: EmulatedStore, document: dict[str, Any]) -> str:
    return store.load(document, primary=False)


# What `force` lifts: constraint number, the update.
FORCEABLE = {
    "private update": (1, instance(**{"00191001": "13"})),
    "StudyInstanceUID": (3, study(StudyInstanceUID="1.2.3")),
    "SeriesInstanceUID": (3, series(SeriesInstanceUID="1.2.3")),
    "SOPInstanceUID": (3, instance(SOPInstanceUID="1.2.3")),
    "StudyID": (3, study(StudyID="S-2")),
    "sequence": (4, instance(SourceImageSequence=[])),
    "multi-valued list": (5, instance(ImageType=["DERIVED"])),
    "multi-valued, one value": (5, series(SoftwareVersions="2")),
    "list for VM 1": (6, patient(PatientName=["A", "B"])),
    "impossible date": (6, study(StudyDate="20240230")),
    "number for a text": (6, patient(PatientID=123)),
    "text for a number": (6, instance(Rows="4")),
    "too large": (6, instance(Rows=65_536)),
    "CS lower case": (6, patient(PatientSex="f")),
    "unknown keyword": (7, instance(PatientsNam="A")),
    "unknown tag": (7, instance(**{"00180001": "A"})),
}


@pytest.mark.parametrize(("number", "update"), FORCEABLE.values(), ids=FORCEABLE.keys())
def test_force_lifts(store: Any, image_set: str, number: int, update: dict[str, Any]) -> None:
    message = store.refused(image_set, update)
    assert message.startswith(f"Constraint {number}:")
    assert re.fullmatch(r"[\w -:`]+", message, re.ASCII)
    assert store.updated(image_set, update, force=True)


NEVER = {
    "private at Patient": (1, patient(**{"00091001": "A"})),
    "private at Study": (1, study(**{"00091001": "A"})),
    "private at Series": (1, series(**{"00091001": "A"})),
    "DatastoreID": (2, {"DatastoreID": "1" * 32}),
    "ImageSetID": (2, {"ImageSetID": "1" * 32}),
    "PixelData": (2, instance(PixelData="AAA=")),
    "PixelData by tag": (2, instance(**{"7FE00010": "AAA="})),
    "Width": (2, instance(Width=1)),
    "ImageFrames": (
        2, {"Study": {"Series": {SERIES: {"Instances": {FIRST: {"ImageFrames": []}}}}}}
    ),
    "Patient at Study": (8, study(PatientName="A")),
    "Study at Patient": (8, patient(StudyDate="20200101")),
    "Instance at Series": (8, series(Rows=4)),
    "Series at Instance": (8, instance(Modality="CT")),
    "unknown at Study": (8, study(Nonsense="A")),
    "unknown series": (9, absent("series")),
    "unknown instance": (9, absent("instance")),
    "empty unknown instance": (
        9, {"Study": {"Series": {SERIES: {"Instances": {"1.9": {}}}}}}
    ),
    "empty unknown series": (9, {"Study": {"Series": {"1.9": {}}}}),
}  # fmt: skip


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(("number", "update"), NEVER.values(), ids=NEVER.keys())
def test_force_does_not_lift(
    store: Any, image_set: str, number: int, update: dict[str, Any], force: bool
) -> None:
    message = store.refused(image_set, update, force=force)
    assert message.startswith(f"Constraint {number}:")


ALLOWED = {
    "text": patient(PatientName="Roe^Jane"),
    "padded": study(PatientSize="1.80 "),
    "null": patient(PatientName=None),
    "empty text": patient(PatientName=""),
    "new attribute": study(PatientAge="040Y"),
    "US": instance(Rows=65_535),
    "known tag by hex": patient(**{"00100010": "Roe^Jane"}),
}


@pytest.mark.parametrize("update", ALLOWED.values(), ids=ALLOWED.keys())
def test_needs_no_force(store: Any, image_set: str, update: dict[str, Any]) -> None:
    assert store.updated(image_set, update)


REMOVALS = {
    "private": (1, instance(**{"00191001": "12.5"})),
    "StudyID": (3, study(StudyID="S-1")),
    "sequence": (
        4, instance(SourceImageSequence=[{"ReferencedSOPInstanceUID": "1.2.840.99.9"}])
    ),
    "multi-valued": (5, patient(OtherPatientNames=["Roe^Jane"])),
}  # fmt: skip


@pytest.mark.parametrize(("number", "removal"), REMOVALS.values(), ids=REMOVALS.keys())
def test_constraints_bind_removals(
    store: Any, image_set: str, number: int, removal: dict[str, Any]
) -> None:
    assert store.refused(image_set, None, removal).startswith(f"Constraint {number}:")
    assert store.updated(image_set, None, removal, force=True)


@pytest.mark.parametrize(
    "removal", [study(StudyInstanceUID="1.2.840.99.1"), instance(SOPInstanceUID=FIRST)]
)
def test_uids_are_never_removed(store: Any, image_set: str, removal: dict[str, Any]) -> None:
    assert store.refused(image_set, None, removal, force=True).startswith("Constraint 3:")


def test_no_message_repeats_a_value(store: Any, image_set: str) -> None:
    for update in (patient(PatientID=12_345_678), instance(**{"a b;c": "SECRET"})):
        message = store.refused(image_set, update)
        assert "12345678" not in message
        assert "SECRET" not in message
        assert re.fullmatch(r"[\w -:`]+", message, re.ASCII)


def test_a_violation_may_be_a_400(store_with: Any, document: dict[str, Any], error_of: Any) -> None:
    store = store_with(constraint_errors="validation")
    image_set = store.load(document, primary=False)
    status, code, message = error_of(store.call, image_set, study(StudyID="S-2"))
    assert (status, code) == (400, "ValidationException")
    assert message.startswith("Constraint 3:")
    assert store.get(image_set)["versionId"] == "1"
