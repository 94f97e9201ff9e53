"""A study is one truth: what is asked of it is converged only if every primary image set holds it.

Only A has a manifest; B is the other primary image set of its study.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.cli.outside import World, imported, manifest, world, write
from tests.documents import IMAGE_SET_ID as A
from tests.documents import OTHER_ID as B
from tests.documents import document, instance, series

NECK = "present:\n  Study:\n    DICOM: {StudyDescription: NECK}\n"
THEIRS = {"Study": {"DICOM": {"StudyDescription": "THEIRS"}}}


def ask(study: World, body: str = NECK, *consents: str) -> None:
    """The manifest of A."""
    allow = ", ".join(("STUDY_WIDE", *consents))
    manifest(study.root, "a.yaml", f"allow: [{allow}]\n{body}", A)


def versions(study: World) -> dict[str, str]:
    return {name: study.version(name) for name in (A, B)}


@contextmanager
def one_study(folder: Path, reconcile: Command, **switches: Any) -> Iterator[World]:
    """Two primary image sets of one study."""
    with world(folder, reconcile, **switches) as study:
        for name, uid in ((A, "1.2.3.1"), (B, "1.2.3.2")):
            content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
            imported(study.emulator, content, primary=True)
        ask(study)
        yield study


@pytest.fixture
def reconcile(reconcile_at_once: Command) -> Command:
    """Without real waiting before a second look."""
    return reconcile_at_once


def test_nothing_is_read_while_the_study_is_as_recorded(tmp_path: Path, reconcile: Command) -> None:
    with one_study(tmp_path, reconcile) as study:
        study.apply()
        assert study.entry(A)["study"]["members"] == {A: "2", B: "2"}
        ran = reconcile("plan")
        assert "Reads made: 2 GetImageSet, 1 SearchImageSets." in ran.out
        assert "GetImageSetMetadata" not in ran.out


def test_a_sibling_alone_that_differs_is_noticed(tmp_path: Path, reconcile: Command) -> None:
    """A equals the ask, B does not."""
    with one_study(tmp_path, reconcile) as study:
        study.apply()
        write(study.emulator, B, THEIRS)
        action = study.action()
        assert action["status"] == "drifted"
        (change,) = action["changes"]
        assert (change["imageSetId"], change["baseline"]) == (B, "2")
        assert [use["consent"] for use in action["hazards"] if not use["consented"]] == [
            f"allow: [STUDY_WIDE, OVERWRITES_DRIFT@3:{B}]"
        ]
        study.apply(code=1)
        assert versions(study) == {A: "2", B: "3"}
        ask(study, NECK, f"OVERWRITES_DRIFT@3:{B}")
        study.apply()
        assert versions(study) == {A: "2", B: "4"} or versions(study) == {A: "3", B: "4"}
        ask(study)
        assert study.unchanged() == 1


def test_a_study_found_converged_is_recorded_for_every_member(
    tmp_path: Path, reconcile: Command
) -> None:
    """No call is needed, and still B has a baseline of its own afterwards."""
    with one_study(tmp_path, reconcile) as study:
        for name in (A, B):
            write(study.emulator, name, {"Study": {"DICOM": {"StudyDescription": "NECK"}}})
        study.apply()
        assert study.entry(B)["released"] == {"Study/StudyDescription": "2"}
        ran = reconcile("plan")
        assert "GetImageSetMetadata" not in ran.out
        write(study.emulator, B, THEIRS)
        assert study.action()["status"] == "drifted"


def test_a_sibling_that_differs_from_the_start(tmp_path: Path, reconcile: Command) -> None:
    with one_study(tmp_path, reconcile) as study:
        write(study.emulator, A, {"Study": {"DICOM": {"StudyDescription": "NECK"}}})
        action = study.action()
        assert action["status"] == "update"
        assert [change["imageSetId"] for change in action["changes"]] == [B]
        study.apply()
        assert study.unchanged() == 1


def test_a_call_that_leaves_the_sibling_is_blocked(tmp_path: Path, reconcile: Command) -> None:
    """The service ignores includeStudyImageSets."""
    with one_study(tmp_path, reconcile, siblings_of_study_wide="left") as study:
        study.apply(code=1)
        before = versions(study)
        for _ in range(2):
            action = study.action()
            assert action["status"] == "blocked", action
            study.apply(code=1)
        assert versions(study) == before == {A: "2", B: "1"}
        assert "study" not in study.entry(A)
        assert study.entry(A)["askDigest"] == study.entry(B)["askDigest"] == ""


def test_only_the_sibling_is_stored_otherwise(tmp_path: Path, reconcile: Command) -> None:
    with one_study(tmp_path, reconcile, stored_text="capitals") as study:
        ask(study, NECK.replace("NECK", "neck"))
        study.apply(code=1)
        for _ in range(2):
            action = study.action()
            assert action["status"] == "blocked"
            assert {f"ACCEPTS_UNVERIFIED@2:{B}", "ACCEPTS_UNVERIFIED@2"} <= {
                part.strip(" ]")
                for use in action["hazards"]
                for part in use["consent"].partition("[")[2].split(",")
            }
            study.apply(code=1)
        assert versions(study) == {A: "2", B: "2"}
        consents = ("ACCEPTS_UNVERIFIED@2", f"ACCEPTS_UNVERIFIED@2:{B}")
        ask(study, NECK, *consents)
        study.apply()
        assert versions(study) == {A: "2", B: "2"}
        assert "unverified" not in {**study.entry(A), **study.entry(B)}


COMMENTED = (
    'present: {Study: {Series: {"*": {Instances: {"*": {DICOM: {ImageComments: note}}}}}}}\n'
)


def test_what_a_sibling_is_asked_alone_is_accepted_by_its_own_manifest(
    tmp_path: Path, reconcile: Command
) -> None:
    with one_study(tmp_path, reconcile, stored_text="capitals") as study:
        study.apply()
        manifest(study.root, "b.yaml", COMMENTED, B)
        study.apply(code=1)
        (entry,) = study.entry(B)["unverified"]
        assert entry["paths"] == ["Study/Series/*/Instances/*/ImageComments"]
        plans = [reconcile("plan", "manifests/a.yaml").out, reconcile("plan").out]
        assert "nothing to do, 1 converged" in plans[0]
        assert "ACCEPTS_UNVERIFIED@3]" in plans[1]
        assert f"ACCEPTS_UNVERIFIED@3:{B}" not in plans[1]


def test_a_deleted_line_of_the_study_does_not_hide_it(tmp_path: Path, reconcile: Command) -> None:
    with one_study(tmp_path, reconcile, stored_text="capitals") as study:
        ask(study, NECK.replace("NECK", "neck"))
        study.apply(code=1)
        ask(study, COMMENTED)
        assert study.action()["status"] == "blocked"


def test_a_saved_plan_of_a_converged_study_is_applied(tmp_path: Path, reconcile: Command) -> None:
    with one_study(tmp_path, reconcile) as study:
        for name in (A, B):
            write(study.emulator, name, {"Study": {"DICOM": {"StudyDescription": "NECK"}}})
        assert reconcile("plan", "--out", "plan.json").code == 0
        ran = reconcile("apply", "plan.json")
        assert ran.code == 0, ran.err
        assert study.entry(B)["released"] == {"Study/StudyDescription": "2"}


def test_a_path_that_no_manifest_asks_for_any_more_does_not_hide_it(
    tmp_path: Path, reconcile: Command
) -> None:
    with one_study(tmp_path, reconcile, stored_text="capitals") as study:
        body = NECK.replace("NECK", "neck")
        manifest(study.root, "a.yaml", body, A, B)
        study.apply(code=1)
        manifest(study.root, "a.yaml", COMMENTED.replace("note", "NOTE"), A)
        study.apply(code=1)
        manifest(study.root, "a.yaml", COMMENTED.replace("note", "NOTE"), B)
        assert study.action()["status"] == "blocked"
