"""Records on a branch of their own, for repositories whose default branch is protected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.record import Entry
from reconciler.edges import records
from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import STORE, World, git, imported, manifest, write
from tests.documents import IMAGE_SET_ID, OTHER_ID, document
from tests.entries import put

BRANCH = "reconcile/records"
TRACKED = f"refs/remotes/origin/{BRANCH}"
PERSON = (
    "allow: [CHANGES_PATIENT_IDENTITY]\npresent:\n  Patient:\n    DICOM:\n      PatientName: {}\n"
)
COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"
RECORD = f"records/{STORE}/{IMAGE_SET_ID[:2]}.json"


class Team:
    """A host with a protected branch `main`, and clones of it."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world = folder, world
        self.root = world.root
        self.host = folder / "host.git"

    def clone(self, name: str, *, fetched: bool = True) -> Path:
        """A clean clone, as a job has it: `main` alone, and perhaps the record branch."""
        options = ("--single-branch", "--branch", "main", str(self.host), name)
        git(self.folder, "clone", "-q", *options)
        clone = self.folder / name
        if fetched:
            git(clone, "fetch", "-q", "origin", f"{BRANCH}:{TRACKED}")
        return clone

    def merged(self, *names: str) -> None:
        """Push what a pull request would bring to `main`."""
        git(self.root, "add", "manifests", "reconciler.yaml", *names)
        git(self.root, "commit", "-q", "-m", "change")
        git(self.root, "push", "-q", "origin", "main")

    def ask(self, body: str, *image_set_ids: str, file: str = "a.yaml") -> None:
        manifest(self.root, file, body, *image_set_ids)
        self.merged()

    def mode(self, mode: str) -> None:
        outside.settings(self.root, self.world.emulator, f"record: {{mode: {mode}}}\n")

    def apply(self, root: Path, *options: str) -> Ran:
        with chdir(root):
            return self.world.reconcile("apply", "--auto-approve", *options)

    def plan(self, root: Path, *options: str) -> Ran:
        with chdir(root):
            return self.world.reconcile("plan", *options)

    def status(self, root: Path) -> list[str]:
        """The statuses of a plan in a clone."""
        ran = self.plan(root, "--json")
        assert ran.code == 0, ran.err
        plan = json.loads(ran.out)
        counted = sum(one["imageSets"] for one in plan["unchanged"])
        return [one["status"] for one in plan["actions"]] + ["unchanged"] * counted

    def held(self, branch: str = BRANCH) -> dict[str, Entry]:
        """The records on a branch of the host."""
        names = git(self.host, "ls-tree", "-r", "--name-only", branch, "records").splitlines()
        contents = {name: git(self.host, "show", f"{branch}:{name}").encode() for name in names}
        return dict(records.read_contents(contents, STORE))

    def squash(self) -> None:
        """Merge the record branch into `main` as GitHub squashes a pull request."""
        folder = self.folder / "merging"
        if not folder.exists():
            git(self.folder, "clone", "-q", str(self.host), folder.name)
        git(folder, "checkout", "-q", "main")
        git(folder, "pull", "-q", "origin", "main")
        git(folder, "fetch", "-q", "origin", BRANCH)
        git(folder, "merge", "-q", "--squash", "FETCH_HEAD")
        git(folder, "commit", "-q", "-m", "Record (#1)")
        git(folder, "push", "-q", "origin", "main")

    def pull(self) -> None:
        git(self.root, "reset", "-q", "--hard")
        git(self.root, "clean", "-qfd", "records")
        git(self.root, "pull", "-q", "origin", "main")


@pytest.fixture
def team(tmp_path: Path, reconcile: Command) -> Iterator[Team]:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "host.git")
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        imported(world.emulator, document(image_set_id=OTHER_ID))
        team = Team(tmp_path, world)
        team.mode("branch")
        (world.root / ".gitignore").write_text(".reconcile/\n")
        (world.root / KEY_FILE).write_text("5a" * 32 + "\n")
        git(world.root, "init", "-q", "-b", "main")
        git(world.root, "remote", "add", "origin", str(team.host))
        git(world.root, "add", KEY_FILE, ".gitignore")
        team.ask(PERSON.format("Doe^Pieter"))
        git(world.root, "branch", "-q", "--set-upstream-to", "origin/main")
        yield team


