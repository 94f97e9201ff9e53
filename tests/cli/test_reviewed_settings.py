"""A review that was made with other settings than those of the merged commit."""

from __future__ import annotations

import pytest

from tests.cli import outside
from tests.cli.outside import manifest
from tests.cli.test_reviewed import COMMENTS, NAME, Team, team
from tests.documents import IMAGE_SET_ID, OTHER_ID

__all__ = ["team"]

NO_CONSENT = NAME.split("\n", 1)[1]


def settings(team: Team, more: str) -> None:
    outside.settings(team.root, team.world.emulator, more)
    team.commit()


def test_a_change_counts_that_the_settings_have_nothing_to_do_with(team: Team) -> None:
    review = team.request("a", "a.yaml", COMMENTS.format("new"))
    team.merge("a")
    settings(team, "guardrails: {imageSets: 10}\n")
    ran = team.apply(review)
    assert ran.code == 0, ran.err
    assert "was made before reconciler.yaml changed" in ran.err
    assert team.writes() == 1


@pytest.mark.parametrize(
    ("on_main", "proposed", "body"),
    [
        ("", "allow: [CHANGES_PATIENT_IDENTITY]\n", NO_CONSENT.format("Doe^Pieter")),
        ("guardrails: {imageSets: 1}\n", "guardrails: {imageSets: 9}\n", COMMENTS.format("new")),
    ],
    ids=["consent", "guardrail"],
)
def test_what_only_the_new_settings_permit_was_not_reviewed(
    team: Team, on_main: str, proposed: str, body: str
) -> None:
    """A pull request raises a guardrail, or consents for all manifests, and uses it at once."""
    settings(team, f"{on_main}# as on main\n")
    team.branch("a")
    manifest(team.root, "a.yaml", body, IMAGE_SET_ID, OTHER_ID)
    settings(team, proposed)
    review = team.review("a")
    team.merge("a")
    ran = team.apply(review)
    assert ran.code == 1
    assert "2 unreviewed" in ran.out
    assert "What only the new settings permit is not reviewed" in ran.err
    assert team.writes() == 0
    # A pull request that comes after the merge is planned with the new settings.
    fresh = team.request("b", "README.yaml", COMMENTS.format("new"))
    team.merge("b")
    assert team.apply(fresh).code == 0


def test_consent_that_was_withdrawn_holds_the_change_back(team: Team) -> None:
    settings(team, "allow: [CHANGES_PATIENT_IDENTITY]\n")
    review = team.request("a", "a.yaml", NO_CONSENT.format("Doe^Pieter"))
    team.merge("a")
    settings(team, "")
    assert team.apply(review).code == 1
    assert team.writes() == 0
