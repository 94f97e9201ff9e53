"""`reconcile init --check --github`, with a stand-in for gh on PATH."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command, expect
from tests.cli.test_init import AWS, GITHUB, add_wheel
from tests.init_github import ADMIN_ONLY, COMPLETE, NOT_THERE, at

CHECK = ("init", "--check", "--github", "--repository", "hospital/metadata")
TOKEN = "gho_a-secret-that-is-never-printed"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reconcile: Command) -> Path:
    """A complete repository, which is the current folder, and gh on PATH, which is logged in."""
    folder, programs = tmp_path / "metadata", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    stand_in = Path(__file__).with_name("gh_stand_in.py")
    # gh gets few variables of the environment, so those of the stand-in are its own.
    own = f'GH_TABLE="{tmp_path / "table.json"}" GH_CALLS="{tmp_path / "calls"}"'
    (programs / "gh").write_text(f'#!/bin/sh\n{own} exec "{sys.executable}" "{stand_in}" "$@"\n')
    (programs / "gh").chmod(0o700)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("GH_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "gh gets no credentials of AWS")
    answers(tmp_path, {})
    assert reconcile("init", *GITHUB, *AWS).code == 0
    add_wheel(folder)
    return tmp_path


def answers(place: Path, changes: dict[str, Any]) -> None:
    table = {**COMPLETE, **{at(path): answer for path, answer in changes.items()}}
    (place / "table.json").write_text(json.dumps(table))


def test_settings_that_are_complete(reconcile: Command, place: Path) -> None:
    ran = reconcile(*CHECK)
    assert (ran.code, ran.err) == (0, "")
    expect("init-check-github.txt", ran.out)
    rows = json.loads(reconcile(*CHECK, "--json").out)["github"]
    assert {row["state"] for row in rows} == {"ok"}


def test_it_reads_only(reconcile: Command, place: Path) -> None:
    assert reconcile(*CHECK).code == 0
    calls = [json.loads(line) for line in (place / "calls").read_text().splitlines()]
    assert sorted(calls) == sorted(["api", "--hostname", "github.com", path] for path in COMPLETE)


def test_settings_that_are_wrong(reconcile: Command, place: Path) -> None:
    answers(
        place,
        {
            "": {**COMPLETE[at("")], "visibility": "internal", "allow_auto_merge": True},
            "/rules/branches/main?per_page=100": [],
            "/codeowners/errors?ref=main": {"errors": [{"line": 4, "path": ".github/CODEOWNERS"}]},
            "/environments/reconcile-apply": NOT_THERE,
            "/environments/reconcile-approve": NOT_THERE,
            "/actions/permissions/workflow": {"default_workflow_permissions": "write"},
            "/actions/permissions/fork-pr-workflows-private-repos": ADMIN_ONLY,
            "/actions/permissions/artifact-and-log-retention": {"days": 1},
        },
    )
    ran = reconcile(*CHECK)
    assert (ran.code, ran.err) == (1, "")
    expect("init-check-github-wrong.txt", ran.out)


def test_what_the_files_lack_is_printed_too(reconcile: Command, place: Path) -> None:
    (place / "metadata" / "manifests" / "README.md").unlink()
    ran = reconcile(*CHECK)
    assert ran.code == 1
    assert ran.out.startswith("manifests/README.md is missing.\n")
    assert "Settings of hospital/metadata on GitHub:" in ran.out


def test_trust_policies_of_another_repository(reconcile: Command, place: Path) -> None:
    """The repository was made again under its name, so GitHub gave it other numbers."""
    answers(place, {"": {**COMPLETE[at("")], "id": 999}})
    ran = reconcile(*CHECK)
    assert ran.code == 1
    message = "is not the trust policy that this version writes for this repository."
    for role in ("plan", "apply"):
        assert f"iam/trust-{role}.json {message}\n" in ran.out


def refused(reconcile: Command) -> str:
    """The message of a check that judges nothing."""
    ran = reconcile(*CHECK)
    assert (ran.code, ran.out) == (1, "")
    assert TOKEN not in ran.err
    return ran.err


def test_gh_is_not_installed(
    reconcile: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(place))
    assert "gh, the command line of GitHub, is not installed\n" in refused(reconcile)


def test_gh_is_not_logged_in(
    reconcile: Command, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(place, {"": (401, "Bad credentials")})
    assert "Run `gh auth login`" in refused(reconcile)
    monkeypatch.delenv("GH_TOKEN")
    assert "Run `gh auth login`" in refused(reconcile)


def test_the_repository_is_not_there(reconcile: Command, place: Path) -> None:
    answers(place, {"": NOT_THERE})
    assert "GitHub has no repository hospital/metadata, or your account" in refused(reconcile)


def test_github_is_not_well(reconcile: Command, place: Path) -> None:
    answers(place, {"/actions/permissions/workflow": (502, f"Bad gateway {chr(27)}[2J")})
    message = refused(reconcile)
    assert "GitHub, repos/hospital/metadata/actions/permissions/workflow: HTTP 502." in message
    assert "\x1b" not in message


def test_gh_fails_in_another_way(reconcile: Command, place: Path) -> None:
    (place / "table.json").write_text("{")  # the stand-in ends with a traceback
    assert "Run `gh api repos/hospital/metadata` to see why." in refused(reconcile)


def test_an_answer_that_is_not_json(reconcile: Command, place: Path) -> None:
    (place / "bin" / "gh").write_text("#!/bin/sh\necho '<html>'\n")
    assert "the answer is not JSON" in refused(reconcile)


def test_the_repository_must_be_stated(reconcile: Command, place: Path) -> None:
    ran = reconcile("init", "--check", "--github")
    assert ran.code == 1
    assert "--repository: is missing" in ran.err
