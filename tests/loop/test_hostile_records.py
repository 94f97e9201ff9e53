"""Pull requests that change records: those of the bot pass, those of people are refused."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.cli import outside
from tests.cli.outside import STORE, git, manifest, write
from tests.documents import IMAGE_SET_ID
from tests.loop.conftest import Team
from tests.loop.host import APP, BOT, STEWARD
from tests.loop.runner import Ran
from tests.loop.test_plan import COMMENTS, NAME

RECORD = f"records/{STORE}/{IMAGE_SET_ID[:2]}.json"
BRANCH = "reconcile/records"
AUTHOR = f"{BOT} <41898282+{BOT}@users.noreply.github.com>"
SKIPPED = {"scope": "success", "approve": "skipped", "apply": "skipped"}


def recorded(team: Team, mode: str) -> Ran:
    """A pull request is applied and recorded; the run of the apply."""
    outside.settings(team.root, team.emulator, f"record: {{mode: {mode}}}\n")
    team.commit("settings")
    git(team.root, "push", "-q", "origin", "HEAD:refs/heads/main")
    number = team.ask("name", NAME.format("Doe^Pieter"))
    assert team.planned(number).conclusion == "success"
    applied = team.merged(number)
    assert applied.results["apply"] == "success", applied.log
    return applied


def test_a_pull_request_of_the_bot_holds_its_records_and_starts_no_apply(team: Team) -> None:
    team.runner.vars = {"RECONCILE_APP_CLIENT_ID": "Iv1.0123456789abcdef"}
    recorded(team, "pull-request")
    (proposed,) = team.host.state["proposed"]
    assert (proposed["head"], proposed["base"], proposed["user"]["login"]) == (BRANCH, "main", APP)
    number = team.host.open(proposed["head"], author=proposed["user"]["login"])
    planned = team.planned(number)
    assert planned.conclusion == "success", planned.log
    assert "Nothing changes" in team.host.comments(number)[0][1]
    before = team.host.tip()
    team.host.merge(number)
    assert team.applied(before).results == SKIPPED
    assert '"versionId": "2"' in git(team.host.bare, "show", f"main:{RECORD}")
    # The next pull request is planned with the records that were merged.
    later = team.planned(team.ask("comments", COMMENTS.format("seen")))
    assert later.conclusion == "success", later.log
    assert team.version() == "2"


def test_without_an_app_a_person_opens_the_pull_request_of_the_records(team: Team) -> None:
    ran = recorded(team, "pull-request")
    step = ran.step("Propose the records")
    assert step.outcome == "success"
    (warning,) = step.commands
    assert f"opens the pull request of the branch {BRANCH}. Open it yourself." in warning
    assert "proposed" not in team.host.state


def test_a_pull_request_of_the_records_that_is_open_is_not_opened_again(team: Team) -> None:
    team.runner.vars = {"RECONCILE_APP_CLIENT_ID": "Iv1.0123456789abcdef"}
    recorded(team, "pull-request")
    team.host.open(BRANCH, author=APP)
    number = team.ask("comments", COMMENTS.format("seen"))
    assert team.planned(number).conclusion == "success"
    applied = team.merged(number)
    assert applied.results["apply"] == "success", applied.log
    assert applied.step("Propose the records").outcome == "success"
    assert len(team.host.state["proposed"]) == 1


@pytest.mark.parametrize(
    ("author", "method", "skips"),
    [(APP, "merge", True), (APP, "squash", True), (STEWARD, "squash", False)],
)
def test_merged_records_start_an_apply_unless_a_bot_proposed_them(
    team: Team, author: str, method: str, skips: bool
) -> None:
    """The commit that a merge makes is of the person who merges."""
    team.runner.approves = False  # what the apply would do is of no interest here
    team.branch(BRANCH)
    path = team.root / RECORD
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")
    pushed_as_the_bot(team, BRANCH)
    number = team.host.open(BRANCH, author=author)
    before = team.host.tip()
    team.host.merge(number, method)
    assert (team.applied(before).results == SKIPPED) is skips


def test_a_manifest_that_is_moved_to_the_records_starts_an_apply(team: Team) -> None:
    """GitHub lists a file that was moved under its new name."""
    team.runner.approves = False
    team.host.merge(team.ask("name", NAME.format("Doe^Pieter")))
    team.branch("moves")
    (team.root / RECORD).parent.mkdir(parents=True)
    (team.root / "manifests" / "name.yaml").rename(team.root / RECORD)
    pushed_as_the_bot(team, "moves")
    before = team.host.tip()
    team.host.merge(team.host.open("moves"), "rebase")
    assert team.applied(before).results["approve"] == "failure"


def test_records_that_replace_a_merge_by_force_start_an_apply(team: Team) -> None:
    """GitHub lists the files since the common ancestor, so the manifest that goes is not there."""
    team.runner.approves = False
    start = team.host.tip()
    team.host.merge(team.ask("name", NAME.format("Doe^Pieter")))
    before = team.host.tip()
    git(team.root, "checkout", "-q", "--detach", start)
    (team.root / RECORD).parent.mkdir(parents=True)
    (team.root / RECORD).write_text("{}\n")
    pushed_as_the_bot(team, "records")
    git(team.root, "push", "-q", "--force", "origin", "HEAD:refs/heads/main")
    assert team.applied(before).results["approve"] == "failure"


def pushed_as_the_bot(team: Team, branch: str) -> None:
    """Push a commit that states the bot as its author. Any person can write that."""
    git(team.root, "add", "--all", ".")
    git(team.root, "commit", "-q", "--author", AUTHOR, "-m", "Record")
    git(team.root, "push", "-q", "origin", f"HEAD:refs/heads/{branch}")


@pytest.mark.parametrize("how", ["edited", "deleted"])
def test_records_that_a_person_changes_are_refused(team: Team, how: str) -> None:
    """The manifest of the pull request overwrites drift that the record shows."""
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    recorded_by_hand(team)
    write(team.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientName": "Roe^Jan"}}})
    team.branch("records")
    file = team.root / RECORD
    if how == "edited":
        file.write_text(file.read_text().replace('"2"', '"3"'))
    else:
        file.unlink()
    pushed_as_the_bot(team, "records")
    number = team.host.open("records")
    planned = team.planned(number)
    assert planned.results["reconcile"] == "failure"
    assert "only `reconcile` changes records" in planned.log
    assert "There is no plan of this commit" in team.host.comments(number)[0][1]
    applied = team.merged(number)
    assert applied.results["apply"] == "failure"
    assert team.version() == "3"


def recorded_by_hand(team: Team) -> None:
    """A person applies on her machine, and pushes the records to the default branch."""
    team.commit()
    command = [str(team.runner.tools / "reconcile"), "apply", "--auto-approve"]
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    environment = {"PATH": os.environ["PATH"], **dict.fromkeys(names, "steward@example.org")}
    subprocess.run(command, cwd=team.root, env=environment, check=True, capture_output=True)
    git(team.root, "push", "-q", "origin", "HEAD:refs/heads/main")
