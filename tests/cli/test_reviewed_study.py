"""Two pull requests on one study: a study-wide call changes all of its primary image sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.model.key import KEY_FILE
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import git, imported, manifest
from tests.cli.test_reviewed import Team
from tests.documents import IMAGE_SET_ID as A
from tests.documents import OTHER_ID as B
from tests.documents import document, instance, series

DESCRIPTION = "allow: [STUDY_WIDE]\npresent:\n  Study:\n    DICOM:\n      StudyDescription: CT {}\n"
COMMENTS = "allow: [STUDY_WIDE]\npresent:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"


@pytest.fixture
def team(tmp_path: Path, reconcile: Command) -> Iterator[Team]:
    with outside.world(tmp_path, reconcile) as world:
        for name, uid in ((A, "1.2.3.1"), (B, "1.2.3.2")):
            content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
            imported(world.emulator, content, primary=True)
        (world.root / ".gitignore").write_text(".reconcile/\n")
        (world.root / KEY_FILE).write_text("5a" * 32 + "\n")
        (world.root / "manifests").mkdir()
        (world.root / "manifests" / "README.md").write_text("Metadata as it should be.\n")
        git(world.root, "init", "-q", "-b", "main")
        team = Team(world, tmp_path / "reviews")
        team.commit()
        yield team


def request(team: Team, name: str, body: str, image_set_id: str) -> Path:
    """A pull request with a manifest of its own, for one image set of the study."""
    team.branch(name)
    manifest(team.root, f"{name}.yaml", body, image_set_id)
    team.commit()
    return team.review(name)


def versions(team: Team) -> list[str]:
    return [team.world.version(name) for name in (A, B)]


@pytest.mark.parametrize("second_on", [A, B])
def test_both_merged_before_either_is_applied(team: Team, second_on: str) -> None:
    """One study-wide call makes both changes, whichever image set each manifest names."""
    a = request(team, "a", DESCRIPTION.format("CHEST"), A)
    b = request(team, "b", COMMENTS.format("seen"), second_on)
    team.merge("a", "b")
    ran = team.apply(a, b)
    assert ran.code == 0, ran.err
    assert versions(team) == ["2", "2"]
    assert "nothing to do" in team.world.reconcile("plan").out


@pytest.mark.parametrize("second_on", [A, B])
def test_one_after_the_other(team: Team, second_on: str) -> None:
    """The second was planned before the first was applied: all pins moved, by our own call."""
    a = request(team, "a", DESCRIPTION.format("CHEST"), A)
    b = request(team, "b", COMMENTS.format("seen"), second_on)
    team.merge("a")
    first = team.apply(a)
    assert first.code == 0, first.err
    team.merge("b")
    ran = team.apply(a, b)
    assert ran.code == 0, ran.err
    assert versions(team) == ["3", "3"]
    assert "nothing to do" in team.world.reconcile("plan").out


def test_a_study_wide_call_of_a_lost_run_is_ours(team: Team) -> None:
    a = request(team, "a", DESCRIPTION.format("CHEST"), A)
    b = request(team, "b", COMMENTS.format("seen"), B)
    team.merge("a")
    assert team.apply(a).code == 0
    git(team.root, "reset", "-q", "--hard", "HEAD^")
    team.merge("b")
    ran = team.apply(a, b)
    assert ran.code == 0, ran.err
    assert versions(team) == ["3", "3"]
    assert [team.world.entry(name)["versionId"] for name in (A, B)] == ["3", "3"]
