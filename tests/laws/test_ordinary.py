"""A law: what the quick reader takes for ordinary, the parser reads in the same way.

The parser is the oracle: the same documents with the same places, lengths and styles, and no
problem. Texts with any fault are left to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.model.node import MAX_NODES, ListNode, MappingNode, Node, Scalar
from reconciler.edges.manifests import DEFAULT, PURE
from reconciler.edges.manifests.ordinary import ordinary
from reconciler.edges.manifests.parse import by_events

MANIFEST = """\
# Corrected by the department
apiVersion: reconciler/v1
kind: ImageSet
datastore: research   # the one for studies
imageSetId: 0123456789abcdef0123456789abcdef
reason: "Name misspelt: corrected"

present:
  Patient:
    DICOM:
      PatientName: Müller^Jörg
      "00100020": '00123'
      OtherPatientIDs: ["1", b 2 , '']
  Study:
    Series:
      "1.2.3":
        DICOM:
          SeriesDescription: T1:sag #1
          ImageType:
          - ORIGINAL
          - "PRIMARY"
absent:
  Study:
    DICOM: [ReferringPhysicianName]
    Series:
        - "1.2.4"
allow:
  - CHANGES_PATIENT_IDENTITY
---
kind: ImageSet
"""
WRITTEN = [
    *["", " ", "a", "a: b", "a b", "é#x", "a:b", "null", "~", "<<", "-", "- x", "?", "a #b"],
    *["a  b ", "1.2", '"a"', '"a: #b"', '"\\n"', "'it''s'", "''", '""', "'a' b", "|", "> "],
    *["&a b", "*a", "!t", "[]", "{}", "[a]", "[a, 'b' , \"c\"]", "[a b]", "[a,]", "[[a]]"],
    *["[a: b]", "{a: b}", "@a", "---", "...", "%TAG", "a: 'b", "a : b", "\xa0", "a\xa0"],
    *["a :", ",", "]", "`"],
]
KEYS = ["a", "b", "Study", '"1.2"', '"a"', "'a'", "a b", "<<", '"<<"', "00100010", "é", "?"]
MARKS = ["", ": ", ":", ":  ", " : ", "- ", "-", "#", " # "]


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line whose parts a manifest may have, or not."""
    indent = " " * draw(st.sampled_from([0, 0, 1, 2, 2, 4, 6]))
    dash = draw(st.sampled_from(["", "", "", "- ", "-"]))
    key = draw(st.sampled_from(KEYS))
    mark = draw(st.sampled_from([": ", ": ", ":", *MARKS]))
    value = draw(st.sampled_from(["", "", *WRITTEN]))
    end = draw(st.sampled_from(["", "", " ", " # note", " #note", "# note"]))
    return draw(st.sampled_from([indent + dash + key + mark + value, indent + dash + value])) + end


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A manifest with some edits."""
    text = MANIFEST
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        until = at + draw(st.integers(0, 3))
        instead = draw(st.sampled_from([*MARKS, *WRITTEN, "\n", "  ", "\t"]))
        text = text[:at] + instead + text[until:]
    return text


TEXTS = st.one_of(st.lists(lines(), max_size=8).map("\n".join), edited())


def scalars(node: Node) -> Iterator[Scalar]:
    """Yield all scalars: their lengths are not compared by `==`."""
    match node:
        case Scalar():
            yield node
        case ListNode(items):
            for item in items:
                yield from scalars(item)
        case MappingNode(entries):
            for key, value in entries:
                yield key
                yield from scalars(value)


@pytest.mark.parametrize("character", "\t\r\0\a\v\f\x7f\x85\xa0\u2028\u2029\ufeff\ufffe\ud800")
@pytest.mark.parametrize("text", ["a: b{}c", "a: 'b{}c'", 'a: ["b{}c"]', "a: b #{}\nc: d"])
def test_a_text_with_characters_that_yaml_treats_in_its_own_way_is_not_ordinary(
    text: str, character: str
) -> None:
    assert ordinary(text.format(""), "a.yaml", MAX_NODES)
    assert ordinary(text.format(character), "a.yaml", MAX_NODES) is None


def lengths(documents: tuple[MappingNode, ...]) -> list[int]:
    return [one.length for document in documents for one in scalars(document)]


@pytest.mark.parametrize("parser", [DEFAULT, PURE])
@settings(max_examples=500)
@given(text=TEXTS)
@example(text=MANIFEST)
@example(text="a:\n- b\n-\n- c")
@example(text="a: b\n  c")
@example(text="a:\n  b: c\n d: e")
@example(text="---\n---\na: b\n---\n")
def test_the_parser_reads_an_ordinary_text_in_the_same_way(parser: type, text: str) -> None:
    found = ordinary(text, "a.yaml", MAX_NODES)
    if found is None:
        return
    wanted = by_events(text, "a.yaml", parser, MAX_NODES)
    assert wanted.problems == ()
    assert wanted.documents == found
    assert lengths(wanted.documents) == lengths(found)


def test_an_ordinary_manifest_needs_no_parser() -> None:
    found = ordinary(MANIFEST, "a.yaml", MAX_NODES)
    assert found is not None and len(found) == 2
