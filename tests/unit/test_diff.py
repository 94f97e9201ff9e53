"""One image set: what is asked of it, what was recorded, what is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.core.diff.locate import Aliases
from reconciler.core.model.change import Op
from reconciler.core.model.plan import Status
from tests.documents import document, instance, series
from tests.planning import A, Stage, messages

ODD = "does not have the documented structure"
Breaker = Callable[[dict[str, Any]], object]


def one(**patient: Any) -> dict[str, Any]:
    """An image set A with series 1.2.1 of instances 1.2.1.1 and 1.2.1.2."""
    block = series("1.2.1", [instance("1.2.1.1"), instance("1.2.1.2")])
    return document(block, image_set_id=A, patient=patient)


def two() -> dict[str, Any]:
    """One with series 1.2.1 and 1.2.2 of two instances each."""
    blocks = [
        series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2")]) for uid in ("1.2.1", "1.2.2")
    ]
    return document(*blocks, image_set_id=A)


def at(document: dict[str, Any], number: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = document["Study"]["Series"]["1.2.1"]["Instances"][f"1.2.1.{number}"]
    return found


def staged(document: dict[str, Any], **rules: Any) -> Stage:
    stage = Stage(**rules)
    stage.put(document)
    return stage


def present(patient: str = "", *, study: str = "", inside: str = "", more: str = "") -> str:
    """A manifest of A; `inside` is the content of `Series`."""
    blocks = [f"  Patient: {{DICOM: {{{patient}}}}}"] if patient else []
    blocks += [f"  Study: {{DICOM: {{{study}}}}}"] if study else []
    blocks += [f"  Study: {{Series: {{{inside}}}}}"] if inside else []
    return "\n".join([f"imageSetId: {A}", "present:", *blocks, more, ""])


def absent(inside: str, more: str = "") -> str:
    return f"imageSetId: {A}\nabsent: {inside}\n{more}\n"


def on_instance(attributes: str, uid: str = "1.2.1.1", vrs: str = "") -> str:
    stated = f", DICOMVRs: {{{vrs}}}" if vrs else ""
    return f'1.2.1: {{Instances: {{"{uid}": {{DICOM: {{{attributes}}}{stated}}}}}}}'


def ops(stage: Stage, *manifests: str) -> list[tuple[str, str]]:
    return [(str(g.change.op), g.change.path()) for g in stage.diff(*manifests).changes]


FORCE = "force: true"

# --- one attribute ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "asked"),
    [
        ("Garcia^Gloria", "Garcia^Gloria^^ "),
        ("Garcia^Gloria ", "Garcia^Gloria"),
        (None, '""'),
        ("", '""'),
        ([], '""'),
    ],
)
def test_the_same_in_other_words_is_no_change(live: object, asked: str) -> None:
    found = staged(one(PatientName=live)).diff(present(f"PatientName: {asked}"))
    assert (found.status, found.changes) == (Status.CONVERGED, ())


def test_an_attribute_that_is_missing_is_added_even_if_empty() -> None:
    stage = staged(one())
    assert ops(stage, present('PatientComments: ""')) == [("add", "Patient/PatientComments")]


def test_the_live_key_is_sent_whichever_way_it_is_asked() -> None:
    stage = staged(one(**{"00104000": "old"}))
    (sourced,) = stage.diff(present("PatientComments: new")).changes
    assert (sourced.change.op, sourced.change.key) == (Op.UPDATE, "00104000")
    assert ops(staged(one()), present('"00100010": N')) == [("update", "Patient/PatientName")]


def test_an_attribute_that_stands_twice_is_blocked() -> None:
    stage = staged(one(**{"00100010": "Other"}))
    for manifest in (present("PatientName: N"), absent("{Patient: {DICOM: [PatientName]}}")):
        (message,) = messages(stage.diff(manifest))
        assert message.endswith("more than once, as PatientName and 00100010")


def test_a_removal_carries_what_stands_there() -> None:
    stage = staged(one(PatientName="N  "))
    (sourced,) = stage.diff(absent("{Patient: {DICOM: [PatientName]}}")).changes
    assert sourced.change.before is not None
    assert (sourced.change.op, sourced.change.before.raw) == (Op.REMOVE, "N  ")


def test_a_removal_that_expects_another_value_is_blocked() -> None:
    expects = absent("{Patient: {DICOM: {PatientName: Else}}}")
    any_value = absent("{Patient: {DICOM: [PatientName]}}")
    for manifests in ([expects], [any_value, expects]):
        found = staged(one()).diff(*manifests)
        assert found.status is Status.BLOCKED
        assert "is not the value that the manifest expects" in messages(found)[0]
    assert ops(staged(one()), absent("{Patient: {DICOM: {PatientName: Garcia^Gloria}}}")) != []


def test_a_private_value_is_read_with_the_vr_of_the_document() -> None:
    live = one()
    at(live)["DICOM"]["00091002"] = 5
    at(live)["DICOMVRs"]["00091002"] = "US"
    stage = staged(live)
    assert ops(stage, present(inside=on_instance('"00091002": "5"'), more=FORCE)) == []
    inside = '{Study: {Series: {1.2.1: {Instances: {1.2.1.1: {DICOM: {"00091002": "%s"}}}}}}}'
    assert len(ops(stage, absent(inside % 5, FORCE))) == 1
    assert staged(live).diff(absent(inside % 6, FORCE)).status is Status.BLOCKED
    blocked = stage.diff(present(inside=on_instance('"00091002": five'), more=FORCE))
    assert messages(blocked) == ["(0009,1002): takes a whole number (VR US)"]


def test_a_new_private_element_needs_its_vr_and_sends_it() -> None:
    stage = staged(one())
    unknown = stage.diff(present(inside=on_instance('"00091003": a'), more=FORCE))
    assert "the manifest must state its VR" in messages(unknown)[0]
    manifest = present(inside=on_instance('"00091003": a', vrs='"00091003": LO'), more=FORCE)
    (sourced,) = stage.diff(manifest).changes
    assert (sourced.change.op, sourced.change.send_vr) == (Op.ADD, True)


def test_the_vr_that_one_of_two_manifests_states_is_the_vr() -> None:
    silent = present(inside=on_instance('"00091003": "5"'), more=FORCE)
    stating = present(inside=on_instance('"00091003": "5"', vrs='"00091003": US'), more=FORCE)
    (sourced,) = staged(one()).diff(silent, stating).changes
    assert sourced.change.after is not None
    assert (sourced.change.vr, sourced.change.after.raw) == ("US", 5)
    assert [str(source.place) for source in sourced.sources] == ["a.yaml:1:1", "b.yaml:1:1"]


def test_another_vr_is_a_change_and_is_sent() -> None:
    same_text = present(
        inside=on_instance('"00091001": GE_GENESIS_FF', vrs='"00091001": SH'), more=FORCE
    )
    (sourced,) = staged(one()).diff(same_text).changes
    assert (sourced.change.vr, sourced.change.send_vr) == ("SH", True)


# --- places ----------------------------------------------------------------------------------


def test_a_wildcard_asks_every_block_and_a_name_wins() -> None:
    inside = (
        '1.2.1: {Instances: {"*": {DICOM: {ImageComments: x}}, '
        "1.2.1.2: {DICOM: {ImageComments: y}}}}"
    )
    changes = staged(one()).diff(present(inside=inside)).changes
    assert [g.change.after.raw for g in changes if g.change.after] == ["x", "y"]


def test_of_two_patterns_the_named_instance_wins() -> None:
    inside = (
        '1.2.1: {Instances: {"*": {DICOM: {ImageComments: series}}}}, '
        '"*": {Instances: {1.2.1.2: {DICOM: {ImageComments: instance}}}}'
    )
    changes = staged(one()).diff(present(inside=inside)).changes
    assert [g.change.after.raw for g in changes if g.change.after] == ["series", "instance"]


def test_patterns_of_two_manifests_that_meet_are_a_quarrel() -> None:
    first = present(inside='1.2.1: {Instances: {"*": {DICOM: {ImageComments: a}}}}')
    second = present(inside='"*": {Instances: {1.2.1.2: {DICOM: {ImageComments: b}}}}')
    (message,) = messages(staged(one()).diff(first, second))
    assert "Study/Series/1.2.1/Instances/1.2.1.2/ImageComments contradicts" in message


@pytest.mark.parametrize("uid", ["1.2.1.7", "*"])
def test_what_is_not_there_is_blocked(uid: str) -> None:
    live = one()
    live["Study"]["Series"]["1.2.1"]["Instances"] = {}
    (message,) = messages(staged(live).diff(present(inside=on_instance("ImageComments: x", uid))))
    assert message == f"the image set has no Study/Series/1.2.1/Instances/{uid}"


def test_a_level_that_is_missing_is_blocked() -> None:
    live = one()
    del live["Patient"]
    (message,) = messages(staged(live).diff(present("PatientName: N")))
    assert message == "the document has no Patient to update"


@pytest.mark.parametrize(
    ("breaks", "where"),
    [
        (lambda d: d.update(Patient=None), "Patient"),
        (lambda d: d["Patient"].update(DICOM=None), "Patient/DICOM"),
        (lambda d: d["Study"].update(DICOM=[]), "Study/DICOM"),
        (lambda d: d["Study"].update(Series=None), "Study/Series"),
        (lambda d: d["Study"]["Series"].update({"1.2.1": [1]}), "Study/Series/1.2.1"),
        (lambda d: d["Study"]["Series"]["1.2.1"].update(DICOM=""), "Study/Series/1.2.1/DICOM"),
        (
            lambda d: d["Study"]["Series"]["1.2.1"].update(Instances=None),
            "Study/Series/1.2.1/Instances",
        ),
        (
            lambda d: d["Study"]["Series"]["1.2.1"]["Instances"].update({"1.2.1.1": None}),
            "Study/Series/1.2.1/Instances/1.2.1.1",
        ),
        (lambda d: at(d).update(DICOM=3), "Study/Series/1.2.1/Instances/1.2.1.1/DICOM"),
        (lambda d: at(d).update(DICOMVRs=None), "Study/Series/1.2.1/Instances/1.2.1.1/DICOMVRs"),
    ],
)
def test_a_document_of_another_shape_is_left_alone(breaks: Breaker, where: str) -> None:
    live = one()
    breaks(live)
    asked = present("PatientName: N", inside=on_instance("ImageComments: x", "*"))
    assert messages(staged(live).diff(asked)) == [f"the document {ODD} at {where}"]
    stage = staged(one())
    stage.service.foreign(A, breaks)
    reverts = f"imageSetId: {A}\nrevertToVersionId: '1'\n"
    assert messages(stage.diff(reverts)) == [f"the document {ODD} at {where}"]
    stage = staged(live)
    stage.service.foreign(A, made_anew)
    (message,) = messages(stage.diff(reverts))
    assert message == f"the document of version 1 {ODD} at {where}"


def made_anew(document: dict[str, Any]) -> None:
    document.clear()
    document.update(one())


@pytest.mark.parametrize("value", [5, None, "", ["1.2.1.1"]])
def test_an_instance_whose_uid_is_odd_is_found_by_its_key(value: object) -> None:
    live = one()
    at(live)["DICOM"]["SOPInstanceUID"] = value
    stage = staged(live)
    assert ops(stage, present(inside=on_instance("ImageComments: x"))) != []


def test_a_padded_uid_is_the_same_uid() -> None:
    live = one()
    instances = live["Study"]["Series"]["1.2.1"]["Instances"]
    block = instances.pop("1.2.1.1")
    block["DICOM"]["SOPInstanceUID"] = "1.2.1.1\0"
    instances["key"] = block
    assert ops(staged(live), present(inside=on_instance("ImageComments: x"))) == [
        ("update", "Study/Series/1.2.1/Instances/key/ImageComments")
    ]


# --- removals --------------------------------------------------------------------------------


def test_a_series_takes_its_instances_along() -> None:
    manifests = (
        absent("{Study: {Series: [1.2.1]}}"),
        absent("{Study: {Series: {1.2.1: {Instances: [1.2.1.1]}}}}"),
    )
    assert ops(staged(two()), *manifests) == [("remove-series", "Study/Series/1.2.1")]


@pytest.mark.parametrize(
    ("live", "inside", "last"),
    [
        (one, "[1.2.1]", "series of the image set"),
        (one, "{1.2.1: {Instances: [1.2.1.1, 1.2.1.2]}}", "instance of its series"),
        (two, "[1.2.1, 1.2.2]", "series of the image set"),
        (two, "{1.2.1: {Instances: [1.2.1.1, 1.2.1.2]}}", "instance of its series"),
        (two, "[1.2.1]", ""),
        (two, "{1.2.1: {Instances: [1.2.1.1]}, 1.2.2: {Instances: [1.2.2.2]}}", ""),
    ],
)
def test_the_last_ones_stay(live: Callable[[], dict[str, Any]], inside: str, last: str) -> None:
    manifest = absent(f"{{Study: {{Series: {inside}}}}}")
    expected = [f"this would remove the last {last}"] if last else []
    assert messages(staged(live()).diff(manifest)) == expected
    assert messages(staged(live(), remove_last="allow").diff(manifest)) == []


# --- UIDs ------------------------------------------------------------------------------------


def test_a_wildcard_cannot_give_two_instances_one_uid() -> None:
    manifest = present(inside=on_instance("SOPInstanceUID: 1.2.9", "*"), more=FORCE)
    assert messages(staged(one()).diff(manifest)) == [
        "the new SOPInstanceUID is already in use in this image set"
    ]


@pytest.mark.parametrize(
    "inside",
    [
        '"*": {DICOM: {SeriesInstanceUID: 1.2.2}}',
        '"*": {Instances: {1.2.1.1: {DICOM: {SOPInstanceUID: 1.2.2.2}}}}',
    ],
)
def test_a_uid_of_another_is_taken(inside: str) -> None:
    (message,) = messages(staged(two()).diff(present(inside=inside, more=FORCE)))
    assert "is already in use" in message


@pytest.mark.parametrize(
    ("new_of", "tangled"),
    [
        ({"1": "2"}, ()),
        ({"1": "2", "3": "4"}, ()),
        ({"1": "2", "2": "3"}, ("2",)),
        ({"1": "2", "2": "1"}, ("1", "2")),
        ({"1": "3", "2": "3"}, ("3",)),
    ],
)
def test_chains_swaps_and_collisions_are_tangled(
    new_of: dict[str, str], tangled: tuple[str, ...]
) -> None:
    assert Aliases(new_of).tangled() == tangled


def test_a_rename_is_an_alias_both_ways() -> None:
    aliases = Aliases({"1": "2"})
    assert aliases.names("1") == aliases.names("2") == {"1", "2"}
    assert aliases.names("3") == {"3"}


def test_what_is_renamed_is_found_by_old_and_new_name() -> None:
    rename = present(
        inside="1.2.1: {DICOM: {SeriesInstanceUID: 1.2.8}, Instances: "
        "{1.2.1.1: {DICOM: {SOPInstanceUID: 1.2.8.1}}}}",
        more=FORCE,
    )
    by_new = present(inside="1.2.8: {Instances: {1.2.8.1: {DICOM: {ImageComments: x}}}}")
    by_old = present(inside="1.2.1: {Instances: {1.2.1.1: {DICOM: {InstanceNumber: '7'}}}}")
    stage = staged(one())
    where = "Study/Series/1.2.1/Instances/1.2.1.1"
    assert ops(stage, rename, by_new, by_old) == [
        ("update", "Study/Series/1.2.1/SeriesInstanceUID"),
        ("update", f"{where}/SOPInstanceUID"),
        ("update", f"{where}/InstanceNumber"),
        ("update", f"{where}/ImageComments"),
    ]
    stage.run(stage.action(rename + "\nallow: [CHANGES_UID]\n", by_new, by_old))
    assert stage.service.version(A) == "2"
    assert stage.diff(rename, by_new, by_old).status is Status.CONVERGED


def test_old_and_new_both_there_is_blocked() -> None:
    manifest = present(inside=on_instance("SOPInstanceUID: 1.2.1.2"), more=FORCE)
    assert any(
        "under its old UID and under its new UID" in m
        for m in messages(staged(one()).diff(manifest))
    )


# --- drift -----------------------------------------------------------------------------------

ASKED = present("PatientName: N", inside=on_instance("ImageComments: x", "*"))


def converged(manifest: str, live: dict[str, Any] | None = None) -> Stage:
    stage = staged(live or one())
    (action,) = stage.plan(manifest + "\nallow: [CHANGES_PATIENT_IDENTITY, CHANGES_UID]\n")
    assert action.steps
    stage.run(action)
    stage.record(manifest)
    return stage


def drifted(stage: Stage, *manifests: str) -> list[tuple[str, bool]]:
    return [(g.change.key, g.change.drifted) for g in stage.diff(*manifests).changes]


def test_an_attribute_that_somebody_changed_has_drifted() -> None:
    stage = converged(ASKED)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="M"))
    assert drifted(stage, ASKED) == [("PatientName", True)]
    assert stage.diff(ASKED).status is Status.DRIFTED


def test_a_new_wish_after_a_change_elsewhere_is_an_update() -> None:
    stage = converged(ASKED)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientComments="c"))
    manifest = ASKED.replace("PatientName: N", "PatientName: O, PatientComments: d")
    assert drifted(stage, manifest) == [("PatientName", False), ("PatientComments", False)]
    assert [g.change.is_first for g in stage.diff(manifest).changes] == [False, True]


def test_other_words_for_the_recorded_value_are_no_drift() -> None:
    stage = converged(ASKED)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="N^^ "))
    assert drifted(stage, ASKED.replace("PatientName: N", "PatientName: O")) == [
        ("PatientName", False)
    ]


def test_without_a_record_or_at_the_recorded_version_nothing_drifts() -> None:
    assert drifted(staged(one()), ASKED)[0] == ("PatientName", False)
    stage = converged(ASKED)
    assert drifted(stage, ASKED.replace("PatientName: N", "PatientName: O")) == [
        ("PatientName", False)
    ]


def test_a_recorded_version_that_cannot_be_read_makes_everything_drift() -> None:
    stage = converged(ASKED)
    stage.service.foreign(A, lambda d: None)
    del stage.service._sets[A].versions[-2]
    assert drifted(stage, ASKED.replace("PatientName: N", "PatientName: O")) == [
        ("PatientName", True)
    ]


def test_a_changed_private_vr_is_drift() -> None:
    manifest = present(inside=on_instance('"00091001": "97"', vrs='"00091001": DS'), more=FORCE)
    stage = converged(manifest)
    stage.service.foreign(A, lambda d: at(d)["DICOMVRs"].update({"00091001": "LO"}))
    assert drifted(stage, manifest) == [("00091001", True)]


def test_a_private_vr_changed_beside_an_equal_text_is_drift() -> None:
    manifest = present(inside=on_instance('"00091001": A', vrs='"00091001": SH'), more=FORCE)
    stage = converged(manifest)
    stage.service.foreign(A, lambda d: at(d)["DICOMVRs"].update({"00091001": "LO"}))
    assert drifted(stage, manifest) == [("00091001", True)]


def test_a_recorded_document_of_another_shape_cannot_be_read() -> None:
    broken = one()
    broken["Patient"]["DICOM"] = None
    stage = staged(broken)
    stage.record(ASKED)
    stage.service.foreign(A, made_anew)
    assert [is_drifted for _, is_drifted in drifted(stage, ASKED)] == [True, True, True]


def test_an_instance_that_came_since_has_not_drifted() -> None:
    stage = converged(ASKED)
    stage.service.foreign(
        A,
        lambda d: d["Study"]["Series"]["1.2.1"]["Instances"].update(
            {"1.2.1.3": instance("1.2.1.3")}
        ),
    )
    assert drifted(stage, ASKED) == [("ImageComments", False)]


def test_an_instance_imported_again_has_drifted() -> None:
    stage = converged(ASKED)
    stage.service.foreign(A, lambda d: at(d).update(instance("1.2.1.1")))
    assert drifted(stage, ASKED) == [("ImageComments", True)]


def test_an_instance_under_another_uid_is_known_by_its_images() -> None:
    def rename(document: dict[str, Any]) -> None:
        instances = document["Study"]["Series"]["1.2.1"]["Instances"]
        block = instances.pop("1.2.1.1")
        block["DICOM"] |= {"SOPInstanceUID": "1.2.1.7", "ImageComments": "edited"}
        instances["1.2.1.7"] = block

    stage = converged(ASKED)
    stage.service.foreign(A, rename)
    assert drifted(stage, ASKED) == [("ImageComments", True)]


def test_a_series_under_another_uid_is_known_by_its_images() -> None:
    def rename(document: dict[str, Any]) -> None:
        block = document["Study"]["Series"].pop("1.2.1")
        block["DICOM"] |= {"SeriesInstanceUID": "1.2.7", "SeriesDescription": "edited"}
        document["Study"]["Series"]["1.2.7"] = block

    manifest = present(inside='"*": {DICOM: {SeriesDescription: x}}')
    stage = converged(manifest)
    stage.service.foreign(A, rename)
    assert drifted(stage, manifest) == [("SeriesDescription", True)]


def test_our_own_rename_undone_by_somebody_has_drifted() -> None:
    manifest = present(inside=on_instance("SOPInstanceUID: 1.2.1.9"), more=FORCE)
    stage = converged(manifest)

    def undo(document: dict[str, Any]) -> None:
        instances = document["Study"]["Series"]["1.2.1"]["Instances"]
        block = instances.pop("1.2.1.9")
        block["DICOM"]["SOPInstanceUID"] = "1.2.1.1"
        instances["1.2.1.1"] = block

    stage.service.foreign(A, undo)
    assert drifted(stage, manifest) == [("SOPInstanceUID", True)]


@pytest.mark.parametrize("kind", ["came back", "other images", "was always there"])
def test_a_removal_of_what_somebody_brought_has_drifted(kind: str) -> None:
    stage = staged(one())
    if kind == "came back":
        stage.service.foreign(
            A, lambda d: d["Study"]["Series"]["1.2.1"]["Instances"].pop("1.2.1.1")
        )
    manifest = absent("{Study: {Series: {1.2.1: {Instances: [1.2.1.1]}}}}")
    stage.record(manifest)
    frames = [{"ID": "f" * 32}] if kind == "other images" else at(one())["ImageFrames"]
    stage.service.foreign(
        A,
        lambda d: d["Study"]["Series"]["1.2.1"]["Instances"].update(
            {"1.2.1.1": {**instance("1.2.1.1"), "ImageFrames": frames}}
        ),
    )
    assert drifted(stage, manifest) == [("", kind != "was always there")]


def test_a_removal_of_a_series_that_came_since_has_drifted() -> None:
    stage = staged(two())
    manifest = absent("{Study: {Series: [1.2.2, 1.2.3]}}")
    stage.record(manifest)
    new = series("1.2.3", [instance("1.2.3.1")])
    stage.service.foreign(A, lambda d: d["Study"]["Series"].update({"1.2.3": new}))
    assert [g.change.drifted for g in stage.diff(manifest).changes] == [False, True]


# --- reverts ---------------------------------------------------------------------------------

REVERT = f"imageSetId: {A}\nrevertToVersionId: '1'\n"


def reverted(*breaks: Breaker, live: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    stage = staged(live or one())
    for change in breaks:
        stage.service.foreign(A, change)
    return ops(stage, REVERT)


def test_a_revert_shows_every_difference() -> None:
    def change(document: dict[str, Any]) -> None:
        document["Patient"]["DICOM"].update(PatientName="M", PatientComments="new")
        del document["Study"]["DICOM"]["StudyID"]
        del document["Study"]["Series"]["1.2.1"]["Instances"]["1.2.1.2"]
        at(document)["DICOMVRs"]["00091001"] = "SH"

    assert reverted(change) == [
        ("update", "Patient/PatientName"),
        ("remove", "Patient/PatientComments"),
        ("add", "Study/StudyID"),
        ("update", "Study/Series/1.2.1/Instances/1.2.1.1/00091001"),
        ("restore-instance", "Study/Series/1.2.1/Instances/1.2.1.2"),
    ]


def test_a_revert_of_nothing_is_converged() -> None:
    assert reverted() == []
    stage = staged(one())
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="Garcia^Gloria^"))
    assert stage.diff(REVERT).status is Status.CONVERGED


def test_a_revert_over_images_imported_again_removes_and_restores() -> None:
    where = "Study/Series/1.2.1/Instances/1.2.1.1"
    assert reverted(lambda d: at(d).update(ImageFrames=[{"ID": "f" * 32}])) == [
        ("remove-instance", where),
        ("restore-instance", where),
    ]


def test_a_revert_of_renames_is_an_update_of_uids() -> None:
    def rename(document: dict[str, Any]) -> None:
        block = document["Study"]["Series"].pop("1.2.1")
        block["DICOM"]["SeriesInstanceUID"] = "1.2.8"
        for number in (1, 2):
            inner = block["Instances"].pop(f"1.2.1.{number}")
            inner["DICOM"]["SOPInstanceUID"] = f"1.2.8.{number}"
            block["Instances"][f"1.2.8.{number}"] = inner
        document["Study"]["Series"]["1.2.8"] = block

    assert reverted(rename) == [
        ("update", "Study/Series/1.2.8/SeriesInstanceUID"),
        ("update", "Study/Series/1.2.8/Instances/1.2.8.1/SOPInstanceUID"),
        ("update", "Study/Series/1.2.8/Instances/1.2.8.2/SOPInstanceUID"),
    ]


def test_a_revert_brings_a_series_back_and_takes_one_away() -> None:
    new = series("1.2.3", [instance("1.2.3.1")])

    def change(document: dict[str, Any]) -> None:
        del document["Study"]["Series"]["1.2.2"]
        document["Study"]["Series"]["1.2.3"] = new

    assert reverted(change, live=two()) == [
        ("restore-series", "Study/Series/1.2.2"),
        ("remove-series", "Study/Series/1.2.3"),
    ]


def test_a_revert_may_exchange_the_only_series() -> None:
    def change(document: dict[str, Any]) -> None:
        document["Study"]["Series"] = {"1.2.3": series("1.2.3", [instance("1.2.3.1")])}

    stage = staged(one())
    stage.service.foreign(A, change)
    assert messages(stage.diff(REVERT)) == []
    assert ops(stage, REVERT) == [
        ("restore-series", "Study/Series/1.2.1"),
        ("remove-series", "Study/Series/1.2.3"),
    ]


def test_one_image_makes_one_pair() -> None:
    def change(document: dict[str, Any]) -> None:
        instances = document["Study"]["Series"]["1.2.1"]["Instances"]
        block = instances.pop("1.2.1.1")
        for uid in ("1.2.1.8", "1.2.1.9"):
            dicom = {**block["DICOM"], "SOPInstanceUID": uid}
            instances[uid] = {**block, "DICOM": dicom}

    where = "Study/Series/1.2.1/Instances"
    assert reverted(change) == [
        ("update", f"{where}/1.2.1.8/SOPInstanceUID"),
        ("remove-instance", f"{where}/1.2.1.9"),
    ]


def test_images_imported_again_before_the_record_have_not_drifted() -> None:
    stage = staged(one())
    stage.service.foreign(A, lambda d: at(d).update(ImageFrames=[{"ID": "f" * 32}]))
    stage.record(REVERT)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientComments="c"))
    assert drifted(stage, REVERT) == [("PatientComments", True), ("", False), ("", False)]
    stage.service.foreign(A, lambda d: at(d).update(ImageFrames=[{"ID": "e" * 32}]))
    assert drifted(stage, REVERT)[1:] == [("", True), ("", False)]


def test_what_is_not_asked_any_more_is_released_but_not_a_revert() -> None:
    stage = converged(ASKED)
    narrower = present("PatientName: N")
    assert stage.diff(narrower).released == ("Study/Series/1.2.1/Instances/*/ImageComments",)
    assert stage.diff(ASKED).released == stage.diff(REVERT).released == ()
    stage.record(REVERT)
    assert stage.diff(narrower).released == ()


def test_a_revert_over_somebodys_edit_has_drifted_there_alone() -> None:
    stage = staged(one())
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientSex="M"))
    stage.record(REVERT)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="M", odd="x"))
    stage.service.foreign(A, lambda d: d["Study"]["Series"]["1.2.1"]["Instances"].pop("1.2.1.2"))
    found = [(g.change.path(), g.change.drifted) for g in stage.diff(REVERT).changes]
    assert found == [
        ("Patient/odd", True),
        ("Patient/PatientName", True),
        ("Patient/PatientSex", False),
        ("Study/Series/1.2.1/Instances/1.2.1.2", True),
    ]


def test_an_unknown_key_that_nobody_touched_has_not_drifted() -> None:
    stage = staged(one())
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(odd="x"))
    stage.record(ASKED)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="M"))
    assert drifted(stage, REVERT) == [("odd", False), ("PatientName", True)]


def test_a_revert_to_what_is_not_there_is_blocked() -> None:
    stage = staged(one())
    future = stage.diff(REVERT.replace("'1'", "'4'"))
    assert messages(future) == ["version 4 does not exist yet: the latest is 1"]
    stage.service.foreign(A, lambda d: None)
    del stage.service._sets[A].versions[0]
    assert messages(stage.diff(REVERT)) == ["the service no longer has version 1"]


# --- values in messages ----------------------------------------------------------------------


def test_no_value_is_in_a_repr() -> None:
    stage = staged(one())
    found = stage.diff(present("PatientName: Geheim^Sehr"))
    assert found.changes
    for word in ("Geheim", "Garcia", "Gloria"):
        assert word not in repr(found)


# --- how long it takes -----------------------------------------------------------------------


def test_many_instances_asked_one_by_one_take_no_minutes() -> None:
    """Looking for each among all took ten seconds, and so did a digest of all after each call."""
    names = [f"1.2.1.{number}" for number in range(1_500)]
    live = document(series("1.2.1", [instance(name) for name in names]), image_set_id=A)
    lines = "".join(f"          {name}: {{DICOM: {{ImageComments: c{name}}}}}\n" for name in names)
    manifest = (
        f"imageSetId: {A}\nallow: [SPLIT_UPDATE]\npresent:\n  Study:\n    Series:\n"
        f"      1.2.1:\n        Instances:\n{lines}"
    )
    stage = staged(live)
    begun = time.process_time()
    action = stage.action(manifest)
    assert len(action.changes) == len(names)
    assert len(action.steps) > 5
    assert time.process_time() - begun < 6
