"""Manifests of kind ImageSets -> selectors, and their values checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import cast

from reconciler.core.ask.draft import Draft
from reconciler.core.ask.resolve import merged
from reconciler.core.dicom import masks
from reconciler.core.dicom.content import digest
from reconciler.core.errors import Diagnostic, Place, Replacement
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.node import NO_TEXT, MappingNode, Node, Scalar
from reconciler.core.model.selector import Expected, Lines, Selector
from reconciler.core.model.value import Json
from reconciler.core.search.selection import SELECT, WHERE, Unusable, of_select, of_where

KIND = "ImageSets"
_SECTIONS = {"select": (of_select, frozenset(SELECT)), "where": (of_where, frozenset(WHERE))}


def check_sections(draft: Draft) -> None:
    """Report the values of `select` and `where` that cannot be searched for.

    The schema check reports the keys. No message holds a value.
    """
    for section, (criterion, known) in _SECTIONS.items():
        for key, value in _scalars(draft.document.get(section)):
            if key.text not in known or value.is_null:
                continue
            found = _unwritten(value) or criterion(key.text, value.text)
            if isinstance(found, Unusable):
                draft.problem(
                    (section, key.text),
                    value.place,
                    f"{section}: the value of {key.text} {found.message}",
                    found.hint,
                    _corrected(value, found),
                )


def read_selector(draft: Draft, datastore: str) -> Selector:
    """The selector of a document without a problem."""
    document = draft.document
    select, where = (_lines(document.get(section)) for section in _SECTIONS)
    name = document.get("name")
    assert isinstance(name, Scalar)
    ask = ImageSetAsk(datastore, "", (draft.source,), tuple(draft.claims))
    return Selector(
        name=name.text,
        place=name.place,
        ask=merged([ask]),
        select=select,
        where=where,
        expected=_expected(document),
        digest=digest(cast(Json, {"select": dict(select), "where": dict(where)})),
    )


def repeated(selectors: Iterable[Selector]) -> Iterator[Diagnostic]:
    """Report names that stand twice in a data store, each with the first place."""
    seen: dict[tuple[str, str], Place] = {}
    for one in sorted(selectors, key=lambda one: one.place):
        first = seen.setdefault((one.datastore, one.name), one.place)
        if first != one.place:
            yield Diagnostic(
                one.place,
                f"the name {one.name} is a duplicate of {first}",
                "Choose another name: records keep image sets by it.",
            )


def carrying(selector: Selector, files: Iterable[str]) -> Selector:
    """The selector as a run on some files carries it."""
    (source,) = selector.ask.sources
    if source.place.file in files:
        return selector
    return replace(selector, ask=replace(selector.ask, left_out=frozenset({source})))


def _unwritten(value: Scalar) -> Unusable | None:
    """Why a text cannot be a value that a person means; None if it can."""
    if masks.is_mask(value.text):
        return Unusable("stands for a masked value, it is no value itself", masks.HINT)
    if NO_TEXT.search(value.text):
        return Unusable("has characters that no text may have", "Type the value anew.")
    return None


def _corrected(value: Scalar, found: Unusable) -> Replacement | None:
    return value.replaced_by(found.corrected, holds_value=True) if found.corrected else None


def _lines(node: Node | None) -> Lines:
    return tuple(sorted((key.text, value.text) for key, value in _scalars(node)))


def _scalars(node: Node | None) -> Iterator[tuple[Scalar, Scalar]]:
    for key, value in node.entries if isinstance(node, MappingNode) else ():
        if isinstance(value, Scalar):
            yield key, value


def _expected(document: MappingNode) -> Expected:
    stated, empty = document.get("expect"), document.get("allowEmpty")
    allows_empty = isinstance(empty, Scalar) and empty.text.casefold() == "true"
    if isinstance(stated, Scalar):
        return Expected(int(stated.text), int(stated.text), allows_empty)
    most = stated.get("atMost") if isinstance(stated, MappingNode) else None
    return Expected(None, int(most.text) if isinstance(most, Scalar) else None, allows_empty)
