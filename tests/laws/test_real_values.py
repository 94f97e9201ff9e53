"""What real DICOM files hold, in document form, is checked, compared and read back as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom.data
import pytest

from reconciler.core.dicom.canonical import canonical, same
from reconciler.core.dicom.dictionary import by_key
from reconciler.core.dicom.live_form import in_live_form
from reconciler.core.dicom.values import parse
from reconciler.core.dicom.vr import problems
from reconciler.core.errors import Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.value import Json
from reconciler.emulator.files.ingest import ingest

PLACE = Place("manifest.yaml", 1, 1)
Real = list[tuple[str, str, Json]]
FILES = Path(pydicom.data.__file__).parent / "test_files"


def attributes(block: Any) -> Iterator[tuple[str, str, Json]]:
    """Key, VR and value of every attribute of a document."""
    if not isinstance(block, dict):
        return
    vrs = block.get("DICOMVRs") or {}
    for key, value in (block.get("DICOM") or {}).items():
        yield key, vrs.get(key, by_key(key).vr), value
    for name, inner in block.items():
        if name != "DICOM":
            yield from attributes(inner)


def printed(value: Json) -> Node:
    """The nodes of a manifest that asks for this value."""
    if isinstance(value, list):
        return ListNode(tuple(map(printed, value)), PLACE)
    if isinstance(value, dict):
        entries = ((Scalar(key, PLACE, False), printed(inner)) for key, inner in value.items())
        return MappingNode(tuple(entries), PLACE)
    text = "" if value is None else value if isinstance(value, str) else repr(value)
    return Scalar(text, PLACE, plain=False)


@pytest.fixture(scope="module")
def real() -> Real:
    found = [one for each in ingest([FILES]).image_sets for one in attributes(each.document)]
    assert len(found) > 4000
    return found


def test_a_manifest_of_the_live_values_asks_for_no_change(real: Real) -> None:
    wrong: list[tuple[str, str]] = []
    for key, vr, value in real:
        parsed = parse(by_key(key), vr, printed(value))
        if parsed.value is None or not same(vr, parsed.value.raw, value):
            wrong.append((key, vr))
    assert wrong == []


def test_a_sequence_that_is_equal_is_sent_as_it_was_read(real: Real) -> None:
    wrong: list[str] = []
    for key, vr, value in real:
        parsed = parse(by_key(key), vr, printed(value))
        assert parsed.value is not None
        sent = in_live_form(vr, parsed.value.raw, value)
        if vr == "SQ" and value and json.dumps(sent) != json.dumps(value):
            wrong.append(key)
    assert wrong == []


def test_canonical_is_idempotent_on_real_values(real: Real) -> None:
    forms = [(vr, canonical(vr, value)) for _, vr, value in real]
    assert [vr for vr, form in forms if canonical(vr, form) != form] == []


def test_nearly_all_real_values_fit_their_vr(real: Real) -> None:
    misfits = [key for key, vr, value in real if problems(vr, by_key(key).multiplicity, value)]
    assert len(misfits) < len(real) / 500
