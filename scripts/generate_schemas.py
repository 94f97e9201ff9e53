"""Write the DICOM keywords of every level into schemas/manifest.schema.json.

    python scripts/generate_schemas.py            rewrite the generated definitions
    python scripts/generate_schemas.py --check    exit 1 where they are not fresh

An editor completes keywords from these definitions and marks a wrong level as the user types. The
rest of the file is written by hand and stays as it is. Run it after a change of pydicom, of
reconciler/core/dicom/levels.py or of the constraints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from reconciler.core.dicom.constraints import force_reasons, never
from reconciler.core.dicom.dictionary import Attribute, by_tag, format_tag, standard_tags
from reconciler.core.dicom.levels import level_of
from reconciler.core.model.address import Level

SCHEMA = Path(__file__).parents[1] / "schemas" / "manifest.schema.json"

HEX = "^[0-9A-Fa-f]{8}$"
SCALAR = ["string", "number", "boolean"]  # an editor types YAML before a schema sees it
# The attributes of most items: editors complete them inside every sequence.
ITEM_KEYWORDS = (
    "CodeValue",
    "CodingSchemeDesignator",
    "CodingSchemeVersion",
    "CodeMeaning",
    "ReferencedSOPClassUID",
    "ReferencedSOPInstanceUID",
)


def render(schema: dict[str, Any]) -> str:
    """The text of the file: as the hand-written part has it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def with_definitions(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the generated definitions in their places, new ones at the end."""
    return {**schema, "$defs": {**schema.get("$defs", {}), **definitions()}}


def definitions() -> dict[str, Any]:
    """Every generated definition by name."""
    found: dict[str, Any] = {}
    for level in Level:
        found[f"{level.title}Attributes"] = _attributes(level)
        found[f"{level.title}Keywords"] = _keywords(level)
    return {**found, **_values()}


def attributes_at(level: Level) -> list[Attribute]:
    """The attributes of a level by tag, those in use before the retired ones."""
    found = [by_tag(tag) for tag in standard_tags() if level_of(tag) is level]
    found = [one for one in found if not never(one.keyword)]
    return sorted(found, key=lambda one: (one.retired, one.tag))


def _attributes(level: Level) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"Attributes of the {level.title} level by keyword, or by tag as eight hex"
        " digits.",
        "minProperties": 1,
        "x-takes": "keywords with values, such as `Keyword: value`",
        "x-empty": "asks for nothing",
        # Editors show this message for a key that is not allowed here.
        "errorMessage": f"is neither a keyword of the {level.title} level nor eight hex digits",
        "properties": {one.keyword: _property(one) for one in attributes_at(level)},
        "patternProperties": {HEX: {"$ref": "#/$defs/AnyValue"}},
        "additionalProperties": False,
    }


def _property(attribute: Attribute) -> dict[str, Any]:
    found = {"$ref": f"#/$defs/{_shape(attribute)}", "description": _description(attribute)}
    return {**found, "deprecated": True} if attribute.retired else found


def _shape(attribute: Attribute) -> str:
    if attribute.vr == "SQ":
        return "SequenceValue"
    return "TextValues" if attribute.is_multi else "TextValue"


def _description(attribute: Attribute) -> str:
    parts = [attribute.name, attribute.vr, f"VM {attribute.vm}", format_tag(attribute.tag)]
    if attribute.retired:
        parts.append("retired")
    reasons = force_reasons(attribute, attribute.vr, None, removal=False, removals_need_force=False)
    return " · ".join([*parts, "needs force"] if reasons else parts)


def _keywords(level: Level) -> dict[str, Any]:
    return {
        "type": ["string", "number"],
        "description": f"A keyword of the {level.title} level, or a tag as eight hex digits.",
        "anyOf": [
            {"enum": [one.keyword for one in attributes_at(level)]},
            {"pattern": HEX},
        ],
        "errorMessage": f"is neither a keyword of the {level.title} level nor eight hex digits",
        "x-takes": "a keyword alone (write `- Keyword`, without a colon)",
    }


def _values() -> dict[str, Any]:
    return {
        "TextValue": {"type": SCALAR, "description": 'One value; "" means present but empty.'},
        "TextValues": {
            "type": [*SCALAR, "array"],
            "description": 'A list of values, or one; "" means present but empty.',
            "minItems": 1,
            "items": {"$ref": "#/$defs/TextValue"},
        },
        "SequenceValue": {
            "type": ["array", "string"],
            "description": 'The whole list of items; "" means present but empty.',
            "maxLength": 0,
            "minItems": 1,
            "items": {"$ref": "#/$defs/SequenceItem"},
        },
        "SequenceItem": {
            "type": "object",
            "description": "One item: attributes by keyword, or by tag as eight hex digits.",
            "properties": {one.keyword: _property(one) for one in _item_attributes()},
            "propertyNames": {"pattern": "^([A-Za-z][A-Za-z0-9]*|[0-9A-Fa-f]{8})$"},
            "additionalProperties": {"$ref": "#/$defs/AnyValue"},
        },
        "AnyValue": {"type": [*SCALAR, "array"], "minItems": 1},
    }


def _item_attributes() -> list[Attribute]:
    return [by_tag(tag) for tag in standard_tags() if by_tag(tag).keyword in ITEM_KEYWORDS]


def main(arguments: list[str], path: Path = SCHEMA) -> int:
    """Write, or check; the exit code."""
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 1
    before = path.read_text(encoding="utf-8")
    after = render(with_definitions(json.loads(before)))
    if before == after:
        return 0
    if arguments == ["--check"]:
        print(f"{path.name} is stale: run python scripts/generate_schemas.py", file=sys.stderr)
        return 1
    path.write_text(after, encoding="utf-8")
    print(f"{path.name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
