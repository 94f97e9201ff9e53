"""The loop: a pull request is planned, merged, applied and recorded, and then nothing is left."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.outside import STORE, git, write
from tests.documents import IMAGE_SET_ID, OTHER_ID
from tests.loop import runner
from tests.loop.conftest import Team
from tests.loop.host import BOT
from tests.loop.runner import Ran
from tests.loop.test_plan import COMMENTS, NAME

ALL = {"scope": "success", "approve": "success", "apply": "success"}
# What the host does with a push: it goes on only for one to main. Reviews go to another branch.
TO_MAIN = """\
while read -r _ _ ref; do [ "$ref" = refs/heads/main ] && main=yes; done
[ "${main:-}" ] || exit 0
"""
# The host is asked to lock a branch which another push moved in this moment.
COMPETES = f"""\
{TO_MAIN}
[ -e competed ] && exit 0
touch competed
unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
export GIT_AUTHOR_NAME=Other GIT_AUTHOR_EMAIL=o@example.org
export GIT_COMMITTER_NAME=Other GIT_COMMITTER_EMAIL=o@example.org
git update-ref refs/heads/main "$(git commit-tree 'main^{{tree}}' -p main -m other)"
"""
PROTECTS = f"{TO_MAIN} echo protected branch >&2; exit 1"
# The machine of the job is lost when the records are pushed: its whole process group ends.
KILLS = f"{TO_MAIN} kill -KILL 0"


def drift(team: Team) -> Ran:
    """The run of the workflow that looks for drift."""
    return team.runner.run("reconcile-drift.yml", runner.schedule(team.host))


def recorded(team: Team, branch: str = "main") -> str:
    return git(team.host.bare, "show", f"{branch}:records/{STORE}/{IMAGE_SET_ID[:2]}.json")


def planned(team: Team, name: str, body: str, *image_sets: str) -> int:
    """A pull request whose plan passed."""
    number = team.ask(name, body, *image_sets)
    ran = team.planned(number)
    assert ran.conclusion == "success", ran.log
    return number


def outcome(team: Team, number: int) -> str:
    """The last comment of a pull request."""
    author, text = team.host.comments(number)[-1]
    assert author == BOT
    return text


def issues(team: Team) -> list[tuple[str, str]]:
    return [(one["state"], one["body"]) for one in team.host.state["issues"]]


def test_from_a_pull_request_to_an_empty_plan(team: Team) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    before = team.host.tip()
    ran = team.merged(number)
    assert ran.results == ALL, ran.log
    assert team.version() == "2"
    assert '"versionId": "2"' in recorded(team)
    assert git(team.host.bare, "log", "-1", "--format=%an", "main") == BOT
    assert "The image set is as planned and verified" in outcome(team, number)
    assert "reconcile apply" in ran.summary
    assert "last ran: never" in ran.step("Warn if drift was not looked for").commands[0]
    # The push of the records, as an app makes it: nothing is applied, and no approval is asked for.
    again = team.applied(git(team.host.bare, "rev-parse", "main^"))
    assert again.results == {"scope": "success", "approve": "skipped", "apply": "skipped"}
    nothing = drift(team)
    assert nothing.conclusion == "success", nothing.log
    assert "Nothing changes" in nothing.summary
    assert issues(team) == []
    # A job that is started again finds its work done.
    repeated = team.applied(before)
    assert repeated.results == ALL, repeated.log
    assert repeated.step("Warn if drift was not looked for").commands == []
    assert team.version() == "2"


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_other_ways_to_merge(team: Team, method: str) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    ran = team.merged(number, method)
    assert ran.results == ALL, ran.log
    assert team.version() == "2"
    assert '"versionId": "2"' in recorded(team)
    assert "The image set is as planned and verified" in outcome(team, number)


def test_two_merges_in_quick_succession(team: Team) -> None:
    """Both are merged before the first is applied, and they change the same image set.

    The apply of the first commit leaves the image set to that of the second, which does both.
    """
    first = planned(team, "name", NAME.format("Doe^Pieter"))
    second = planned(team, "comments", COMMENTS.format("seen"))
    start = team.host.tip()
    events = []
    for number in (first, second):
        team.host.merge(number)
        events.append(runner.push(team.host, start))
    runs = [team.runner.run("reconcile-apply.yml", event) for event in events]
    assert [ran.results for ran in runs] == [ALL, ALL], runs[1].log
    assert "a newer commit of main changes manifests/comments.yaml" in runs[0].step("Apply").output
    assert team.version() == "2"
    assert '"versionId": "2"' in recorded(team)


def test_a_competing_push(team: Team) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    team.host.merge(number)
    start = git(team.host.bare, "rev-parse", "main^")
    team.host.hook(COMPETES)
    ran = team.applied(start)
    assert ran.results == ALL, ran.log
    assert '"versionId": "2"' in recorded(team)
    assert "other" in git(team.host.bare, "log", "--format=%s", "main").splitlines()


def test_a_refused_push_is_recorded_by_the_next_run(team: Team) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    start = team.host.tip()
    team.host.hook(PROTECTS)
    ran = team.merged(number)
    assert ran.results == {**ALL, "apply": "failure"}
    assert team.version() == "2"
    assert "The run had 1 error" in outcome(team, number)
    assert "protected branch" in ran.step("Apply").output
    team.host.hook("")
    again = team.applied(start)
    assert again.results == ALL, again.log
    assert (team.version(), '"versionId": "2"' in recorded(team)) == ("2", True)


def test_records_go_to_a_branch_of_their_own_if_main_is_protected(team: Team) -> None:
    """What `reconcile init` writes for a host. The first plan is made before that branch exists."""
    settings = team.root / "reconciler.yaml"
    settings.write_text(settings.read_text().replace("mode: commit", "mode: branch"))
    team.commit("settings")
    git(team.root, "push", "-q", "origin", "main")
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    team.host.hook(PROTECTS)
    ran = team.merged(number)
    assert ran.results == ALL, ran.log
    assert team.version() == "2"
    assert '"versionId": "2"' in recorded(team, "reconcile/records")
    assert git(team.host.bare, "ls-tree", "main", "records/") == ""
    team.host.hook("")
    second = planned(team, "comments", COMMENTS.format("seen"))
    team.host.hook(PROTECTS)
    ran = team.merged(second)
    assert ran.results == ALL, ran.log
    assert '"versionId": "3"' in recorded(team, "reconcile/records")
    drifted = drift(team)
    assert drifted.conclusion == "success", drifted.log
    assert issues(team) == []


def test_a_killed_apply_is_continued_by_a_new_machine(team: Team) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    start = team.host.tip()
    team.host.hook(KILLS)
    ran = team.merged(number)
    assert ran.results == {**ALL, "apply": "failure"}
    assert "start its jobs again" in outcome(team, number)
    team.host.hook("")
    again = team.applied(start)
    assert again.results == ALL, again.log
    assert (team.version(), '"versionId": "2"' in recorded(team)) == ("2", True)
    assert "start its jobs again" not in outcome(team, number)


def test_a_live_change_between_the_review_and_the_merge(team: Team) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    write(team.emulator, IMAGE_SET_ID, update("PatientName", "Roe^Jan"))
    ran = team.merged(number)
    assert ran.results == {**ALL, "apply": "failure"}
    assert team.version() == "2"
    assert "unreviewed" in outcome(team, number)


def test_without_an_approval_nothing_is_applied(team: Team) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    team.runner.approves = False
    ran = team.merged(number)
    assert ran.results == {"scope": "success", "approve": "failure", "apply": "skipped"}
    assert team.version() == "1"


def test_a_direct_push_has_no_review(team: Team) -> None:
    """As a push of Dependabot or of the Revert button, it has no plan that was reviewed."""
    other = planned(team, "comments", COMMENTS.format("seen"), OTHER_ID)
    team.host.merge(other)
    start = team.host.tip()
    direct = team.ask("name", NAME.format("Doe^Pieter"))
    team.host.merge(direct)
    ran = team.applied(start)
    assert ran.results == {**ALL, "apply": "failure"}
    assert (team.version(), team.version(OTHER_ID)) == ("1", "2")


def test_a_group_of_the_merge_queue(team: Team) -> None:
    numbers = [
        planned(team, "name", NAME.format("Doe^Pieter")),
        planned(team, "comments", COMMENTS.format("seen"), OTHER_ID),
    ]
    event = team.host.queue(*numbers)
    ran = team.runner.run("reconcile-pull-request.yml", runner.merge_group(event))
    assert ran.conclusion == "success", ran.log
    start = team.host.tip()
    team.host.merge_group(event, *numbers)
    applied = team.applied(start)
    assert applied.results == ALL, applied.log
    assert (team.version(), team.version(OTHER_ID)) == ("2", "2")


def test_a_group_whose_image_set_was_changed_leaves_the_queue(team: Team) -> None:
    number = planned(team, "name", NAME.format("Doe^Pieter"))
    write(team.emulator, IMAGE_SET_ID, update("PatientName", "Roe^Jan"))
    event = team.host.queue(number)
    ran = team.runner.run("reconcile-pull-request.yml", runner.merge_group(event))
    assert ran.results["reconcile"] == "failure"
    assert "unreviewed" in ran.step("Plan").output


def test_drift_opens_updates_and_closes_one_issue(team: Team) -> None:
    team.merged(planned(team, "comments", COMMENTS.format("seen")))
    write(team.emulator, IMAGE_SET_ID, update("PatientComments", "changed"))
    for _ in range(2):
        ran = drift(team)
        assert ran.conclusion == "success", ran.log
        ((state, text),) = issues(team)
        assert state == "open"
        assert "drift" in text
        assert f"actions/runs/{ran.id})" in text
    write(team.emulator, IMAGE_SET_ID, update("PatientComments", "seen"))
    ran = drift(team)
    ((state, text),) = issues(team)
    assert state == "closed", ran.log


def update(keyword: str, value: str) -> dict[str, Any]:
    return {"Patient": {"DICOM": {keyword: value}}}
