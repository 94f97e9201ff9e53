"""`reconcile record`: what is converged is recorded at the live version, and nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.edges import records
from reconciler.pipeline.record import ReadOnly
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, World, git, imported, manifest, write
from tests.documents import IMAGE_SET_ID, OTHER_ID, document
from tests.planning import Stage

COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"


class Never:
    """A patience that does not end."""

    def is_over(self) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        raise AssertionError


@pytest.fixture
def world(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """Two image sets that are converged and recorded at version 2, on a branch of a remote."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(tmp_path / "host.git"))
    with outside.world(tmp_path, reconcile) as world:
        for name in (IMAGE_SET_ID, OTHER_ID):
            imported(world.emulator, document(image_set_id=name))
        manifest(world.root, "a.yaml", COMMENTS.format("asked"), IMAGE_SET_ID, OTHER_ID)
        (world.root / ".gitignore").write_text(".reconcile/\n")
        git(world.root, "init", "-q", "-b", "main")
        git(world.root, "add", ".")
        git(world.root, "commit", "-q", "-m", "ask")
        git(world.root, "remote", "add", "origin", str(tmp_path / "host.git"))
        world.apply("--record", "commit")
        git(world.root, "push", "-q", "-u", "origin", "main")
        yield world


def moved(world: World, image_set_id: str = IMAGE_SET_ID, **attributes: str) -> None:
    """Another process makes a version; by default it leaves what is asked as it is."""
    write(world.emulator, image_set_id, {"Patient": {"DICOM": attributes or {"PatientSex": "O"}}})


def test_a_version_that_holds_what_is_asked_is_recorded(world: World) -> None:
    moved(world)
    before = world.entry()
    ran = world.reconcile("record", "--record", "commit")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Recorded 1 image set.\nRecorded in 1 file below records/, commit ")
    entry = world.entry()
    assert (entry["versionId"], entry["asked"]) == ("3", {"Patient/PatientComments": "3"})
    # Nothing was applied, so the applied commit is the one of before.
    assert entry["appliedCommit"] == before["appliedCommit"]
    assert entry["run"] != before["run"]
    assert "Applied-Commit" not in git(world.root, "log", "-1", "--format=%B")
    assert "Plan: nothing to do, 2 as recorded." in world.reconcile("plan").out


def test_nothing_moved(world: World) -> None:
    """Only the scan is recorded, which the next plan begins with."""
    scan = next((world.root / "records").glob("*/scan.json"))
    scan.unlink()
    git(world.root, "commit", "-qam", "Look at everything once")
    ran = world.reconcile("record", "--record", "commit")
    head = git(world.root, "rev-parse", "HEAD").strip()
    said = f"Nothing to record.\nRecorded in 1 file below records/, commit {head[:12]}.\n"
    assert (ran.code, ran.out, ran.err) == (0, said, "")
    changed = git(world.root, "show", "--format=%s", "--name-only", "HEAD").split("\n")
    assert changed[0] == "Record a scan of the image sets"
    assert changed[1:] == ["", scan.relative_to(world.root).as_posix()]
    assert git(world.root, "status", "--porcelain") == ""


def test_what_does_not_hold_what_is_asked_keeps_its_record(world: World) -> None:
    """It has drifted: that is for `plan`, and no failure of this command."""
    moved(world, PatientComments="theirs")
    moved(world, OTHER_ID)
    before = world.entry()
    ran = world.reconcile("record", "--record", "files")
    assert (ran.code, ran.err) == (0, "")
    assert "Recorded 1 image set." in ran.out
    assert "1 image set does not hold what is asked and keeps its record" in ran.out
    assert world.entry() == before
    assert world.entry(OTHER_ID)["versionId"] == "3"
    assert world.version() == "3"


def test_a_change_that_waits_for_its_apply_is_not_made(world: World) -> None:
    manifest(world.root, "a.yaml", COMMENTS.format("new"), IMAGE_SET_ID, OTHER_ID)
    ran = world.reconcile("record", "--json", "--record", "files")
    assert ran.code == 0
    report = json.loads(ran.out)
    assert (report["kind"], report["calls"], report["outcomes"]) == ("Report", 0, [])
    assert (report["recorded"], report["exitCode"]) == ([], 0)
    assert {world.version(), world.version(OTHER_ID)} == {"2"}


def test_only_the_named_manifests(world: World) -> None:
    manifest(world.root, "a.yaml", COMMENTS.format("asked"), IMAGE_SET_ID)
    manifest(world.root, "b.yaml", COMMENTS.format("asked"), OTHER_ID)
    moved(world)
    moved(world, OTHER_ID)
    assert world.reconcile("record", "manifests/b.yaml", "--record", "files").code == 0
    assert [world.entry(name)["versionId"] for name in (IMAGE_SET_ID, OTHER_ID)] == ["2", "3"]


def test_the_records_are_pushed(world: World, tmp_path: Path) -> None:
    moved(world)
    head = git(world.root, "rev-parse", "HEAD")
    ran = world.reconcile("record", "--record", "commit", "--push")
    assert ran.code == 0, ran.err
    assert git(world.root, "rev-parse", "HEAD") == head
    git(tmp_path, "clone", "-q", "host.git", "next")
    assert records.read(tmp_path / "next", STORE)[IMAGE_SET_ID].version_id == "3"


def test_records_that_cannot_be_pushed_fail_the_command(world: World) -> None:
    moved(world)
    git(world.root, "remote", "set-url", "origin", str(world.root / "nowhere"))
    ran = world.reconcile("record", "--record", "commit", "--push")
    assert ran.code == 1
    assert "error: " in ran.err


def test_in_a_ci_job_the_record_mode_is_stated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    ran = world.reconcile("record")
    assert ran.code == 1
    assert "nothing states where the records of this run go" in ran.err


def test_the_port_of_the_command_has_no_writes() -> None:
    stage = Stage()
    stage.put(document())
    action = stage.action(f"imageSetId: {IMAGE_SET_ID}\n{COMMENTS.format('asked')}")
    port = ReadOnly(stage.service)
    assert port.get(IMAGE_SET_ID).version_id == "1"
    with pytest.raises(AssertionError, match="was about to send an update"):
        port.update(action.steps[0])
    with pytest.raises(AssertionError, match="asked for the turn of an update"):
        port.turn(Never())
    assert stage.service.version(IMAGE_SET_ID) == "1"
