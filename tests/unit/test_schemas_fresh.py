"""The keyword lists of the published manifest schema are those of the dictionary."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from reconciler.core.dicom.dictionary import by_key
from reconciler.core.dicom.levels import level_of
from reconciler.core.model.address import Level
from reconciler.core.model.value import Json

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location(
    "generate_schemas", ROOT / "scripts/generate_schemas.py"
)
assert SPEC and SPEC.loader
generator = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generator)

DEFINITIONS = generator.definitions()


def published() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(generator.SCHEMA.read_text(encoding="utf-8"))
    return schema


def test_the_published_schema_is_fresh() -> None:
    assert generator.main(["--check"]) == 0


def test_an_edited_list_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edited = tmp_path / "manifest.schema.json"
    schema = published()
    del schema["$defs"]["PatientAttributes"]["properties"]["PatientName"]
    edited.write_text(json.dumps(schema), encoding="utf-8")
    assert generator.main(["--check"], edited) == 1
    assert "is stale" in capsys.readouterr().err
    assert generator.main([], edited) == 0
    assert generator.main(["--check"], edited) == 0
    assert json.loads(edited.read_text(encoding="utf-8")) == published()


def test_an_unknown_option_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert generator.main(["--chek"]) == 1
    assert "--check" in capsys.readouterr().err


def test_what_is_written_by_hand_stays() -> None:
    schema = {"title": "mine", "$defs": {"UID": {"type": "string"}}}
    written = generator.with_definitions(schema)
    assert written["title"] == "mine"
    assert written["$defs"]["UID"] == {"type": "string"}


@pytest.mark.parametrize("level", Level)
def test_every_keyword_stands_at_its_own_level(level: Level) -> None:
    keywords = DEFINITIONS[f"{level.title}Attributes"]["properties"]
    assert {level_of(by_key(keyword).tag) for keyword in keywords} == {level}
    assert DEFINITIONS[f"{level.title}Keywords"]["anyOf"][0]["enum"] == list(keywords)


def test_no_keyword_is_missing_but_those_no_manifest_may_name() -> None:
    listed = [k for level in Level for k in DEFINITIONS[f"{level.title}Attributes"]["properties"]]
    assert len(listed) == len(set(listed))
    missing = {one.keyword for one in map(generator.by_tag, generator.standard_tags())} - set(
        listed
    )
    pixels = {"PixelData", "FloatPixelData", "DoubleFloatPixelData"}
    assert pixels <= missing
    assert all(by_key(keyword).tag >> 16 == 0 for keyword in missing - pixels)


def test_retired_ones_come_last_and_are_marked() -> None:
    for level in Level:
        keywords = DEFINITIONS[f"{level.title}Attributes"]["properties"]
        retired = [by_key(keyword).retired for keyword in keywords]
        assert retired == sorted(retired)
        assert [entry.get("deprecated", False) for entry in keywords.values()] == retired


def test_a_description_tells_name_vr_vm_tag_and_force() -> None:
    study = DEFINITIONS["StudyAttributes"]["properties"]
    assert study["StudyDate"]["description"] == "Study Date · DA · VM 1 · (0008,0020)"
    assert study["StudyID"]["description"] == "Study ID · SH · VM 1 · (0020,0010) · needs force"


def test_no_pattern_uses_the_shorthands_that_engines_disagree_on() -> None:
    patterns = set(re.findall(r'"pattern": (".*")', json.dumps(published(), indent=0)))
    assert patterns
    assert not [pattern for pattern in patterns if re.search(r"\\\\[dDwWsSbB]", pattern)]


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("PatientAttributes", {"PatientName": "Garcia^Gloria"}, True),
        ("PatientAttributes", {"PatientID": 123, "00100040": "F"}, True),
        ("PatientAttributes", {"PatientName": ""}, True),
        ("PatientAttributes", {"OtherPatientNames": ["A^B"]}, True),
        ("PatientAttributes", {"PatientsName": "Garcia^Gloria"}, False),
        ("PatientAttributes", {"StudyDate": "20240101"}, False),
        ("PatientAttributes", {"PatientName": None}, False),
        ("PatientAttributes", {"PatientName": ["A"]}, False),
        ("PatientAttributes", {"OtherPatientNames": []}, False),
        ("PatientAttributes", {}, False),
        ("StudyAttributes", {"ProcedureCodeSequence": [{"CodeValue": "1", "00080104": "x"}]}, True),
        ("StudyAttributes", {"ProcedureCodeSequence": [{"CodeValue": None}]}, False),
        ("StudyAttributes", {"ProcedureCodeSequence": {"CodeValue": "1"}}, False),
        ("StudyAttributes", {"ProcedureCodeSequence": ""}, True),
        ("StudyAttributes", {"ProcedureCodeSequence": "x"}, False),
        ("InstanceAttributes", {"001910f9": "97"}, True),
        ("InstanceAttributes", {"001910F9": None}, False),
        ("InstanceAttributes", {"PixelData": "AAE="}, False),
        ("PatientKeywords", "PatientName", True),
        ("PatientKeywords", "00100010", True),
        ("PatientKeywords", 100010, True),
        ("PatientKeywords", "StudyDate", False),
        ("PatientKeywords", None, False),
    ],
)
def test_what_the_definitions_accept(name: str, value: Json, accepted: bool) -> None:
    schema = {"$ref": f"#/$defs/{name}", "$defs": DEFINITIONS}
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(value) is accepted
