"""Reads the value of a claim by its VR, and decides whether two claims on an attribute agree."""

from __future__ import annotations

from reconciler.core.dicom import values
from reconciler.core.dicom.canonical import same
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.model.ask import Claim, ClaimKind
from reconciler.core.model.node import ListNode, Node, Scalar
from reconciler.core.model.value import Json, Value


def agree(first: Claim, second: Claim) -> bool:
    """Whether two claims on the same attribute ask for the same."""
    if first.kind is not second.kind:
        return False
    if first.kind is not ClaimKind.PRESENT:
        return True
    if first.vr and second.vr and first.vr != second.vr:
        return False
    stated = first.vr or second.vr
    left, right = (typed(claim, stated) if stated else claim.value for claim in (first, second))
    if not isinstance(left, Value) or not isinstance(right, Value):
        return False
    return same(stated or by_tag(first.tag or 0).vr, left.raw, right.raw)


def typed(claim: Claim, vr: str) -> Value | str:
    """Read the value of a claim as `vr`; return a message without the value if that fails.

    A private value stays text until its manifest, another manifest or a document states its VR.
    """
    assert claim.value is not None and claim.tag is not None
    attribute = by_tag(claim.tag)
    if not attribute.is_private or claim.vr:
        return claim.value
    parsed = values.parse(attribute, vr, _node(claim, claim.value.raw))
    if parsed.value is None or parsed.errors:
        return parsed.errors[0].message if parsed.errors else "no value"
    return parsed.value


def _node(claim: Claim, text: Json) -> Node:
    if isinstance(text, list):
        items = tuple(_node(claim, item) for item in text)
        return ListNode(items, claim.place)
    return Scalar(str(text) if text is not None else "", claim.place, plain=False)
