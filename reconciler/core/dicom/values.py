"""Manifest nodes -> values in HealthImaging's JSON form.

A manifest holds text; VR and VM decide what becomes of it: IS and DS stay strings, US and FL
become numbers, VM other than 1 becomes a list, a sequence a list of keyword mappings, an empty
value null (measured on real documents; AWS developer guide, page dicom-metadata-constraints, is
silent). Diagnostics name attribute and place and never hold the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from reconciler.core.dicom.dictionary import (
    Attribute,
    UnknownKeyError,
    by_key,
    by_tag,
    document_key,
)
from reconciler.core.dicom.vr import (
    ALL_VRS,
    BACKSLASH_VRS,
    BINARY_VRS,
    FLOAT_VRS,
    INTEGER_RANGES,
    TEXT_VRS,
    alternatives,
    fits_float,
    is_base64,
    is_decimal,
    is_tag,
    problems,
)
from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.value import Json, Value

__all__ = ["Parsed", "parse", "problems"]

# Whole floats up to here are exact, and documents write them as integers.
EXACT_WHOLE = 2**53

_INTEGER = re.compile("[+-]?[0-9]{1,20}")  # 64 bits need no more
_NULL_HINT = (
    '`""` makes the attribute present but empty, an entry under `absent` removes it, and quotes '
    '("null") make it the text.'
)
_EMPTY_LIST_HINT = 'Write `""` for present but empty; to remove the attribute, list it in `absent`.'
_FORCE_HINT = "Mend the value; only `force: true` sends it as it is (constraint 6)."


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a node.

    `errors` leave no value. `violations` do: the value does not fit its VR or VM, which only
    `force` lets through (constraint 6).
    """

    value: Value | None
    errors: tuple[Diagnostic, ...] = ()
    violations: tuple[Diagnostic, ...] = ()


def parse(attribute: Attribute, vr: str, node: Node) -> Parsed:
    """The value a manifest asks for an attribute that is read as `vr` (which may name several)."""
    reader = _Reader(attribute, vr)
    raw = reader.read(node)
    if reader.errors:
        return Parsed(None, tuple(reader.errors), tuple(reader.violations))
    if vr == "SQ":
        return Parsed(Value(raw), (), tuple(reader.violations))
    misfits = problems(vr, attribute.multiplicity, raw)
    return Parsed(Value(raw), (), _violations(attribute, node.place, misfits) if misfits else ())


def _violations(
    attribute: Attribute, place: Place, misfits: tuple[str, ...]
) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(place, f"{attribute.label}: the value {_clause(text)}", _FORCE_HINT)
        for text in misfits
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """What kind of values an attribute takes that is read as some VRs: a set of them decides."""

    known: bool
    text: bool
    tag: bool
    floating: bool
    integer: bool
    binary: bool
    splits: bool  # a backslash separates its values


@lru_cache(maxsize=16384)
def _kind(tag: int, vr: str) -> _Kind:
    """Worked out once: there are few attributes and very many values."""
    options = set(alternatives(vr))
    return _Kind(
        known=options <= ALL_VRS,
        text=not TEXT_VRS.isdisjoint(options),
        tag="AT" in options,
        floating=not FLOAT_VRS.isdisjoint(options),
        integer=not options.isdisjoint(INTEGER_RANGES),
        binary=not BINARY_VRS.isdisjoint(options),
        # Where the dictionary has no VM, how a document writes several values is not documented.
        splits=by_tag(tag).is_standard and vr in TEXT_VRS - BACKSLASH_VRS,
    )


def _clause(problem: str) -> str:
    """A problem as the rest of "the value …"."""
    return problem if problem.startswith(("has ", "holds ", "fits ")) else f"is {problem}"


