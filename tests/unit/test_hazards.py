"""The hazards of a change come from the tag, also from hex keys, reverts and sequences."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.dicom.description import OBJECT
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.dicom.identity import IDENTIFYING, PATIENT_IDENTITY
from reconciler.core.diff.hazards import BY_OP, GROUPING, UIDS, hazards_of
from reconciler.core.model.address import PATIENT
from reconciler.core.model.change import Change, Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.value import Json, Value
from tests.documents import document, instance, series
from tests.planning import A, Stage

OBJECT_CHANGES = Hazard.CHANGES_OBJECT
IDENTITY_CHANGES = Hazard.CHANGES_PATIENT_IDENTITY
HISTORY = Hazard.HISTORY_KEEPS_VALUES


def change(tag: int | None, op: Op = Op.UPDATE, *, before: Json = "a", after: Json = "b") -> Change:
    vr = by_tag(tag).vr if tag else ""
    old = None if op is Op.ADD else Value(before)
    new = None if op is Op.REMOVE else Value(after)
    return Change(A, op, PATIENT, "KEY" if tag else "", tag, vr, old, new)


def hazards(tag: int | None, op: Op = Op.UPDATE, **values: Json) -> set[Hazard]:
    return set(hazards_of(change(tag, op, **values), reverts=False))


def names(tags: Collection[int]) -> list[str]:
    return sorted(by_tag(tag).keyword for tag in tags)


def test_every_op_has_its_hazards() -> None:
    assert set(BY_OP) == set(Op)
    assert {op: hazards for op, hazards in BY_OP.items() if hazards} == {
        Op.REMOVE: (Hazard.REMOVES_ATTRIBUTE,),
        Op.REMOVE_INSTANCE: (Hazard.REMOVES_INSTANCE,),
        Op.REMOVE_SERIES: (Hazard.REMOVES_SERIES,),
        Op.RESTORE_INSTANCE: (Hazard.RESTORES_INSTANCE,),
        Op.RESTORE_SERIES: (Hazard.RESTORES_INSTANCE,),
    }


def test_the_attributes_behind_hazards() -> None:
    assert names(GROUPING) == [
        "AccessionNumber",
        "PatientID",
        "SeriesInstanceUID",
        "SeriesNumber",
        "StudyDate",
        "StudyID",
        "StudyInstanceUID",
    ]
    assert names(UIDS) == [
        "FrameOfReferenceUID",
        "MediaStorageSOPInstanceUID",
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    ]
    assert names(PATIENT_IDENTITY) == [
        "IssuerOfPatientID",
        "IssuerOfPatientIDQualifiersSequence",
        "OtherPatientIDs",
        "OtherPatientIDsSequence",
        "OtherPatientNames",
        "PatientBirthDate",
        "PatientBirthDateInAlternativeCalendar",
        "PatientBirthName",
        "PatientBirthTime",
        "PatientID",
        "PatientName",
        "PatientSex",
        "TypeOfPatientID",
    ]
    assert "" not in names(OBJECT | IDENTIFYING)


OBJECTS = (
    "SOPClassUID MediaStorageSOPClassUID TransferSyntaxUID SpecificCharacterSet Modality Rows "
    "Columns BitsAllocated BitsStored HighBit PixelRepresentation RescaleSlope RescaleIntercept "
    "PhotometricInterpretation SamplesPerPixel PlanarConfiguration NumberOfFrames"
)


@pytest.mark.parametrize("keyword", OBJECTS.split())
@pytest.mark.parametrize("op", [Op.ADD, Op.UPDATE, Op.REMOVE])
def test_the_object_changes_also_where_a_value_is_added_emptied_or_removed(
    keyword: str, op: Op
) -> None:
    (tag,) = (tag for tag in OBJECT if by_tag(tag).keyword == keyword)
    assert OBJECT_CHANGES in hazards(tag, op)
    assert OBJECT_CHANGES in hazards(tag, after=None)


@pytest.mark.parametrize("op", list(Op))
def test_hazards_add_up_in_one_order(op: Op) -> None:
    assert hazards_of(Change(A, op, PATIENT, "", None, "", None, None), reverts=False) == BY_OP[op]
    found = replace(change(0x00100020, op), drifted=True, force_reasons=("identifier",))
    expected = {
        *BY_OP[op],
        Hazard.REVERTS_VERSION,
        Hazard.FORCE,
        Hazard.CHANGES_GROUPING,
        IDENTITY_CHANGES,
        Hazard.OVERWRITES_DRIFT,
        *([HISTORY] if op is Op.REMOVE else []),
    }
    assert hazards_of(found, reverts=True) == tuple(h for h in Hazard if h in expected)


# --- history ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "op", "before", "after", "kept"),
    [
        (0x00101040, Op.REMOVE, "Street 1", None, True),
        (0x00101040, Op.UPDATE, "Street 1", "", True),
        (0x00101040, Op.UPDATE, "Street 1", None, True),
        (0x00101040, Op.REMOVE, None, None, False),  # there was nothing to keep
        (0x00101040, Op.REMOVE, " ", None, False),
        (0x00101040, Op.UPDATE, "Street 1", "Street 2", False),
        (0x00101040, Op.ADD, None, "Street 1", False),
        (0x00101030, Op.REMOVE, "70", None, False),  # a weight does not identify
        (0x00120062, Op.ADD, None, "YES", True),
        (0x00120062, Op.UPDATE, "NO", "YES ", True),
        (0x00120062, Op.UPDATE, "YES", "NO", False),
        (0x00120062, Op.REMOVE, "YES", None, False),
        (0x00101002, Op.REMOVE, [{"PatientID": "1"}], None, True),
        (0x00101002, Op.UPDATE, [{"PatientID": "1"}], [{"PatientID": None}], True),
        (0x00101002, Op.UPDATE, [{"PatientID": "1"}], [{"PatientID": "2"}], False),
        (0x00400275, Op.UPDATE, [{"AccessionNumber": "7"}], [{}], True),
        (0x00400275, Op.UPDATE, [{"00080050": "7"}], [{"AccessionNumber": "7"}], False),
    ],
)
def test_history_keeps_what_identifies_a_person_and_goes(
    tag: int, op: Op, before: Json, after: Json, kept: bool
) -> None:
    assert (HISTORY in hazards(tag, op, before=before, after=after)) is kept


# --- inside a sequence -----------------------------------------------------------------------

SHARED = 0x52009229  # SharedFunctionalGroupsSequence


def shared(slope: Json, **more: Json) -> Json:
    return [{"PixelValueTransformationSequence": [{"RescaleSlope": slope, **more}]}]


@pytest.mark.parametrize(
    ("tag", "before", "after", "expected"),
    [
        (SHARED, shared("1"), shared("2"), {OBJECT_CHANGES}),
        (SHARED, shared("1"), shared("1.0", **{"00111001": "x"}), {OBJECT_CHANGES}),
        (SHARED, shared("1"), [{}], {OBJECT_CHANGES}),
        (SHARED, [{"LossyImageCompression": "00"}], [{"LossyImageCompression": "01"}], set()),
        (0x00080096, [{"InstitutionName": "A"}], [{"InstitutionName": "B"}], set()),
        (0x00400275, [{"00100020": "1"}], [{"PatientID": "2"}], {IDENTITY_CHANGES}),
        (0x00111002, [{"00100010": "A"}], [{"00100010": "B"}], {IDENTITY_CHANGES}),
        (0x00081115, [{"SeriesInstanceUID": "1.2"}], [{"SeriesInstanceUID": "1.3"}], set()),
        (0x00081140, [{"SpecificCharacterSet": ["A"]}], [{}], {OBJECT_CHANGES}),
        (0x00101002, [{"TypeOfPatientID": "TEXT"}], [{}], {IDENTITY_CHANGES}),
    ],
)
def test_inside_a_sequence_what_identifies_and_what_describes_pixels_counts(
    tag: int, before: Json, after: Json, expected: set[Hazard]
) -> None:
    assert hazards(tag, before=before, after=after) == expected


def test_items_are_compared_by_their_position() -> None:
    first: Json = {"RescaleSlope": "1"}
    second: Json = {"RescaleSlope": "2"}
    assert hazards(SHARED, before=[first, second], after=[second, first]) == {OBJECT_CHANGES}


# --- however it is asked ---------------------------------------------------------------------


def one(**dicom: Any) -> dict[str, Any]:
    held = {"BitsAllocated": 16, "00020003": "1.2.1.1", **dicom}
    return document(series("1.2.1", [instance("1.2.1.1", **held)]), image_set_id=A)


def asked(body: str, *, content: dict[str, Any] | None = None) -> set[Hazard]:
    stage = Stage()
    stage.put(content or one())
    found = stage.diff(f"imageSetId: {A}\n{body}").changes
    return {hazard for sourced in found for hazard in sourced.change.hazards}


def of_instance(section: str, attributes: str) -> str:
    return f"{section}: {{Study: {{Series: {{1.2.1: {{Instances: {{1.2.1.1: {attributes}}}}}}}}}}}"


@pytest.mark.parametrize("key", ["Rows", '"00280010"', "BitsAllocated", '"00280100"'])
def test_a_hex_key_has_the_hazards_of_its_keyword(key: str) -> None:
    assert OBJECT_CHANGES in asked(of_instance("present", f"{{DICOM: {{{key}: 4}}}}"))
    assert OBJECT_CHANGES in asked(of_instance("absent", f"{{DICOM: [{key}]}}"))


@pytest.mark.parametrize("body", ["present: {Patient: {DICOM: {PatientSex: ''}}}"])
def test_emptying_counts(body: str) -> None:
    assert asked(body) == {IDENTITY_CHANGES}


def test_the_media_storage_uid_is_a_uid() -> None:
    found = asked(of_instance("present", "{DICOM: {MediaStorageSOPInstanceUID: 1.2.9}}"))
    assert found == {Hazard.CHANGES_UID}


def test_a_revert_has_the_hazards_of_what_it_brings_back() -> None:
    stage = Stage()
    stage.put(one(SpecificCharacterSet=["ISO_IR 100"]))

    def rewritten(content: dict[str, Any]) -> None:
        held = content["Study"]["Series"]["1.2.1"]["Instances"]["1.2.1.1"]["DICOM"]
        del held["SpecificCharacterSet"]
        held["Rows"] = 1
        content["Patient"]["DICOM"]["IssuerOfPatientID"] = "HOSPITAL"

    stage.service.foreign(A, rewritten)
    found = stage.diff(f'imageSetId: {A}\nrevertToVersionId: "1"').changes
    by_key = {sourced.change.key: set(sourced.change.hazards) for sourced in found}
    assert by_key == {
        "SpecificCharacterSet": {Hazard.REVERTS_VERSION, OBJECT_CHANGES},
        "Rows": {Hazard.REVERTS_VERSION, OBJECT_CHANGES},
        "IssuerOfPatientID": {
            Hazard.REVERTS_VERSION,
            Hazard.REMOVES_ATTRIBUTE,
            IDENTITY_CHANGES,
            HISTORY,
        },
    }


def test_what_is_converged_has_no_hazard() -> None:
    assert asked(of_instance("present", "{DICOM: {Rows: 128, BitsAllocated: 16}}")) == set()
