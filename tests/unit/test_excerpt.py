"""The line of a problem, and the cell under which its caret stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from reconciler.core.errors import Diagnostic, InputError, Place
from reconciler.core.escape import FSI, PDI, line
from reconciler.core.source import MAX_KEPT, Sources
from reconciler.render.excerpt import excerpt

GUTTER = "        | "
ISOLATES = str.maketrans("", "", FSI + PDI)


def shown(text: str, column: int, columns: int = 80) -> tuple[str, str]:
    """The line and the caret, as they leave, without the gutter."""
    problem = Diagnostic(Place("m.yaml", 1, column), "is wrong")
    first, second = map(line, excerpt(problem, Sources({"m.yaml": text}), columns))
    assert first.startswith(GUTTER) and second.startswith(GUTTER)
    return first.removeprefix(GUTTER), second.removeprefix(GUTTER)


def under_caret(text: str, column: int, columns: int = 80) -> str:
    """What stands from the cell of the caret on."""
    first, caret = shown(text, column, columns)
    assert caret == " " * (len(caret) - 1) + "^"
    logical, before = first.translate(ISOLATES), ""
    while cell_len(before) < len(caret) - 1:
        before = logical[: len(before) + 1]
    assert cell_len(before) == len(caret) - 1
    return logical[len(before) :]


@pytest.mark.parametrize(
    ("text", "column", "at_caret"),
    [
        ("PatientSex: f", 13, "f"),
        ("      PatientSex: f", 19, "f"),
        ("      PatientSex: f", 3, "    PatientSex: f"),
        ("- [王小明, x]", 9, "x]"),
        ("- [Zoe\u0308, x]", 10, "x]"),
        ("a:\tb", 4, "b"),
        ("\tb: c", 1, "    b: c"),
        ("[e\u0301, \u0301]", 6, "\\u0301]"),
        ("{a: \x1b[2J, b: c}", 11, "b: c}"),
        ("{a: x\u202ey, b: c}", 10, "b: c}"),
        ("::error::x", 1, "::error::x"),
        ("a: x", 9, ""),
        ("[\u05d3\u05d5\u05d3, x]", 7, "x]"),
        ("[\u05d3\u05d5\u05d3, x]", 3, "\u05d5\u05d3, x]"),
    ],
    ids=ascii,
)
def test_the_caret_stands_under_the_column(text: str, column: int, at_caret: str) -> None:
    assert under_caret(text, column) == at_caret


def test_right_to_left_text_moves_nothing_across_the_caret() -> None:
    first, _ = shown("{a: \u05d3\u05d5\u05d3, b: \u05d3: x}", 15)
    assert first == f"{{a: {FSI}\u05d3\u05d5\u05d3{PDI}, b: {FSI}\u05d3{PDI}: x}}"


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("column", [1, 40, 71, 300, 600])
def test_a_long_line_is_cut_around_the_column(column: int, columns: int) -> None:
    text = "".join(f"{number:05}" for number in range(120))
    first, caret = shown(text, column, columns)
    assert cell_len(GUTTER + first) <= columns
    assert under_caret(text, column, columns).startswith(text[column - 1])
    assert first.startswith("…") is (column > 39)
    assert first.endswith("…") is (column < 570)
    assert len(caret) <= columns


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=150),
    st.integers(1, 160),
    st.sampled_from([40, 80, 200]),
)
def test_no_line_is_too_wide_and_no_caret_outside(text: str, column: int, columns: int) -> None:
    problem = Diagnostic(Place("m.yaml", 1, column), "is wrong")
    found = list(excerpt(problem, Sources({"m.yaml": text}), columns))
    for one in found:
        assert cell_len(one.translate(ISOLATES)) <= columns + 1  # the caret may follow the text
        assert one.translate(ISOLATES).isprintable()
    assert len(found) in (0, 2)


def test_lines_are_those_of_yaml() -> None:
    sources = Sources({"m.yaml": "a\rb\r\nc\n"})
    assert [sources.line("m.yaml", number) for number in range(6)] == [
        None,
        "a",
        "b",
        "c",
        "",
        None,
    ]
    assert sources.line("other.yaml", 1) is None


def test_no_repr_shows_a_text() -> None:
    error = InputError((Diagnostic(Place("m.yaml", 1, 1), "is wrong"),), Sources({"m.yaml": "Doe"}))
    assert "Doe" not in f"{error!r} {error} {error.sources!r}"


def test_not_all_texts_are_kept() -> None:
    sources = Sources()
    sources.add(Sources({"a.yaml": "a" * (MAX_KEPT - 1)}))
    sources.add(Sources({"b.yaml": "bb"}))
    sources.add(Sources({"c.yaml": "c"}))
    assert [bool(sources.line(f"{name}.yaml", 1)) for name in "abc"] == [True, False, True]
