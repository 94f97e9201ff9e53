"""Compares the statements of the documents about the code with the code."""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from pathlib import Path

import pytest
import typer

from reconciler.cli.app import app
from reconciler.core.errors import InputError
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status
from reconciler.core.model.settings import DOCUMENTED_QUOTAS, Settings
from reconciler.edges import schemas
from reconciler.edges.settings import read_settings
from reconciler.pipeline import check
from tests.docs.markdown import (
    DOCUMENTS,
    REPOSITORY,
    Block,
    anchors,
    blocks,
    column,
    links,
    prose,
    prose_lines,
    read,
)

README = "README.md"
ARCHITECTURE = "ARCHITECTURE.md"
CODE_MAP = "docs/code-map.md"
HAZARDS = "docs/hazards.md"
SETTINGS = "docs/settings.md"
README_LINES = 150
COLUMNS = 120
FIRST_SCREEN_LINES = 25
# Of pytest in this repository, and of the AWS CLI (docs/emulator.md).
OPTIONS_OF_OTHERS = {"--aws-datastore", "--cli-binary-format"}
MANIFESTS = [
    pytest.param(block, id=f"{name}:{block.line}")
    for name in DOCUMENTS
    for block in blocks(name, "yaml")
    if "apiVersion:" in block.text
]
SOURCES = sorted(
    str(path.relative_to(REPOSITORY / "reconciler"))
    for path in (REPOSITORY / "reconciler").rglob("*.py")
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    for link in links(name):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (REPOSITORY / name).parent / path if path else REPOSITORY / name
        assert target.exists(), f"{name} links to {link}"
        if anchor:
            assert anchor in anchors(str(target.resolve().relative_to(REPOSITORY))), link


def test_the_readme_is_short() -> None:
    lines = read(README).splitlines()
    assert len(lines) <= README_LINES
    assert [line for line in lines if len(line) > COLUMNS] == []


def test_the_status_stands_on_the_first_screen() -> None:
    first_screen = " ".join(read(README).splitlines()[:FIRST_SCREEN_LINES])
    assert "Nothing here was ever run against AWS." in first_screen


@pytest.mark.parametrize("name", DOCUMENTS)
def test_prose_is_not_wider_than_a_screen(name: str) -> None:
    wide = [number for number, line in prose_lines(name) if len(line) > COLUMNS]
    assert wide == [], f"{name}: wrap these lines at {COLUMNS} columns"


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[str] = set()
    to_read = {README}
    while to_read:
        seen |= to_read
        to_read = {page for name in to_read for page in _linked_pages(name)} - seen
    assert set(DOCUMENTS) <= seen


def _linked_pages(name: str) -> set[str]:
    """The Markdown pages that a page links to, by their path in the repository."""
    targets = [(REPOSITORY / name).parent / link.partition("#")[0] for link in links(name)]
    pages = [target.resolve() for target in targets if target.suffix == ".md"]
    return {str(page.relative_to(REPOSITORY)) for page in pages}


@pytest.mark.parametrize("block", MANIFESTS)
def test_a_manifest_of_the_documents_is_valid(block: Block, tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "example.yaml").write_text(block.text, encoding="utf-8")
    found = check(settings)
    assert found.asks or found.selectors


def _settings(folder: Path) -> Settings:
    (folder / "reconciler.yaml").write_text(blocks(SETTINGS, "yaml")[0].text, encoding="utf-8")
    return read_settings(folder / "reconciler.yaml")


def test_a_broken_manifest_would_be_noticed(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    (tmp_path / "manifests").mkdir()
    example = blocks(README, "yaml")[0].text
    broken = example.replace("StudyDescription", "StudyDescriptoin")
    (tmp_path / "manifests" / "example.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(InputError):
        check(settings)


@pytest.mark.parametrize("block", blocks(SETTINGS, "yaml"), ids=str)
def test_the_settings_of_the_documents_are_valid(block: Block, tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(block.text, encoding="utf-8")
    assert read_settings(tmp_path / "reconciler.yaml").datastores


def test_the_tables_of_the_documents_are_whole() -> None:
    assert column(HAZARDS, "status") == [status.value for status in Status]
    assert sorted(column(HAZARDS, "hazard")) == sorted(hazard.value for hazard in Hazard)
    assert column("docs/apply.md", "outcome") == [result.value for result in Result]
    rules = schemas.load("reconciler")["properties"]["rules"]["properties"]
    assert column(SETTINGS, "rule") == list(rules)


def test_every_setting_is_documented() -> None:
    known = schemas.load("reconciler")["properties"]
    documented = {word.split(".")[0] for word in column(SETTINGS, "key")}
    assert documented == set(known)


def test_every_key_of_manifests_is_documented() -> None:
    known = schemas.load("manifest")["properties"]
    documented = {word.partition(":")[0] for word in column("docs/manifests.md", "key")}
    assert set(known) <= documented


def test_the_policies_allow_what_is_called_and_no_more() -> None:
    actions = [
        action.removeprefix("medical-imaging:")
        for block in blocks("docs/permissions.md", "json")
        for statement in json.loads(block.text)["Statement"]
        for action in statement["Action"]
    ]
    assert sorted(actions) == sorted(DOCUMENTED_QUOTAS)


def test_every_command_and_option_exists() -> None:
    """Check tables, prose and blocks. No command is left out."""
    root = typer.main.get_command(app)
    words = [word for name in DOCUMENTS for word in re.findall(r"`([^`]+)`", prose(name))]
    lines = [
        line for name in DOCUMENTS for block in blocks(name) for line in block.text.splitlines()
    ]
    mentioned = set()
    typed = [part for text in (*words, *lines) for part in re.split(r"\$\(| \| (?:xargs )?", text)]
    for text in typed:
        match = re.match(r"(?:\$ )?reconcile ((?:emulator )?[a-z]+)(.*)", text)
        if match:
            mentioned.add(match[1])
            _assert_known(root, match[1].split(), re.findall(r"--[a-z-]+", match[2]), text)
    assert mentioned - {"emulator"} == set(_names(root))
    alone = {option for word in words for option in re.findall(r"^--[a-z][a-z-]+", word)}
    assert alone - OPTIONS_OF_OTHERS <= _options(root)


def _options(command: object) -> set[str]:
    """The options of a command and of all below it."""
    own = {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]
    own |= {option for parameter in command.params for option in parameter.secondary_opts}  # type: ignore[attr-defined]
    return own.union({"--help"}, *map(_options, getattr(command, "commands", {}).values()))


def _names(group: typer.main.TyperGroup, prefix: str = "") -> list[str]:  # type: ignore[name-defined]
    found = []
    for name, command in group.commands.items():
        below = getattr(command, "commands", None)
        found += _names(command, f"{name} ") if below else [f"{prefix}{name}"]
    return found


def _assert_known(root: object, path: list[str], options: list[str], text: str) -> None:
    command = root
    for name in path:
        commands = getattr(command, "commands", {})
        assert name in commands, f"there is no such command: {text}"
        command = commands[name]
    known = {
        option
        for parameter in command.params  # type: ignore[attr-defined]
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help"}
    assert set(options) <= known, f"there is no such option: {text}"


def test_every_make_target_exists() -> None:
    makefile = read("Makefile")
    for name in DOCUMENTS:
        for target in re.findall(r"(?:^|`|&& )make ([a-z-]+)", read(name), re.MULTILINE):
            assert f"\n{target}:" in makefile, f"{name}: make {target}"


def test_the_code_map_is_that_of_the_code() -> None:
    """`UPDATE_CASES=1` writes it: a table for each folder, a row for each module."""
    if os.environ.get("UPDATE_CASES"):
        (REPOSITORY / CODE_MAP).write_text(_code_map(), encoding="utf-8")
    assert read(CODE_MAP) == _code_map(), "run UPDATE_CASES=1 pytest tests/docs"


def _code_map() -> str:
    """The first sentence of every docstring, folder by folder."""
    folders: dict[str, list[str]] = {}
    for name in SOURCES:
        folders.setdefault(str(Path(name).parent), []).append(name)
    parts = ["# Code map", "Generated from the docstrings: `UPDATE_CASES=1 pytest tests/docs`."]
    for folder, names in sorted(folders.items()):
        title = "reconciler" if folder == "." else f"reconciler/{folder}"
        rows = [
            f"| `{Path(name).name}` | {_first_words(name)} |"
            for name in names
            if Path(name).name != "__init__.py"
        ]
        about = _first_words(f"{folder}/__init__.py")
        table = "\n".join(["| module | is |", "|---|---|", *rows]) if rows else ""
        parts += [part for part in (f"## `{title}/`", about, table) if part]
    return "\n\n".join(parts) + "\n"


def _first_words(name: str) -> str:
    docstring = ast.get_docstring(ast.parse(read(f"reconciler/{name}"))) or ""
    return " ".join(docstring.split("\n\n")[0].split()).replace("|", "\\|")


def test_the_floors_are_those_that_are_enforced() -> None:
    """Every folder of the picture is a layer of a contract, in the same order."""
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    floors = {one["containers"][0]: one["layers"] for one in contracts if one["type"] == "layers"}
    drawn = read(ARCHITECTURE).split("\n## Floors\n")[1].split("\n## ")[0].split("```")[1::2]
    pictures = [[line.split("  ")[0] for line in block.strip().splitlines()] for block in drawn]
    assert pictures == list(floors.values())


def test_every_invariant_names_a_test_that_exists() -> None:
    section = read(ARCHITECTURE).split("\n## Invariants\n")[1].split("\n## ")[0]
    tests = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", section)
    assert tests
    for path, function in tests:
        assert f"def {function}" in read(path), f"{path} has no {function}"
    for number, text in re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", section, re.M | re.S):
        assert "`tests/" in text or "`pyproject.toml`" in text, f"invariant {number} has no test"
