"""Laws of the schemas: the one that decides and the one that explains agree on every document.

And whatever stands in a document, `validate` answers with asks or with problems, each at a place.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import PurePath
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.ask import document as documents
from reconciler.core.ask.schema import Checker
from reconciler.core.errors import Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.selector import Selector
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import schemas

UID, OTHER = "1.2.840.99.1", "1.2.840.99.1.8"
SETTINGS = Settings(PurePath("/"), "manifests", (Datastore("research", "1" * 32, "us-east-1"),))

MANIFEST: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "ImageSet",
    "datastore": "research",
    "imageSetId": "a" * 32,
    "reason": "RAD-1234",
    "present": {
        "SchemaVersion": "1.1",
        "Patient": {"DICOM": {"PatientName": "A^B", "OtherPatientNames": ["A", "B"]}},
        "Study": {
            "DICOM": {"StudyDate": "20240101", "ProcedureCodeSequence": [{"CodeValue": "1"}]},
            "Series": {
                "*": {
                    "DICOM": {"Modality": "CT"},
                    "Instances": {
                        UID: {"DICOM": {"001910F9": "97"}, "DICOMVRs": {"001910F9": "DS"}}
                    },
                }
            },
        },
    },
    "absent": {
        "Patient": {"DICOM": {"PatientComments": "x"}},
        "Study": {
            "DICOM": ["ReferringPhysicianName"],
            "Series": {UID: {"Instances": [OTHER]}, "1.2.3": {}},
        },
    },
    "force": True,
    "allow": ["REMOVES_INSTANCE", "OVERWRITES_DRIFT@5"],
}
SELECTION: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "ImageSets",
    "name": "wrong-id",
    "datastore": "research",
    "select": {"PatientID": "00123", "createdAt": "2026-01-01..", "isPrimary": True},
    "where": {"Modality": "C?", "StudyDate": "2026-01-01"},
    "expect": {"atMost": "20"},
    "allowEmpty": False,
    "present": {"Patient": {"DICOM": {"PatientID": "00321"}}},
    "allow": ["CHANGES_PATIENT_IDENTITY"],
}
REVERT: dict[str, Any] = {
    "apiVersion": "reconciler/v1",
    "kind": "ImageSet",
    "datastore": "research",
    "imageSetIds": ["a" * 32, "b" * 32],
    "revertToVersionId": "1",
    "allow": ["OVERWRITES_DRIFT@5:" + "b" * 32],
}
MANIFESTS = (MANIFEST, SELECTION, REVERT)
RECONCILER: dict[str, Any] = {
    "manifests": "manifests",
    "datastores": {
        "research": {
            "datastoreId": "1" * 32,
            "region": "us-east-1",
            "accountId": "123456789012",
            "endpoint": "emulator",
        }
    },
    "quotas": {"UpdateImageSetMetadata": "0.25"},
    "accounts": {"123456789012/us-east-1": {"quotas": {"GetImageSet": "5"}}},
    "allow": ["CHANGES_UID"],
    "guardrails": {
        "imageSets": "500",
        "percent": "30",
        "removedInstances": "0",
        "removedSeries": "0",
        "patients": "20",
        "forcedSteps": "1",
    },
    "redact": "all",
    "record": {"mode": "files"},
    "rules": {"seriesOnPrimary": "allow", "removalsNeedForce": False, "payloadBytes": "100"},
    "lockTimeout": "15m",
}

# Words of the format, and what regular expressions and length limits are known to differ on.
WORDS = [
    "", "a", "a" * 32, "a" * 32 + "\n", "1", "1\n", "0", "0.25", "٣", "1.2", "1.2\n", "1.2.x",
    "1.٣", "1" * 64 + ".1", "*", "*\n", "ä" * 32, "𝒂" * 64, "00100010", "00100010\n", "0010001G",
    "PatientName", "PatientName\n", "DICOM", "DICOM\n", "DICOMVRs", "Series", "Instances",
    "Patient", "Study", "present", "absent", "imageSetId", "imageSetIds", "revertToVersionId",
    "OVERWRITES_DRIFT@5", "OVERWRITES_DRIFT@5\n", "OVERWRITES_DRIFT@5:" + "a" * 32,
    "OVERWRITES_DRIFT@5:" + "b" * 32 + "\n",
    "SPLIT_UPDATE", "DS", "ds", "emulator", "emulator\n", "http://a",
    "15m", "15m\n", "100", "101", "us-east-1", "123456789012", "123456789012\n", "ImageSet\n",
]  # fmt: skip
words = st.sampled_from(WORDS) | st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
# What an editor's YAML makes of unquoted numbers.
typed = values | st.integers(-2, 2**70) | st.sampled_from([0.25, 1.0, 1e300, -0.5])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path of a document below its root."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, child in inner:
        found.append((*path, key))
        if isinstance(child, dict | list):
            found += places(child, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn, base: dict[str, Any], new: st.SearchStrategy[Any]) -> dict[str, Any]:
    """The document after a few edits: a value replaced, removed, renamed or added."""
    result = copy.deepcopy(base)
    for _ in range(draw(st.integers(0, 3))):
        paths = places(result)
        if not paths:
            break
        *above, key = draw(st.sampled_from(paths))
        parent: Any = result
        for step in above:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "remove", "rename", "add"])):
            case "replace":
                parent[key] = draw(new)
            case "remove":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                parent[draw(words)] = parent.pop(key)
            case _ if isinstance(parent, dict):
                parent[draw(words)] = draw(new)
            case _:
                parent.append(draw(new))
    return result


@cache
def checker(name: str) -> Checker:
    return Checker(schemas.load(name), "it")


def to_node(value: Any, lines: Iterator[int] | None = None) -> Node:
    """The document as if it was loaded, every node and key on a line of its own."""
    lines = lines or count(1)
    place = Place("m.yaml", next(lines), 1)
    match value:
        case dict():
            return MappingNode(
                tuple(
                    (Scalar(key, Place("m.yaml", next(lines), 1), plain=False), to_node(it, lines))
                    for key, it in value.items()
                ),
                place,
            )
        case list():
            return ListNode(tuple(to_node(inner, lines) for inner in value), place)
        case None:
            return Scalar("null", place, plain=True)
        case bool():
            return Scalar(str(value).lower(), place, plain=True)
        case _:
            return Scalar(value, place, plain=False, length=len(value) + 2)


def test_the_documents_to_mutate_are_valid() -> None:
    for base in MANIFESTS:
        assert checker("manifest").decides(base)
    assert checker("reconciler").decides(RECONCILER)
    for base in MANIFESTS:
        node = to_node(base)
        assert isinstance(node, MappingNode)
        asks, problems = documents.read(node, SETTINGS, checker("manifest"))
        assert asks, problems


def test_the_schema_alone_tells_a_list_whose_consent_lacks_the_image_set() -> None:
    """So an editor shows it while the user types."""
    plain, whose = "OVERWRITES_DRIFT@5", "OVERWRITES_DRIFT@5:" + "a" * 32
    one = {**REVERT, "imageSetIds": ["a" * 32]}
    for base, allow, good in (
        (MANIFEST, plain, True),
        (one, plain, True),
        (one, whose, True),
        (REVERT, plain, False),
        (REVERT, whose, True),
        (REVERT, whose + "a", False),
        (REVERT, "STUDY_WIDE", True),
        (REVERT, "MERGES_PATIENTS@100", True),
        (REVERT, "MERGES_PATIENTS", False),
        (REVERT, "MERGES_PATIENTS@0", False),
    ):
        document = {**base, "allow": ["SPLIT_UPDATE", allow]}
        assert checker("manifest").decides(document) is good
        assert checker("manifest").explains(document) is good


@settings(deadline=None, max_examples=200)
@given(st.one_of(*(mutated(one, typed) for one in MANIFESTS)))
def test_both_agree_on_manifests(document: dict[str, Any]) -> None:
    found = checker("manifest")
    assert found.decides(document) == found.explains(document)


@settings(deadline=None, max_examples=200)
@given(mutated(RECONCILER, typed))
def test_both_agree_on_settings(document: dict[str, Any]) -> None:
    found = checker("reconciler")
    assert found.decides(document) == found.explains(document)


@settings(deadline=None, max_examples=200)
@given(st.one_of(*(mutated(one, values) for one in MANIFESTS)))
def test_a_document_gives_asks_or_problems_with_places(document: dict[str, Any]) -> None:
    node = to_node(document)
    assert isinstance(node, MappingNode)
    asks, problems = documents.read(node, SETTINGS, checker("manifest"))
    assert bool(asks) != bool(problems)
    asked = (asks.ask,) if isinstance(asks, Selector) else asks
    assert all(ask.claims or ask.revert for ask in asked)
    assert all(problem.place.line and problem.message for problem in problems)
    assert problems or checker("manifest").decides(document)
    assert len({(problem.place, problem.message) for problem in problems}) == len(problems)