class _Reader:
    """One attribute's node, read once; collects every problem instead of stopping at the first."""

    def __init__(self, attribute: Attribute, vr: str) -> None:
        self.attribute = attribute
        self.vr = vr
        self.kind = _kind(attribute.tag, vr)
        self.errors: list[Diagnostic] = []
        self.violations: list[Diagnostic] = []

    def error(self, place: Place, message: str, hint: str = "") -> None:
        self.errors.append(Diagnostic(place, f"{self.attribute.label}: {message}", hint))

    def read(self, node: Node) -> Json:
        """The JSON value; meaningless where an error was noted."""
        if not self.kind.known:
            hint = "PS3.5 table 6.2-1 lists them."
            self.error(node.place, "what stands as its VR is not a VR", hint)
            return None
        if isinstance(node, Scalar):
            return self.scalar(node)
        if self.vr == "SQ":
            return self.items(node)
        if isinstance(node, MappingNode):
            self.error(node.place, f"VR {self.vr} takes a value, not a mapping")
            return None
        return self.components(node)

    def scalar(self, node: Scalar) -> Json:
        if node.is_null:
            self.error(node.place, "null is not a value", _NULL_HINT)
            return None
        if node.text == "":
            return self.empty()
        if self.vr == "SQ":
            self.error(node.place, "a sequence takes a list of items", "Begin each item with `- `.")
            return None
        if self.kind.splits and "\\" in node.text:
            self.error(node.place, "a backslash separates values", self.backslash_hint())
            return None
        value = self.component(node)
        # LUTData and its like are one run of bytes (OW) or a list of numbers (US).
        return [value] if self.attribute.is_multi and not self.is_run(value) else value

    def is_run(self, value: Json) -> bool:
        return isinstance(value, str) and self.kind.binary

    def empty(self) -> Json:
        # Measured: a zero-length private UN is "", everything else that is empty is null.
        return "" if self.vr == "UN" and not self.attribute.is_standard else None

    def backslash_hint(self) -> str:
        if self.attribute.is_multi:
            return "Write a list, one value each: [A, B]."
        return f"{self.attribute.label} has VM 1: write one value without a backslash."

    def components(self, node: ListNode) -> Json:
        if self.attribute.is_standard and not self.attribute.is_multi:
            self.error(node.place, "has VM 1 and takes one value, not a list", "Drop the list.")
            return None
        if not node.items:
            self.error(node.place, "an empty list says nothing", _EMPTY_LIST_HINT)
            return None
        values = [self.listed(item) for item in node.items]
        return None if values == [""] else values

    def listed(self, item: Node) -> Json:
        if not isinstance(item, Scalar):
            self.error(item.place, "a list of values holds values only")
        elif item.is_null:
            self.error(item.place, "null is not a value", _NULL_HINT)
        elif item.text == "":
            return self.empty_component(item)
        elif self.kind.splits and "\\" in item.text:
            self.error(item.place, "a backslash separates values", self.backslash_hint())
        else:
            return self.component(item)
        return None

    def empty_component(self, item: Scalar) -> Json:
        if not self.kind.text:
            self.error(item.place, f"VR {self.vr} has no empty value inside a list")
        return ""

    def component(self, node: Scalar) -> Json:
        """One value by the first kind of the options that takes it."""
        if self.kind.text:
            return node.text
        if self.kind.tag:
            return self.tag(node)
        if self.kind.floating:
            return self.number(node)
        if self.kind.integer and not (self.kind.binary and not _is_integer(node)):
            return self.integer(node)
        return self.base64(node)

    def tag(self, node: Scalar) -> Json:
        text = node.text.strip(" ")
        if is_tag(text):
            return text.upper()
        self.error(node.place, "VR AT takes a tag", "Write it as eight hex digits: 00181065.")
        return None

    def number(self, node: Scalar) -> Json:
        text = node.text.strip(" ")
        value = float(text) if is_decimal(text) else None
        if value is None:
            self.error(node.place, f"VR {self.vr} takes a number")
        elif not fits_float(self.vr, value):
            self.error(node.place, f"the number is beyond what {self.vr} can hold")
        else:
            whole = value.is_integer() and abs(value) < EXACT_WHOLE
            return int(value) if whole else value
        return None

    def integer(self, node: Scalar) -> Json:
        if _is_integer(node):
            return int(node.text.strip(" "))
        self.error(node.place, f"VR {self.vr} takes a whole number")
        return None

    def base64(self, node: Scalar) -> Json:
        # An attribute that the dictionary lacks is not known to be bytes: then it is a violation.
        unknown = not self.attribute.is_standard and not self.attribute.is_private
        if unknown or is_base64(node.text):
            return node.text
        self.error(
            node.place,
            f"VR {self.vr} takes bytes as base64",
            "Padded with =, without line breaks; `base64 -w0 FILE` writes it.",
        )
        return None

    def items(self, node: ListNode | MappingNode) -> Json:
        if isinstance(node, MappingNode):
            self.error(node.place, "a sequence takes a list of items", "Begin each item with `- `.")
            return None
        if not node.items:
            self.error(node.place, "an empty list says nothing", _EMPTY_LIST_HINT)
            return None
        return [self.item(item) for item in node.items]

    def item(self, node: Node) -> Json:
        if not isinstance(node, MappingNode):
            self.error(node.place, "an item is a mapping of attributes")
            return None
        item: dict[str, Json] = {}
        for name, inner in node.entries:
            attribute = self.inner_attribute(name)
            if attribute is None:
                continue
            key = document_key(attribute.tag)
            if key in item:
                self.error(name.place, f"the item holds {attribute.label} twice")
            item[key] = self.inner_value(attribute, inner)
        return item

    def inner_attribute(self, name: Scalar) -> Attribute | None:
        try:
            return by_key(name.text)
        except UnknownKeyError as unknown:
            self.error(name.place, unknown.message, unknown.hint)
            return None

    def inner_value(self, attribute: Attribute, node: Node) -> Json:
        # Nothing states the VR of a private element inside a sequence: its text is taken as it is.
        vr = "UT" if attribute.is_private else attribute.vr
        parsed = parse(attribute, vr, node)
        self.errors += parsed.errors
        self.violations += parsed.violations
        return parsed.value.raw if parsed.value else None


def _is_integer(node: Scalar) -> bool:
    return bool(_INTEGER.fullmatch(node.text.strip(" ")))
