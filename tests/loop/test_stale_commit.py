"""A job of an older commit that runs after that of a newer one: it applies nothing."""

from __future__ import annotations

from tests.loop import runner
from tests.loop.conftest import Team
from tests.loop.test_loop import ALL, planned
from tests.loop.test_plan import COMMENTS, NAME


def test_an_older_commit_is_refused_after_a_newer_one_was_applied(team: Team) -> None:
    start = team.host.tip()
    events = []
    for number in (
        planned(team, "name", NAME.format("Doe^Pieter")),
        planned(team, "comments", COMMENTS.format("seen")),
    ):
        team.host.merge(number)
        events.append(runner.push(team.host, start))
    older, newer = events
    ran = team.runner.run("reconcile-apply.yml", newer)
    assert ran.results == ALL, ran.log
    assert team.version() == "2"
    records = team.host.tip()
    late = team.runner.run("reconcile-apply.yml", older)
    assert late.results == {**ALL, "apply": "failure"}
    assert "of main was applied already, and is not before it" in late.step("Apply").output
    assert (team.version(), team.host.tip()) == ("2", records)
