"""schema: the published schemas, sound by themselves and in both validators."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator

from reconciler.core.model.plan import Basis, Plan
from reconciler.core.model.record import Entry
from reconciler.core.plan.file import to_json
from reconciler.edges import schemas
from tests.entries import put

NAMES = pytest.mark.parametrize("name", schemas.names())
CASES = sorted(Path(__file__).parents[1].joinpath("cases").glob("*/plan.json"))


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside a schema."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            yield from nodes(inner)


def test_the_names() -> None:
    assert schemas.names() == (
        "manifest",
        "plan",
        "record",
        "record-layout",
        "report",
        "review",
        "reconciler",
        "scan",
    )


def test_an_unknown_name() -> None:
    with pytest.raises(KeyError):
        schemas.text("../pyproject")


def abridged(value: Any) -> Any:
    """A schema with every hundredth of the keywords of DICOM: jsonschema is slow."""
    if isinstance(value, list):
        return [abridged(one) for one in value]
    if not isinstance(value, dict):
        return value
    step = 100 if len(value) > 100 else 1
    return {key: abridged(value[key]) for key in list(value)[::step]}


@NAMES
def test_it_is_a_schema_of_2020_12(name: str) -> None:
    found = schemas.load(name)
    jsonschema_rs.meta.validate(found)
    jsonschema_rs.Draft202012Validator(found)
    Draft202012Validator.check_schema(abridged(found))
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$id"] == f"urn:imageset-reconciler:schema:{name}:v1"
    assert found["title"]
    assert found["description"]


@NAMES
def test_the_text_is_the_schema(name: str) -> None:
    assert json.loads(schemas.text(name)) == schemas.load(name)
    assert schemas.text(name).endswith("}\n")


@NAMES
def test_no_pattern_uses_what_validators_disagree_on(name: str) -> None:
    for node in nodes(schemas.load(name)):
        patterns = [*node.get("patternProperties", {})]
        if isinstance(node.get("pattern"), str):
            patterns.append(node["pattern"])
        for pattern in patterns:
            assert not re.search(r"\\[dDwWsSbB]", pattern), pattern
            assert pattern.startswith("^"), pattern


def test_every_call_gives_its_own_copy() -> None:
    schemas.load("plan")["title"] = "edited"
    assert schemas.load("plan")["title"] == "Plan"


@pytest.mark.parametrize("name", ["manifest", "reconciler"])
def test_what_a_person_writes_is_explained(name: str) -> None:
    """An editor shows the description of every property on hover."""
    found = schemas.load(name)
    definitions = found["$defs"]
    for key, node in found["properties"].items():
        target = definitions[node["$ref"].split("/")[-1]] if "$ref" in node else node
        assert target.get("description"), key


def test_an_empty_plan_is_a_plan() -> None:
    Draft202012Validator(schemas.load("plan")).validate(to_json(Plan(Basis("", 1), ())))


@pytest.mark.parametrize("file", CASES, ids=lambda path: path.parent.name)
def test_every_golden_plan_is_a_plan(file: Path) -> None:
    Draft202012Validator(schemas.load("plan")).validate(json.loads(file.read_text("utf-8")))


@pytest.mark.parametrize("updated_at", [None, 1700000000.123])
def test_a_written_record_is_a_record(tmp_path: Path, updated_at: float | None) -> None:
    entry = Entry("1" * 32, "a" * 32, "2", "", updated_at, (("Patient/PatientName", "2"),), "")
    (path,) = put(tmp_path, [entry])
    Draft202012Validator(schemas.load("record")).validate(json.loads(path.read_text("utf-8")))


def test_our_own_settings_and_manifests_name_the_schemas_that_are_there() -> None:
    root = Path(__file__).parents[2]
    for file in (root / "reconciler.yaml", *(root / "manifests").glob("**/*.yaml")):
        for reference in re.findall(r"\$schema=(\S+)", file.read_text("utf-8")):
            assert (file.parent / reference).is_file(), file


@NAMES
def test_what_an_editor_says_of_a_key_without_a_place_is_about_the_key(name: str) -> None:
    """The YAML language server says `errorMessage` of every key that is not known."""
    said = [
        node["errorMessage"]
        for node in nodes(schemas.load(name))
        if node.get("additionalProperties") is False and "errorMessage" in node
    ]
    assert all(message.startswith("is neither a keyword of the ") for message in said)
    assert len(said) == (4 if name == "manifest" else 0)
