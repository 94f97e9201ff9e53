"""Text leaves the process in one place, and what leaves can neither draw nor command.

A line of a job's log that begins with `::`, or that holds `##[`, is a workflow command for the
runner of GitHub Actions (docs.github.com: Workflow commands for GitHub Actions).
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli import report, screen
from reconciler.core.dicom.content import digest
from reconciler.core.errors import PlanFileError
from reconciler.core.model.plan import Plan, Status, Unread
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json
from reconciler.core.plan.file import from_json, to_json
from reconciler.core.review import review
from reconciler.render.plan_json import plan_json_lines
from reconciler.render.text import plan_lines
from tests.cli import samples
from tests.cli.conftest import REPOSITORY, Command
from tests.printed import plan_json

DRAWS = "\x1b[2J\x9b31m\u202eback\u2066\r\b\x7f"
COMMANDS = "::error::FORGED ##[error]FORGED ##vso[task.complete]FORGED"
FORGED = (f"x\nFORGED {DRAWS}\n::error file=a::FORGED\n##[error]FORGED", f"  {COMMANDS}{DRAWS}")
# Modules that touch the standard streams: the one place, and what sets the streams up.
_STREAMS = frozenset({"reconciler/cli/screen.py", "reconciler/cli/run.py"})
# Prints the kind of an error and its place in our code, and serves programs without a screen.
_EMULATOR = frozenset({"reconciler/emulator/http/answers.py"})
_NAMES = frozenset({"stdout", "stderr", "__stdout__", "__stderr__"})
_PRINTERS = frozenset({"print", "echo", "secho", "Console", "lastResort", "basicConfig"})


def test_lines_leave_in_one_place() -> None:
    found = {
        f"{path.relative_to(REPOSITORY)}:{line}"
        for path in sorted((REPOSITORY / "reconciler").rglob("*.py"))
        if str(path.relative_to(REPOSITORY)) not in _STREAMS | _EMULATOR
        for line in printing(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set(), "print with reconciler/cli/screen.py, which escapes"
    run = ast.parse((REPOSITORY / "reconciler/cli/run.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(run) if names(node) & (_PRINTERS | {"write"})]


def printing(tree: ast.Module) -> Iterator[int]:
    """The lines of a module that touch a standard stream, or call what writes to one."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in _NAMES:
                yield node.lineno
            case ast.ImportFrom(module="sys") if {one.name for one in node.names} & _NAMES:
                yield node.lineno
            case ast.Call(func=function) if names(function) & _PRINTERS:
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="write"), args=args):
                if isinstance(args[0], ast.Constant):
                    yield node.lineno


