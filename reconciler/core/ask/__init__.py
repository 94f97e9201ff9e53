"""Manifest documents -> asks, checked by the schema and the DICOM rules; or every problem. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reconciler.core.ask.document import read
from reconciler.core.ask.resolve import contradictions
from reconciler.core.ask.schema import Checker
from reconciler.core.errors import MAX_PROBLEMS, Diagnostic
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.node import MappingNode
from reconciler.core.model.selector import Selector
from reconciler.core.model.settings import Settings

__all__ = ["Validated", "manifest_checker", "validate"]

NOUN = "this manifest"


@dataclass(frozen=True, slots=True)
class Validated:
    """The asks, one for each document and image set, and a selector for each that selects them.

    A document with a problem has neither.
    """

    asks: tuple[ImageSetAsk, ...]
    problems: tuple[Diagnostic, ...]
    selectors: tuple[Selector, ...] = ()


def manifest_checker(manifest_schema: dict[str, Any]) -> Checker:
    """Compile the published manifest schema. This takes about 50 ms: do it once."""
    return Checker(manifest_schema, NOUN)


def validate(documents: Iterable[MappingNode], settings: Settings, checker: Checker) -> Validated:
    """Check everything about manifests that needs no live document.

    Stops after more than MAX_PROBLEMS.
    """
    asks: list[ImageSetAsk] = []
    selectors: list[Selector] = []
    problems: list[Diagnostic] = []
    for document in documents:
        if len(problems) > MAX_PROBLEMS:
            break
        found, wrong = read(document, settings, checker)
        if isinstance(found, Selector):
            selectors.append(found)
        else:
            asks += found
        problems += wrong
    problems += (problem for one in selectors for problem in contradictions([one.ask]))
    return Validated(tuple(asks), tuple(problems), tuple(selectors))
