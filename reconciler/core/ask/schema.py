"""JSON Schema over a document: jsonschema-rs decides, jsonschema words what is wrong.

The one that decides is some sixty times faster, the one that explains tells more; should the two
ever differ, the decider's own error is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import cached_property
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from reconciler.core.ask.as_json import Path, place_of, to_json
from reconciler.core.ask.explain import explain, is_told, label_of
from reconciler.core.errors import Diagnostic
from reconciler.core.model.node import MappingNode
from reconciler.core.model.value import Json

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError


class Checker:
    """One schema, compiled once. `noun` is what diagnostics call a whole document."""

    def __init__(self, schema: dict[str, Any], noun: str) -> None:
        self._schema = schema
        self._noun = noun
        self._decider = jsonschema_rs.Draft202012Validator(schema)

    @cached_property
    def _explainer(self) -> Draft202012Validator:
        # Imported for the first problem: it takes longer than all else that `validate` imports.
        from jsonschema import Draft202012Validator

        return Draft202012Validator(_pythonic(self._schema))

    def check(self, document: MappingNode, told: Set[Path] = frozenset()) -> list[Diagnostic]:
        """What the schema says against a document.

        `told` are paths about which something better was said already: nothing more is said
        about them and what is below them.
        """
        data = to_json(document)
        if self._decider.is_valid(data):
            return []
        errors = list(self._explainer.iter_errors(data))
        if not errors:
            return self._decided(document, data, told)
        return list(self._explained(errors, document, told))

    def decides(self, data: Json) -> bool:
        """Whether the decider takes it."""
        return self._decider.is_valid(data)

    def explains(self, data: Json) -> bool:
        """Whether the explainer takes it: a law holds the two together."""
        return self._explainer.is_valid(data)

    def _explained(
        self, errors: list[ValidationError], document: MappingNode, told: Set[Path]
    ) -> Iterator[Diagnostic]:
        mistyped = {tuple(error.absolute_path) for error in errors if error.validator == "type"}
        found = [
            (error, path, problem)
            for error in errors
            if error.validator == "type" or tuple(error.absolute_path) not in mistyped
            if not is_told(tuple(error.absolute_path), told)
            for path, problem in explain(error, document, self._noun, told)
        ]
        meant = _meant(problem for _, _, problem in found)
        for error, path, problem in found:
            if not _is_made_good(error, path, meant):
                yield problem

    def _decided(self, document: MappingNode, data: Json, told: Set[Path]) -> list[Diagnostic]:
        return [
            Diagnostic(
                place_of(document, path),
                f"{label_of(path, self._noun)} does not match the schema "
                f"({type(error.kind).__name__})",
            )
            for error in self._decider.iter_errors(data)
            if not is_told(path := tuple(error.instance_path), told)
        ]


def _meant(problems: Iterable[Diagnostic]) -> frozenset[str]:
    """The keys that misspelt keys were meant to be."""
    start, end = "Did you mean ", "?"
    return frozenset(
        problem.hint.removeprefix(start).removesuffix(end)
        for problem in problems
        if problem.message.startswith("unknown key") and problem.hint.startswith(start)
    )


def _is_made_good(error: ValidationError, path: Path, meant: Set[str]) -> bool:
    """Whether the key that is missing is there, only misspelt: one problem, one message."""
    if error.validator == "required":
        return path[-1] in meant
    if error.validator == "anyOf":
        options: Any = error.validator_value
        return any(key in meant for option in options for key in option.get("required", ()))
    return False


def _pythonic(schema: Any) -> Any:
    """The same schema for Python's regular expressions, whose `$` also matches before a newline."""
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
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern
