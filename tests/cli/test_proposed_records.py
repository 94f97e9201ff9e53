"""Records that a pull request or a merge queue proposes to merge into the default branch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.edges import records
from tests.cli.conftest import Ran
from tests.cli.outside import STORE, git
from tests.cli.test_record_branch import COMMENTS, RECORD, TRACKED, Team, team
from tests.documents import IMAGE_SET_ID

__all__ = ["team"]

PULL_REQUEST = {"CI": "true", "GITHUB_EVENT_NAME": "pull_request"}
BOT, PERSON = {"type": "Bot"}, {"type": "User"}


@pytest.fixture
def proposed(team: Team) -> Path:
    """A clone that stands at the merge of the record branch with its base, `HEAD^1`."""
    team.mode("pull-request")
    team.merged()
    ran = team.apply(team.root, "--push")
    assert ran.code == 0, ran.err
    clone = team.clone("job")
    git(clone, "merge", "-q", "--no-ff", "-m", "test merge", TRACKED)
    return clone


def planned(team: Team, clone: Path) -> Ran:
    return team.plan(clone, "--base", "HEAD^1")


def in_a_job(
    monkeypatch: pytest.MonkeyPatch, folder: Path, environment: dict[str, str], event: Any
) -> None:
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    known = {"GITHUB_REPOSITORY": "hospital/metadata", "GITHUB_EVENT_PATH": str(path)}
    for name, value in {**known, **environment}.items():
        monkeypatch.setenv(name, value)


def amended(clone: Path, content: str | None) -> None:
    """The merge brings another record, or none where the base has one."""
    path = clone / RECORD
    if content is None:
        git(clone, "checkout", "-q", "-b", "deletes")
        git(clone, "rm", "-q", RECORD)
        git(clone, "commit", "-q", "-m", "change")
        git(clone, "checkout", "-q", "-")
        git(clone, "merge", "-q", "--no-ff", "-m", "test merge", "deletes")
    else:
        path.write_text(content)
        git(clone, "commit", "-q", "--all", "--amend", "-m", "test merge")


def test_a_bot_merges_the_records_of_the_branch(
    team: Team, proposed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_job(monkeypatch, tmp_path, PULL_REQUEST, {"pull_request": {"user": BOT}})
    ran = planned(team, proposed)
    assert ran.code == 0, ran.err
    assert "nothing to do, 1 converged" in ran.out


def test_a_merge_queue_merges_the_records_of_the_branch(
    team: Team, proposed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It merges pull requests that passed their checks, and names no author."""
    group = {"base_sha": git(proposed, "rev-parse", "HEAD^1"), "head_ref": "refs/heads/x"}
    environment = {"CI": "true", "GITHUB_EVENT_NAME": "merge_group"}
    in_a_job(monkeypatch, tmp_path, environment, {"merge_group": group})
    ran = planned(team, proposed)
    assert ran.code == 0, ran.err


@pytest.mark.parametrize("event", [{"pull_request": {"user": PERSON}}, {"pull_request": {}}, []])
def test_a_person_merges_no_records(
    team: Team, proposed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: Any
) -> None:
    """The author of its commits proves nothing: any person may write the name of a bot there."""
    in_a_job(monkeypatch, tmp_path, PULL_REQUEST, event)
    ran = planned(team, proposed)
    assert ran.code == 1
    assert "only `reconcile` changes records" in ran.err


@pytest.fixture
def grown(team: Team) -> Path:
    """Like `proposed`, with records that the base has in fewer and larger files."""
    team.mode("pull-request")
    team.merged()
    team.apply(team.root, "--push")
    team.squash()
    team.pull()
    records.grow(team.root, STORE, 3)
    team.ask(COMMENTS.format("seen"), file="comments.yaml")
    ran = team.apply(team.root, "--push")
    assert ran.code == 0, ran.err
    clone = team.clone("job")
    git(clone, "merge", "-q", "--no-ff", "-m", "test merge", TRACKED)
    assert not (clone / RECORD).exists()
    return clone


def test_a_bot_merges_records_that_have_grown(
    team: Team, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_job(monkeypatch, tmp_path, PULL_REQUEST, {"pull_request": {"user": BOT}})
    ran = planned(team, grown)
    assert ran.code == 0, ran.err
    assert "nothing to do, 1 converged" in ran.out


def test_a_bot_deletes_no_entry_that_is_not_in_another_file(
    team: Team, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if the record branch lacks it, too, such as one that begins at an older commit."""
    wide = f"records/{STORE}/{IMAGE_SET_ID[:3]}.json"
    git(grown, "rm", "-q", wide)
    git(grown, "commit", "-q", "--amend", "-m", "test merge")
    git(grown, "update-ref", TRACKED, "HEAD")
    in_a_job(monkeypatch, tmp_path, PULL_REQUEST, {"pull_request": {"user": BOT}})
    ran = planned(team, grown)
    assert ran.code == 1
    assert f"{RECORD} differs from the base" in ran.err


@pytest.mark.parametrize("how", ["edited", "deleted"])
def test_a_bot_merges_no_other_records(
    team: Team, proposed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A person may push to the branch of a pull request that a bot opened."""
    text = (proposed / RECORD).read_text()
    amended(proposed, text.replace('"2"', '"3"') if how == "edited" else None)
    in_a_job(monkeypatch, tmp_path, PULL_REQUEST, {"pull_request": {"user": BOT}})
    ran = planned(team, proposed)
    assert ran.code == 1
    assert f"{RECORD} differs from the base" in ran.err


def test_no_records_are_merged_in_the_mode_branch(team: Team, proposed: Path) -> None:
    assert planned(team, proposed).code == 0
    git(proposed, "checkout", "-q", "-b", "mode", "HEAD^1")
    file = proposed / "reconciler.yaml"
    file.write_text(file.read_text().replace("mode: pull-request", "mode: branch"))
    git(proposed, "commit", "-q", "--all", "-m", "settings")
    git(proposed, "merge", "-q", "--no-ff", "-m", "test merge", TRACKED)
    ran = planned(team, proposed)
    assert ran.code == 1
    assert "only `reconcile` changes records" in ran.err
