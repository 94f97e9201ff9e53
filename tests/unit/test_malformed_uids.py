"""Series and instances whose key is not a well-formed UID: they can be named and fixed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.core.diff.paths import wholes_above
from reconciler.core.model.address import (
    instance_at,
    is_uid,
    path_part,
    series_at,
    uid_of_part,
)
from reconciler.core.model.change import Change, Op
from reconciler.core.model.plan import Status
from reconciler.core.plan.sent import recordable_paths, sent_paths
from reconciler.core.review.labels import _Labels
from tests.documents import document, instance, series
from tests.planning import A, Stage, messages

# From public reports of real files, and characters that have a meaning in paths.
MALFORMED = [
    "1.2.3.4.",
    "1..2",
    "1.2." + "3" * 66,
    "UNKNOWN-001",
    "1.2.3.4 ",
    " ",
    "01.2",
    "19700101",
    "null",
    "A/B",
    "100%",
    "a%2Fb",
    "1.2.*",
    "**",
    "Doe^John",
    "Modality",
    "DICOM ",
]
HEAD = f"imageSetId: {A}\nforce: true\nallow: [CHANGES_UID, REMOVES_INSTANCE, REMOVES_SERIES]\n"


def staged(uid: str) -> Stage:
    """Two series of two instances; the key of one series and of one instance in it is malformed."""
    held = [instance("1.2.1.1"), instance(uid)]
    stage = Stage()
    stage.put(document(series(uid, held), series("1.2.2", [instance("1.2.2.1")]), image_set_id=A))
    return stage


def present(uid: str, **dicom: str) -> str:
    name = json.dumps(uid)
    inside = f"{{{name}: {{Instances: {{{name}: {{DICOM: {json.dumps(dicom)}}}}}}}}}"
    return f"{HEAD}present: {{Study: {{Series: {inside}}}}}\n"


def absent(uid: str) -> str:
    name = json.dumps(uid)
    return f"{HEAD}absent: {{Study: {{Series: {{{name}: {{Instances: [{name}]}}}}}}}}\n"


def live(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.service.document(A)["Study"]["Series"]
    return found


@pytest.mark.parametrize("uid", MALFORMED)
def test_an_attribute_below_a_malformed_uid_is_changed_and_managed(uid: str) -> None:
    stage = staged(uid)
    manifest = present(uid, ImageComments="checked")
    action = stage.action(manifest)
    assert messages(action) == []
    stage.run(action)
    assert live(stage)[uid]["Instances"][uid]["DICOM"]["ImageComments"] == "checked"
    stage.record(manifest)
    assert stage.diff(manifest).status is Status.CONVERGED
    stage.service.foreign(
        A,
        lambda d: d["Study"]["Series"][uid]["Instances"][uid]["DICOM"].update(ImageComments="x"),
    )
    found = stage.diff(manifest)
    assert (found.status, found.released) == (Status.DRIFTED, ())


@pytest.mark.parametrize("uid", MALFORMED)
def test_a_malformed_uid_is_replaced(uid: str) -> None:
    stage = staged(uid)
    manifest = present(uid, SOPInstanceUID="1.2.1.9")
    stage.run(stage.action(manifest))
    assert live(stage)[uid]["Instances"].keys() == {"1.2.1.1", "1.2.1.9"}
    assert stage.diff(manifest).status is Status.CONVERGED
    renamed = stage.diff(manifest).renamed
    assert all(uid_of_part(part) != uid for _, new in renamed for part in new.split("/")[4:5])


@pytest.mark.parametrize("uid", MALFORMED)
def test_a_malformed_uid_is_removed(uid: str) -> None:
    stage = staged(uid)
    stage.run(stage.action(absent(uid)))
    assert live(stage)[uid]["Instances"].keys() == {"1.2.1.1"}
    assert stage.diff(absent(uid)).status is Status.CONVERGED


@pytest.mark.parametrize("uid", MALFORMED)
def test_a_path_has_as_many_parts_as_its_level(uid: str) -> None:
    assert uid_of_part(path_part(uid)) == uid
    place = instance_at(uid, uid)
    assert place.path().count("/") == 4
    assert "*" not in place.path()
    assert list(wholes_above(f"{place.path()}/Modality")) == [series_at(uid).path(), place.path()]


def test_the_paths_of_two_uids_differ() -> None:
    assert len({series_at(uid).path() for uid in MALFORMED}) == len(MALFORMED)


# --- what may be shown -----------------------------------------------------------------------


@pytest.mark.parametrize("uid", MALFORMED)
def test_a_malformed_uid_is_live_text(uid: str) -> None:
    assert not is_uid(uid)
    stage = staged(uid)
    (action,) = stage.plan(present(uid, ImageComments="checked"))
    shown = _Labels().action(action)
    texts = [change.path() for change in shown.changes]
    texts += [path for member in shown.members for path in member.asked]
    expected = "Study/Series/<masked 1>/Instances/<masked 1>/ImageComments"
    assert texts == [expected, expected]


@pytest.mark.parametrize("uid", ["Doe^John", "19700101", "Modality"])
def test_no_message_names_a_malformed_uid(uid: str) -> None:
    other = HEAD + f"present: {{Study: {{Series: {{'{uid}': {{DICOM: {{Modality: MR}}}}}}}}}}\n"
    first = other.replace("MR", "CT")
    printed = [problem.message for problem in staged(uid).resolved(first, other).problems]
    printed += messages(staged("1.2.9").diff(absent(uid)))
    printed += messages(staged("1.2.9").diff(present(uid, ImageComments="x")))
    assert len(printed) == 3
    assert [text for text in printed if uid in text.replace("/Modality", "")] == []
    change = Change(
        A, Op.UPDATE, instance_at(uid, uid), "ImageComments", 0x00204000, "", None, None
    )
    assert uid not in change.shown()


def test_a_record_holds_a_malformed_uid_only_if_a_manifest_does() -> None:
    def paths(manifest: str) -> list[str]:
        (action,) = staged("Doe^John").plan(manifest)
        return [path for _, path in recordable_paths(action, action.steps[0])]

    inside = '{"*": {Instances: {"*": {DICOM: {ImageComments: x}}}}}'
    every = f"{HEAD}present: {{Study: {{Series: {inside}}}}}\n"
    assert paths(every) == ["Study/Series/1.2.2/Instances/1.2.2.1/ImageComments"]
    assert paths(present("Doe^John", ImageComments="x")) == [
        "Study/Series/Doe^John/Instances/Doe^John/ImageComments"
    ]
    (action,) = staged("Doe^John").plan(every)
    assert len(sent_paths(action, action.steps[0])) == 3
