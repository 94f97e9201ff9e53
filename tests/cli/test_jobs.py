"""What a CI job may do: it runs with credentials on files that a pull request may have changed."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.cli.app import app
from reconciler.cli.jobs import RULES, Rule
from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import World, git, imported, manifest
from tests.documents import IMAGE_SET_ID, document

COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"
PLAN, APPLY = ("plan",), ("apply", "--auto-approve", "--record", "files")
READERS = pytest.mark.parametrize("command", [PLAN, APPLY], ids=["plan", "apply"])


@pytest.fixture
def job(tmp_path: Path, reconcile: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A job that stands in a clean checkout."""
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        manifest(world.root, "a.yaml", COMMENTS.format("seen"))
        (world.root / ".gitignore").write_text(".reconcile/\n")
        git(world.root, "init", "-q", "-b", "main")
        commit(world.root)
        monkeypatch.setenv("CI", "true")
        yield world


def commit(root: Path) -> None:
    git(root, "add", ".")
    git(root, "commit", "-q", "--allow-empty", "-m", "change")


def refused(job: World, command: tuple[str, ...], *said: str) -> Ran:
    ran = job.reconcile(*command)
    assert (ran.code, ran.out) == (1, ""), ran.err
    for text in said:
        assert text in ran.err
    assert job.version() == "1"
    return ran


def test_the_table_has_every_command() -> None:
    tree: Any = typer.main.get_command(app)
    assert set(RULES) == set(tree.commands)


def test_what_the_table_refuses_runs_on_the_machine_of_a_person(
    job: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [name for name, rules in RULES.items() if Rule.REFUSED in rules] == ["import"]
    command = ("import", "--image-set", IMAGE_SET_ID)
    refused(job, command, "`reconcile import` is refused in a CI job", "on your machine")
    assert job.reconcile("import", "--help").code == 0
    monkeypatch.delenv("CI")
    assert job.reconcile(*command).code == 0


@READERS
def test_a_clean_checkout_is_planned_and_applied(job: World, command: tuple[str, ...]) -> None:
    assert job.reconcile(*command).code == 0


@pytest.mark.parametrize("command", [PLAN, APPLY, ("search",)], ids=["plan", "apply", "search"])
def test_each_data_store_on_aws_states_its_account(job: World, command: tuple[str, ...]) -> None:
    more = f"  archive:\n    datastoreId: {'9' * 32}\n    region: us-east-1\n"
    outside.settings(job.root, job.emulator, more)
    commit(job.root)
    refused(job, command, "the AWS account of data store archive", "accountId: ")


@READERS
@pytest.mark.parametrize("what", ["changed", "new", "settings"])
def test_a_tree_that_is_not_clean_is_refused(
    job: World, what: str, command: tuple[str, ...]
) -> None:
    if what == "settings":
        outside.settings(job.root, job.emulator, "guardrails: {imageSets: 1}\n")
    else:
        name, value = ("a.yaml", "other") if what == "changed" else ("b.yaml", "seen")
        manifest(job.root, name, COMMENTS.format(value))
    refused(job, command, "does not hold reconciler.yaml and the manifests", "Commit all of them")


@READERS
def test_files_without_a_commit_are_refused(job: World, command: tuple[str, ...]) -> None:
    shutil.rmtree(job.root / ".git")
    refused(job, command, "is not the checkout of a commit")


@READERS
@pytest.mark.parametrize("kind", ["link", "submodule", "pointer"])
def test_what_a_reviewer_does_not_see_is_refused(
    job: World, command: tuple[str, ...], kind: str
) -> None:
    path = job.root / "manifests" / "b.yaml"
    match kind:
        case "link":
            (job.root / "b.txt").write_text((job.root / "manifests" / "a.yaml").read_text())
            path.symlink_to("../b.txt")
            said = "manifests/b.yaml is a symbolic link, not a regular file"
        case "submodule":
            row = f"160000,{git(job.root, 'rev-parse', 'HEAD')},manifests/sub"
            git(job.root, "update-index", "--add", "--cacheinfo", row)
            (job.root / "manifests" / "sub").mkdir()
            said = "manifests/sub is a submodule, not a regular file"
        case "pointer":
            path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n")
            said = "manifests/b.yaml: is a pointer of Git LFS"
    commit(job.root) if kind != "submodule" else git(job.root, "commit", "-q", "-m", "x")
    refused(job, command, said)


# --- commits that are not merged --------------------------------------------------------------


def in_an_event(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, **fields: Any) -> None:
    """As GitHub Actions runs a job."""
    event = folder / "event.json"
    event.write_text(json.dumps({"repository": {"private": True}, **fields}))
    monkeypatch.setenv("GITHUB_REPOSITORY", "hospital/metadata")
    monkeypatch.setenv("GITHUB_EVENT_NAME", name)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))


EVENTS = pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])


@EVENTS
def test_nothing_is_applied_before_the_merge(
    job: World, event: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_an_event(monkeypatch, tmp_path, event)
    refused(job, APPLY, "is refused in a job for a pull request", "Run it after the merge")


@EVENTS
def test_a_pull_request_is_not_planned_with_its_own_settings(
    job: World, event: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Such as in a checkout of its head, or of the test merge without its parents."""
    in_an_event(monkeypatch, tmp_path, event)
    refused(job, PLAN, "its base is not known", "fetch-depth: 0", "--base")
    assert job.reconcile("plan", "--base", "HEAD").code == 0


def test_a_merge_queue_states_its_base(
    job: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = git(job.root, "rev-parse", "HEAD")
    outside.settings(job.root, job.emulator, "redact: all\n")
    commit(job.root)
    in_an_event(monkeypatch, tmp_path, "merge_group", merge_group={"base_sha": base})
    ran = job.reconcile("plan", "--json")
    assert ran.code == 0, ran.err
    since = json.loads(ran.out)["basis"]["since"]
    assert (since["base"], since["settings"]) == (base, True)


def test_a_merge_request_of_gitlab_needs_its_base(
    job: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_PROJECT_URL", "https://git.example/a")
    monkeypatch.setenv("CI_PIPELINE_SOURCE", "merge_request_event")
    refused(job, PLAN, "its base is not known")
    refused(job, APPLY, "Run it after the merge")


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("variable", "expected"), [("true", 0o600), ("", 0o644)])
def test_the_files_of_a_job_are_readable_by_its_user_only(
    job: World, variable: str, expected: int
) -> None:
    """Other programs of the machine may run as other users."""
    command = [sys.executable, "-m", "reconciler", *APPLY, "--report", "report.json"]
    subprocess.run(command, cwd=job.root, check=True, env={**os.environ, "CI": variable})
    (record,) = (job.root / "records").glob("*/??.json")
    for path in (record, job.root / "report.json", job.root / "reconciler.key"):
        assert stat.S_IMODE(path.stat().st_mode) == expected, path
