"""Every error: its message as golden text, its exit code, and nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from reconciler.cli.app import app
from reconciler.cli.run import _bug, run
from reconciler.core.dicom.content import digest
from reconciler.core.model.value import Json
from tests.cli.conftest import DATASTORE_ID, Command, expect
from tests.processes import SECONDS

MANIFEST = """\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: aca469ab431797e6c78c0306c39c40ee
present:
  Study:
    DICOM:
      StudyDate: "19970424"
"""


def refused(name: str, reconcile: Command, *arguments: str | Path) -> None:
    """The command ends with exit code 1, its golden message, and nothing on stdout."""
    ran = reconcile(*arguments)
    assert (ran.code, ran.out) == (1, "")
    expect(f"error-{name}.txt", ran.err)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("unknown-command", ["plam"]),
        ("unknown-option", ["plan", "--detailed-exit"]),
        ("missing-argument", ["show"]),
        ("no-such-plan", ["show", "plan.json"]),
        ("import-nothing", ["import"]),
        ("import-search", ["import", "--search"]),
        ("unknown-datastore", ["import", "--datastore", "clinic", "--image-set", "1" * 32]),
        ("search-no-criterion", ["search", "Modality"]),
        ("search-unknown-keyword", ["search", "Modalty=OT"]),
        ("search-not-in-summaries", ["search", "InstitutionName=St. Elsewhere"]),
        ("search-twice", ["search", "Modality=OT", "modality=CT"]),
        ("search-no-date", ["search", "PatientBirthDate=13.05.1970"]),
        ("search-no-day", ["search", "--created", "..2026-02-30"]),
        ("search-other-date", ["search", "--updated", "2026/2/3 - 2026/2/1"]),
        ("search-no-field", ["search", "--fields", "imageSetId,Version"]),
        ("search-fields-json", ["search", "--fields", "imageSetId", "--json"]),
        ("unknown-schema", ["schema", "manifests"]),
        ("no-terminal", ["apply"]),
        ("no-such-record-mode", ["apply", "--record", "carbon-copy"]),
        ("no-such-duration", ["apply", "--max-duration", "soon"]),
        ("no-number", ["apply", "--limit", "few"]),
        ("too-low", ["apply", "--limit", "0"]),
        ("too-high", ["emulator", "start", "--port", "99999"]),
        ("no-fraction", ["emulator", "start", "--update-seconds", "half"]),
        ("no-such-settings", ["plan", "--config", "elsewhere.yaml"]),
        ("no-such-manifests", ["plan", "nowhere"]),
    ],
)
def test_refused(
    reconcile: Command,
    workspace: Path,
    name: str,
    arguments: list[str],
) -> None:
    refused(name, reconcile, *arguments)
    assert not (workspace / "records").exists()


def ruled_options(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every option whose value Typer checks: a number, or one of some words."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from ruled_options(inner, (*path, name))
    for one in command.params:
        kind = one.type_descriptor
        if kind.is_choice or kind.annotation in (int, float):
            yield (*path, one.opts[0])


@pytest.mark.parametrize("wrong", ["x", "", "1e400", "9" * 5000])
@pytest.mark.parametrize("option", list(ruled_options(get_command(app))), ids=" ".join)
def test_no_option_is_refused_in_the_words_of_a_library(
    reconcile: Command, workspace: Path, option: tuple[str, ...], wrong: str
) -> None:
    *command, name = option
    ran = reconcile(*command, f"{name}={wrong}")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: {name}")
    for words in ("Value error", "Input should", "unable to parse"):
        assert words not in ran.err


def test_no_settings_anywhere(
    reconcile: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = reconcile("plan")
    assert ran.code == 1
    assert "no reconciler.yaml" in ran.err


def test_all_problems_of_all_files_at_once(reconcile: Command, workspace: Path) -> None:
    (workspace / "manifests" / "one.yaml").write_text(MANIFEST.replace("19970424", "19970431"))
    (workspace / "manifests" / "two.yaml").write_text(MANIFEST.replace("StudyDate", "StudysDate"))
    ran = reconcile("plan")
    assert (ran.code, ran.out) == (1, "")
    assert "manifests/one.yaml:8:" in ran.err
    assert "manifests/two.yaml:8:" in ran.err
    assert "19970431" not in ran.err
    assert ran.err.count("error: ") == 2
    assert ran.err.endswith(
        "2 problems; nothing was read or written.\nExplain a word: reconcile explain StudyDate\n"
    )


@pytest.fixture
def full_of_problems(workspace: Path) -> Path:
    """201 problems: one in each line of a manifest, and two in its last lines."""
    lines = "".join(f"wrong{number}: x\n" for number in range(200))
    text = MANIFEST.replace("19970424", "19970431")
    (workspace / "manifests" / "one.yaml").write_text(lines + text)
    return workspace


@pytest.mark.parametrize(
    "command", [["validate"], ["validate", "."], ["plan"], ["apply", "--auto-approve"]]
)
def test_of_many_problems_the_first_are_shown(
    reconcile: Command, full_of_problems: Path, command: list[str]
) -> None:
    ran = reconcile(*command)
    assert (ran.code, ran.out) == (1, "")
    shown = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert [line.split(":")[2] for line in shown] == [str(number) for number in range(1, 21)]
    assert ran.err.endswith(
        "201 problems; nothing was read or written.\n"
        "These are the first 20. To see all: reconcile validate --all\n"
    )


def test_all_problems_are_shown_on_request(reconcile: Command, full_of_problems: Path) -> None:
    ran = reconcile("validate", "--all")
    assert (ran.code, ran.out, ran.err.count("error: ")) == (1, "", 201)
    assert "\n201 problems; nothing was read or written.\n" in ran.err
    for more in ([], ["--all"]):
        ran = reconcile("validate", "--json", *more)
        assert (ran.code, ran.err) == (1, "")
        assert len(json.loads(ran.out)["problems"]) == 201


def test_the_problems_of_the_manifests_of_a_saved_plan_are_not_all_shown(
    reconcile: Command, workspace: Path
) -> None:
    assert reconcile("plan", "--out", "plan.json").code == 0
    lines = "".join(f"wrong{number}: x\n" for number in range(200))
    (workspace / "manifests" / "one.yaml").write_text(lines)
    ran = reconcile("apply", "plan.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("manifests/one.yaml:") == 20
    assert "To see all: reconcile validate --all" in ran.err


def test_settings_are_found_from_below(
    reconcile: Command, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "manifests" / "deep").mkdir()
    monkeypatch.chdir(workspace / "manifests" / "deep")
    assert reconcile("validate").code == 0


def test_an_edited_plan_is_refused(reconcile: Command, workspace: Path) -> None:
    assert reconcile("plan", "--out", "plan.json").code == 0
    plan = workspace / "plan.json"
    plan.write_text(plan.read_text().replace("19970424", "19970425"))
    refused("edited-plan", reconcile, "apply", "plan.json")


@pytest.mark.parametrize("values", ["--show-values", "--mask-values"])
def test_what_json_prints_of_a_plan_cannot_be_applied(
    reconcile: Command, workspace: Path, values: str
) -> None:
    (workspace / "plan.json").write_text(reconcile("plan", "--json", values).out)
    ran = reconcile("apply", "plan.json")
    assert (ran.code, ran.out) == (1, "")
    assert "the file is the output of `plan --json`" in ran.err
    assert "reconcile plan --out" in ran.err


@pytest.mark.parametrize("content", ["", "0" * 63 + "\n", "../outside"])
def test_a_file_that_holds_no_key_stops_plan_and_apply(
    reconcile: Command, workspace: Path, content: str
) -> None:
    """An empty one, a short one, a link to a key outside the repository."""
    if content == "../outside":
        (workspace.parent / "outside").write_text("0" * 64)
        (workspace / "reconciler.key").symlink_to(content)
    else:
        (workspace / "reconciler.key").write_text(content)
    for command in (["plan"], ["apply", "--auto-approve"]):
        ran = reconcile(*command)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("error: reconciler.key: ")
        assert "git checkout HEAD -- reconciler.key" in ran.err
        assert "0" * 63 not in ran.err
    assert not (workspace / "records").exists()


@pytest.mark.parametrize(("key", "value"), [("etaSeconds", "soon"), ("actions", [{}])])
def test_a_forged_plan_is_refused(
    reconcile: Command, workspace: Path, key: str, value: Json
) -> None:
    """One whose digest was made to match."""
    assert reconcile("plan", "--out", "plan.json").code == 0
    plan = workspace / "plan.json"
    forged = {**json.loads(plan.read_text()), key: value}
    body = {name: forged[name] for name in forged if name != "digest"}
    plan.write_text(json.dumps({**body, "digest": digest(body)}))
    ran = reconcile("apply", "plan.json")
    assert (ran.code, ran.out) == (1, "")
    assert "the file does not hold a valid plan" in ran.err


def test_a_plan_that_cannot_be_saved(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("plan", "--out", "no/such/folder/plan.json")
    assert ran.code == 1
    assert "cannot save the plan to no/such/folder/plan.json" in ran.err


def test_an_endpoint_that_does_not_answer(reconcile: Command, workspace: Path) -> None:
    settings = workspace / "reconciler.yaml"
    settings.write_text(settings.read_text().replace(" emulator", " http://127.0.0.1:9"))
    ran = reconcile("plan")
    assert (ran.code, ran.out) == (1, "")
    assert "127.0.0.1:9" in ran.err


def test_an_image_set_that_is_not_there(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("import", "--image-set", "f" * 32)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ")


def test_a_bug_tells_where_and_never_what(capsys: pytest.CaptureFixture[str]) -> None:
    patient = "Doe^Peter"
    try:
        raise ValueError(f"cannot parse {patient}") from KeyError(patient)
    except ValueError as error:
        assert _bug(error) == 3
    told = capsys.readouterr().err
    assert told.startswith("error: this is a bug in reconcile (ValueError)\n")
    assert "test_errors.py:" in told
    assert patient not in told


def test_a_reader_that_leaves_early_is_no_error_to_tell(workspace: Path) -> None:
    command = f"{sys.executable} -m reconciler schema manifest | head -c 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    assert (done.stdout, done.stderr) == ("{", "")


def test_a_terminal_that_knows_only_ascii(workspace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "plan", "--show-values"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0
    assert rb'"1997.04.24" \u2192 "19970424"' in done.stdout


def test_credentials_that_are_missing(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, reconcile: Command
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(workspace / "nothing"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings = workspace / "reconciler.yaml"
    settings.write_text(settings.read_text().replace("    endpoint: emulator\n", ""))
    ran = reconcile("plan")
    assert (ran.code, ran.out) == (1, "")
    assert "credentials" in ran.err
    assert DATASTORE_ID not in ran.out


def test_run_returns_the_code_of_typer_exits(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: reconcile schema")
