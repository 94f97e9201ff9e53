"""A review that was made with other settings than those of the merged commit."""

from __future__ import annotations

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


def test_what_only_the_new_settings_permit_was_not_reviewed(team: Team) -> None:
    """A pull request consents for all manifests, and uses it at once."""
    settings(team, "# as on main\n")
    team.branch("a")
    manifest(team.root, "a.yaml", NO_CONSENT.format("Doe^Pieter"), IMAGE_SET_ID, OTHER_ID)
    settings(team, "allow: [CHANGES_PATIENT_IDENTITY]\n")
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


def test_a_guardrail_stops_the_apply_of_reviews_until_a_commit_raises_it(team: Team) -> None:
    """Its plan says so. The review holds: the merge that raises the guardrail goes on with it."""
    settings(team, "guardrails: {imageSets: 1}\n")
    team.branch("a")
    manifest(team.root, "a.yaml", COMMENTS.format("new"), IMAGE_SET_ID, OTHER_ID)
    team.commit()
    review = team.review("a")
    team.merge("a")
    for options in ((), ("--limit", "1")):
        ran = team.apply(review, options=options)
        assert ran.code == 1
        assert "Apply would be stopped by a guardrail." in ran.out
        assert (
            "nothing was sent: a guardrail stops this apply\n"
            "    data store research: 2 image sets would change, more than `guardrails: "
            "{imageSets: 1}` allows (reconciler.yaml:"
        ) in ran.err
        assert team.writes() == 0
    settings(team, "guardrails: {imageSets: 2}\n")
    assert team.apply(review).code == 0
    assert team.writes() == 1


def test_what_earlier_runs_of_a_review_made_counts_too(team: Team) -> None:
    """So a review is not applied past a guardrail in parts."""
    team.branch("a")
    manifest(team.root, "a.yaml", COMMENTS.format("new"), IMAGE_SET_ID, OTHER_ID)
    team.commit()
    review = team.review("a")
    team.merge("a")
    assert team.apply(review, options=("--limit", "1")).code == 2
    settings(team, "guardrails: {imageSets: 1}\n")
    ran = team.apply(review)
    assert ran.code == 1
    assert "2 image sets would change, more than `guardrails: {imageSets: 1}` allows" in ran.err


def test_what_was_taken_back_before_it_was_applied_does_not_count(team: Team) -> None:
    """A pull request that is too large is merged, and a part of it is reverted."""
    settings(team, "guardrails: {imageSets: 1}\n")
    team.branch("a")
    manifest(team.root, "a.yaml", COMMENTS.format("new"), IMAGE_SET_ID)
    manifest(team.root, "b.yaml", COMMENTS.format("new"), OTHER_ID)
    team.commit()
    review = team.review("a")
    team.merge("a")
    assert team.apply(review).code == 1
    (team.root / "manifests" / "b.yaml").unlink()
    team.commit()
    assert team.apply(review).code == 0
    assert team.writes() == 1


def test_consent_that_was_withdrawn_holds_the_change_back(team: Team) -> None:
    settings(team, "allow: [CHANGES_PATIENT_IDENTITY]\n")
    review = team.request("a", "a.yaml", NO_CONSENT.format("Doe^Pieter"))
    team.merge("a")
    settings(team, "")
    assert team.apply(review).code == 1
    assert team.writes() == 0
