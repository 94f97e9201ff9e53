"""What was reviewed is what is applied: reviews, and the apply after their merge."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.core.model.key import KEY_FILE
from reconciler.edges import records
from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import World, git, imported, manifest, write
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

NAME = (
    "allow: [CHANGES_PATIENT_IDENTITY]\npresent:\n  Patient:\n    DICOM:\n      PatientName: {}\n"
)
SEX = "allow: [CHANGES_PATIENT_IDENTITY]\npresent:\n  Patient:\n    DICOM:\n      PatientSex: {}\n"
COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"


class Team:
    """A repository with a branch `main`, and people who open and merge pull requests."""

    def __init__(self, world: World, reviews: Path) -> None:
        self.world = world
        self.root = world.root
        self._reviews = reviews
        reviews.mkdir()

    def commit(self, message: str = "change") -> str:
        git(self.root, "add", ".")
        git(self.root, "commit", "-q", "-m", message)
        return git(self.root, "rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        git(self.root, "checkout", "-q", "-b", name, "main")

    def review(self, name: str, code: int = 0) -> Path:
        """Plan the test merge of a branch, as a CI system makes it, and keep its review."""
        git(self.root, "checkout", "-q", "--detach", "main")
        git(self.root, "merge", "-q", "--no-ff", "-m", "test merge", name)
        path = self._reviews / f"{name}.json"
        ran = self.world.reconcile("plan", "--review", path, "--base", "main")
        git(self.root, "checkout", "-q", "main")
        assert ran.code == code, ran.err
        return path

    def request(self, name: str, file: str, body: str) -> Path:
        """A pull request that writes one manifest; its review."""
        self.branch(name)
        manifest(self.root, file, body)
        self.commit()
        return self.review(name)

    def merge(self, *names: str) -> None:
        for name in names:
            git(self.root, "checkout", "-q", "main")
            git(self.root, "merge", "-q", "--no-ff", "-m", f"Merge {name}", name)

    def apply(self, *reviews: Path, options: tuple[str, ...] = ()) -> Ran:
        named = [part for one in reviews for part in ("--reviewed", one)]
        return self.world.reconcile("apply", *named, "--record", "commit", *options)

    def writes(self) -> int:
        """How many versions the image set has beyond its import."""
        return int(self.world.version()) - 1


@pytest.fixture
def team(tmp_path: Path, reconcile: Command) -> Iterator[Team]:
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        imported(world.emulator, document(image_set_id=OTHER_ID))
        (world.root / ".gitignore").write_text(".reconcile/\n")
        (world.root / KEY_FILE).write_text("5a" * 32 + "\n")
        (world.root / "manifests").mkdir()
        (world.root / "manifests" / "README.md").write_text("Metadata as it should be.\n")
        git(world.root, "init", "-q", "-b", "main")
        team = Team(world, tmp_path / "reviews")
        team.commit()
        yield team


def test_the_change_of_a_merged_pull_request_is_applied(team: Team) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.merge("a")
    ran = team.apply(review)
    assert ran.code == 0, ran.err
    assert "Reviewed: 1 of 1 action with calls." in ran.err
    assert team.writes() == 1
    assert team.apply(review).code == 0
    assert team.writes() == 1


def test_a_folder_stands_for_the_reviews_in_it(team: Team, tmp_path: Path) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.merge("a")
    (review.parent / "notes.txt").write_text("no review\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert team.world.reconcile("plan", "--check", empty).code == 1
    ran = team.apply(empty)
    assert ran.code == 1
    assert "unreviewed" in ran.err
    assert team.writes() == 0
    assert team.world.reconcile("plan", "--check", review.parent).code == 0
    assert team.apply(review.parent).code == 0
    assert team.writes() == 1


def test_a_review_holds_no_value_and_states_where_it_is_from(team: Team) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    text = review.read_text()
    assert "Doe" not in text
    assert "Garcia" not in text
    held = json.loads(text)
    assert held["base"] == git(team.root, "rev-parse", "main")
    assert held["head"] == git(team.root, "rev-parse", "a")
    assert held["tree"] == git(team.root, "rev-parse", "a^{tree}")
    assert len(held["nonce"]) == 32
    assert held["changes"] == [
        {
            "datastoreId": outside.STORE,
            "imageSetId": IMAGE_SET_ID,
            "path": "Patient/PatientName",
            "op": "update",
            "pin": "1",
            "hazards": ["CHANGES_PATIENT_IDENTITY"],
            "consents": ["CHANGES_PATIENT_IDENTITY"],
            "digest": held["changes"][0]["digest"],
        }
    ]
    assert held["changes"][0]["digest"].startswith("hmac-sha256:")


def test_what_no_review_holds_is_left_alone_and_fails_the_run(team: Team) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.branch("b")
    manifest(team.root, "b.yaml", NAME.format("Roe^Jan"), OTHER_ID)
    team.commit()
    team.merge("a", "b")
    ran = team.apply(review)
    assert ran.code == 1
    assert "manifests/b.yaml" in ran.err
    assert "1 converged, 1 unreviewed" in ran.out
    assert team.writes() == 1
    assert team.world.version(OTHER_ID) == "1"


def test_what_the_merge_did_not_touch_does_not_fail_the_run(team: Team) -> None:
    """Drift of an image set that this pull request does not name is another matter."""
    first = team.request("b", "b.yaml", COMMENTS.format("old"))
    team.merge("b")
    assert team.apply(first).code == 0
    write(team.world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientComments": "outside"}}})
    team.branch("a")
    manifest(team.root, "a.yaml", NAME.format("Doe^Pieter"), OTHER_ID)
    team.commit()
    review = team.review("a")
    team.merge("a")
    ran = team.apply(review)
    assert ran.code == 0, ran.err
    assert team.world.version(OTHER_ID) == "2"
    assert team.world.version() == "3"


def test_the_last_applied_commit_outlives_a_squash_merge_of_the_records(team: Team) -> None:
    """It drops the trailers of the commit of records; each entry states the commit."""
    first = team.request("b", "b.yaml", COMMENTS.format("old"))
    team.merge("b")
    applied = git(team.root, "rev-parse", "main")
    assert team.apply(first).code == 0
    git(team.root, "commit", "-q", "--amend", "-m", "Record versions (#12)")
    (entry,) = records.read(team.root, outside.STORE).values()
    assert entry.applied_commit == applied
    assert entry.run
    write(team.world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientComments": "outside"}}})
    team.branch("a")
    manifest(team.root, "a.yaml", NAME.format("Doe^Pieter"), OTHER_ID)
    team.commit()
    review = team.review("a")
    team.merge("a")
    ran = team.apply(review)
    assert ran.code == 0, ran.err


def test_what_a_merge_asked_without_a_review_fails_the_job_that_is_started_again(
    team: Team,
) -> None:
    """The records of the first try state its commit. That job has not executed all of it."""
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    manifest(team.root, "b.yaml", COMMENTS.format("new"), OTHER_ID)
    team.commit("pushed without a pull request")
    team.merge("a")
    first = team.apply(review)
    assert first.code == 1, first.err
    assert team.writes() == 1
    again = team.apply(review)
    assert again.code == 1, again.err
    assert "(no merged commit changed its manifests)" not in again.err
    # A merge that comes next does not hide it, either.
    (team.root / "manifests" / "README.md").write_text("Metadata.\n")
    team.commit()
    assert team.apply(review).code == 1


def test_a_reviewed_change_that_is_not_applied_fails_each_later_apply(team: Team) -> None:
    """Merges that are applied meanwhile do not hide it."""
    third = "f" * 32
    imported(team.world.emulator, document(image_set_id=third))
    reviews = [team.request("a", "a.yaml", NAME.format("Doe^Pieter"))]
    team.merge("a")
    for name, image_set_id in (("b", OTHER_ID), ("c", third)):
        team.branch(name)
        manifest(team.root, f"{name}.yaml", NAME.format("Doe^Petra"), image_set_id)
        team.commit()
        reviews.append(team.review(name))
        team.merge(name)
        comments = {"PatientComments": f"as {name} was merged"}
        write(team.world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": comments}})
        assert team.apply(*reviews).code == 1
        assert team.world.version(image_set_id) == "2"
    ran = team.apply(*reviews)
    assert ran.code == 1, ran.err
    assert "unreviewed: merges ask for a change of 1 image set (manifests/a.yaml)" in ran.err
    assert team.world.version() == "3"


def test_an_apply_of_some_manifests_does_not_state_its_commit_as_applied(team: Team) -> None:
    """The other manifests of the commit, and commits before it, may be waiting for their apply."""
    manifest(team.root, "b.yaml", COMMENTS.format("new"))
    manifest(team.root, "a.yaml", NAME.format("Doe^Pieter"), OTHER_ID)
    team.commit()
    ran = team.world.reconcile("apply", "manifests/b.yaml", "--auto-approve", "--record", "commit")
    assert ran.code == 0, ran.err
    (entry,) = records.read(team.root, outside.STORE).values()
    assert entry.applied_commit == ""
    nothing = team.root.parent / "nothing"
    nothing.mkdir()
    left = team.apply(nothing)
    assert left.code == 1, left.err
    assert "(no merged commit changed its manifests)" not in left.err


@pytest.mark.parametrize("files", [("a.yaml", "a.yaml"), ("a.yaml", "b.yaml")])
def test_two_pull_requests_on_one_image_set_merged_before_either_is_applied(
    team: Team, files: tuple[str, str]
) -> None:
    """On one file, too: git merges changes of different lines."""
    base = "present:\n  Patient:\n    DICOM:\n      PatientComments: old\n"
    manifest(team.root, "a.yaml", base)
    team.commit()
    first, second = files
    name = NAME.format("Doe^Pieter") if first != second else base.replace("old", "new")
    a = team.request("a", first, name if first == second else name + "      PatientComments: old\n")
    team.branch("b")
    path = team.root / "manifests" / second
    if first == second:
        text = path.read_text().replace("imageSetIds:", "# for the archive\nimageSetIds:")
        path.write_text(text)
        manifest(team.root, "c.yaml", SEX.format("O"))
    else:
        manifest(team.root, second, SEX.format("O"))
    team.commit()
    b = team.review("b")
    team.merge("a", "b")
    ran = team.apply(a, b)
    assert ran.code == 0, ran.err
    assert team.writes() == 1
    assert "nothing to do" in team.world.reconcile("plan").out


def test_two_pull_requests_one_after_the_other(team: Team) -> None:
    """The second was planned before the first was applied: its pin moved, by our version."""
    a = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    b = team.request("b", "b.yaml", SEX.format("O"))
    team.merge("a")
    assert team.apply(a).code == 0
    team.merge("b")
    ran = team.apply(b)
    assert ran.code == 0, ran.err
    assert team.writes() == 2


def lost(team: Team) -> None:
    """The machine of the last apply is gone, with its attempts and the records it committed."""
    git(team.root, "reset", "-q", "--hard", "HEAD^")
    shutil.rmtree(team.root / ".reconcile", ignore_errors=True)


def test_a_version_of_a_lost_run_is_ours_though_the_manifest_changed_meanwhile(team: Team) -> None:
    first = team.request("first", "a.yaml", COMMENTS.format("first"))
    team.merge("first")
    assert team.apply(first).code == 0
    second = team.request("second", "a.yaml", COMMENTS.format("second"))
    team.merge("second")
    assert team.apply(second).code == 0
    lost(team)
    assert team.world.entry()["versionId"] == "2"
    third = team.request("third", "a.yaml", COMMENTS.format("third"))
    team.merge("third")
    ran = team.apply(first, second, third)
    assert "drift" not in ran.out.lower(), ran.out
    assert "1 unreviewed" in ran.out
    entry = team.world.entry()
    assert (entry["versionId"], entry["previousVersionId"]) == ("3", "2")
    assert entry["asked"] == {"Patient/PatientComments": "3"}
    team.branch("again")
    again = team.review("again")
    assert team.apply(again).code == 0
    assert team.writes() == 3


def test_a_review_of_before_a_lost_run_holds_where_that_run_left_the_attribute(team: Team) -> None:
    first = team.request("first", "a.yaml", COMMENTS.format("first"))
    other = team.request("other", "b.yaml", SEX.format("O"))
    team.merge("first")
    assert team.apply(first).code == 0
    lost(team)
    team.merge("other")
    ran = team.apply(first, other)
    assert ran.code == 0, ran.err
    assert team.writes() == 2
    entry = team.world.entry()
    assert (entry["previousVersionId"], entry["versionId"]) == ("1", "3")


def test_a_version_in_the_gap_with_another_value_is_not_ours(team: Team) -> None:
    first = team.request("first", "a.yaml", COMMENTS.format("first"))
    team.merge("first")
    assert team.apply(first).code == 0
    second = team.request("second", "a.yaml", COMMENTS.format("second"))
    write(team.world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientComments": "x"}}})
    team.merge("second")
    ran = team.apply(first, second)
    assert ran.code == 1
    assert "drifted" in ran.out
    assert team.world.entry()["versionId"] == "2"


def test_a_version_that_others_made_is_no_version_of_ours(team: Team) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.merge("a")
    write(team.world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientSex": "O"}}})
    ran = team.apply(review)
    assert ran.code == 1
    assert "Patient/PatientName was reviewed at version 1, and version 2 is not known" in ran.err
    assert team.writes() == 1


def test_a_change_that_our_own_version_touched_is_not_reviewed(team: Team) -> None:
    """Planned at version 1; version 2 is ours and changed the same attribute."""
    b = team.request("b", "b.yaml", NAME.format("Second"))
    a = team.request("a", "b.yaml", NAME.format("First"))
    team.merge("a")
    assert team.apply(a).code == 0
    git(team.root, "merge", "-q", "-X", "theirs", "--no-ff", "-m", "Merge b", "b")
    ran = team.apply(b)
    assert ran.code == 1, ran.out
    assert "reviewed at version 1" in ran.err
    assert team.writes() == 1


def test_a_hazard_that_was_not_reviewed_holds_the_action_back(team: Team) -> None:
    """Another process changes the attribute after the review: now it overwrites drift."""
    first = team.request("a", "a.yaml", COMMENTS.format("first"))
    team.merge("a")
    assert team.apply(first).code == 0
    b = team.request("b", "a.yaml", COMMENTS.format("second"))
    team.merge("b")
    write(team.world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientComments": "x"}}})
    manifest(team.root, "a.yaml", "allow: [OVERWRITES_DRIFT@3]\n" + COMMENTS.format("second"))
    team.commit()
    ran = team.apply(b)
    assert ran.code == 1
    assert "unreviewed" in ran.out
    assert team.writes() == 2


def test_an_expired_review_is_listed_with_the_way_to_a_fresh_one(team: Team) -> None:
    with (team.root / "reconciler.yaml").open("a") as file:
        file.write("reviewExpiresAfter: 0.000001s\n")
    team.commit()
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.merge("a")
    ran = team.apply(review)
    assert ran.code == 1
    assert f"The review of commit {git(team.root, 'rev-parse', 'a')} has expired" in ran.err
    assert "its review expired on 20" in ran.err
    assert team.writes() == 0


def test_check_answers_a_merge_queue(team: Team) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.merge("a")
    assert team.world.reconcile("plan", "--check", review).code == 0
    manifest(team.root, "a.yaml", NAME.format("Doe^Jan"))
    team.commit()
    ran = team.world.reconcile("plan", "--check", review)
    assert ran.code == 1
    assert "no review holds the change of Patient/PatientName" in ran.err


def test_expect_is_the_digest_of_the_file_that_was_approved(team: Team) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.merge("a")
    digest = f"sha256:{hashlib.sha256(review.read_bytes()).hexdigest()}"
    command = ("apply", "--reviewed", review, "--record", "commit", "--expect")
    refused = team.world.reconcile(*command, "sha256:" + "0" * 64)
    assert (refused.code, team.writes()) == (1, 0)
    assert f"its digest is {digest}" in refused.err
    assert team.world.reconcile(*command, digest).code == 0
    assert team.writes() == 1


def _edited(path: Path) -> None:
    path.write_text(path.read_text().replace('"pin": "1"', '"pin": "2"'))


def _of_another_version(path: Path) -> None:
    path.write_text(path.read_text().replace('"toolVersion": "', '"toolVersion": "9'))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def _manifest(path: Path) -> None:
    path.write_text("kind: ImageSet\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_edited, "it was edited, or it is of a repository with another reconciler.key"),
        (_of_another_version, "of reconcile made it, and this is version"),
        (_cut, "it is incomplete, or not a review"),
        (_manifest, "it is incomplete, or not a review"),
        (Path.unlink, "it cannot be read"),
    ],
)
def test_a_spoiled_review_is_refused_and_nothing_is_written(
    team: Team, spoil: object, says: str
) -> None:
    review = team.request("a", "a.yaml", NAME.format("Doe^Pieter"))
    team.merge("a")
    spoil(review)  # type: ignore[operator]
    ran = team.apply(review)
    assert ran.code == 1
    assert says in ran.err
    assert team.writes() == 0


def test_the_head_alone_is_not_what_is_planned(team: Team) -> None:
    team.branch("a")
    manifest(team.root, "a.yaml", NAME.format("Doe^Pieter"))
    team.commit()
    git(team.root, "checkout", "-q", "main")
    manifest(team.root, "new.yaml", SEX.format("O"), OTHER_ID)
    team.commit()
    git(team.root, "checkout", "-q", "a")
    ran = team.world.reconcile("plan", "--review", "review.json", "--base", "main")
    assert ran.code == 1
    assert "lacks commits of its base" in ran.err
    assert not (team.root / "review.json").exists()


def test_a_review_needs_a_key_a_base_and_a_clean_tree(team: Team) -> None:
    plan = team.world.reconcile
    manifest(team.root, "a.yaml", NAME.format("Doe^Pieter"))
    unclean = plan("plan", "--review", "../review.json", "--base", "main")
    assert "Commit or stash your changes" in unclean.err
    team.commit()
    assert "--base origin/main" in plan("plan", "--review", "../review.json").err
    (team.root / KEY_FILE).unlink()
    team.commit()
    keyless = plan("plan", "--review", "../review.json", "--base", "main")
    assert f"openssl rand -hex 32 > {KEY_FILE}" in keyless.err
    assert {unclean.code, keyless.code} == {1}
