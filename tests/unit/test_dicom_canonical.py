"""Which values mean the same."""

from __future__ import annotations

import pytest

from reconciler.core.dicom.canonical import canonical, same
from reconciler.core.dicom.vr import problems
from reconciler.core.model.value import Json

SAME = [
    ("LO", "CT CHEST ", "CT CHEST"),
    ("LO", "  CT CHEST", "CT CHEST"),
    ("UI", "1.2.3\0", "1.2.3"),
    ("UT", "text  ", "text"),
    ("IS", "1 ", "1"),
    ("IS", "+001", "1"),
    ("IS", "-0", "0"),
    ("IS", 5.0, "5"),
    ("DS", "+1.0000000000000", "1"),
    ("DS", "1.0", "1"),
    ("DS", "1.00E0", "1"),
    ("DS", "-0.0", "0"),
    ("DS", "1e3", "1000"),
    ("DS", "-2.625000 ", "-2.625"),
    ("DS", ["0.50", "1"], ["0.5", "1.0"]),
    ("DS", 0.5, "0.50"),
    ("FL", 0.1, 0.10000000149011612),
    ("FL", 1.0, 1),
    ("FD", 1.0, 1),
    ("FD", -0.0, 0),
    ("FD", 1e300, 10**300),
    ("US", 5.0, 5),
    ("PN", "Doe^John^^^", "Doe^John"),
    ("PN", "Doe^John==", "Doe^John"),
    ("PN", "Doe^John^=Doe^^= ", "Doe^John=Doe"),
    ("AT", ["0018106a"], ["0018106A"]),
    ("CS", ["ORIGINAL"], "ORIGINAL"),
    ("CS", None, ""),
    ("CS", [], None),
    ("CS", ["", ""], None),
    ("CS", "  ", None),
    ("SQ", [], None),
    ("SQ", {"CodeValue": "1"}, [{"CodeValue": "1 "}]),
    ("SQ", [{"CodeValue": "1 ", "CodeMeaning": ""}], [{"00080104": None, "00080100": "1"}]),
    ("SQ", [{"001910f9": "x "}], [{"001910F9": "x"}]),
    (
        "SQ",
        [{"00491007": 27, "00491003": [0.5, 2.0]}],
        [{"00491007": "27", "00491003": ["0.5", "2"]}],
    ),
    ("UN", "", None),
    ("XX", "x ", "x"),
    ("US or SS", 5.0, 5),
]
DIFFERENT = [
    ("LO", "CT CHEST", "CT  CHEST"),
    ("LO", "ct", "CT"),
    ("UT", " text", "text"),
    ("ST", " text", "text"),
    ("LT", " text", "text"),
    ("UC", " text", "text"),
    ("SH", "1.0", "1"),
    ("IS", "1x", "1"),
    # Forms that the VR does not allow: a manifest can replace them by the valid form.
    ("IS", "1.0", "1"),
    ("IS", "1e2", "100"),
    ("IS", "1E0", "1"),
    ("IS", "0000000000001", "1"),
    ("IS", ["1.0", "2"], ["1", "2"]),
    ("DS", "1.0000000000000000000", "1"),
    ("DS", "-1234567890123E-13", "-0.1234567890123"),
    ("SQ", [{"ReferencedFrameNumber": ["1.0"]}], [{"ReferencedFrameNumber": ["1"]}]),
    ("DS", "1" + "0" * 40 + "1", "1" + "0" * 41),
    ("DS", "1e1", "1"),
    ("DS", "-1", "1"),
    ("FD", 0.1, 0.10000000149011612),
    ("FL", 0.1, 0.2),
    ("US", 1, True),
    ("US", 1, "1"),
    ("PN", "Doe^^John", "Doe^John"),
    ("PN", "^John", "John"),
    ("PN", "=Doe", "Doe"),
    ("CS", ["A", ""], ["A"]),
    ("CS", ["A", "B"], ["B", "A"]),
    ("SQ", [{"CodeValue": "1"}, {"CodeValue": "2"}], [{"CodeValue": "2"}, {"CodeValue": "1"}]),
    ("SQ", [{"CodeValue": None}], [{}]),
    ("SQ", [{}], None),
    ("OB", "AAE=", "AAA="),
]


@pytest.mark.parametrize(("vr", "a", "b"), SAME)
def test_same(vr: str, a: Json, b: Json) -> None:
    assert same(vr, a, b)
    assert same(vr, b, a)


@pytest.mark.parametrize(("vr", "a", "b"), DIFFERENT)
def test_different(vr: str, a: Json, b: Json) -> None:
    assert not same(vr, a, b)


def test_an_exponent_beyond_all_measure_stays_text() -> None:
    assert canonical("DS", "1E" + "9" * 30) == "1E" + "9" * 30
    assert canonical("DS", "1E9999999999999") == "1E9999999999999"


@pytest.mark.parametrize(
    "longest",
    [
        "-.12345678901234",
        "-0.1234567890123",
        "1.234567890123E1",
        "12.34567890123E2",
        "1.23456789012E-9",
        ".123456789012E-9",
        "1.2345678901E-99",
        "1234567890123456",
        "1000000000000E99",
    ],
)
def test_the_form_of_a_number_is_a_form_that_ds_allows(longest: str) -> None:
    form = canonical("DS", longest)
    assert problems("DS", "1", form) == ()
    assert canonical("DS", form) == form


def test_one_attribute_under_two_keys_of_an_item_does_not_break_the_comparison() -> None:
    item: dict[str, Json] = {"00080100": [{"x": 1}], "CodeValue": "1"}
    assert same("SQ", [item], [dict(reversed(item.items()))])


def test_not_a_number_equals_itself() -> None:
    assert same("FD", float("nan"), float("nan"))
    assert not same("FL", float("inf"), float("-inf"))
