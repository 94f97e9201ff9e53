"""Every message that a command can print stands in `messages.txt`, for an editor to read.

`UPDATE_CASES=1` writes the file. The messages of a module stand in the order of its source, one
message a line; a message of several lines goes on in lines that begin with `|`.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from reconciler.cli.app import app
from tests.docs.markdown import REPOSITORY, read
from tests.docs.messages import messages
from tests.docs.package_texts import texts, trees
from tests.docs.raised_texts import table

LIST = "tests/docs/messages.txt"
UPDATE = bool(os.environ.get("UPDATE_CASES"))
TWO_WORDS = re.compile(r"[a-z]{2,} [a-z]{2,}")
# The attributes that identify no person, with comments between them.
A_TABLE = "reconciler/core/review/mask.py"
# Texts that are not in the source of the module that raises them, each with the reason.
NOT_IN_THE_SOURCE = {
    "reconciler/cli/emulator/client.py": {
        "ReconcilerError(answer.problem)": "the emulator's own answer",
    },
    "reconciler/core/ask/warnings.py": {
        "Diagnostic(found[1])": "each rule returns a message and a hint",
    },
    "reconciler/core/ask/explain.py": {
        "Diagnostic(hint)": "`_sentence` returns a message and a hint",
    },
    "reconciler/core/dicom/dictionary.py": {
        "UnknownKeyError(hint)": "`_hint` returns a hint and the key that is meant",
        "UnknownKeyError(meant)": "a key, not a text",
    },
    "reconciler/core/dicom/values.py": {
        "error(never)": "the result of `never_sent` in core/dicom/constraints.py",
        "error(self.backslash_hint())": "a method of the same class",
    },
    "reconciler/core/diff/attribute.py": {
        "Block(desired)": "the result of `typed` in core/dicom/agreement.py",
    },
    "reconciler/core/plan/file.py": {
        "Block(row['message'])": "a saved plan holds the messages of the plan",
        "Block(row['hint'])": "a saved plan holds the messages of the plan",
        "Note(note['message'])": "a saved plan holds the messages of the plan",
    },
    "reconciler/core/plan/split.py": {
        "TooLarge(left[0])": "a change, not a text",
    },
    "reconciler/edges/git/content.py": {
        "LeftOutError(left_out)": "a list of files, not a text",
    },
    "reconciler/edges/manifests/parse.py": {
        "Diagnostic(hint)": "a hint of the table `_YAML_HINTS`",
    },
    "reconciler/edges/records/__init__.py": {
        "RecordError('\\n'.join(problems))": "the problems of the files, from `rows`",
    },
    "reconciler/edges/records/rows.py": {
        "RecordError('\\n'.join(problems))": "the problems of a file, from the same module",
    },
    "reconciler/pipeline/plan.py": {
        "WiderError({name: more})": "image sets, not a text",
    },
    "reconciler/pipeline/reviewed.py": {
        "ReviewFileError('\\n'.join((one.message for one in problems)))": "of the same module",
        "ReviewFileError(' '.join(hints))": "of the same module",
    },
    "reconciler/emulator/files/dicom_file.py": {
        "Refused(str(refused))": "the text of another error of the package",
    },
    "reconciler/emulator/files/ingest.py": {
        "Problem(str(refused))": "the text of another error of the package",
    },
    "reconciler/emulator/http/access.py": {
        "ValueError(name)": "the name that was given; the command line writes the message",
        "ValueError(text)": "the origin that was given; the command line writes the message",
    },
}

# Of every floor and of every kind: errors, hints, help, hazards, outcomes, notes, warnings.
A_SAMPLE_FROM = (
    "reconciler/apply/decide.py",
    "reconciler/apply/run.py",
    "reconciler/cli/app.py",
    "reconciler/cli/apply.py",
    "reconciler/cli/demo.py",
    "reconciler/cli/emulator/app.py",
    "reconciler/cli/run.py",
    "reconciler/cli/stop.py",
    "reconciler/core/ask/consent.py",
    "reconciler/core/ask/explain.py",
    "reconciler/core/dicom/constraints.py",
    "reconciler/core/dicom/values.py",
    "reconciler/core/dicom/vr.py",
    "reconciler/core/diff/guards.py",
    "reconciler/core/plan/notes.py",
    "reconciler/core/review/explain.py",
    "reconciler/core/stale_plan.py",
    "reconciler/core/survey/latest.py",
    "reconciler/demo/story.py",
    "reconciler/edges/attempts.py",
    "reconciler/edges/aws/problems.py",
    "reconciler/edges/git/failures.py",
    "reconciler/edges/manifests/build.py",
    "reconciler/edges/records/rows.py",
    "reconciler/edges/settings.py",
    "reconciler/emulator/files/ingest.py",
    "reconciler/emulator/http/access.py",
    "reconciler/emulator/rules/behaviours.py",
    "reconciler/emulator/store/private.py",
    "reconciler/emulator/trouble/faults.py",
    "reconciler/pipeline/guarded.py",
    "reconciler/pipeline/judge_plan.py",
    "reconciler/record/recorder.py",
    "reconciler/render/outcomes.py",
    "reconciler/render/step_summary.py",
    "reconciler/render/text.py",
)


def _as_file(of_modules: dict[str, list[str]]) -> str:
    parts = ["Generated from the source: UPDATE_CASES=1 pytest tests/docs/test_messages.py"]
    for path, of_module in of_modules.items():
        lines = [text.strip("\r\n").replace("\n", "\n| ") for text in of_module]
        parts.append("\n".join([f"== {path}", *lines]))
    return "\n\n".join(parts) + "\n"


def test_the_list_is_that_of_the_source() -> None:
    if UPDATE:
        (REPOSITORY / LIST).write_text(_as_file(texts()), encoding="utf-8")
    assert read(LIST) == _as_file(texts()), f"run UPDATE_CASES=1 pytest {__file__}"


def test_every_floor_is_in_the_list() -> None:
    assert set(A_SAMPLE_FROM) <= set(texts())


def test_two_words_in_a_row_are_always_listed() -> None:
    """A coarser search than that of the list: it knows no rule but that docstrings are left out."""
    listed = "\n".join(text for of_module in texts().values() for text in of_module)
    missing = [
        f"{path}:{node.lineno}"
        for path, tree in trees().items()
        for node in _strings(tree)
        if TWO_WORDS.search(node.value) and node.value.strip() not in listed
    ]
    assert [place for place in missing if not place.startswith(A_TABLE)] == []


def _strings(tree: ast.Module) -> Iterator[Any]:
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_string = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_string and node not in docstrings:
            yield node


def test_what_help_prints_is_in_the_list() -> None:
    """Read from the command line itself, not from the source."""
    listed = {" ".join(text.split()) for of_module in texts().values() for text in of_module}
    printed = set(_help(typer.main.get_command(app)))
    assert {text for text in printed if " " in text} <= listed


def _help(command: Any) -> Iterator[str]:
    if getattr(command, "callback", None) is not None or not hasattr(command, "commands"):
        yield " ".join((command.help or "").split())
    for parameter in command.params:
        if parameter.name not in ("install_completion", "show_completion", "help"):
            yield " ".join((getattr(parameter, "help", None) or "").split())
    for below in getattr(command, "commands", {}).values():
        yield from _help(below)


def test_no_message_escapes_the_list() -> None:
    """What an error, a block or a note says stands in the source, or in a table with its reason."""
    found = {path: set(texts) for path, texts in table(trees()).items()}
    assert found == {path: set(texts) for path, texts in NOT_IN_THE_SOURCE.items()}


@pytest.mark.parametrize(
    ("source", "listed"),
    [
        ('print("no such file")', ["no such file"]),
        ('print("one "\n      f"{name} joined")', ["one {name} joined"]),
        ('print("added " + name + " up")', ["added {name} up"]),
        ("print(f\"{' and '.join(names)} are missing\")", ["{join(…)} are missing"]),
        ("print(f\"it is {'not ' if late else ''}late\")", ["it is {not |}late"]),
        ("print(f\"it is {at(hour, 'at the latest')}\")", ["it is {at(…)}", "at the latest"]),
        ('raise Error("first", "Do the second.")', ["Do the second."]),
        ('print(f"{count} left")', ["{count} left"]),
        ('def work() -> None:\n    """Do some work."""', []),
        ('PATTERN = re.compile("(a or) b")', []),
        ('Json: TypeAlias = "dict[str, Json] | None"', []),
        ('query("SELECT name FROM files")', []),
        ('FORM = "{:>10} {:<4}"', []),
        ('CODE = "UPDATE_FAILED"', []),
    ],
)
def test_what_is_a_message(source: str, listed: list[str]) -> None:
    assert [message.text for message in messages(ast.parse(source))] == listed


@pytest.mark.parametrize(
    "source",
    [
        'raise Wrong(f"{name} is missing")',
        'text = "late" if late else "early"\nraise Wrong(text)',
        'def make(what):\n    raise Wrong(what)\nmake("no key")',
        'def why():\n    return "no key"\nraise Wrong(why())',
        'def make(what, hint):\n    raise Wrong(what, hint)\nmake(*_PAIR)\n_PAIR = ("a b", "c")',
        'what, hint = "no key", "Add a key."\nraise Wrong(what, hint=hint)',
        "raise Wrong(other.message)",
    ],
)
def test_a_text_of_the_source_is_seen(source: str) -> None:
    tree = ast.parse(f"class Wrong(Exception): ...\n{source}")
    assert table({"module.py": tree}) == {}


@pytest.mark.parametrize(
    ("source", "escaped"),
    [
        ("raise Wrong(answer())", "Wrong(answer())"),
        ("def make(what):\n    raise Wrong(what)\nmake(answer())", "Wrong(what)"),
        ("def make(what):\n    raise Wrong(what)", "Wrong(what)"),
        ("text = read()\nraise Wrong(text)", "Wrong(text)"),
        ('Note(image_set, row["message"])', "Note(row['message'])"),
        ("raise Worse(*parts)", "Worse(*parts)"),
        ('raise Wrong("a text", hint=answer())', "Wrong(answer())"),
    ],
)
def test_a_text_from_elsewhere_is_found(source: str, escaped: str) -> None:
    tree = ast.parse(f"class Wrong(Exception): ...\nclass Worse(Wrong): ...\n{source}")
    assert table({"module.py": tree}) == {"module.py": [escaped]}
