"""Help as golden text, and how fast it comes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from reconciler import __version__
from tests.cli.conftest import Command, expect

COMMANDS = (
    "validate",
    "plan",
    "show",
    "apply",
    "record",
    "reviews",
    "search",
    "import",
    "explain",
    "datastores",
    "schema",
    "demo",
    "init",
    "emulator",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help(reconcile: Command, command: str) -> None:
    ran = reconcile(command, "--help")
    assert (ran.code, ran.err) == (0, "")
    expect(f"help-{command}.txt", ran.out)


def test_help_of_all(reconcile: Command) -> None:
    ran = reconcile("--help")
    assert (ran.code, ran.err) == (0, "")
    assert all(f"\n  {command} " in ran.out for command in COMMANDS)
    expect("help.txt", ran.out)


def test_without_a_command_there_is_help_and_an_error_code(reconcile: Command) -> None:
    ran = reconcile()
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == reconcile("--help").out


def test_version(reconcile: Command) -> None:
    assert reconcile("--version").out == f"reconcile {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"]])
def test_help_imports_nothing_slow(arguments: list[str]) -> None:
    code = (
        "import sys; from reconciler.cli.run import run; run(sys.argv[1:]);"
        "slow = {'boto3', 'pydicom', 'jsonschema', 'jsonschema_rs', 'git', 'rich', 'yaml'};"
        "sys.exit(','.join(sorted(slow & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
