"""Manifest nodes -> values in HealthImaging's JSON form.

A manifest holds text; VR and VM decide the JSON type. IS and DS stay strings, US and FL become
numbers, a VM other than 1 gives a list, a sequence gives a list of objects, an empty value gives
null. AWS does not document these types; they were measured on real documents. Diagnostics name
attribute and place, never the value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from reconciler.core.dicom import masks
from reconciler.core.dicom.constraints import never_sent
from reconciler.core.dicom.corrections import corrected, tag_of
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
    EXACT_WHOLE,
    FLOAT_VRS,
    INTEGER_RANGES,
    TEXT_VRS,
    alternatives,
    fits_float,
    is_base64,
    is_decimal,
    is_tag,
    multiplicity,
    problems,
)
from reconciler.core.errors import Diagnostic, Place, Replacement
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar, written
from reconciler.core.model.value import Json, Value

__all__ = ["Parsed", "parse", "problems"]

_INTEGER = re.compile("[+-]?[0-9]{1,20}")  # 64 bits need no more
_NULL_HINT = (
    'Write `""` for present but empty, or `"null"` for that text. To remove the attribute, list it '
    "under `absent`."
)
_EMPTY_LIST_HINT = (
    'Write `""` for present but empty. To remove the attribute, list it under `absent`.'
)
_FORCE_HINT = "Fix the value. Only `force: true` sends it unchanged."
_ONE_VALUE_HINT = "Write the value on the same line, after the colon."
_MASK = "the value stands for a masked value, it is no value itself"
_NO_VALUE = "the value is missing"
_BACKSLASH = "a backslash in the value separates several values"


@dataclass(frozen=True, slots=True)
class Parsed:
    """The result of reading a node.

    With `errors` there is no value. With `violations` there is: it does not fit its VR or VM, and
    HealthImaging accepts it only with `force`.
    """

    value: Value | None
    errors: tuple[Diagnostic, ...] = ()
    violations: tuple[Diagnostic, ...] = ()


def parse(attribute: Attribute, vr: str, node: Node) -> Parsed:
    """Read the value of an attribute as `vr`, which may name alternatives (`US or SS`)."""
    reader = _Reader(attribute, vr)
    raw = reader.read(node)
    if reader.errors:
        return Parsed(None, tuple(reader.errors), tuple(reader.violations))
    if vr == "SQ":
        return Parsed(Value(raw), (), tuple(reader.violations))
    misfits = problems(vr, attribute.multiplicity, raw)
    return Parsed(Value(raw), (), _violations(attribute, vr, node, misfits) if misfits else ())


def _violations(
    attribute: Attribute, vr: str, node: Node, misfits: tuple[str, ...]
) -> tuple[Diagnostic, ...]:
    right = _corrected(attribute, vr, node)
    counted = multiplicity(attribute.multiplicity, len(_scalars(node)))
    return tuple(
        Diagnostic(
            node.place,
            f"{attribute.label}: {text}",
            _FORCE_HINT,
            right if text != counted else None,
        )
        for text in misfits
    )


def _scalars(node: Node) -> list[Scalar]:
    """The values of a node that is neither a sequence nor has keys."""
    items = node.items if isinstance(node, ListNode) else [node]
    return [item for item in items if isinstance(item, Scalar)]


def _corrected(attribute: Attribute, vr: str, node: Node) -> Replacement | None:
    """The correction of the only value that does not fit, if it has one."""
    wrong = [one for one in _scalars(node) if problems(vr, "1-n", one.text)]
    text = corrected(attribute, vr, wrong[0].text) if len(wrong) == 1 else None
    return wrong[0].replaced_by(text, holds_value=True) if text is not None else None


@dataclass(frozen=True, slots=True)
class _Kind:
    """Which kinds of values an attribute takes when it is read as some VRs."""

    known: bool
    text: bool
    tag: bool
    floating: bool
    integer: bool
    binary: bool
    splits: bool  # a backslash separates its values


@lru_cache(maxsize=16384)
def _kind(tag: int, vr: str) -> _Kind:
    """Compute the kind, cached: there are few attributes and very many values."""
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


class _Reader:
    """Reads the node of one attribute and collects every problem."""

    def __init__(self, attribute: Attribute, vr: str) -> None:
        self.attribute = attribute
        self.vr = vr
        self.kind = _kind(attribute.tag, vr)
        self.errors: list[Diagnostic] = []
        self.violations: list[Diagnostic] = []

    def error(
        self, place: Place, message: str, hint: str = "", right: Replacement | None = None
    ) -> None:
        self.errors.append(Diagnostic(place, f"{self.attribute.label}: {message}", hint, right))

    def read(self, node: Node) -> Json:
        """Return the JSON value; it must not be used if there are errors."""
        if not self.kind.known:
            hint = "Write a VR of PS3.5 table 6.2-1, such as LO, in DICOMVRs."
            self.error(node.place, "the stated VR does not exist", hint)
            return None
        if isinstance(node, Scalar):
            return self.scalar(node)
        if self.vr == "SQ":
            return self.items(node)
        if isinstance(node, MappingNode):
            self.error(node.place, "takes a value, not keys with values", _ONE_VALUE_HINT)
            return None
        return self.components(node)

    def scalar(self, node: Scalar) -> Json:
        if node.is_null:
            self.error(node.place, _NO_VALUE, _NULL_HINT)
            return None
        if node.text == "":
            return self.empty()
        if self.vr == "SQ":
            self.error(node.place, "a sequence takes a list of items", "Begin each item with `- `.")
            return None
        if self.kind.splits and "\\" in node.text:
            self.error(node.place, _BACKSLASH, self.backslash_hint(), self.split(node))
            return None
        value = self.component(node)
        # LUTData and similar attributes are bytes (OW) or a list of numbers (US).
        return [value] if self.attribute.is_multi and not self.is_run(value) else value

    def is_run(self, value: Json) -> bool:
        return isinstance(value, str) and self.kind.binary

    def empty(self) -> Json:
        # Measured: a zero-length private UN is "", any other empty value is null.
        return "" if self.vr == "UN" and not self.attribute.is_standard else None

    def backslash_hint(self) -> str:
        if self.attribute.is_multi:
            return "Write the values as a list: [A, B]."
        return f"{self.attribute.label} takes one value (VM 1): remove the backslash."

    def split(self, node: Scalar) -> Replacement | None:
        """The values between the backslashes as a list."""
        if not self.attribute.is_multi:
            return None
        parts = ", ".join(written(part.strip(" "), node.plain) for part in node.text.split("\\"))
        return node.rewritten(f"[{parts}]", holds_value=True)

    def components(self, node: ListNode) -> Json:
        if self.attribute.is_standard and not self.attribute.is_multi:
            self.error(node.place, "takes one value (VM 1), not a list", _ONE_VALUE_HINT)
            return None
        if not node.items:
            self.error(node.place, "the list is empty", _EMPTY_LIST_HINT)
            return None
        values = [self.listed(item) for item in node.items]
        return None if values == [""] else values

    def listed(self, item: Node) -> Json:
        if not isinstance(item, Scalar):
            self.error(item.place, "each entry of the list must be a value", "Write `- value`.")
        elif item.is_null:
            self.error(item.place, _NO_VALUE, _NULL_HINT)
        elif item.text == "":
            return self.empty_component(item)
        elif self.kind.splits and "\\" in item.text:
            self.error(item.place, _BACKSLASH, self.backslash_hint())
        else:
            return self.component(item)
        return None

    def empty_component(self, item: Scalar) -> Json:
        if not self.kind.text:
            message = f"an empty entry is not allowed in a list of VR {self.vr}"
            self.error(item.place, message, "Remove the entry, or write its value.")
        return ""

    def component(self, node: Scalar) -> Json:
        """Read one value by the first kind that accepts it."""
        if masks.is_mask(node.text):
            right = node.rewritten('""') if node.text.strip(" ") == masks.EMPTY else None
            self.error(node.place, _MASK, masks.HINT, right)
            return None
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
        hint = "Write it as eight hex digits, such as 00181065."
        meant = tag_of(text)
        right = node.rewritten(f'"{meant}"', holds_value=True) if meant else None
        self.error(node.place, "takes a tag (VR AT)", hint, right)
        return None

    def number(self, node: Scalar) -> Json:
        text = node.text.strip(" ")
        value = float(text) if is_decimal(text) else None
        if value is None:
            self.error(node.place, f"takes a number (VR {self.vr})", "Write it with digits.")
        elif not fits_float(self.vr, value):
            hint = "Write a smaller number."
            self.error(node.place, f"the number is too large for VR {self.vr}", hint)
        else:
            whole = value.is_integer() and abs(value) < EXACT_WHOLE
            return int(value) if whole else value
        return None

    def integer(self, node: Scalar) -> Json:
        if _is_integer(node):
            return int(node.text.strip(" "))
        self.error(node.place, f"takes a whole number (VR {self.vr})", "Write it with digits.")
        return None

    def base64(self, node: Scalar) -> Json:
        # An attribute that the dictionary lacks may hold text: then it is a violation.
        unknown = not self.attribute.is_standard and not self.attribute.is_private
        if unknown or is_base64(node.text):
            return node.text
        self.error(
            node.place,
            f"takes bytes in base64 (VR {self.vr})",
            "Write them padded with = and without line breaks, as `base64 -w0 FILE` prints them.",
        )
        return None

    def items(self, node: ListNode | MappingNode) -> Json:
        if isinstance(node, MappingNode):
            self.error(node.place, "a sequence takes a list of items", "Begin each item with `- `.")
            return None
        if not node.items:
            self.error(node.place, "the list is empty", _EMPTY_LIST_HINT)
            return None
        return [self.item(item) for item in node.items]

    def item(self, node: Node) -> Json:
        if not isinstance(node, MappingNode):
            hint = "Write attributes with values: `- CodeValue: value`."
            self.error(node.place, "each item of a sequence has attributes", hint)
            return None
        item: dict[str, Json] = {}
        for name, inner in node.entries:
            attribute = self.inner_attribute(name, node)
            if attribute is None:
                continue
            key = document_key(attribute.tag)
            if key in item:
                message = f"the item has {attribute.label} twice"
                self.error(name.place, message, "Remove one of the two lines.")
            item[key] = self.inner_value(attribute, inner)
        return item

    def inner_attribute(self, name: Scalar, item: MappingNode) -> Attribute | None:
        try:
            attribute = by_key(name.text)
        except UnknownKeyError as unknown:
            is_new = unknown.meant and item.get(unknown.meant) is None
            right = name.replaced_by(unknown.meant) if is_new else None
            self.error(name.place, unknown.message, unknown.hint, right)
            return None
        if never := never_sent(attribute):
            self.error(name.place, never, "Remove the line.")
            return None
        return attribute

    def inner_value(self, attribute: Attribute, node: Node) -> Json:
        # A manifest cannot state the VR of a private element inside a sequence: a value without
        # items stays text until it is compared with the live value.
        vr = attribute.vr
        if attribute.is_private:
            vr = "SQ" if _has_items(node) else "UT"
        parsed = parse(attribute, vr, node)
        self.errors += parsed.errors
        self.violations += parsed.violations
        return parsed.value.raw if parsed.value else None


def _has_items(node: Node) -> bool:
    """Whether this can only be a sequence: items, or one item without its dash."""
    listed = node.items if isinstance(node, ListNode) else (node,)
    return any(isinstance(item, MappingNode) for item in listed)


def _is_integer(node: Scalar) -> bool:
    return bool(_INTEGER.fullmatch(node.text.strip(" ")))
