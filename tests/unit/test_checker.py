"""checker: every way in which the calls of an action differ from what it shows is found."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.dicom.content import digest
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Basis, Plan, Status
from reconciler.core.plan.checker import contradictions, edited
from reconciler.core.plan.file import from_json, to_json
from tests.documents import OTHER_ID, SERIES_UID, document, instance, series
from tests.planning import A, B, Stage

UID = f"{SERIES_UID}.1"
ASKED = f"""\
imageSetId: {A}
present:
  Patient: {{DICOM: {{PatientName: New^Name}}}}
  Study:
    DICOM: {{StudyDescription: CT}}
    Series:
      {SERIES_UID}:
        Instances: {{{UID}: {{DICOM: {{"00091002": "7"}}, DICOMVRs: {{"00091002": LO}}}}}}
absent:
  Study:
    DICOM: [StudyTime]
    Series: {{{SERIES_UID}: {{Instances: [{SERIES_UID}.2]}}}}
force: true
allow: [CHANGES_PATIENT_IDENTITY, REMOVES_INSTANCE]
"""


def action() -> dict[str, Any]:
    """Every kind of change of one image set, as it stands in a plan file."""
    stage = Stage()
    stage.put(document(image_set_id=A))
    return raw_of(stage.action(ASKED))


def study() -> dict[str, Any]:
    """A study of two, one of which spells a keyword as hex, and a change of its own."""
    stage = Stage()
    for name in (A, B):
        uid = f"1.2.{ord(name[0])}"
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        if name == B:
            dicom = content["Study"]["DICOM"]
            dicom["00081030"] = dicom.pop("StudyDescription")
        stage.put(content, primary=True)
    own = "Series: {'*': {Instances: {'*': {DICOM: {ImageComments: X}}}}}"
    return raw_of(
        stage.action(
            f"imageSetIds: [{A}, {B}]\n"
            f"present: {{Study: {{DICOM: {{StudyDescription: CT}}, {own}}}}}\n"
        )
    )


def raw_of(found: Action) -> dict[str, Any]:
    assert found.steps, found.blocks
    assert contradictions(found) == ()
    raw: Any = to_json(Plan(Basis("", 1), (found,)))["actions"]
    return dict(raw[0])


def read(raw: dict[str, Any]) -> Action:
    plan: Any = to_json(Plan(Basis("", 1), ()))
    return from_json({**plan, "actions": [raw]}).actions[0]


def checked(raw: dict[str, Any]) -> tuple[str, ...]:
    return contradictions(read(raw))


def updates(change: Callable[[Any], object], blob: str = "updatableAttributes") -> Any:
    """An edit of a request of the first call."""

    def edit(raw: dict[str, Any]) -> None:
        tree = json.loads(raw["steps"][0][blob])
        change(tree)
        raw["steps"][0][blob] = json.dumps(tree)

    return edit


def removals(change: Callable[[Any], object]) -> Any:
    return updates(change, "removableAttributes")


def text(old: str, new: str) -> Any:
    """An edit of the text of the first request."""

    def edit(raw: dict[str, Any]) -> None:
        step = raw["steps"][0]
        assert old in step["updatableAttributes"]
        step["updatableAttributes"] = step["updatableAttributes"].replace(old, new)

    return edit


def inside(tree: Any) -> Any:
    return tree["Study"]["Series"][SERIES_UID]["Instances"]


@pytest.mark.parametrize(
    "edit",
    [
        updates(lambda tree: tree["Patient"]["DICOM"].update(PatientName="Other")),
        updates(lambda tree: tree["Patient"]["DICOM"].update(PatientID="9")),
        updates(lambda tree: tree["Patient"]["DICOM"].clear()),
        updates(lambda tree: tree.pop("Patient")),
        updates(lambda tree: tree.update(More={})),
        updates(lambda tree: tree.update(SchemaVersion=1.2)),
        updates(lambda tree: tree["Study"].update(Series={})),
        updates(lambda tree: inside(tree)[UID]["DICOMVRs"].update({"00091002": "SH"})),
        updates(lambda tree: inside(tree)[UID].pop("DICOMVRs")),
        updates(lambda tree: inside(tree)[UID]["DICOMVRs"].update({"00091001": "SH"})),
        updates(lambda tree: inside(tree)[UID].update(ImageFrames=[])),
        updates(lambda tree: inside(tree).update({f"{UID}9": inside(tree).pop(UID)})),
        updates(lambda tree: inside(tree)[UID].update(DICOM=7)),
        removals(lambda tree: tree["Study"]["DICOM"].update(StudyTime="1")),
        removals(lambda tree: tree["Study"]["DICOM"].update(StudyDate="20200101")),
        removals(lambda tree: inside(tree).update({UID: {}})),
        removals(lambda tree: tree["Study"]["Series"].update({SERIES_UID: {}})),
        text('{"PatientName":', '{"PatientName":"First","PatientName":'),
        text('"SchemaVersion":1.1,', ""),
        lambda raw: raw["steps"][0].update(updatableAttributes="{"),
        lambda raw: raw["steps"][0].update(updatableAttributes="[]"),
        lambda raw: raw["steps"][0].update(removableAttributes=None),
        lambda raw: raw["steps"][0].update(pin="2"),
        lambda raw: raw["steps"][0].update(imageSetId=OTHER_ID),
        lambda raw: raw["steps"][0].update(datastoreId="9" * 32),
        lambda raw: raw["steps"][0].update(revertToVersionId="1"),
        lambda raw: raw["steps"][0].update(includeStudyImageSets=True, studyInstanceUID="1.2"),
        lambda raw: raw["steps"][0]["expected"].update({OTHER_ID: "sha256:" + "0" * 64}),
        lambda raw: raw["steps"].append(raw["steps"][0]),
        lambda raw: raw["changes"].pop(),
        lambda raw: raw["changes"].append(raw["changes"][0]),
        lambda raw: raw["changes"].clear(),
        lambda raw: raw["changes"][0].update(imageSetId=OTHER_ID),
        lambda raw: [
            change["after"] and change["after"].update(value=1) for change in raw["changes"]
        ],
        lambda raw: [change.update(forceReasons=[]) for change in raw["changes"]],
        lambda raw: raw["changes"][0].update(drifted=True),
        lambda raw: raw["changes"][0].update(consentVersions=["1"]),
        lambda raw: raw["changes"][0]["hazards"].append("OVERWRITES_DRIFT"),
        lambda raw: raw["changes"][0].update(at=None),
        lambda raw: raw["hazards"].clear(),
        lambda raw: raw["hazards"][0].update(consented=False),
        lambda raw: raw.update(status="converged"),
        lambda raw: raw.update(status="blocked"),
        lambda raw: raw["members"][0].update(pin=""),
        lambda raw: raw["members"][0].update(pin="2"),
        lambda raw: raw["members"].append({**raw["members"][0], "imageSetId": B}),
    ],
)
def test_what_contradicts_is_found(edit: Callable[[dict[str, Any]], object]) -> None:
    raw = action()
    before = json.dumps(raw)
    edit(raw)
    assert json.dumps(raw) != before
    problems = checked(raw)
    assert problems
    for value in ("New^Name", "Other", "215500"):
        assert value not in " ".join(problems)


@pytest.mark.parametrize(
    "edit",
    [
        text('"CT"', '"MR"'),
        lambda raw: raw["members"][1].update(isPrimary=False),
        lambda raw: raw["members"].reverse(),
        lambda raw: raw["steps"][0]["expected"].pop(B),
        lambda raw: raw["steps"].reverse(),
        lambda raw: raw["steps"][1].update(pin="1"),
        lambda raw: raw["steps"][0].update(includeStudyImageSets=False),
        lambda raw: raw["steps"][1].update(
            updatableAttributes=raw["steps"][2]["updatableAttributes"]
        ),
        lambda raw: raw["hazards"].clear(),
        lambda raw: raw["changes"][0]["after"].update(value="MR"),
        lambda raw: raw["steps"][0].update(force=True),
    ],
)
def test_what_contradicts_in_a_study_is_found(edit: Callable[[dict[str, Any]], object]) -> None:
    raw = study()
    edit(raw)
    assert checked(raw)


@pytest.mark.parametrize(
    "edit",
    [
        updates(lambda tree: tree["Patient"]["DICOM"].update({"Zyxwood^Quillon": "1"})),
        updates(lambda tree: inside(tree).update({"Zyxwood^Quillon": {}})),
        updates(lambda tree: inside(tree).update({"Zyxwood^Quillon": {"DICOM": {"Rows": 1}}})),
        removals(lambda tree: inside(tree).update({"Zyxwood^Quillon": {}})),
    ],
)
def test_no_sentence_holds_a_key_that_dicom_does_not_define(
    edit: Callable[[dict[str, Any]], object],
) -> None:
    """Such a key may be a name, and the sentences are stored."""
    raw = action()
    edit(raw)
    sentences = " ".join(checked(raw))
    assert "<text(9-16)>" in sentences
    assert "Zyxwood" not in sentences


def test_an_image_set_in_two_actions_is_found() -> None:
    stage = Stage()
    stage.put(document(image_set_id=A))
    found = stage.action(ASKED)
    assert edited(Plan(Basis("", 1), (found,))) == ""
    assert "more than one action" in edited(Plan(Basis("", 1), (found, found)))


def test_a_revert_does_nothing_else() -> None:
    stage = Stage()
    stage.put(document(image_set_id=A))
    stage.service.foreign(A, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="X"))
    found = stage.action(f'imageSetId: {A}\nrevertToVersionId: "1"\n')
    assert contradictions(found) == ()
    (step,) = found.steps
    for other in (
        replace(step, force=True),
        replace(step, updatable='{"SchemaVersion":1.1}'),
    ):
        assert contradictions(replace(found, steps=(other,)))
    unstated = tuple(replace(change, hazards=()) for change in found.changes)
    assert contradictions(replace(found, changes=unstated))
    assert Hazard.REVERTS_VERSION in {use.hazard for use in found.hazards}


def test_a_returning_instance_is_stated() -> None:
    stage = Stage()
    stage.put(document(image_set_id=A))
    stage.service.foreign(A, lambda raw: inside(raw).pop(f"{SERIES_UID}.2"))
    found = stage.action(f'imageSetId: {A}\nrevertToVersionId: "1"\n')
    assert contradictions(found) == ()
    (change,) = found.changes
    unstated = replace(change, hazards=(Hazard.REVERTS_VERSION,))
    (sentence,) = contradictions(replace(found, changes=(unstated,)))
    assert "returns" in sentence


@pytest.mark.parametrize("status", [Status.UPDATE, Status.BLOCKED])
def test_what_has_no_call_shows_what_it_likes(status: Status) -> None:
    """It is not executed."""
    stage = Stage()
    stage.put(document(image_set_id=A))
    found = replace(stage.action(ASKED), steps=(), status=status)
    assert contradictions(found) == ()


def test_the_plans_of_all_cases_are_free_of_contradictions() -> None:
    cases = sorted((Path(__file__).parents[1] / "cases").glob("*/plan.json"))
    assert cases
    for path in cases:
        raw = json.loads(path.read_text())
        assert raw["digest"] == digest({key: raw[key] for key in raw if key != "digest"})
        assert edited(from_json(raw)) == "", path.parent.name


def test_a_call_beyond_the_payload_limit_is_found() -> None:
    found = read(action())
    size = sum(len(b64encode((blob or "").encode())) for blob in blobs_of(found))
    assert contradictions(found, size) == ()
    (problem,) = contradictions(found, size - 1)
    assert problem == f"call 1 has {size:,} bytes, more than the limit of {size - 1:,}"


def blobs_of(found: Action) -> tuple[str | None, ...]:
    (step,) = found.steps
    return step.updatable, step.removable


def drifted() -> dict[str, Any]:
    """An action with consent to overwrite drift, as the plan file has it."""
    stage = Stage()
    stage.put(document(image_set_id=A))
    ask = "present: {Study: {DICOM: {StudyDescription: CT}}}"
    stage.record(f"imageSetId: {A}\n{ask}\n")
    stage.service.foreign(A, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="x"))
    return raw_of(stage.action(f"imageSetId: {A}\nallow: [OVERWRITES_DRIFT@2]\n{ask}\n"))


@pytest.mark.parametrize("name", ["baseline", "consentVersions", "hazards"])
def test_drift_is_stated_in_full(name: str) -> None:
    raw = drifted()
    assert checked(raw) == ()
    (change,) = raw["changes"]
    change[name] = type(change[name])()
    assert checked(raw)


def shared() -> dict[str, Any]:
    """Two manifests of one image set; the changes of the first go out in two calls."""
    stage = Stage(payload_bytes=1_000)
    stage.put(document(image_set_id=A))
    long = "x" * 500
    return raw_of(
        stage.action(
            f"imageSetId: {A}\nforce: true\nallow: [SPLIT_UPDATE, CHANGES_PATIENT_IDENTITY]\n"
            "present:\n  Patient: {DICOM: {PatientName: New^Name}}\n"
            f"  Study: {{DICOM: {{AdditionalPatientHistory: {long}, ReasonForVisit: {long}}}}}\n",
            f"imageSetId: {A}\nforce: true\npresent: {{Study: {{DICOM: {{StudyID: S9}}}}}}\n",
        )
    )


def moved(hazard: str) -> Callable[[dict[str, Any]], object]:
    """An edit: the other manifest consents."""

    def edit(raw: dict[str, Any]) -> None:
        for use in raw["hazards"]:
            if use["name"] == hazard:
                other = {"a.yaml": "b.yaml", "b.yaml": "a.yaml"}[use["at"]["file"]]
                use["at"]["file"] = other

    return edit


@pytest.mark.parametrize("hazard", ["SPLIT_UPDATE", "CHANGES_PATIENT_IDENTITY", "FORCE"])
def test_a_manifest_consents_to_its_own_changes_alone(hazard: str) -> None:
    raw = shared()
    moved(hazard)(raw)
    assert checked(raw) == (f"consent to {hazard} of image set {A} is of another manifest",)


def test_a_split_of_the_only_manifest_is_shown() -> None:
    raw = shared()
    for change in raw["changes"]:
        del change["manifests"]
    raw["hazards"] = [use for use in raw["hazards"] if use["name"] != "SPLIT_UPDATE"]
    assert checked(raw) == (f"SPLIT_UPDATE of image set {A} is not shown",)


def test_a_manifest_consents_to_the_study_wide_change_of_its_own_alone() -> None:
    stage = Stage()
    for name in (A, B):
        uid = f"1.2.{ord(name[0])}"
        content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
        stage.put(content, primary=True)
    allowed = f"imageSetId: {A}\nallow: [STUDY_WIDE]\npresent: {{Study: {{DICOM: "
    asked = [f"{allowed}{{{one}}}}}}}\n" for one in ("StudyDescription: CT", "StudyTime: '120000'")]
    raw = raw_of(stage.action(*asked))
    raw["hazards"] = [use for use in raw["hazards"] if use["at"]["file"] == "a.yaml"]
    assert checked(raw) == (f"consent to STUDY_WIDE of image set {A} is of another manifest",)


def test_a_change_without_its_manifests_is_found() -> None:
    raw = shared()
    del raw["changes"][0]["manifests"]
    assert checked(raw)


def test_the_status_states_drift_only_where_a_value_drifted() -> None:
    raw = action()
    raw["status"] = "drifted"
    assert checked(raw) == ("the status of the action states drift, but no value drifted",)


@pytest.mark.parametrize("version", ["1", "3"])
def test_consent_is_for_a_version_since_the_baseline_up_to_the_live_version(version: str) -> None:
    raw = drifted()
    raw["changes"][0]["consentVersions"] = ["2", version]
    assert checked(raw)


@pytest.mark.parametrize("key", ["PixelData", "FloatPixelData", "7fe00009"])
def test_pixel_data_is_found_at_any_depth(key: str) -> None:
    raw = action()
    value = [{"00091002": [{key: "AAE="}]}]
    updates(lambda tree: tree["Patient"]["DICOM"].update(PatientName=value))(raw)
    (change,) = (one for one in raw["changes"] if one["path"] == "Patient/PatientName")
    change["after"]["value"] = value
    assert checked(raw) == ("a request cannot be read: it holds pixel data, which is never sent",)
