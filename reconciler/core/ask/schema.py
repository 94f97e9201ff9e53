"""Checks a document by JSON Schema: jsonschema-rs decides, jsonschema explains.

jsonschema-rs is about sixty times faster; jsonschema gives more details. If the two differ, the
error of jsonschema-rs is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from reconciler.core.ask.as_json import Path, place_of, to_json
from reconciler.core.ask.explain import explain, is_reported, label_of
from reconciler.core.errors import MAX_PROBLEMS, Diagnostic
from reconciler.core.model.node import MappingNode
from reconciler.core.model.value import Json

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

_MOST = MAX_PROBLEMS + 1
_END = re.compile(r"(?<!\\)\$")


class Checker:
    """One schema, compiled once. `noun` is the name of a whole document in diagnostics."""

    def __init__(self, schema: dict[str, Any], noun: str) -> None:
        self._schema = schema
        self._noun = noun
        self._decider = jsonschema_rs.Draft202012Validator(schema)

    @cached_property
    def _explainer(self) -> Draft202012Validator:
        # Imported at the first problem: it takes longer than all other imports of `validate`.
        from jsonschema import Draft202012Validator

        return Draft202012Validator(_pythonic(self._schema))

    def check(self, document: MappingNode, reported: Set[Path] = frozenset()) -> list[Diagnostic]:
        """Report where a document violates the schema.

        `reported` are paths that already have a more specific problem. Nothing more is reported
        about them and the paths below them. Stops after more than MAX_PROBLEMS.
        """
        data = to_json(document)
        if self._decider.is_valid(data):
            return []
        errors = list(islice(self._explainer.iter_errors(data), _MOST))
        if not errors:
            return self._decided(document, data, reported)
        return list(self._explained(errors, document, reported))

    def decides(self, data: Json) -> bool:
        """Whether jsonschema-rs accepts the data."""
        return self._decider.is_valid(data)

    def explains(self, data: Json) -> bool:
        """Whether jsonschema accepts the data (see tests/laws/test_schema_parity.py)."""
        return self._explainer.is_valid(data)

    def _explained(
        self, errors: list[ValidationError], document: MappingNode, reported: Set[Path]
    ) -> Iterator[Diagnostic]:
        mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
        explained = (
            (error, path, problem)
            for error in errors
            if error.validator == "type" or tuple(error.absolute_path) not in mistyped
            if not is_reported(tuple(error.absolute_path), reported)
            for path, problem in explain(error, document, self._noun, reported)
        )
        found = list(islice(explained, _MOST))
        meant = _meant(problem for _, _, problem in found)
        for error, path, problem in found:
            if not _is_made_good(error, path, meant):
                yield problem

    def _decided(self, document: MappingNode, data: Json, reported: Set[Path]) -> list[Diagnostic]:
        return [
            Diagnostic(
                place_of(document, path),
                f"{label_of(path, self._noun)} does not match the schema "
                f"({type(error.kind).__name__})",
            )
            for error in islice(self._decider.iter_errors(data), _MOST)
            if not is_reported(path := tuple(error.instance_path), reported)
        ]


def _meant(problems: Iterable[Diagnostic]) -> frozenset[str]:
    """Return the right spellings of the misspelt keys."""
    start, end = "Did you mean ", "?"
    return frozenset(
        problem.hint.removeprefix(start).removesuffix(end)
        for problem in problems
        if problem.message.startswith("unknown key") and problem.hint.startswith(start)
    )


def _is_made_good(error: ValidationError, path: Path, meant: Set[str]) -> bool:
    """Whether a missing key is there, but misspelt: one problem gets one message."""
    if error.validator == "required":
        return path[-1] in meant
    if error.validator == "anyOf":
        options: Any = error.validator_value
        return any(key in meant for option in options for key in option.get("required", ()))
    return False


def _pythonic(schema: Any) -> Any:
    """Adapt the patterns of a schema to Python, whose `$` also matches before a final newline."""
    if isinstance(schema, list):
        return [_pythonic(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: _pythonic(value) for key, value in schema.items()}
    if isinstance(pattern := schema.get("pattern"), str):
        result["pattern"] = _to_the_end(pattern)
    if isinstance(patterns := result.get("patternProperties"), dict):
        result["patternProperties"] = {_to_the_end(key): patterns[key] for key in patterns}
    return result


def _to_the_end(pattern: str) -> str:
    return _END.sub(r"\\Z", pattern)
