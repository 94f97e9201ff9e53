"""Live values as manifest nodes, and text as YAML."""

from __future__ import annotations

import json

from reconciler.core.dicom.vr import EXACT_WHOLE
from reconciler.core.errors import Place
from reconciler.core.escape import escape
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.value import Json

_NOWHERE = Place("")


def node_of(raw: Json) -> Node:
    """Convert a value from HealthImaging's JSON form to a manifest node; all text is quoted."""
    if isinstance(raw, dict):
        entries = ((Scalar(key, _NOWHERE, False), node_of(inner)) for key, inner in raw.items())
        return MappingNode(tuple(entries), _NOWHERE)
    if isinstance(raw, list) and raw:
        return ListNode(tuple(node_of(inner) for inner in raw), _NOWHERE)
    return Scalar(_text_of(raw), _NOWHERE, False)


def _text_of(raw: Json) -> str:
    if raw is None or raw == []:
        return ""
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < EXACT_WHOLE:
        return str(int(raw))  # text for a private number inside a sequence is compared as text
    return raw if isinstance(raw, str) else json.dumps(raw)


def quoted(text: str) -> str:
    """A double-quoted YAML scalar (YAML 1.2, section 7.3.1), which JSON strings are."""
    return escape(json.dumps(text, ensure_ascii=False))
