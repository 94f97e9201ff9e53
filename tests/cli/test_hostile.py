"""Hostile and clumsy input always gives a message and exit code 1, and writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import DATASTORE_ID, Command

RECONCILE = f"{sys.executable} -m reconciler"


def shell(command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A line of shell, with `reconcile` in it."""
    return subprocess.run(
        ["bash", "-c", command.replace("reconcile ", f"{RECONCILE} ")],
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("closed", [">&-", "<&-", ">&- <&-"])
def test_a_stream_that_is_closed(workspace: Path, closed: str) -> None:
    done = shell(f"reconcile validate {closed}")
    assert (done.returncode, done.stderr) == (0, "")


def test_nobody_approves_on_a_closed_stdin(workspace: Path) -> None:
    done = shell("reconcile apply <&-")
    assert done.returncode == 1
    assert "cannot ask for approval: standard input is not a terminal" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["validate", "schema manifest", "--help"])
def test_a_full_disk_under_stdout_is_no_bug(workspace: Path, command: str) -> None:
    done = shell(f"reconcile {command} > /dev/full")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the operating system reports: No space left on device\n")


@pytest.mark.parametrize(
    "line",
    [
        '"\\e[31mkey": 1',
        '"\\u202ekey": 1',
        'allow: ["\\e[31m"]',
        'datastore: "\\e[31m"',
        'kind: "\\e[31m"',
    ],
)
def test_nothing_in_a_manifest_draws_on_the_terminal(
    reconcile: Command, workspace: Path, line: str
) -> None:
    (workspace / "manifests" / "one.yaml").write_text(f"{line}\n")
    ran = reconcile("validate")
    assert ran.code == 1
    assert "\\u" in ran.err
    assert ran.err.replace("\n", "").isprintable()


def test_no_file_name_draws_on_the_terminal(reconcile: Command, workspace: Path) -> None:
    (workspace / "manifests" / "\x1b[31m\nerror: x.yaml").write_text("a: [")
    ran = reconcile("validate")
    assert ran.code == 1
    assert ran.err.startswith(
        "error: manifests/\\u001b[31m\\u000aerror: x.yaml:2:1: not valid YAML"
    )


def test_no_record_draws_on_the_terminal(reconcile: Command, workspace: Path) -> None:
    folder = workspace / "records" / DATASTORE_ID
    folder.mkdir(parents=True)
    (folder / "ab.json").write_text(
        '{"apiVersion": "reconciler/v1", "entries": [{"imageSetId": "\\u001b[31m"}]}'
    )
    ran = reconcile("plan")
    assert (ran.code, "\x1b" in ran.err) == (1, False)


@pytest.mark.parametrize("out", ["", ".", "manifests"])
def test_a_plan_is_not_saved_over_a_folder(reconcile: Command, workspace: Path, out: str) -> None:
    ran = reconcile("plan", "--out", out)
    assert ran.code == 1
    assert ran.err.startswith(f"error: cannot save the plan to {out or '.'}: it is a folder\n")


def test_a_plan_is_not_saved_over_a_pipe_or_device(reconcile: Command, workspace: Path) -> None:
    os.mkfifo(workspace / "plan.json")
    ran = reconcile("plan", "--out", "plan.json")
    assert ran.code == 1
    assert ran.err.startswith(
        "error: cannot save the plan to plan.json: it is not a regular file\n"
    )
    assert (workspace / "plan.json").is_fifo()


@pytest.mark.parametrize("command", ["validate", "apply"])
def test_a_name_that_no_file_can_have(reconcile: Command, workspace: Path, command: str) -> None:
    more = ["--auto-approve"] if command == "apply" else []
    ran = reconcile(command, "a" * 300, *more)
    assert (ran.code, ran.out) == (1, "")
    assert "cannot be read: File name too long" in ran.err


@pytest.mark.parametrize("odd", ["", "../../x", "\x1b[31m", "A" * 32, "é" * 32, "a" * 33])
def test_an_image_set_that_no_archive_can_have(
    reconcile: Command, workspace: Path, odd: str
) -> None:
    ran = reconcile("import", "--image-set", odd)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: the value of --image-set is not an imageSetId\n")


def test_what_to_type_next_draws_nothing(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("plan", "--out", "\x1b[31m.json")
    assert ran.code == 0
    assert "\x1b" not in ran.out
