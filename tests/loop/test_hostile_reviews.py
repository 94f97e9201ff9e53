"""Reviews that the plan workflow did not make for the pull request: none of them is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.documents import IMAGE_SET_ID, OTHER_ID
from tests.loop.conftest import Team
from tests.loop.host import Host
from tests.loop.test_plan import COMMENTS, NAME

Row = dict[str, Any]
GAIN = ".github/workflows/gain.yml"
# The run that made the review, with one thing changed, and why it is refused.
RUNS: list[tuple[Row, str]] = [
    ({"path": GAIN}, f"its workflow is {GAIN}, not"),
    ({"head_repository": {"full_name": "mallory/metadata"}}, "its commit is of mallory/metadata"),
    ({"event": "push"}, "its event is push, not"),
    ({"event": "pull_request_target"}, "its event is pull_request_target, not"),
    ({"conclusion": "failure"}, "it ended with failure"),
    # GitHub is asked for the runs of the last commit of the pull request.
    ({"head_sha": "0" * 40}, ""),
]
# Its artifact, with one thing changed.
ARTIFACTS: list[tuple[Row, str]] = [
    ({"digest": f"sha256:{'0' * 64}"}, "and GitHub states sha256:0000"),
    ({"digest": ""}, "GitHub states no digest for it"),
    ({"created_at": "2020-01-01T00:00:00Z"}, "an earlier attempt of the run made it"),
    ({"expired": True}, "GitHub has deleted it"),
]


def planned(team: Team, name: str, body: str, image_set: str) -> int:
    """A pull request whose plan passed; return the run of the plan."""
    ran = team.planned(team.ask(name, body, image_set))
    assert ran.conclusion == "success", ran.log
    return ran.id


def forge(host: Host, run: int, runs: Sequence[Row], artifacts: Sequence[Row]) -> None:
    """Put forgeries in the place of a run and of its review."""
    with host.changed() as state:
        honest, review = _taken(state, run)
        for number, (of_run, of_review) in enumerate(zip(runs, artifacts, strict=True), run * 10):
            state["runs"].append({**honest, "id": number, **of_run})
            state["artifacts"].append({**review, "run": number, **of_review})


def _taken(state: dict[str, Any], run: int) -> tuple[Row, Row]:
    """Remove a run and its review from the host, and return them."""
    (honest,) = (one for one in state["runs"] if one["id"] == run)
    (review,) = (one for one in state["artifacts"] if (one["run"], one["name"]) == (run, "review"))
    state["runs"].remove(honest)
    state["artifacts"].remove(review)
    return honest, review


def test_forged_runs_and_artifacts_review_nothing(team: Team) -> None:
    """Two pull requests, since each shows five reasons at most. The genuine artifacts count."""
    name = planned(team, "name", NAME.format("Doe^Pieter"), IMAGE_SET_ID)
    comments = planned(team, "comments", COMMENTS.format("seen"), OTHER_ID)
    genuine = team.host.state
    _, review = _taken(team.host.state, name)
    of_another = {key: review[key] for key in ("id", "digest")}
    artifacts = [*(row for row, _ in ARTIFACTS), of_another]
    forge(team.host, name, [row for row, _ in RUNS], [{}] * len(RUNS))
    forge(team.host, comments, [{}] * len(artifacts), artifacts)
    start = team.host.tip()
    for number in (12, 13):
        team.host.merge(number)
    ran = team.applied(start)
    fetched = ran.step("Fetch the reviews").output
    for _, reason in (*RUNS, *ARTIFACTS, (of_another, "it is of commit")):
        assert reason in fetched, fetched
    assert "0 newly accepted" in fetched
    assert ran.results["apply"] == "failure"
    assert "Apply: 2 unreviewed" in ran.step("Apply").output
    assert "unreviewed" in team.host.comments(13)[-1][1]
    assert (team.version(), team.version(OTHER_ID)) == ("1", "1")
    with team.host.changed() as state:
        state |= {key: genuine[key] for key in ("runs", "artifacts")}
    again = team.applied(start)
    assert again.results["apply"] == "success", again.log
    assert (team.version(), team.version(OTHER_ID)) == ("2", "2")
