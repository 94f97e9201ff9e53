"""Why a manifest cannot ask for what a live document has, so that `import` prints a comment.

The code that reads manifests decides: what it refuses, or would read as another value, cannot be
asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from reconciler.core.ask.attributes import allowed
from reconciler.core.dicom.canonical import canonical, same
from reconciler.core.dicom.constraints import holds_pixel_data
from reconciler.core.dicom.content import (
    KEY_UIDS,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    Section,
    key_tag,
    key_vr,
    live_keys,
    section_of,
    uid_text,
    uid_value,
)
from reconciler.core.dicom.dictionary import Attribute
from reconciler.core.dicom.masks import is_mask
from reconciler.core.dicom.values import parse
from reconciler.core.dicom.vr import ALL_VRS, is_vr
from reconciler.core.model.address import SECTIONS, WILDCARD, Address, Level
from reconciler.core.model.node import (
    MAX_DEPTH,
    MAX_TEXT,
    NO_TEXT,
    TURNS_TEXT,
    ListNode,
    MappingNode,
    Node,
)
from reconciler.core.model.value import Json
from reconciler.render.nodes import node_of, quoted

# How deep the values of each level are in a manifest: the document, `present`, … and `DICOM`.
_DEPTHS = {Level.PATIENT: 4, Level.STUDY: 4, Level.SERIES: 6, Level.INSTANCE: 8}
# The attribute by which a document names the series or instance that has it.
_NAMED_BY = {Level.SERIES: SERIES_INSTANCE_UID, Level.INSTANCE: SOP_INSTANCE_UID}
# YAML has no longer keys on the line of their value (YAML 1.2, section 7.4.2).
_LONGEST_KEY = 1000


def why_not_attribute(section: Section, key: str, address: Address) -> str:
    """Why a manifest cannot ask for an attribute as it is; "" if it can."""
    attribute = allowed(key, address.level)
    if not isinstance(attribute, Attribute):
        return attribute.message if key_tag(key) is not None else "DICOM does not define this key"
    keys = live_keys(section, attribute.tag)
    if len(keys) > 1:
        return f"the document has the same attribute twice, as {' and '.join(keys)}"
    raw = section_of(section, "DICOM")[key]
    return _why_not_value(section, key, attribute, raw, address)


def _why_not_value(
    section: Section, key: str, attribute: Attribute, raw: Json, address: Address
) -> str:
    if holds_pixel_data(raw):
        return "the sequence holds pixel data, which is never sent"
    node = node_of(raw)
    if _DEPTHS[address.level] + _depth(node) > MAX_DEPTH:
        return f"it is nested too deep: a manifest has at most {MAX_DEPTH} levels"
    if what := next(filter(None, map(_forbidden, _texts(raw))), ""):
        return f"its value holds {what}, which a manifest cannot hold"
    if any(len(text) > MAX_TEXT for text in _texts(raw)):
        return f"its value is longer than {MAX_TEXT:,} characters"
    live_vr = key_vr(section, key)
    if not is_vr(live_vr) or (attribute.is_private and live_vr not in ALL_VRS):
        return "the document states a VR that does not exist"
    vr = live_vr if attribute.is_private else attribute.vr
    parsed = parse(attribute, vr, node)
    if parsed.value is None or not same(live_vr, parsed.value.raw, raw):
        return "a manifest cannot express its value"
    if parsed.violations:
        return f"its value does not fit VR {vr} and VM {attribute.vm}"
    return _why_not_uid(section, attribute, raw, address)


def _why_not_uid(section: Section, attribute: Attribute, raw: Json, address: Address) -> str:
    if attribute.tag not in KEY_UIDS:
        return ""
    if canonical("UI", raw) is None:
        return "it is empty, and a manifest asks for a UID here"
    if attribute.tag != _NAMED_BY.get(address.level):
        return ""
    is_key = uid_text(raw) == (address.instance or address.series)
    return "" if is_key else "it is another UID than the key, so a manifest would change the key"


def other_uids(sections: Mapping[str, Section], level: Level) -> frozenset[str]:
    """The UIDs that series or instances have besides their keys."""
    uids = ((key, uid_value(section, _NAMED_BY[level], key)) for key, section in sections.items())
    return frozenset(uid for key, uid in uids if uid != key)


def why_not_key(key: str, taken: Set[str]) -> str:
    """Why a manifest cannot name a series or an instance by its key; "" if it can.

    `taken` are the `other_uids` beside it: what a manifest names may be found by key or by UID.
    """
    if key in SECTIONS or key in ("", WILDCARD):
        return "in a manifest its key means something else"
    if is_mask(key):
        return "it looks like a mask of `reconcile`"
    if what := _forbidden(key):
        return f"its key holds {what}, which a manifest cannot hold"
    if len(quoted(key)) > _LONGEST_KEY:
        return "its key is too long for a manifest"
    return "another series or instance has this key as its UID" if key in taken else ""


def _forbidden(text: str) -> str:
    """What no text of a manifest may hold and this text holds; "" if there is nothing."""
    if NO_TEXT.search(text):
        return "a NUL or an incomplete character"
    return "a character that turns the direction of text" if TURNS_TEXT.search(text) else ""


def _depth(node: Node) -> int:
    """How many lists and mappings are inside each other."""
    if isinstance(node, ListNode):
        return 1 + max(map(_depth, node.items), default=0)
    if isinstance(node, MappingNode):
        return 1 + max((_depth(inner) for _, inner in node.entries), default=0)
    return 0


def _texts(raw: Json) -> Iterator[str]:
    """Every text inside a value."""
    if isinstance(raw, str):
        yield raw
    elif isinstance(raw, list):
        for inner in raw:
            yield from _texts(inner)
    elif isinstance(raw, dict):
        for key, inner in raw.items():
            yield key
            yield from _texts(inner)
