"""Who sees the line of a manifest in which a problem stands: it may hold data of a patient."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command

MARK = "Doe^Pieter"
BIRTH_DATE = "1970-01-31"
SETTINGS = """\
datastores:
  research:
    datastoreId: "12345678901234567890123456789012"
    region: us-east-1
"""
MANIFEST = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: ea92b0d8838c72a3f25d00d13616f87e
present:
  Patient:
    DICOM: {{PatientName: {MARK}, PatientBirthDate: {BIRTH_DATE}}}
"""
PLACE = "manifests/a.yaml:7:56: "


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose commit holds a manifest with a problem."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "reconciler.yaml").write_text(SETTINGS)
    (tmp_path / "manifests" / "a.yaml").write_text(MANIFEST)
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "ask")
    return tmp_path


def git(*arguments: str) -> None:
    name = ("-c", "user.name=steward", "-c", "user.email=steward@example.org")
    subprocess.run(["git", *name, *arguments], check=True)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def in_a_job(monkeypatch: pytest.MonkeyPatch, folder: Path, *, private: bool) -> None:
    event = folder / ".git" / "event.json"
    event.write_text(json.dumps({"repository": {"private": private}}))
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", "hospital/metadata")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))


COMMANDS = pytest.mark.parametrize(
    "command", [["validate"], ["validate", "--all"], ["plan"], ["apply", "--auto-approve"]]
)


@COMMANDS
def test_a_terminal_shows_the_line_and_a_caret(
    reconcile: Command, root: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    on_a_terminal(monkeypatch)
    ran = reconcile(*command)
    assert (ran.code, ran.out) == (1, "")
    first, hint, line, caret, right, word = ran.err.splitlines()
    assert first.startswith(f"error: {PLACE}PatientBirthDate (0010,0030): ")
    assert hint.startswith("    Fix the value.")
    assert line.endswith(f"{{PatientName: {MARK}, PatientBirthDate: {BIRTH_DATE}}}")
    assert caret.index("^") == line.index(BIRTH_DATE)
    assert word == "Explain a word: reconcile explain PatientBirthDate"
    assert right == line.replace("        | ", "    try:  ").replace(BIRTH_DATE, "19700131")


@COMMANDS
@pytest.mark.parametrize(
    ("comment", "private", "shown"),
    [
        ("", True, True),
        ("", False, False),
        ("comment: clear\n", False, True),
        ("comment: place\n", True, False),
        ("comment: clear\nredact: all\n", True, False),
        ("comment: place\nredact: none\n", True, False),
    ],
)
def test_a_job_shows_lines_where_it_shows_values(
    reconcile: Command,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    comment: str,
    private: bool,
    shown: bool,
) -> None:
    (root / "reconciler.yaml").write_text(f"record: {{mode: files}}\n{comment}{SETTINGS}")
    in_a_job(monkeypatch, root, private=private)
    ran = reconcile(*command)
    assert PLACE in ran.err
    assert [mark in ran.err for mark in (MARK, BIRTH_DATE, "19700131")] == [shown] * 3


def test_a_job_shows_no_line_that_its_commit_does_not_hold(
    reconcile: Command, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_job(monkeypatch, root, private=True)
    (root / "manifests" / "a.yaml").write_text(f"{MANIFEST}# not committed\n")
    ran = reconcile("validate")
    assert PLACE in ran.err
    assert (MARK in ran.err, BIRTH_DATE in ran.err) == (False, False)


@pytest.mark.parametrize("redact", ["all", "identifying", "none"])
def test_a_log_shows_lines_only_without_masks(reconcile: Command, root: Path, redact: str) -> None:
    (root / "reconciler.yaml").write_text(f"redact: {redact}\n{SETTINGS}")
    ran = reconcile("validate")
    assert PLACE in ran.err
    assert (BIRTH_DATE in ran.err) is (redact == "none")


@pytest.mark.parametrize(
    ("redact", "option", "shown"),
    [
        ("all", [], False),
        ("none", ["--mask-values"], False),
        ("identifying", ["--mask-values"], False),
        ("identifying", ["--show-values"], True),
    ],
)
def test_masks_hide_lines_on_a_terminal_too(
    reconcile: Command,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    redact: str,
    option: list[str],
    shown: bool,
) -> None:
    (root / "reconciler.yaml").write_text(f"redact: {redact}\n{SETTINGS}")
    on_a_terminal(monkeypatch)
    ran = reconcile("plan", *option)
    assert PLACE in ran.err
    assert [mark in ran.err for mark in (MARK, BIRTH_DATE, "^")] == [shown] * 3


def test_text_that_is_not_yaml_has_a_line_too(
    reconcile: Command, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "manifests" / "a.yaml").write_text(MANIFEST.replace("{PatientName", "PatientName"))
    on_a_terminal(monkeypatch)
    ran = reconcile("validate")
    assert ran.err.splitlines()[2].endswith(f"PatientBirthDate: {BIRTH_DATE}}}")


def test_problems_of_the_settings_have_lines(
    reconcile: Command, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "reconciler.yaml").write_text(SETTINGS.replace("region", "regoin"))
    on_a_terminal(monkeypatch)
    for command in ("validate", "plan", "datastores"):
        err = reconcile(command).err
        assert "\n        | regoin: us-east-1\n        | ^\n" in err


@pytest.mark.parametrize("redact", ["none", "identifying"])
def test_json_suggests_a_value_only_where_values_are_shown(
    reconcile: Command, root: Path, redact: str
) -> None:
    (root / "reconciler.yaml").write_text(f"redact: {redact}\n{SETTINGS}")
    (root / "manifests" / "a.yaml").write_text(f"{MANIFEST}resaon: RAD-1\n")
    ran = reconcile("validate", "--json")
    value, key = json.loads(ran.out)["problems"]
    file = "manifests/a.yaml"
    assert key["suggestion"] == {
        "place": {"file": file, "line": 8, "column": 1},
        "endColumn": 7,
        "text": "reason",
    }
    if redact == "none":
        assert value["suggestion"] == {
            "place": {"file": file, "line": 7, "column": 56},
            "endColumn": 66,
            "text": "19700131",
        }
    else:
        assert "suggestion" not in value
    assert [mark in ran.out for mark in (MARK, BIRTH_DATE)] == [False, False]


@pytest.mark.parametrize("format", [["--json"], ["--format", "markdown"], ["--format", "github"]])
def test_of_a_plan_without_an_answer_stdout_stays_empty(
    reconcile: Command, root: Path, format: list[str]
) -> None:
    """A program reads one JSON document from stdout, or an exit code that says there is none."""
    ran = reconcile("plan", *format)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: {PLACE}")