def test_the_first_apply_makes_the_branch_on_top_of_the_default_branch(team: Team) -> None:
    main = git(team.host, "rev-parse", "main")
    ran = team.apply(team.root, "--push")
    assert ran.code == 0, ran.err
    made = git(team.host, "rev-parse", BRANCH)
    assert f"commit {made[:12]} on origin/{BRANCH}" in ran.out
    assert git(team.host, "rev-parse", "main") == main
    assert git(team.host, "rev-parse", f"{BRANCH}^@") == main
    assert git(team.host, "diff", "--name-only", "main", BRANCH) == RECORD
    assert git(team.root, "rev-parse", "HEAD") == main
    assert git(team.root, "rev-parse", TRACKED) == made
    assert team.held()[IMAGE_SET_ID].version_id == "2"


def test_the_plan_of_a_clean_clone_needs_the_branch_and_is_empty_with_it(team: Team) -> None:
    team.apply(team.root, "--push")
    clone = team.clone("next", fetched=False)
    ran = team.plan(clone)
    assert ran.code == 1
    fetch = f"git fetch origin {BRANCH}:{TRACKED}"
    assert f"`{fetch}`" in ran.err
    git(clone, *fetch.split()[1:])
    assert team.status(clone) == ["unchanged"]
    assert git(clone, "status", "--porcelain") == ""


def test_an_apply_with_nothing_to_do_pushes_nothing(team: Team) -> None:
    """The clean clone of a job has no folder of records, and files that git ignores."""
    team.apply(team.root, "--push")
    before = git(team.host, "rev-parse", BRANCH)
    clone = team.clone("next", fetched=False)
    (clone / ".reconcile").mkdir()
    (clone / ".reconcile" / "plan.json").write_text("{}")
    ran = team.apply(clone, "--push")
    assert (ran.code, ran.err) == (0, "")
    assert git(team.host, "rev-parse", BRANCH) == before


