"""Explains JSON Schema errors in plain sentences.

A schema may carry its own sentences: `errorMessage` for a whole subschema, `patternErrorMessage`
for a pattern (editors show both), `x-takes` for a wrong type, `x-empty` for an empty list or block,
`x-hint` for what to do next. No sentence contains a value, only keys and words of the schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from reconciler.core.ask.as_json import Path, node_at, place_of, scalar_at
from reconciler.core.errors import Diagnostic, Place, Replacement
from reconciler.core.model.address import SECTIONS, UIDS_BELOW, shown_uid
from reconciler.core.model.node import MappingNode, Scalar, shown, written
from reconciler.core.model.value import Json

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_EMPTY_HINT = "Fill it, or delete the key too."
_NOTHING_HINT = "Fill it, or delete the key too. An empty key removes nothing."
_FEW = 20
_LONGEST_WORD = 100
_ASKS = frozenset({"present", "absent"})

# YAML 1.1 took these for booleans; so do people.
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "n", "0"), "false"),
}
_KINDS = {
    "object": "keys with values",
    "array": "a list",
    "boolean": "true or false",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "null": "nothing",
}
_TYPE_HINTS = {
    "array": "Write each entry on its own line, beginning with `- `.",
    "boolean": "Write `true` or `false`, without quotes.",
}


def explain(
    error: ValidationError, document: MappingNode, noun: str, reported: Set[Path]
) -> Iterator[tuple[Path, Diagnostic]]:
    """Yield the problems in one error of jsonschema, each with its path.

    `reported` are the paths that already have a more specific problem.
    """
    path = tuple(error.absolute_path)
    match error.validator:
        case "additionalProperties" | "unevaluatedProperties":
            yield from _unknown_keys(error, path, document, reported)
        case "required":
            yield from _missing(error, path, document, noun)
        case _ if "propertyNames" in error.absolute_schema_path:
            if is_reported((*path, str(error.instance)), reported):
                return
            yield from _bad_name(error, path, document)
        case _:
            message, hint = _sentence(error)
            label = label_of(path, noun)
            node = node_at(document, path)
            right = _right(error, node) if isinstance(node, Scalar) else None
            yield path, Diagnostic(node.place, f"{label} {message}", hint, right)


def near_miss(word: str, words: list[str]) -> str | None:
    """Return the word that was probably meant, or None."""
    if len(word) > _LONGEST_WORD:  # a long word takes long to compare, and is none of them
        return None
    folded = {known.casefold(): known for known in words}
    found = get_close_matches(word.casefold(), folded, n=1, cutoff=0.7)
    return folded[found[0]] if found else None


def label_of(path: Path, noun: str) -> str:
    """Return the name of a path in diagnostics: its last key, or the noun of the document."""
    keys = [step for step in path if isinstance(step, str)]
    if not keys:
        return noun
    *above, key = keys
    name = _shown_key(above, key) if _names_uid(above) or not key.isalnum() else key
    number = path[-1]
    return f"entry {number + 1} of {name}" if isinstance(number, int) else name


def _names_uid(above: Sequence[str | int]) -> bool:
    """Whether the keys below this path are UIDs."""
    return len(above) > 2 and above[0] in _ASKS and above[-1] in UIDS_BELOW


def _shown_key(above: Sequence[str | int], key: str) -> str:
    """Return a key for a message. A malformed UID may contain a name."""
    if _names_uid(above) and key not in SECTIONS:
        return f"'{shown_uid(key)}'"
    return shown(key)


def is_reported(path: Path, reported: Set[Path]) -> bool:
    """Whether this path, or a path above it, already has a problem."""
    return any(path[:length] in reported for length in range(len(path) + 1))


def _unknown_keys(
    error: ValidationError, path: Path, document: MappingNode, reported: Set[Path]
) -> Iterator[tuple[Path, Diagnostic]]:
    known = list(_schema(error).get("properties", {}))
    # jsonschema names the keys only in its message; patterns are searched as it does.
    patterns = "|".join(_schema(error).get("patternProperties", {}))
    instance: Any = error.instance
    for key in instance:
        matched = key in known or (patterns and re.search(patterns, key))
        if matched or is_reported((*path, key), reported):
            continue
        meant = near_miss(key, known)
        hint = f"Did you mean {meant}?" if meant else _known(known)
        place = place_of(document, (*path, key), key=True)
        found = scalar_at(document, (*path, key), key=True)
        right = found.replaced_by(meant) if found and meant and meant not in instance else None
        yield (*path, key), Diagnostic(place, f"unknown key {shown(key)}", hint, right)


def _known(keys: list[str]) -> str:
    return f"Allowed here: {', '.join(keys)}." if len(keys) <= _FEW else ""


def _missing(
    error: ValidationError, path: Path, document: MappingNode, noun: str
) -> Iterator[tuple[Path, Diagnostic]]:
    # jsonschema yields one error per missing key, and names it only in the message.
    required: Any = error.validator_value
    keys = [key for key in required if error.message.startswith(repr(key))]
    for key in keys:
        message = f"{label_of(path, noun)} has no {key}"
        example = _example(_schema(error).get("properties", {}).get(key, {}))
        yield (
            (*path, key),
            Diagnostic(place_of(document, path), message, f"Add `{key}: {example}`."),
        )


def _example(schema: Any) -> str:
    examples = schema.get("examples", ()) if isinstance(schema, dict) else ()
    return str(examples[0]) if examples and not isinstance(examples[0], list | dict) else "…"


def _bad_name(
    error: ValidationError, path: Path, document: MappingNode
) -> Iterator[tuple[Path, Diagnostic]]:
    key = str(error.instance)
    message, hint = _sentence(error)
    place: Place = place_of(document, (*path, key), key=True)
    yield (*path, key), Diagnostic(place, f"{_shown_key(path, key)} {message}", hint)


def _schema(error: ValidationError) -> dict[str, Any]:
    return error.schema if isinstance(error.schema, dict) else {}


def _sentence(error: ValidationError) -> tuple[str, str]:
    """Return the predicate of a sentence whose subject is the label, and a hint."""
    schema, limit = _schema(error), error.validator_value
    instance: Any = error.instance
    hint = str(schema.get("x-hint", ""))
    match error.validator:
        case "type":
            return _wrong_type(schema, instance, _empty_hint(error))
        case "pattern" if "patternErrorMessage" in schema:
            return str(schema["patternErrorMessage"]), hint
        case "const" | "enum":
            allowed = schema.get("enum", [schema.get("const")])
            return _not_allowed([str(word) for word in allowed], instance, _empty_hint(error))
        case "maxLength":
            return f"is longer than {limit} characters", hint
        case "minLength":
            return "is empty", hint
        case "minItems" | "minProperties":
            return str(schema.get("x-empty", "is empty")), _empty_hint(error)
        case "exclusiveMinimum" | "minimum" | "maximum":
            return "is out of range", hint
    if "errorMessage" in schema:
        return str(schema["errorMessage"]), hint
    return f"does not match the schema ({error.validator})", hint


def _empty_hint(error: ValidationError) -> str:
    """Return the hint for a key without a value: inside an ask, people expect that it removes."""
    path = error.absolute_path
    return _NOTHING_HINT if path and path[0] in _ASKS else _EMPTY_HINT


def _wrong_type(schema: dict[str, Any], instance: Json, empty_hint: str) -> tuple[str, str]:
    wanted = _wanted(schema)
    if instance is None:
        return f"is empty: it takes {wanted}", empty_hint
    expected: Any = schema["type"]
    return f"takes {wanted}, not {_kind(instance)}", _TYPE_HINTS.get(str(expected), "")


def _wanted(schema: dict[str, Any]) -> str:
    if "x-takes" in schema:
        return str(schema["x-takes"])
    expected: Any = schema["type"]
    kinds = [expected] if isinstance(expected, str) else list(expected)
    if "string" in kinds:  # numbers and booleans are there for editors: we read text
        kinds = [kind for kind in kinds if kind not in ("number", "integer", "boolean")]
    keys = [f"`{key}`" for key in schema.get("properties", {})]
    if kinds == ["object"] and 0 < len(keys) <= _FEW:
        return f"the key{'s' if len(keys) > 1 else ''} {', '.join(keys)}"
    return " or ".join(_KINDS[kind] for kind in kinds)


def _kind(instance: Json) -> str:
    match instance:
        case bool():
            return "true or false"
        case dict():
            return "keys with values"
        case list():
            return "a list"
        case _:
            return "text"


def _right(error: ValidationError, node: Scalar) -> Replacement | None:
    """What a text obviously means, if the schema says what it takes."""
    schema, instance = _schema(error), error.instance
    match error.validator:
        case "const" | "enum" if isinstance(instance, str):
            allowed = schema.get("enum", [schema.get("const")])
            meant = near_miss(instance, [str(word) for word in allowed])
            return node.replaced_by(meant) if meant else None
        case "type" if schema["type"] == "boolean":
            meant = _BOOLEANS.get(node.text.casefold())
            return node.rewritten(meant) if meant else None
        case "type" if schema["type"] == "array" and isinstance(instance, str):
            return node.rewritten(f"[{written(instance)}]", holds_value=True)
        case "pattern" if isinstance(instance, str):
            return _fitting(node, str(error.validator_value))
    return None


def _fitting(node: Scalar, pattern: str) -> Replacement | None:
    """The text without blanks around it, or in lower case, if this fits."""
    bare = node.text.strip()
    for text in (bare, bare.lower()):
        if re.search(pattern, text):
            return node.replaced_by(text, holds_value=True)
    return None


def _not_allowed(allowed: list[str], instance: Json, empty_hint: str) -> tuple[str, str]:
    if instance is None:
        return f"is empty: it takes {' or '.join(allowed)}", empty_hint
    message = f"must be {' or '.join(allowed)}"
    meant = near_miss(instance, allowed) if isinstance(instance, str) else None
    return message, f"Did you mean {meant}?" if meant and len(allowed) > 1 else ""
