"""Pull requests that change the settings: each is planned with those of its base."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cli import outside
from tests.cli.outside import git, manifest
from tests.documents import IMAGE_SET_ID, OTHER_ID
from tests.loop.conftest import RECORDS, Team
from tests.loop.runner import Ran
from tests.loop.test_plan import COMMENTS, NAME

LIVE = "Garcia^Gloria"  # PatientName of both image sets


@contextmanager
def stranger() -> Iterator[socket.socket]:
    """A server that waits for calls, and gets none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


def settings(team: Team, more: str, **replaced: str) -> None:
    """reconciler.yaml with other guardrails and, by their names, other values."""
    outside.settings(team.root, team.emulator, f"{RECORDS}{more}")
    file = team.root / "reconciler.yaml"
    text = file.read_text()
    for name, value in replaced.items():
        key = f"    {name}: "
        lines = [one for one in text.splitlines(keepends=True) if not one.startswith(key)]
        text = "".join(lines).replace("    region:", f"{key}{value}\n    region:")
    file.write_text(text)


def pushed(team: Team, more: str, **replaced: str) -> Ran:
    """Push settings to the default branch, as an administrator may; the run of the apply."""
    before = team.host.tip()
    team.branch("settings")
    settings(team, more, **replaced)
    team.commit("settings")
    git(team.root, "push", "-q", "origin", "HEAD:refs/heads/main")
    return team.applied(before)


def test_changed_settings_gain_nothing(team: Team) -> None:
    """A guardrail, `redact`, the account and the endpoint, and two names that the guardrail stops.

    After the merge, the settings hold, as they were approved. The apply then stops at each of them,
    until it is reverted.
    """
    settings(team, "guardrails: {imageSets: 1}\n")
    team.commit("settings")
    git(team.root, "push", "-q", "origin", "main")
    team.branch("change")
    gain = "guardrails: {imageSets: 9}\nredact: none\n"
    account = "'999999999999'"
    manifest(team.root, "names.yaml", NAME.format("Doe^Pieter"), IMAGE_SET_ID, OTHER_ID)
    with stranger() as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        settings(team, gain, endpoint=endpoint, accountId=account)
        number = team.open("change")
        planned = team.planned(number)
    assert planned.results["reconcile"] == "failure"
    ((_, comment),) = team.host.comments(number)
    first = comment.splitlines()[1:3]
    assert "changes more than manifests" in first[0]
    assert first[1].startswith("> - reconciler.yaml changed. This plan is made with the settings")
    assert "more than `guardrails: {imageSets: 1}` allows" in comment
    assert team.emulator.endpoint in comment
    assert endpoint not in comment
    assert LIVE not in comment + planned.log

    applied = team.merged(number)
    assert f"{endpoint} does not answer" in applied.step("Apply").output
    other_account = pushed(team, gain, accountId=account)
    assert "belongs to account 999999999999" in other_account.step("Apply").output
    raised = pushed(team, gain)
    assert "Apply: 2 unreviewed" in raised.step("Apply").output
    for ran in (applied, other_account, raised):
        assert ran.results["apply"] == "failure"
        assert LIVE not in ran.log + ran.summary
    assert (team.version(), team.version(OTHER_ID)) == ("1", "1")


def test_plans_begin_after_the_merge_of_the_first_settings(team: Team) -> None:
    """The base has no settings, so the pull request is validated, and no call is made."""
    git(team.root, "rm", "-q", "reconciler.yaml")
    team.commit("a repository without settings")
    git(team.root, "push", "-q", "origin", "main")
    team.branch("first")
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    with stranger() as server:
        settings(team, "", endpoint=f"http://127.0.0.1:{server.getsockname()[1]}")
        number = team.open("first")
        planned = team.planned(number)
    assert planned.conclusion == "success", planned.log
    ((_, comment),) = team.host.comments(number)
    assert "Plans begin after this merge" in comment
    assert "review" not in [one["name"] for one in team.host.state["artifacts"]]
    # What it asks has no review: it needs a pull request that is planned.
    settings(team, "")
    team.open("first")
    applied = team.merged(number)
    assert applied.results["apply"] == "failure"
    assert "unreviewed" in team.host.comments(number)[-1][1]
    assert team.version() == "1"
    second = team.ask("comments", COMMENTS.format("seen"), OTHER_ID)
    assert team.planned(second).conclusion == "success"
    assert team.host.comments(second)