def test_the_records_of_the_branch_save_reads_and_show_drift(team: Team) -> None:
    team.apply(team.root, "--push")
    clone = team.clone("next")
    assert "GetImageSetMetadata" not in team.plan(clone).out
    write(team.world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientName": "Roe^Jan"}}})
    assert team.status(clone) == ["drifted"]


def test_where_no_branch_exists_yet_a_clone_can_say_so(team: Team) -> None:
    clone = team.clone("next", fetched=False)
    ran = team.plan(clone)
    assert ran.code == 1
    command = f"git update-ref {TRACKED} HEAD"
    assert f"`{command}`" in ran.err
    git(clone, *command.split()[1:])
    assert team.status(clone) == ["update"]


def test_without_push_the_local_branch_moves_and_the_next_plan_is_empty(team: Team) -> None:
    git(team.root, "update-ref", TRACKED, "HEAD")
    before = git(team.root, "rev-parse", "HEAD")
    ran = team.apply(team.root)
    assert ran.code == 0, ran.err
    made = git(team.root, "rev-parse", BRANCH)
    assert f"commit {made[:12]} on {BRANCH}" in ran.out
    assert (git(team.root, "rev-parse", "HEAD"), git(team.root, "rev-parse", f"{BRANCH}^")) == (
        before,
        before,
    )
    git(team.root, "clean", "-qfd", "records")
    assert team.status(team.root) == ["unchanged"]
    assert not git(team.host, "branch", "--list", BRANCH)


def test_a_repository_without_a_remote_keeps_the_local_branch(team: Team) -> None:
    git(team.root, "remote", "remove", "origin")
    assert team.apply(team.root).code == 0
    git(team.root, "clean", "-qfd", "records")
    assert team.status(team.root) == ["unchanged"]
    ran = team.apply(team.root, "--push")
    assert (ran.code, "no remote" in ran.err) == (1, True)


def test_what_another_run_recorded_meanwhile_is_joined(team: Team) -> None:
    """Both begin where no branch is. The second finds the branch that the first has made."""
    other = team.clone("other", fetched=False)
    team.ask(COMMENTS.format("seen"), OTHER_ID, file="b.yaml")
    assert team.apply(other, "--push").code == 0
    assert team.apply(team.root, "--push").code == 0
    assert {name: one.version_id for name, one in team.held().items()} == {
        IMAGE_SET_ID: "2",
        OTHER_ID: "2",
    }
    # The branch is the newest default branch, and records on top.
    assert git(team.host, "merge-base", "main", BRANCH) == git(team.host, "rev-parse", "main")
    names = git(team.host, "diff", "--name-only", "main", BRANCH).splitlines()
    assert all(name.startswith("records/") for name in names)


def test_a_run_that_is_overtaken_starts_again(team: Team, tmp_path: Path) -> None:
    """The host takes another commit between the fetch and the push of the first try."""
    team.apply(team.root, "--push")
    other = team.clone("other")
    put(other, [_entry("ab" + "0" * 30)])
    git(other, "add", "records")
    git(other, "commit", "-q", "-m", "another run")
    theirs = git(other, "rev-parse", "HEAD")
    git(other, "push", "-q", "origin", "HEAD:refs/heads/parked")
    hook = team.host / "hooks" / "pre-receive"
    hook.write_text(
        "#!/bin/sh\nrm -f hooks/pre-receive\n"
        "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"
        f"git update-ref refs/heads/{BRANCH} {theirs}\n"
    )
    hook.chmod(0o755)
    team.ask(PERSON.format("Roe^Jan"))
    assert team.apply(team.root, "--push").code == 0
    assert not hook.exists()
    held = {name: one.version_id for name, one in team.held().items()}
    assert held == {IMAGE_SET_ID: "3", "ab" + "0" * 30: "2"}


def _entry(image_set_id: str) -> Entry:
    return Entry(
        STORE, image_set_id, "2", "1", 2.0, (("Patient/PatientName", "2"),), "", created_at=1.0
    )


@pytest.mark.parametrize("is_deleted", [False, True], ids=["kept", "deleted"])
def test_after_a_squash_merge_the_next_records_merge_without_a_conflict(
    team: Team, is_deleted: bool
) -> None:
    team.apply(team.root, "--push")
    team.squash()
    if is_deleted:
        git(team.host, "branch", "-q", "-D", BRANCH)
    team.pull()
    team.ask(PERSON.format("Roe^Jan"))
    clone = team.clone("next", fetched=False)
    ran = team.apply(clone, "--push")
    assert ran.code == 0, ran.err
    assert team.held()[IMAGE_SET_ID].version_id == "3"
    team.squash()
    assert team.held("main")[IMAGE_SET_ID].version_id == "3"


def test_a_stale_clone_of_a_deleted_branch_keeps_what_was_not_merged(team: Team) -> None:
    """A person closed the pull request of the records and deleted its branch."""
    team.apply(team.root, "--push")
    git(team.host, "branch", "-q", "-D", BRANCH)
    git(team.root, "clean", "-qfd", "records")
    team.ask(COMMENTS.format("seen"), OTHER_ID, file="b.yaml")
    assert team.apply(team.root, "--push").code == 0
    assert {name: one.version_id for name, one in team.held().items()} == {
        IMAGE_SET_ID: "2",
        OTHER_ID: "2",
    }


def test_a_manifest_on_the_record_branch_never_reaches_the_default_branch(team: Team) -> None:
    """A person with the right to push records pushed a manifest, too."""
    team.apply(team.root, "--push")
    other = team.clone("other")
    git(other, "checkout", "-q", "-b", "hostile", TRACKED)
    manifest(other, "a.yaml", PERSON.format("Evil^Eve"))
    git(other, "commit", "-q", "-a", "-m", "hostile")
    git(other, "push", "-q", "origin", f"HEAD:{BRANCH}")
    team.ask(PERSON.format("Roe^Jan"))
    assert team.apply(team.root, "--push").code == 0
    names = git(team.host, "diff", "--name-only", "main", BRANCH).splitlines()
    assert names == [RECORD]


def test_a_refused_push_names_what_is_applied_and_the_next_run_records_it(team: Team) -> None:
    refuse(team)
    ran = team.apply(team.root, "--push")
    assert ran.code == 1
    assert (
        f"Applied, and not recorded on origin/{BRANCH}: image set {IMAGE_SET_ID} (version 2)."
        in (ran.out)
    )
    assert "The next run records them." in ran.err
    (team.host / "hooks" / "pre-receive").unlink()
    clone = team.clone("next", fetched=False)
    assert team.apply(clone, "--push").code == 0
    assert team.held()[IMAGE_SET_ID].version_id == "2"
    assert team.world.version() == "2"


def refuse(team: Team) -> None:
    hook = team.host / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n")
    hook.chmod(0o755)


def test_a_refused_push_in_json(team: Team) -> None:
    refuse(team)
    found = json.loads(team.apply(team.root, "--push", "--json").out)
    assert found["notPublished"] == [{"imageSetId": IMAGE_SET_ID, "versionId": "2"}]
    assert found["recordBranch"] == {"name": f"origin/{BRANCH}", "pushed": False}


@pytest.mark.parametrize("mode", ["branch", "pull-request", "commit"])
def test_the_same_machine_pushes_what_it_could_not_push_before(team: Team, mode: str) -> None:
    """The records are in its working tree, and the second run writes none."""
    refuse(team)
    refused = team.apply(team.root, "--push", "--record", mode)
    where = f"origin/{'main' if mode == 'commit' else BRANCH}"
    assert refused.code == 1
    assert f"Applied, and not recorded on {where}: image set {IMAGE_SET_ID} (version 2)." in (
        refused.out
    )
    (team.host / "hooks" / "pre-receive").unlink()
    ran = team.apply(team.root, "--push", "--record", mode)
    assert ran.code == 0, ran.err
    assert team.held("main" if mode == "commit" else BRANCH)[IMAGE_SET_ID].version_id == "2"


def test_a_refused_commit_names_what_is_applied(team: Team) -> None:
    hook = team.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    ran = team.apply(team.root, "--record", "commit")
    assert ran.code == 1
    assert f"not recorded in a commit: image set {IMAGE_SET_ID} (version 2)." in ran.out


def test_the_status_at_the_base_is_judged_by_the_same_records(team: Team) -> None:
    team.apply(team.root, "--push")
    team.ask(COMMENTS.format("seen"), OTHER_ID, file="b.yaml")
    ran = team.plan(team.clone("next"), "--json", "--base", "HEAD^")
    assert ran.code == 0, ran.err
    plan = json.loads(ran.out)
    (one,) = plan["actions"]
    assert one["members"][0]["imageSetId"] == OTHER_ID
    assert (one["status"], one["atBase"]["status"]) == ("update", "unmanaged")
    assert [one["imageSets"] for one in plan["unchanged"]] == [1]


def test_a_version_that_the_branch_records_is_one_of_ours(team: Team, tmp_path: Path) -> None:
    """Two pull requests were planned before either was applied: the pin of the second moved."""
    team.ask(COMMENTS.format("seen"), OTHER_ID, file="b.yaml")
    assert team.apply(team.root, "--push").code == 0
    first = _reviewed(team, tmp_path, "first", "a.yaml", PERSON.format("Roe^Jan"))
    second = _reviewed(team, tmp_path, "second", "c.yaml", COMMENTS.format("old"))
    for name, review, version in (("first", first, "3"), ("second", second, "4")):
        git(team.root, "merge", "-q", "--no-ff", "-m", f"Merge {name}", name)
        git(team.root, "push", "-q", "origin", "main")
        clone = team.clone(f"applies-{name}")
        with chdir(clone):
            ran = team.world.reconcile("apply", "--reviewed", review, "--push")
        assert (ran.code, team.world.version()) == (0, version), ran.out + ran.err


def _reviewed(team: Team, folder: Path, name: str, file: str, body: str) -> Path:
    """A pull request that is planned with the record branch; its review."""
    git(team.root, "checkout", "-q", "-f", "-b", name, "main")
    manifest(team.root, file, body)
    git(team.root, "add", "manifests")
    git(team.root, "commit", "-q", "-m", name)
    path = folder / f"{name}.json"
    ran = team.world.reconcile("plan", "--review", path, "--base", "main")
    assert ran.code == 0, ran.err
    git(team.root, "checkout", "-q", "main")
    return path


def test_an_unreachable_remote_stops_the_run_before_anything_is_sent(team: Team) -> None:
    team.host.rename(team.host.with_name("gone"))
    ran = team.apply(team.root, "--push")
    assert (ran.code, team.world.version()) == (1, "1")
    assert "git fetch origin failed" in ran.err
    assert "Check that the remote is there" in ran.err


@pytest.mark.parametrize("is_removed", [False, True], ids=["other value", "no manifest"])
def test_a_reverted_manifest_wins_over_the_records_of_the_branch(
    team: Team, is_removed: bool
) -> None:
    """The Revert button brings back the manifest of before; the branch has newer records."""
    manifest(team.root, "a.yaml", PERSON.format("Garcia^Gloria"))
    team.merged()
    team.ask(PERSON.format("Doe^Pieter"))
    assert team.apply(team.root, "--push").code == 0
    git(team.root, "clean", "-qfd", "records")
    if is_removed:
        (team.root / "manifests" / "a.yaml").unlink()
        team.ask(COMMENTS.format("seen"), OTHER_ID, file="b.yaml")
    else:
        git(team.root, "revert", "--no-edit", "HEAD")
        git(team.root, "push", "-q", "origin", "main")
    clone = team.clone("next")
    assert team.status(clone) == ["update"]
    assert team.apply(clone, "--push").code == 0
    assert team.world.version() == ("2" if is_removed else "3")
    assert team.held()[IMAGE_SET_ID].version_id == team.world.version()


@pytest.mark.parametrize("mode", ["branch", "commit"])
def test_what_is_released_is_recorded_so_on_the_branch(team: Team, mode: str) -> None:
    """A join alone would call the path asked again: both sides saw the same version."""
    branch = "main" if mode == "commit" else BRANCH
    assert team.apply(team.root, "--push", "--record", mode).code == 0
    git(team.root, "clean", "-qfd", "records")
    git(team.root, "pull", "-q", "origin", "main")
    (team.root / "manifests" / "a.yaml").unlink()
    team.ask(COMMENTS.format("seen"), OTHER_ID, file="b.yaml")
    clone = team.clone("next", fetched=mode == "branch")
    assert team.apply(clone, "--push", "--record", mode).code == 0
    entry = team.held(branch)[IMAGE_SET_ID]
    assert (entry.asked, entry.released) == ((), (("Patient/PatientName", "2"),))


def test_pull_request_mode_says_what_waits_to_be_merged(team: Team) -> None:
    team.mode("pull-request")
    team.merged()
    ran = team.apply(team.root, "--push")
    assert ran.code == 0, ran.err
    said = (
        f"The records of 1 image set wait on origin/{BRANCH} to be merged into the default branch."
    )
    assert said in ran.out
    team.squash()
    clone = team.clone("next")
    found = json.loads(team.apply(clone, "--push", "--json").out)
    assert found["recordBranch"] == {"name": f"origin/{BRANCH}", "pushed": True, "waiting": 0}


def test_merged_records_alone_give_an_apply_nothing_to_do(team: Team) -> None:
    """Paths decide whether a commit changes anything else; git answers that."""
    team.apply(team.root, "--push")
    team.squash()
    clone = team.clone("next")
    git(clone, "diff", "--quiet", "HEAD^1", "HEAD", "--", ".", ":(exclude)records")
    before = git(team.host, "rev-parse", BRANCH)
    ran = team.apply(clone, "--push", "--json")
    found = json.loads(ran.out)
    assert (ran.code, found["calls"], found["commit"]) == (0, 0, "")
    assert git(team.host, "rev-parse", BRANCH) == before


def test_the_record_branch_is_not_the_branch_that_is_applied(team: Team) -> None:
    git(team.root, "checkout", "-q", "-b", BRANCH)
    ran = team.apply(team.root, "--push")
    assert (ran.code, team.world.version()) == (1, "1")
    assert f"the record branch {BRANCH} is checked out" in ran.err


def test_the_key_is_on_the_default_branch_before_records_are_on_another(team: Team) -> None:
    git(team.root, "rm", "-q", KEY_FILE)
    team.merged()
    ran = team.apply(team.root, "--push")
    assert (ran.code, team.world.version()) == (1, "1")
    assert f"openssl rand -hex 32 > {KEY_FILE}" in ran.err


def test_an_edited_record_on_the_branch_is_refused(team: Team) -> None:
    team.apply(team.root, "--push")
    other = team.clone("other")
    git(other, "checkout", "-q", "-b", "hostile", TRACKED)
    path = other / RECORD
    path.write_text(path.read_text().replace('"versionId": "2"', '"versionId": "9"'))
    git(other, "commit", "-q", "-a", "-m", "hostile")
    git(other, "push", "-q", "origin", f"HEAD:{BRANCH}")
    ran = team.plan(team.clone("next"))
    assert ran.code == 1
    assert f"the record branch {BRANCH} is not valid" in ran.err
    assert RECORD in ran.err


def test_a_link_in_the_records_of_the_branch_is_refused(team: Team) -> None:
    team.apply(team.root, "--push")
    other = team.clone("other")
    git(other, "checkout", "-q", "-b", "hostile", TRACKED)
    (other / RECORD).unlink()
    (other / RECORD).symlink_to("/etc/passwd")
    git(other, "commit", "-q", "-a", "-m", "hostile")
    git(other, "push", "-q", "origin", f"HEAD:{BRANCH}")
    ran = team.plan(team.clone("next"))
    assert ran.code == 1
    assert "is not a regular file" in ran.err


def test_a_partial_clone_without_the_records_is_refused(team: Team) -> None:
    """Git would fetch them, which a plan does not do. Without them drift would be overwritten."""
    team.apply(team.root, "--push")
    git(team.host, "config", "uploadpack.allowFilter", "true")
    options = ("--filter=blob:none", "--branch", "main", f"file://{team.host}", "partial")
    git(team.folder, "clone", "-q", *options)
    ran = team.plan(team.folder / "partial")
    assert ran.code == 1
    assert f"{RECORD}: this clone does not have its content" in ran.err


def test_the_default_branch_is_pushed_before_records(team: Team) -> None:
    git(team.host, "update-ref", "-d", "refs/heads/main")
    git(team.root, "update-ref", TRACKED, "HEAD")
    ran = team.apply(team.root, "--push")
    assert ran.code == 1
    assert "origin has no default branch yet" in ran.err


SET_ASIDE = "git stash push --include-untracked -- records"


@pytest.mark.parametrize("mode", ["pull-request", "branch"])
def test_the_copies_of_pushed_records_can_be_set_aside(team: Team, mode: str) -> None:
    """Git pulls no merged records over them. Set aside, the record branch alone states them."""
    if mode != "branch":
        team.mode(mode)
        team.merged()
    ran = team.apply(team.root, "--push")
    assert f"`{SET_ASIDE}`" in ran.err
    team.squash()
    with pytest.raises(CalledProcessError, match="pull"):
        git(team.root, "pull", "-q", "origin", "main")
    git(team.root, *SET_ASIDE.split()[1:])
    assert git(team.root, "status", "--porcelain") == ""
    assert team.status(team.root) == ["unchanged"]
    git(team.root, "pull", "-q", "origin", "main")
    team.ask(PERSON.format("Doe^Petra"))
    assert SET_ASIDE in team.apply(team.root, "--push").err
    git(team.root, *SET_ASIDE.split()[1:])
    assert git(team.root, "status", "--porcelain") == ""
    # Joined with the older entry of the default branch, it is not taken for recorded.
    assert team.status(team.root) == ["converged"]


def test_a_job_is_not_asked_to_set_copies_aside(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    assert "stash" not in team.apply(team.root, "--push").err


def test_records_that_are_not_pushed_are_no_copies(team: Team) -> None:
    hook = team.host / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert "stash" not in team.apply(team.root, "--push").err
