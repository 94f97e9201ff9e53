"""What an update sends besides the asked change is what was read, byte for byte."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from reconciler.core.dicom.live_form import in_live_form
from reconciler.core.model.address import Level
from reconciler.core.model.plan import Basis, Plan, Status
from reconciler.core.model.value import Json
from reconciler.core.stale_plan import Today, stale
from reconciler.render.manifest import manifest_lines
from tests.documents import document, instance, series
from tests.planning import A, B, Stage, messages
from tests.unit.test_diff import FORCE, absent, on_instance, present

REFERENCE: dict[str, Any] = {
    "ReferencedSOPInstanceUID": "1.2.3 ",
    "00190010": "ACME",
    "00191002": [1, 2, 3],
    "00191003": 1.5,
    "00191004": [2.0, -0.0],
    "00191006": "",
}


def staged(value: Any, keyword: str = "ReferencedImageSequence") -> Stage:
    stage = Stage()
    block = series("1.2.1", [instance("1.2.1.1", **{keyword: value})])
    stage.put(document(block, image_set_id=A))
    return stage


def asked(items: Any, keyword: str = "ReferencedImageSequence") -> str:
    return present(inside=on_instance(f"{keyword}: {json.dumps(items)}"), more=FORCE)


def sent(stage: Stage, manifest: str, keyword: str = "ReferencedImageSequence") -> Any:
    action = stage.action(manifest)
    assert messages(action) == []
    (step,) = action.steps
    blob = json.loads(step.updatable or "")
    stage.run(action)
    assert stage.action(manifest).status is Status.CONVERGED
    return blob["Study"]["Series"]["1.2.1"]["Instances"]["1.2.1.1"]["DICOM"][keyword]


TEXT: dict[str, Any] = {
    "ReferencedSOPInstanceUID": "1.2.3",
    "00190010": "ACME",
    "00191002": ["1", "2", "3"],
    "00191003": "1.5",
    "00191004": ["2", "0"],
    "00191006": "",
}


def test_what_import_prints_changes_only_what_a_steward_edits() -> None:
    stage = staged([REFERENCE, {"00191005": [{"00191007": 1e17}]}])
    lines = manifest_lines("research", A, "1", stage.service.metadata(A, "1"), Level.INSTANCE)
    text = "\n".join([f"imageSetId: {A}", *lines[lines.index("present:") :], FORCE])
    assert "left out" not in text
    assert stage.action(text).status is Status.CONVERGED
    found = sent(stage, text.replace("1.2.3 ", "1.2.4"))
    edited = REFERENCE | {"ReferencedSOPInstanceUID": "1.2.4"}
    assert json.dumps(found) == json.dumps([edited, {"00191005": [{"00191007": 1e17}]}])


def test_private_numbers_beside_the_change_stay_numbers() -> None:
    stage = staged([REFERENCE])
    found = sent(stage, asked([TEXT | {"ReferencedSOPInstanceUID": "1.2.4"}]))
    assert json.dumps(found) == json.dumps([REFERENCE | {"ReferencedSOPInstanceUID": "1.2.4"}])


def test_a_private_number_that_changes_stays_a_number() -> None:
    found = sent(staged([REFERENCE]), asked([TEXT | {"00191002": ["1", "2", "40"]}]))
    assert json.dumps(found) == json.dumps([REFERENCE | {"00191002": [1, 2, 40]}])


@pytest.mark.parametrize("text", ["four", "1e999", "1" * 5000])
def test_text_for_a_private_number_is_blocked(text: str) -> None:
    action = staged([REFERENCE]).action(asked([TEXT | {"00191003": text}]))
    assert messages(action) == [
        "inside the sequence, the live value of (0019,1003) is a number, not text"
    ]


def test_under_another_creator_the_same_tag_is_another_element() -> None:
    found = sent(staged([REFERENCE]), asked([TEXT | {"00190010": "OTHER"}]))
    assert found[0]["00191003"] == "1.5"


FRAMES: list[Any] = [
    {
        "PlanePositionSequence": [{"ImagePositionPatient": ["1.00", "2.0 ", "3"]}],
        "2005140F": [{"00181250": "SENSE ", "2005100E": 0.0025, "20050014": "Philips MR 005"}],
        "20050014": "Philips MR Imaging DD 005",
    },
    {"PlanePositionSequence": [{"ImagePositionPatient": ["1.00", "2.0 ", "4"]}]},
]


def test_a_private_sequence_inside_a_standard_one() -> None:
    """As Philips writes it into every frame of an enhanced MR image."""
    keyword = "PerFrameFunctionalGroupsSequence"
    new, wanted = copy.deepcopy(FRAMES), copy.deepcopy(FRAMES)
    new[0]["2005140F"][0]["2005100E"] = "0.005"
    wanted[0]["2005140F"][0]["2005100E"] = 0.005
    found = sent(staged(FRAMES, keyword), asked(new, keyword), keyword)
    assert json.dumps(found) == json.dumps(wanted)


def item(number: str, **more: Json) -> dict[str, Json]:
    return {"CodeValue": f"{number} ", "00191001": int(number), **more}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("21", [item("2"), item("1")]),
        ("2", [item("2")]),
        ("13", [item("1"), {"CodeValue": "3", "00191001": 3}]),
        # A new item has no live value that shows its JSON type.
        ("012", [{"CodeValue": "0", "00191001": "0"}, item("1"), item("2")]),
    ],
    ids=["moved", "deleted", "changed", "inserted"],
)
def test_an_item_that_is_equal_keeps_its_form_wherever_it_moves(
    wanted: str, found: list[Json]
) -> None:
    new: list[Json] = [{"CodeValue": one, "00191001": one} for one in wanted]
    assert in_live_form("SQ", new, [item("1"), item("2")]) == found


def test_the_value_of_a_list_that_is_equal_keeps_its_form() -> None:
    assert in_live_form("DS", ["1", "3"], ["1.00 ", "2"]) == ["1.00 ", "3"]
    assert in_live_form("DS", ["1"], ["1.00 ", "2"]) == ["1"]


def test_the_keys_of_an_item_stay_as_they_are_spelt() -> None:
    live: Json = [{"00080104": "Head ", "00191a01": 1, "00080100": "1"}]
    new: Json = [{"CodeValue": "2", "CodeMeaning": "Head", "00191A01": "1", "MappingResource": "X"}]
    assert list(in_live_form("SQ", new, live)[0].items()) == [  # type: ignore[index, union-attr]
        ("00080104", "Head "),
        ("00191a01", 1),
        ("00080100", "2"),
        ("MappingResource", "X"),
    ]


@pytest.mark.parametrize(
    ("keyword", "live", "asked_for"),
    [("InstanceNumber", "1.0", "1"), ("KVP", "120.00000000000000000", "120")],
)
def test_a_form_that_the_vr_does_not_allow_can_be_replaced(
    keyword: str, live: str, asked_for: str
) -> None:
    stage = staged(live, keyword)
    manifest = present(inside=on_instance(f"{keyword}: {asked_for}"))
    assert sent(stage, manifest, keyword) == asked_for


ICON: dict[str, Any] = {"Rows": 2, "PixelData": "AAAAAA==", "PhotometricInterpretation": "RGB"}


@pytest.mark.parametrize("key", ["PixelData", "7fe00010", "FloatPixelData", "7FE00009"])
@pytest.mark.parametrize("depth", [0, 1])
def test_a_sequence_with_pixel_data_is_never_sent(key: str, depth: int) -> None:
    """An icon image: neither is its pixel data sent nor lost."""
    live: Any = [{"Rows": 2, key: "AAAAAA=="}]
    if depth:
        live = [{"00091002": live}]
    stage = staged(live, "IconImageSequence")
    changed = asked([{"Rows": 3}], "IconImageSequence")
    inside = "1.2.1: {Instances: {1.2.1.1: {DICOM: [IconImageSequence]}}}"
    gone = absent(f"{{Study: {{Series: {{{inside}}}}}}}", FORCE)
    for manifest in (changed, gone):
        action = stage.action(manifest)
        assert messages(action) == ["the sequence holds pixel data, which is never sent"]
        assert action.steps == ()


def test_import_leaves_a_sequence_with_pixel_data_out() -> None:
    document = staged([ICON], "IconImageSequence").service.metadata(A, "1")
    text = "\n".join(manifest_lines("research", A, "1", document, Level.INSTANCE))
    assert "# IconImageSequence is left out: the sequence holds pixel data" in text


@pytest.mark.parametrize(
    "live",
    [
        {"CodeValue": "1", "Odd": "x"},
        {"CodeValue": "1", "FFFEE000": None},
        {"CodeValue": "1", "00080100": "1"},
    ],
    ids=["no-keyword", "no-tag", "twice"],
)
def test_a_key_that_a_manifest_cannot_write_is_not_lost(live: Json) -> None:
    action = staged([live]).action(asked([{"CodeValue": "2"}]))
    assert messages(action) == [
        "an item of the sequence has a key that a manifest cannot write, or an attribute twice"
    ]


def test_an_element_does_not_lose_its_private_creator_inside_a_sequence() -> None:
    item = {key: value for key, value in TEXT.items() if key != "00190010"}
    action = staged([REFERENCE]).action(asked([item]))
    assert messages(action) == ["inside the sequence, 00191002 would lose its private creator"]
    assert action.blocks[0].hint == "Write 00190010 in the same item, or remove the element."


def test_a_study_wide_call_keeps_the_form_of_one_member() -> None:
    """One call gives all members the same value, also if they pad it differently."""
    stage = Stage()
    for number, (name, code) in enumerate(((A, "1 "), (B, "1"))):
        block = series(f"1.2.{number}", [instance(f"1.2.{number}.1")])
        codes = {"ProcedureCodeSequence": [{"CodeValue": code, "CodeMeaning": "x"}]}
        stage.put(document(block, image_set_id=name, study=codes), primary=True)
    text = "ProcedureCodeSequence: [{CodeValue: '1', CodeMeaning: new}]"
    manifests = [present(study=text, more=FORCE).replace(A, name) for name in (A, B)]
    action = stage.action(*manifests)
    assert messages(action) == []
    assert len(action.steps) == 1
    assert '"CodeValue":"1 ","CodeMeaning":"new"' in (action.steps[0].updatable or "")
    plan = Plan(Basis("", 1, rules=stage.settings.rules.stated), (action,))
    asks = {(ask.datastore, ask.image_set_id): ask for ask in stage.asks(*manifests)}
    assert stale(plan, Today(stage.settings, asks)) == {}
    stage.run(action)
    assert {one.status for one in stage.plan(*manifests)} == {Status.CONVERGED}
