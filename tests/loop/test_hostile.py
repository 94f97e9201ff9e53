"""Pull requests that try to gain something: each fails visibly, and nothing is written."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.cli.outside import STORE, git, manifest
from tests.documents import IMAGE_SET_ID
from tests.loop import runner
from tests.loop.conftest import Team
from tests.loop.rendered import BRANCH
from tests.loop.test_plan import COMMENTS, NAME

MARK = "gained"


def test_a_fork_is_validated_and_gets_nothing_else(team: Team) -> None:
    team.branch("fork")
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    number = team.open("fork", "mallory/metadata")
    ran = team.planned(number)
    assert ran.results == {"fork": "success", "plan": "skipped", "reconcile": "success"}, ran.log
    assert team.host.comments(number) == []
    assert team.host.state["artifacts"] == []
    rights = [one["permissions"] for one in team.host.state["tokens"].values()]
    assert rights == [{"contents": "read"}, {}]
    applied = team.merged(number)
    assert applied.results["apply"] == "failure"
    assert team.version() == "1"


def test_a_fork_that_is_not_valid_fails_the_check(team: Team) -> None:
    team.branch("fork")
    manifest(team.root, "name.yaml", "present: no\n")
    ran = team.planned(team.open("fork", "mallory/metadata"))
    assert ran.results == {"fork": "failure", "plan": "skipped", "reconcile": "failure"}


def test_a_fork_that_changes_records_fails_the_check(team: Team) -> None:
    team.branch("fork")
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    record = team.root / "records" / STORE / f"{IMAGE_SET_ID[:2]}.json"
    record.parent.mkdir(parents=True)
    record.write_text("{}\n")
    ran = team.planned(team.open("fork", "mallory/metadata"))
    assert ran.results == {"fork": "failure", "plan": "skipped", "reconcile": "failure"}
    assert "only `reconcile` changes records" in ran.log


def test_an_edited_workflow_gets_no_role(team: Team) -> None:
    """The caller is that of the pull request, so it can ask for a token. No role trusts it."""
    team.branch("edited")
    folder = team.root / runner.FOLDER
    plan = (folder / "reconcile-plan.yml").read_text()
    text = plan.replace("workflow_call:", "pull_request:")
    (folder / "reconcile-pull-request.yml").write_text(text)
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    ran = team.planned(team.open("edited"))
    assert ran.results == {"plan": "failure"}
    step = ran.step("aws-actions/configure-aws-credentials")
    assert "Not authorized" in step.output
    assert team.host.state["artifacts"] == []


def test_no_program_of_the_tree_is_run(team: Team) -> None:
    team.branch("programs")
    gains = f"import pathlib; pathlib.Path('{team.root.parent}/{MARK}').touch()\n"
    for name in ("pip.py", "venv.py", "sitecustomize.py", "yaml.py", "reconciler/__init__.py"):
        path = team.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(gains)
    for name in ("git", "gh", "reconcile", "openssl", ".git-hooks/post-checkout"):
        path = team.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch '{team.root.parent}/{MARK}'\n")
        path.chmod(0o755)
    (team.root / ".gitattributes").write_text("* filter=gain diff=gain\n")
    # The plan workflow of the pull request takes effect after the merge only.
    path = team.root / runner.FOLDER / "reconcile-plan.yml"
    edited = f"touch '{team.root.parent}/{MARK}'; reconcile validate"
    path.write_text(path.read_text().replace("reconcile validate", edited))
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    ran = team.planned(team.open("programs"))
    assert ran.conclusion == "success", ran.log
    _install(team, ran.id)
    assert not (team.root.parent / MARK).exists()


def _install(team: Team, run: int) -> None:
    """Run the step that the harness replaces, with a lock that names nothing, in the same tree."""
    machine = team.runner.folder / f"run-{run}-plan"
    (script,) = (
        step["run"]
        for step in runner.loaded(team.host.bare, BRANCH, "reconcile-plan.yml")["jobs"]["plan"][
            "steps"
        ]
        if step.get("name", "").startswith(runner.INSTALL)
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(machine / "home"),
        "RUNNER_TEMP": str(machine / "temp"),
        "GITHUB_PATH": str(machine / "temp" / "path"),
        "BASE": "HEAD^1",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=machine / "work",
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (machine / "temp" / "venv" / "bin" / "python").exists()
    assert "venv/bin" in (machine / "temp" / "path").read_text()


def test_names_are_no_commands_and_no_programs(team: Team) -> None:
    """Of a branch, a file and a value: the shell and the runner see text."""
    branch = f"$(touch${{IFS}}{MARK})`touch${{IFS}}{MARK}`"
    team.branch(branch)
    manifest(
        team.root, "::error title=x::y%0A::set-output name=a::b.yaml", NAME.format("'::debug::x'")
    )
    number = team.open(branch)
    ran = team.planned(number)
    assert ran.conclusion == "success", ran.log
    for step in ran.steps:
        for command in step.commands:
            known = "file=manifests/%3A%3Aerror", "title=Changes more than manifests::"
            assert command.startswith(tuple(f"::warning {one}" for one in known)), command
    applied = team.merged(number)
    assert applied.results["apply"] == "success", applied.log
    assert [one for step in applied.steps for one in step.commands if "drift" not in one] == []
    assert not list(team.runner.folder.rglob(MARK))
    assert not (team.root / MARK).exists()


def test_links_are_refused(team: Team) -> None:
    team.branch("links")
    (team.root / "manifests" / "passwd.yaml").symlink_to("/etc/passwd")
    number = team.open("links")
    ran = team.planned(number)
    assert ran.results["reconcile"] == "failure"
    assert "root:" not in ran.log + team.host.comments(number)[0][1]


def test_a_review_that_a_pull_request_brings_is_not_read(team: Team) -> None:
    """A file of the tree is no artifact of the plan workflow."""
    number = team.ask("name", NAME.format("Doe^Pieter"))
    ran = team.planned(number)
    machine = team.runner.folder / f"run-{ran.id}-plan" / "temp" / "reconcile" / "review.json"
    team.branch("forged")
    for place in (Path("review.json"), Path(".reconcile/reviews/forged.json")):
        (team.root / place).parent.mkdir(parents=True, exist_ok=True)
        (team.root / place).write_bytes(machine.read_bytes())
    git(team.root, "add", "--force", ".reconcile/reviews/forged.json")
    manifest(team.root, "name.yaml", NAME.format("Doe^Pieter"))
    manifest(team.root, "comments.yaml", COMMENTS.format("seen"))
    applied = team.merged(team.open("forged"))
    assert applied.results["apply"] == "failure"
    assert team.version() == "1"
