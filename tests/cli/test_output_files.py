"""Output files that options name: existing files, and files that git would commit."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Command

ONE = "manifests/acr-nema-dates.yaml"
SAVED = ".reconcile/plan.json"


def git(*arguments: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# What git would commit


@pytest.mark.parametrize("out", ["plan.json", "manifests/plan.json", "./plan", "p l\u00e4n.json"])
def test_a_plan_that_git_would_commit_is_saved_with_a_warning(
    reconcile: Command, workspace: Path, out: str
) -> None:
    git("init", "--quiet")
    ran = reconcile("plan", ONE, "--out", out)
    assert ran.code == 0
    (warning,) = ran.err.splitlines()
    assert warning == (
        f"warning: git does not ignore {Path(out)}, and a plan holds patient data. "
        f"Save the plan as {SAVED}, which git ignores."
    )
    assert mode(workspace / out) == 0o600
    assert reconcile("show", out).code == 0


def test_the_warning_does_not_disturb_json(reconcile: Command, workspace: Path) -> None:
    git("init", "--quiet")
    ran = reconcile("plan", ONE, "--out", "plan.json", "--json")
    assert len(json.loads(ran.out)["actions"]) == 1
    assert "warning: git does not ignore plan.json" in ran.err


def test_a_plan_in_the_documented_place_is_ignored(reconcile: Command, workspace: Path) -> None:
    git("init", "--quiet")
    ran = reconcile("plan", ONE, "--out", SAVED)
    assert (ran.code, ran.err) == (0, "")
    assert f"reconcile apply {SAVED}" in ran.out
    assert mode(workspace / SAVED) == 0o600
    assert ".reconcile" not in git("status", "--porcelain", "--untracked-files=all")


def test_the_documented_place_is_made_where_nothing_else_makes_it(
    reconcile: Command, workspace: Path
) -> None:
    """On AWS, or with an emulator elsewhere, no data lies in `.reconcile/`."""
    from reconciler.emulator.http.server import Emulator

    data = workspace.parent / "data"
    (workspace / ".reconcile" / "emulator").rename(data)
    (workspace / ".reconcile" / ".gitignore").unlink()
    (workspace / ".reconcile").rmdir()
    git("init", "--quiet")
    with Emulator(data) as emulator:
        settings = workspace / "reconciler.yaml"
        text = settings.read_text()
        settings.write_text(text.replace("endpoint: emulator", f"endpoint: {emulator.endpoint}"))
        assert settings.read_text() != text
        ran = reconcile("plan", ONE, "--out", SAVED)
    assert (ran.code, ran.err) == (0, "")
    assert (workspace / ".reconcile" / ".gitignore").read_text() == "*\n"
    assert ".reconcile" not in git("status", "--porcelain", "--untracked-files=all")


@pytest.mark.parametrize("where", ["ignored", "outside", "no repository"])
def test_nothing_is_said_where_git_would_not_commit_it(
    reconcile: Command, workspace: Path, where: str
) -> None:
    if where != "no repository":
        git("init", "--quiet")
    if where == "ignored":
        (workspace / ".gitignore").write_text("*.plan\n")
    out = "../x.plan" if where == "outside" else "x.plan"
    ran = reconcile("plan", ONE, "--out", out)
    assert (ran.code, ran.err) == (0, "")


def test_what_is_tracked_is_not_ignored(reconcile: Command, workspace: Path) -> None:
    git("init", "--quiet")
    (workspace / ".gitignore").write_text("*.plan\n")
    assert reconcile("plan", ONE, "--out", "x.plan").err == ""
    git("add", "--force", "x.plan")
    assert "git does not ignore x.plan" in reconcile("plan", ONE, "--out", "x.plan").err


def test_the_work_tree_is_that_of_the_file(reconcile: Command, workspace: Path) -> None:
    other = workspace.parent / "other"
    other.mkdir()
    git("init", "--quiet", folder=other)
    assert "git does not ignore" in reconcile("plan", ONE, "--out", other / "plan.json").err
    assert reconcile("plan", ONE, "--out", other / ".reconcile" / "plan.json").err == ""


def test_a_folder_whose_ignore_file_was_changed(reconcile: Command, workspace: Path) -> None:
    git("init", "--quiet")
    (workspace / ".reconcile" / ".gitignore").write_text("emulator\n")
    ran = reconcile("plan", ONE, "--out", SAVED)
    assert "a line with * and nothing else to .reconcile/.gitignore" in ran.err


# What is there already

OTHERS = {
    "text": b"notes of a year\n",
    "empty": b"",
    "YAML": b"apiVersion: reconciler/v1\nkind: Plan\n",
    "JSON of another program": b'{"kind": "Plan", "apiVersion": "terraform/v1"}\n',
    "a list": b'[{"apiVersion": "reconciler/v1", "kind": "Plan"}]\n',
    "a record": b'{\n "apiVersion": "reconciler/v1",\n "kind": "Records"\n}\n',
    "binary": bytes(range(256)) * 40,
}


@pytest.fixture(params=OTHERS)
def other(request: pytest.FixtureRequest) -> bytes:
    return OTHERS[request.param]


def test_a_plan_replaces_nothing_but_a_plan(
    reconcile: Command, workspace: Path, other: bytes
) -> None:
    (workspace / "file.json").write_bytes(other)
    ran = reconcile("plan", ONE, "--out", "file.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: cannot save the plan to file.json: the file exists and is ")
    assert ran.err.endswith("\n    Give another name, or remove the file first.\n")
    assert (workspace / "file.json").read_bytes() == other


def test_a_manifest_is_not_replaced(reconcile: Command, workspace: Path) -> None:
    before = (workspace / ONE).read_bytes()
    assert reconcile("plan", "--out", ONE).code == 1
    assert (workspace / ONE).read_bytes() == before


@pytest.mark.parametrize("how", ["as it is", "another version", "cut off", "longer", "compact"])
def test_an_earlier_plan_is_replaced(reconcile: Command, workspace: Path, how: str) -> None:
    saved = workspace / "plan.json"
    assert reconcile("plan", ONE, "--out", "plan.json").code == 0
    whole = saved.read_bytes()
    raw = json.loads(whole)
    saved.write_bytes({
        "as it is": whole,
        "another version": whole.replace(b'"toolVersion": "', b'"toolVersion": "9'),
        "cut off": whole[:70],
        "longer": whole + b"x",
        "compact": json.dumps(raw | {"apiVersion": "reconciler/v2"}).encode(),
    }[how])  # fmt: skip
    saved.chmod(0o644)
    assert reconcile("plan", ONE, "--out", "plan.json").code == 0
    assert saved.read_bytes() == whole
    assert mode(saved) == 0o600


@pytest.mark.parametrize("kind", ["link", "dangling link", "link to a plan"])
def test_a_link_is_neither_followed_nor_replaced(
    reconcile: Command, workspace: Path, kind: str
) -> None:
    away = workspace.parent / "away.json"
    if kind == "link":
        away.write_text("theirs")
    elif kind == "link to a plan":
        assert reconcile("plan", ONE, "--out", away).code == 0
    before = away.read_bytes() if away.exists() else None
    (workspace / "plan.json").symlink_to(away)
    ran = reconcile("plan", ONE, "--out", "plan.json")
    assert ran.code == 1
    assert "plan.json: it is a symbolic link" in ran.err
    assert (workspace / "plan.json").is_symlink()
    assert (away.read_bytes() if away.exists() else None) == before


@pytest.mark.parametrize("out", ["-", "/dev/stdout", "/dev/null", "/dev/fd/1", "/dev/full"])
def test_a_plan_is_not_printed_nor_thrown_away(
    reconcile: Command, workspace: Path, out: str
) -> None:
    ran = reconcile("plan", ONE, "--out", out)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: cannot save the plan to {out}: ")
    assert not (workspace / "-").exists()


def test_a_report_replaces_nothing_but_a_report_and_nothing_is_applied(
    reconcile: Command, workspace: Path, other: bytes
) -> None:
    """The error comes before anything is sent. Later, the report would be lost."""
    file = workspace / "report.json"
    file.write_bytes(other)
    before = reconcile("plan", ONE, "--json").out
    ran = reconcile("apply", ONE, "--auto-approve", "--report", "report.json")
    assert ran.code == 1
    assert ran.err.startswith(
        "error: the report report.json cannot be written: the file exists and is "
    )
    assert ran.err.endswith("\n    Give another name, or remove the file first.\n")
    assert file.read_bytes() == other
    assert reconcile("plan", ONE, "--json").out == before
    file.unlink()
    for _ in range(2):
        ran = reconcile("apply", ONE, "--auto-approve", "--report", "report.json")
        assert (ran.code, json.loads(file.read_text())["kind"]) == (0, "Report")


def test_a_plan_and_a_report_do_not_replace_each_other(reconcile: Command, workspace: Path) -> None:
    assert reconcile("plan", ONE, "--out", "one.json").code == 0
    ran = reconcile("apply", "one.json", "--report", "one.json")
    assert (ran.code, "the file exists and is a saved plan\n" in ran.err) == (1, True)
    assert reconcile("apply", "one.json", "--report", "two.json").code == 0
    assert reconcile("plan", ONE, "--out", "two.json").code == 1


def test_a_ready_file_replaces_nothing_but_a_ready_file(
    reconcile: Command, workspace: Path, other: bytes
) -> None:
    file = workspace / "ready.json"
    file.write_bytes(other)
    ran = reconcile("emulator", "start", "--data", "data", "--ready-file", "ready.json")
    assert ran.code == 1
    assert "the ready file ready.json cannot be written: the file exists" in ran.err
    assert file.read_bytes() == other
    assert not (workspace / "data").exists()


def test_a_folder_that_is_not_there(reconcile: Command, workspace: Path) -> None:
    for arguments in (["plan", "--out"], ["apply", "--auto-approve", "--report"]):
        ran = reconcile(arguments[0], ONE, *arguments[1:], "no/such/file.json")
        assert ran.code == 1
        assert "no/such/file.json" in ran.err
        assert "the folder no/such does not exist" in ran.err
        assert not os.path.lexists(workspace / "no")
    assert not (workspace / "records").exists()
