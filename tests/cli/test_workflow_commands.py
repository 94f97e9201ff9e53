"""No name in a pull request commands the runner that prints it.

The runner takes a line that begins with `::`, after blanks, for a command, and decodes `%0A` in it
(docs.github.com: Workflow commands for GitHub Actions; github.com/actions/runner,
ActionCommand.cs). So an annotation is one line of ours, whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.cli import screen
from reconciler.core.errors import PlanFileError
from reconciler.core.model.plan import Later, Plan, Since
from reconciler.core.model.settings import Redact
from reconciler.core.plan.file import from_json, to_json
from reconciler.core.review import review
from reconciler.render.annotations import commands
from reconciler.render.html import page
from reconciler.render.markdown import comment
from reconciler.render.text import plan_lines, summary_lines
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import World, git, imported, manifest
from tests.cli.test_leaving import everything, forgeries
from tests.documents import document

# Each of them would be a command on a line of its own.
FORGED = (
    "a\n::set-output name=x::FORGED",
    "a\r::add-mask::FORGED",
    "a%0A::set-env name=PATH::FORGED%0D%0A##[add-mask]FORGED",
    "::stop-commands::FORGED",
    "a,title=FORGED::error::FORGED",
)
_OURS = re.compile(r"::(?:error|warning|notice) (?P<properties>[^:]*)::(?P<text>[^\r\n]*)")
_PROPERTIES = re.compile(r"(?:file=[^,:]*,line=[0-9]+,)?title=[^,:]*")
# The runner decodes these in a property or a text; no other character follows a percent sign.
_ENCODED = re.compile("%(?!25|0D|0A|3A|2C)")


def whole() -> Plan:
    """A plan with every kind of field, and what is stated of a pull request."""
    since = Since(
        "b" * 40,
        settings=True,
        consents=("a.yaml: allow: CHANGES_UID",),
        later=(Later("archive", 2),),
        problem="a.yaml:1:1 is not valid",
    )
    plan = everything()
    return replace(plan, basis=replace(plan.basis, since=since))


def forged(text: str) -> Iterator[Plan]:
    first = replace(whole(), actions=())
    start = replace(first.basis, since=Since("b" * 40, unplanned="it has no reconciler.yaml"))
    for plan in (whole(), replace(first, basis=start)):
        for _path, raw in forgeries(to_json(plan), text):
            try:
                yield from_json(raw)
            except (PlanFileError, ValueError):
                continue


def assert_annotations(out: str) -> None:
    for line in out.splitlines():
        found = _OURS.fullmatch(line)
        assert found, line
        assert _PROPERTIES.fullmatch(found["properties"]), line
        assert not _ENCODED.search(line), line


def assert_no_command(out: str) -> None:
    for line in re.split("[\r\n]", out):
        assert not line.lstrip().startswith("::"), line
        assert not re.search(r"##\w*\[", line), line


@pytest.mark.parametrize("text", FORGED)
def test_an_annotation_is_one_line_of_ours(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = 0
    for plan in forged(text):
        screen.say_commands(commands(review(plan, Redact.IDENTIFYING)))
        out = capsys.readouterr().out
        assert_annotations(out)
        shown += "FORGED" in out
    assert shown >= 3


@pytest.mark.parametrize("text", FORGED)
def test_no_other_output_holds_a_command(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for plan in forged(text):
        try:
            found = review(plan, Redact.NONE)
            list(found.actions)
        except (PlanFileError, ValueError):
            continue
        screen.say(plan_lines(found, screen.look()))
        screen.say(summary_lines(found, screen.look()))
        screen.say(comment(found, "").split("\n"))
        screen.say_page(page(found, ""))
        assert_no_command(capsys.readouterr().out)


# --- names of files ---------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        git(world.root, "init", "-q", "-b", "main")
        yield world


@pytest.mark.parametrize("text", FORGED)
@pytest.mark.parametrize("format", ["text", "markdown", "html", "json", "github"])
def test_no_name_of_a_manifest_is_a_command(tree: World, text: str, format: str) -> None:
    body = "present: {Patient: {DICOM: {PatientName: Doe^Pieter}}}\n"
    manifest(tree.root, f"{text}.yaml", body)
    ran = tree.reconcile("plan", "--format", format)
    assert ran.code == 0, ran.err
    assert "FORGED" in ran.out
    assert_annotations(ran.out) if format == "github" else assert_no_command(ran.out)
    assert_no_command(ran.err)
    (tree.root / "manifests" / f"{text}.yaml").write_text(f"'{text}': 1\n")
    for command in ("plan", "validate"):
        ran = tree.reconcile(command)
        assert ran.code == 1
        assert_no_command(ran.out + ran.err)
    for options in (("--review", text), ("--base", text), ("--check", text), (text,)):
        assert_no_command("".join(tree.reconcile("plan", *options).err))
    ran = tree.reconcile("apply", "--reviewed", text, "--expect", text)
    assert_no_command(ran.out + ran.err)


def test_plan_and_report_name_files_from_the_root_of_the_repository(
    tmp_path: Path, reconcile: Command
) -> None:
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        body = "present: {Patient: {DICOM: {PatientName: Doe^Pieter}}}\n"
        manifest(world.root, "a.yaml", body)
        git(tmp_path, "init", "-q")
        at = "::error file=repository/manifests/a.yaml,line="
        assert reconcile("plan", "--format", "github").out.startswith(at)
        world.apply("--record", "files", "--report", "report.json", code=1)
        shown = reconcile("show", "report.json", "--format", "github")
        assert shown.out.startswith(at), shown.out
        assert "manifests/a.yaml" in reconcile("show", "report.json").out
        assert "repository/" not in reconcile("show", "report.json").out
