"""A saved plan is sealed with the key of the repository: an edited plan is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.dicom.content import digest
from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import STORE, git, imported, manifest
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"
COMMENTED = "present: {Patient: {DICOM: {PatientComments: x}}}\n"


@dataclass(frozen=True)
class Sealed:
    """A git repository with two image sets, and its saved plan."""

    root: Path
    emulator: Emulator
    reconcile: Command

    @property
    def file(self) -> Path:
        return self.root / ".reconcile" / "plan.json"

    def plan(self) -> dict[str, Any]:
        """Save a plan; return what the file holds."""
        ran = self.reconcile("plan", "--out", self.file)
        assert ran.code == 0, ran.err
        return dict(json.loads(self.file.read_text()))

    def apply(self, *options: str) -> Ran:
        return self.reconcile("apply", self.file, *options)

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edit the saved plan, and compute its digest again."""
        raw = json.loads(self.file.read_text())
        change(raw)
        raw["digest"] = digest({key: raw[key] for key in raw if key != "digest"})
        self.file.write_text(json.dumps(raw))

    def commit(self) -> None:
        git(self.root, "add", ".")
        git(self.root, "commit", "-q", "-m", "Records")

    def version(self, image_set_id: str = IMAGE_SET_ID) -> str:
        address = {"datastoreId": STORE, "imageSetId": image_set_id}
        return str(self.emulator.service.call("GetImageSet", address)["versionId"])


@pytest.fixture
def first(tmp_path: Path, reconcile: Command) -> Iterator[Sealed]:
    """Before the first apply: there is no key."""
    with outside.repository(tmp_path) as (root, emulator):
        imported(emulator, document())
        imported(emulator, document(image_set_id=OTHER_ID))
        manifest(root, "a.yaml", DESCRIBED, IMAGE_SET_ID, OTHER_ID)
        (root / ".gitignore").write_text(".reconcile/\n")
        git(root, "init", "-q")
        found = Sealed(root, emulator, reconcile)
        found.commit()
        yield found


@pytest.fixture
def later(first: Sealed) -> Sealed:
    """After the first apply, whose records and key are committed; a manifest asks for more."""
    ran = first.reconcile("apply", "--auto-approve", "--record", "commit")
    assert ran.code == 0, ran.err
    manifest(first.root, "b.yaml", COMMENTED, IMAGE_SET_ID)
    return first


def action(raw: dict[str, Any]) -> Any:
    """The action on the image set of the second manifest."""
    (found,) = (one for one in raw["actions"] if one["members"][0]["imageSetId"] == IMAGE_SET_ID)
    return found


def member(raw: dict[str, Any]) -> Any:
    return action(raw)["members"][0]


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "status": lambda raw: action(raw).update(status="converged", changes=[], steps=[]),
    "recorded": lambda raw: member(raw).update(recorded=True),
    "whole": lambda raw: member(raw).update(isWhole=False),
    "asked": lambda raw: member(raw)["asked"].append("Patient/PatientName"),
    "previous": lambda raw: member(raw).update(previousVersionId="7"),
    "released": lambda raw: member(raw).update(released=["Patient/PatientName"]),
    "expected": lambda raw: action(raw)["steps"][0]["expected"].update(
        {IMAGE_SET_ID: "sha256:" + "0" * 64}
    ),
    "digest": lambda raw: action(raw).update(digest="hmac-sha256:" + "0" * 64),
    "before": lambda raw: action(raw)["changes"][0].update(before={"value": "y"}),
    "action": lambda raw: raw["actions"].pop(),
    "commit": lambda raw: raw["basis"].update(commit="c" * 40),
    "clean": lambda raw: raw["basis"].update(clean=True),
    "seal": lambda raw: raw.update(seal="hmac-sha256:" + "0" * 64),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edited_plan_is_refused_even_if_its_digest_matches(
    later: Sealed, edit: Callable[[dict[str, Any]], object]
) -> None:
    later.plan()
    later.edit(edit)
    for ran in (later.reconcile("show", later.file), later.apply()):
        assert (ran.code, ran.out) == (1, "")
        assert "the seal of the plan file is wrong: the file was edited" in ran.err
    assert later.version() == "2"


def test_a_plan_that_was_not_edited_is_shown_and_applied(later: Sealed) -> None:
    assert later.plan()["seal"].startswith("hmac-sha256:")
    ran = later.reconcile("show", later.file)
    assert (ran.code, ran.err) == (0, "")
    assert (later.apply().code, later.version()) == (0, "3")
    assert later.apply().code == 0, "the same command again"


def test_a_seal_that_was_removed_is_missed(later: Sealed) -> None:
    later.plan()
    later.edit(lambda raw: raw.pop("seal"))
    ran = later.apply()
    assert (ran.code, ran.out) == (1, "")
    assert "the plan file has no seal, but the commit has reconciler.key" in ran.err
    assert later.version() == "2"


def test_another_key_makes_no_seal(first: Sealed) -> None:
    (first.root / "reconciler.key").write_text("0" * 64)
    first.plan()
    (first.root / "reconciler.key").write_text("1" * 64)
    assert "the seal of the plan file is wrong" in first.apply().err
    (first.root / "reconciler.key").unlink()
    assert "has a seal, but this repository has no reconciler.key" in first.apply().err
    assert first.version() == "1"


# --- the plan that was made before there was a key ------------------------------------------------


def test_the_first_plan_has_no_seal_and_is_applied_in_parts(first: Sealed) -> None:
    assert "seal" not in first.plan()
    assert first.apply("--record", "commit", "--limit", "1").code == 2
    assert "reconciler.key" in git(first.root, "ls-files")
    ran = first.apply("--record", "commit")
    assert (ran.code, ran.err) == (0, "")
    assert (first.version(), first.version(OTHER_ID)) == ("2", "2")


def test_the_first_plan_is_refused_if_it_was_edited_after_its_apply(first: Sealed) -> None:
    first.plan()
    assert first.apply("--record", "commit", "--limit", "1").code == 2
    first.edit(lambda raw: member(raw).update(previousVersionId="7"))
    ran = first.apply("--record", "commit")
    assert ran.code == 1
    assert "the plan file has no seal, but the commit has reconciler.key" in ran.err


def test_until_the_key_is_committed_a_plan_without_a_seal_gives_a_warning(first: Sealed) -> None:
    first.plan()
    assert first.apply("--limit", "1").err == ""
    ran = first.apply()
    assert ran.code == 0
    assert "warning: the plan has no seal: it was made before reconciler.key" in ran.err
    first.commit()
    assert first.apply().code == 1
