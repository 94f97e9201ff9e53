"""A private element is identified by its tag and its private creator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.core.model.plan import Action, Basis, Plan, Status
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Value
from reconciler.core.plan.file import dumps, loads
from reconciler.core.review import review
from tests.documents import document, instance, series
from tests.planning import A, Stage, messages
from tests.unit.test_diff import FORCE, absent, present

CREATOR = "00090010"
UNCLEAR = "00091001 has different private creators in the instances of this line"
OTHER = "in an instance of this line, 00091001 does not have the stated private creator"


def staged(*creators: str | None, payload_bytes: int = 10_000, **more: Any) -> Stage:
    """One instance for each creator, with element 00091001; None means no creator."""
    stage, blocks = Stage(payload_bytes=payload_bytes), []
    for number, creator in enumerate(creators, 1):
        block = instance(f"1.2.1.{number}", private=False, **{"00091001": "old"}, **more)
        block["DICOMVRs"] = {"00091001": "SH"}
        if creator is not None:
            block["DICOM"] |= {CREATOR: creator}
            block["DICOMVRs"] |= {CREATOR: "LO"}
        blocks.append(block)
    stage.put(document(series("1.2.1", blocks), image_set_id=A))
    return stage


def everywhere(attributes: str, vrs: str = "", uid: str = "*") -> str:
    stated = f", DICOMVRs: {{{vrs}}}" if vrs else ""
    inside = f'"{uid}": {{DICOM: {{{attributes}}}{stated}}}'
    return present(inside=f"1.2.1: {{Instances: {{{inside}}}}}", more=FORCE)


def gone(keys: str, uid: str = "*") -> str:
    inside = f'1.2.1: {{Instances: {{"{uid}": {{DICOM: {keys}}}}}}}'
    return absent(f"{{Study: {{Series: {{{inside}}}}}}}", FORCE)


def written(action: Action) -> dict[str, Any]:
    (step,) = action.steps
    blob = json.loads(step.updatable or "")
    return dict(blob["Study"]["Series"]["1.2.1"]["Instances"])


def notes(action: Action) -> list[str]:
    return [note.message for note in action.notes]


@pytest.mark.parametrize(
    "creators", [("ACME", "OTHER", None), ("ACME", "OTHER"), ("ACME", None)], ids=str
)
def test_one_line_for_elements_of_different_vendors_is_blocked(
    creators: tuple[str | None, ...],
) -> None:
    stage = staged(*creators)
    for manifest in (everywhere('"00091001": new'), gone('["00091001"]')):
        action = stage.action(manifest)
        assert action.status is Status.BLOCKED
        assert messages(action) == [UNCLEAR]
        assert action.steps == ()


def test_equal_creators_need_not_be_stated() -> None:
    stage = staged("ACME", "ACME ")
    action = stage.action(everywhere('"00091001": new'))
    assert messages(action) == notes(action) == []
    assert {uid: block["DICOM"] for uid, block in written(action).items()} == {
        "1.2.1.1": {"00091001": "new"},
        "1.2.1.2": {"00091001": "new"},
    }


def test_each_instance_may_be_named_instead() -> None:
    manifests = [
        everywhere('"00091001": new', uid="1.2.1.1"),
        everywhere('"00091001": new', uid="1.2.1.2"),
    ]
    action = staged("ACME", "OTHER").action(*manifests)
    assert messages(action) == []
    assert len(written(action)) == 2


@pytest.mark.parametrize("vrs", ["", f'"{CREATOR}": LO'])
def test_a_stated_creator_is_written_where_it_is_missing(vrs: str) -> None:
    """Its VR is known: PS3.5 section 7.8.1."""
    stage = staged("ACME", None)
    manifest = everywhere(f'"{CREATOR}": ACME, "00091001": new', vrs)
    action = stage.action(manifest)
    assert messages(action) == notes(action) == []
    assert written(action) == {
        "1.2.1.1": {"DICOM": {"00091001": "new"}},
        "1.2.1.2": {
            "DICOM": {CREATOR: "ACME", "00091001": "new"},
            "DICOMVRs": {CREATOR: "LO"},
        },
    }
    stage.run(action)
    assert stage.action(manifest).status is Status.CONVERGED


@pytest.mark.parametrize("creators", [("OTHER",), ("ACME", "OTHER", None)], ids=str)
def test_the_element_of_another_vendor_is_never_written(creators: tuple[str | None, ...]) -> None:
    manifest = everywhere(f'"{CREATOR}": ACME, "00091001": new', f'"{CREATOR}": LO')
    action = staged(*creators).action(manifest)
    assert messages(action) == [OTHER]
    assert action.steps == ()


def test_without_any_creator_the_plan_notes_it() -> None:
    """As in examples 5 and 6 of the AWS guide."""
    action = staged(None, None).action(everywhere('"00091001": new'))
    assert messages(action) == []
    assert notes(action) == ["00091001 has no private creator: no vendor is stated for it"]
    assert len(action.steps) == 1


def test_a_creator_with_elements_is_not_removed() -> None:
    stage = staged("ACME")
    for manifest in (gone(f'["{CREATOR}"]'), everywhere(f'"{CREATOR}": ""')):
        action = stage.action(manifest)
        assert messages(action) == [f"{CREATOR} is the private creator of elements that remain"]
        assert action.blocks[0].hint == "Remove its elements, too: 00091001."
    both = stage.action(gone(f'["{CREATOR}", "00091001"]'))
    assert messages(both) == []
    assert len(both.changes) == 2
    emptied = stage.action(gone(f'["{CREATOR}"]'), everywhere('"00091002": x', '"00091002": SH'))
    assert emptied.blocks[0].hint == "Remove its elements, too: 00091001, 00091002."


def test_another_creator_is_noted_where_elements_remain() -> None:
    action = staged("ACME").action(everywhere(f'"{CREATOR}": ACME INC'))
    assert messages(action) == []
    assert notes(action) == [
        f"{CREATOR} changes: its elements then belong to another private creator"
    ]


@pytest.mark.parametrize("live", ["SH", None, "Doe^Peter"])
def test_a_private_element_keeps_its_vr_unless_the_manifest_states_another(
    live: str | None,
) -> None:
    stage = staged("ACME")
    if live != "SH":
        stage.service.foreign(A, lambda raw: restate(raw, "1.2.1.1", live))
    action = stage.action(everywhere('"00091001": new', '"00091001": LO'))
    before = live if live == "SH" else "an unknown VR"
    assert notes(action) == [f"the VR of 00091001 changes from {before} to LO"]


def restate(raw: dict[str, Any], uid: str, vr: str | None) -> None:
    vrs = raw["Study"]["Series"]["1.2.1"]["Instances"][uid]["DICOMVRs"]
    if vr is None:
        del vrs["00091001"]
    else:
        vrs["00091001"] = vr


def test_another_creator_since_the_baseline_is_drift() -> None:
    stage = staged("ACME")
    stage.record(everywhere('"00091001": old'))
    stage.service.foreign(A, lambda raw: at(raw).update({CREATOR: "OTHER"}))
    assert stage.action(everywhere('"00091001": new')).status is Status.DRIFTED


def at(raw: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = raw["Study"]["Series"]["1.2.1"]["Instances"]["1.2.1.1"]["DICOM"]
    return found


@pytest.mark.parametrize("payload_bytes", range(300, 600, 12))
def test_a_creator_goes_out_in_the_call_of_its_elements(payload_bytes: int) -> None:
    stage = staged(None, None, payload_bytes=payload_bytes)
    text = f'"{CREATOR}": ACME, "00091001": new, "00091002": more, InstanceNumber: 7'
    action = stage.action(everywhere(text, '"00091002": SH') + "\nallow: [SPLIT_UPDATE]")
    assert messages(action) == []
    for step in action.steps:
        blob = step.updatable or ""
        assert blob.count(f'"{CREATOR}":"ACME"') == blob.count('"00091001"')
        assert blob.count(f'"{CREATOR}":"ACME"') == blob.count('"00091002":"more"')


def test_a_creator_is_removed_last() -> None:
    stage = staged("ACME", payload_bytes=800, **{"00091002": "x" * 300, "00091003": "y" * 300})
    manifest = gone(f'["{CREATOR}", "00091001", "00091002", "00091003"]')
    action = stage.action(manifest + "\nallow: [SPLIT_UPDATE]")
    assert messages(action) == []
    blobs = [step.removable or "" for step in action.steps]
    assert [CREATOR in blob for blob in blobs] == [False, True]


@pytest.mark.parametrize(
    ("creator", "redact", "shown"),
    [
        ("ACME", Redact.NONE, "00091001 [ACME]"),
        ("ACME", Redact.IDENTIFYING, "00091001 [<text(1-8)>]"),
        ("GEMS_IDEN_01", Redact.IDENTIFYING, "00091001 [GEMS_IDEN_01]"),
        ("GEMS_IDEN_01", Redact.ALL, "00091001 [<text(9-16)>]"),
        (None, Redact.NONE, "00091001"),
    ],
)
def test_a_plan_shows_the_private_creator(creator: str | None, redact: Redact, shown: str) -> None:
    """A creator that pydicom lists names a vendor; any other text may name a person."""
    plan = Plan(Basis("", 1), (staged(creator).action(everywhere('"00091001": new')),))
    (group,) = review(plan, redact).details
    assert [edit.name for edit in group.edits] == [shown]


def test_a_plan_shows_the_creator_of_the_same_call() -> None:
    stage = staged(None)
    action = stage.action(everywhere(f'"{CREATOR}": ACME, "00091001": new'))
    assert {change.key: change.creator for change in action.changes} == {
        CREATOR: None,
        "00091001": Value("ACME"),
    }
    assert loads(dumps(Plan(Basis("", 1), (action,)))).actions == (action,)


def test_a_revert_shows_the_private_creator() -> None:
    stage = staged("ACME")
    stage.service.foreign(A, lambda raw: at(raw).update({"00091001": "new"}))
    action = stage.action(f'imageSetId: {A}\nrevertToVersionId: "1"\n')
    assert [change.creator for change in action.changes] == [Value("ACME")]


def test_two_vendors_are_two_edits() -> None:
    manifests = [everywhere('"00091001": new', uid=f"1.2.1.{number}") for number in (1, 2)]
    plan = Plan(Basis("", 1), (staged("ACME", "OTHER").action(*manifests),))
    (group,) = review(plan, Redact.NONE).details
    assert [edit.name for edit in group.edits] == ["00091001 [ACME]", "00091001 [OTHER]"]