def names(node: ast.AST) -> set[str]:
    """The name that a node stands for."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
    return set()


def is_harmless(text: str) -> bool:
    """Whether a terminal and a runner take the text for lines of text, none of them forged."""
    return all(
        line.isprintable()
        and not line.startswith("FORGED")
        and not line.lstrip().startswith("::")
        and "##[" not in line
        and "##vso[" not in line
        for line in text.split("\n")
    )


@pytest.mark.parametrize("text", FORGED)
def test_no_text_draws_or_commands(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    screen.say([text, f"    {text}"])
    screen.note(*text.split("\n"))
    screen.ask(text)
    screen.rewrite("3 of 4")
    printed = capsys.readouterr()
    assert is_harmless(printed.out)
    assert is_harmless(printed.err.replace("\r3 of 4", "").replace("FORGED", "", 1))


@pytest.mark.parametrize("text", FORGED)
def test_json_keeps_its_content(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    value: Json = {text: [text, "\U000e0001\U0001f600 Müller 山田", "\ud800", 1, None, {}]}
    screen.say_json(value)
    out = capsys.readouterr().out
    assert is_harmless(out)
    assert "Müller 山田" in out
    assert json.loads(out) == value


@pytest.mark.parametrize("text", FORGED)
def test_reports_and_summaries_are_lines_of_text(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, summary = tmp_path / "report.json", tmp_path / "summary.md"
    value: dict[str, Json] = {"apiVersion": "reconciler/v1", "kind": "Report", "text": text}
    assert report.write_report(value, file) is None
    assert json.loads(file.read_text()) == value
    monkeypatch.setenv(report.SUMMARY_VARIABLE, str(summary))
    assert report.append_summary(f"| {DRAWS} |\n\n{COMMANDS}\n") is None
    assert summary.read_text().count("\n") == 3
    assert is_harmless(file.read_text())
    assert is_harmless(summary.read_text())


def test_styles_stay_on_a_terminal_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    printed: list[str] = []
    monkeypatch.setattr(sys, "stdout", _Terminal(printed))
    screen.say(["\x1b[1;31mred\x1b[0m \x1b[8mhidden \x1b[2Jcleared", " \x1b[31m::error::x\x1b[0m"])
    assert "".join(printed) == (
        "\x1b[1;31mred\x1b[0m \\u001b[8mhidden \\u001b[2Jcleared\n"
        " \x1b[31m\\u003a:error::x\x1b[0m\n"
    )


class _Terminal:
    """A terminal that keeps what is written to it."""

    def __init__(self, printed: list[str]) -> None:
        self.write = printed.append

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        """Nothing to do."""


def everything() -> Plan:
    """A plan with every kind of field: blocks, notes, hazards, released paths, unread stores."""
    plans = (samples.everyday(), samples.drift(consented=False), samples.study())
    actions = [action for plan in plans for action in plan.actions]
    block, *_ = (one for action in actions for one in action.blocks)
    last = replace(
        samples.action(Status.BLOCKED, 9), blocks=(replace(block, path="Study/StudyID"),)
    )
    unread = Unread("archive", "e" * 32, 3, "the credentials have expired", "Renew them.")
    return replace(samples.plan(*actions, last), unread=(unread,))


def forgeries(whole: Any, text: str) -> Iterator[tuple[str, Any]]:
    """The plan once for each kind of text field and of key, with the text in its place."""
    seen: set[str] = set()

    def walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, str):
            yield path, text
        if isinstance(value, list):
            for index, item in enumerate(value):
                for where, forged in walk(item, f"{path}[]"):
                    yield where, [*value[:index], forged, *value[index + 1 :]]
        if isinstance(value, dict):
            for key, item in value.items():
                for where, forged in walk(item, f"{path}.{key}"):
                    yield where, {**value, key: forged}

    for path, forged in walk(whole, ""):
        if path not in seen:
            seen.add(path)
            yield path, forged


@pytest.mark.parametrize("text", FORGED, ids=["lines", "line"])
def test_no_field_of_a_plan_draws_or_commands(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = 0
    for path, raw in forgeries(to_json(everything()), text):
        for redact in (Redact.NONE, Redact.IDENTIFYING):
            try:
                plan = from_json(raw)
                reviewed = review(plan, redact)
                list(reviewed.actions)
            except (PlanFileError, ValueError):  # the schema refuses it before: see below
                continue
            screen.say(plan_lines(reviewed, screen.look()))
            screen.not_read(plan)
            printed = capsys.readouterr()
            assert is_harmless(printed.out), (path, printed.out)
            assert is_harmless(printed.err), (path, printed.err)
            screen.say_json_lines(plan_json_lines(reviewed))
            out = capsys.readouterr().out
            assert is_harmless(out), (path, out)
            assert json.loads(out) == plan_json(reviewed)
            shown += 1
    assert shown > 80


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("show", FORGED[0]),
        ("show --json", FORGED[1]),
        ("apply", FORGED[0]),
    ],
)
def test_no_saved_plan_draws_or_commands(
    reconcile: Command, workspace: Path, command: str, text: str
) -> None:
    name, *options = command.split()
    file = workspace / ".reconcile" / "plan.json"
    assert reconcile("plan", "--out", file).code == 0
    for path, raw in forgeries(json.loads(file.read_text()), text):
        raw["digest"] = digest({key: raw[key] for key in raw if key != "digest"})
        file.write_text(json.dumps(raw))
        ran = reconcile(name, file, *options)
        assert ran.code in (0, 1), path
        assert is_harmless(ran.out), (path, ran.out)
        assert is_harmless(ran.err), (path, ran.err)


@pytest.mark.parametrize(
    "name", ["::error::FORGED.yaml", "##[error]FORGED.yaml", "a\n::error::FORGED.yaml"]
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_no_file_name_is_a_command(
    reconcile: Command, workspace: Path, name: str, options: tuple[str, ...]
) -> None:
    (workspace / "manifests" / name).write_text(f"'##[error]FORGED': 1\n'{COMMANDS}': 2\n")
    ran = reconcile("validate", *options)
    assert ran.code == 1
    assert is_harmless(ran.out + ran.err)
    again = reconcile("validate", workspace / "manifests" / name)
    assert is_harmless(again.err)
    assert is_harmless(reconcile("show", f"{name}.json").err)


def test_a_live_value_is_no_command(reconcile: Command, workspace: Path) -> None:
    manifest = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: 1417b070c05b2d26137e730281541afd
present: {{Patient: {{DICOM: {{PatientComments: "{COMMANDS}"}}}}}}
"""
    (workspace / "manifests").rename(workspace / "others")
    (workspace / "manifests").mkdir()
    (workspace / "manifests" / "one.yaml").write_text(manifest)
    for options in ((), ("--json",)):
        ran = reconcile("plan", "--show-values", *options)
        assert ran.code == 0
        assert "FORGED" in ran.out
        assert is_harmless(ran.out)
