"""Values against VRs, the sixth constraint."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.rules.values import compatible

GOOD = [
    ("AE", "STORE1 "), ("AS", "040Y"), ("AT", "00181065"), ("CS", "ORIGINAL_1 2"),
    ("DA", "20240229"), ("DS", "-1.5e-3"), ("DS", ".5"), ("DS", "1 "),
    ("DT", "20180803160125.605+0100"), ("DT", "2018"), ("FD", 1), ("FL", 0.25),
    ("IS", "-2147483648"), ("IS", "+7 "), ("LO", "ä" * 64), ("LT", "a\r\nb\\c"), ("OB", "AAE="),
    ("PN", "Doe^Jane^^^=山田^太郎="), ("SH", "1_000"), ("SL", -(2**31)), ("SQ", []),
    ("SQ", [{"PatientName": "A"}]), ("SS", -1), ("ST", "a\nb"), ("TM", "08"), ("TM", "0830"),
    ("TM", "083000"), ("TM", "235960.123456"), ("UC", "x" * 999), ("UI", "1.2.840.10008.1.2"),
    ("UI", "1.2.3\0"), ("UL", 2**32 - 1), ("UN", "MCA="), ("UR", "http://x/y"), ("US", 0),
    ("US or SS", -1), ("US or SS", 65_535), ("OB or OW", "AAE="), ("US or OW", 5),
    ("US or OW", "AAE="), ("UT", "a\nb"), ("UV", 2**64 - 1), ("DS", ["1", "", None]),
    ("US", [1, 2]),
    *[(vr, empty) for vr in ("DA", "SQ", "US", "OB", "PN") for empty in (None, "")],
]  # fmt: skip
BAD = [
    ("AE", "a" * 17), ("AE", "a\\b"), ("AS", "40Y"), ("AT", "0018106"), ("CS", "lower"),
    ("CS", "A" * 17), ("DA", "20240230"), ("DA", "2024-02-01"), ("DA", "20231301"),
    ("DA", "٢٠٢٤٠١٠١"), ("DS", "1,5"), ("DS", 1.5), ("DS", "1" * 17), ("DS", "NaN"),
    ("DT", "20"), ("FD", "1"), ("FL", True), ("IS", "2147483648"), ("IS", 5), ("IS", "1.0"),
    ("LO", "a" * 65), ("LO", "a\nb"), ("OB", "not base64"), ("OB", 1), ("PN", "a=b=c=d"),
    ("PN", "a" * 65), ("PN", {"Alphabetic": "A"}), ("SH", "a" * 17), ("SQ", {}), ("SQ", ["A"]),
    ("SQ", "A"), ("SS", 2**15), ("ST", "a" * 1025), ("TM", "24"), ("TM", "08:30"),
    ("TM", "0860"), ("UI", "1.02"), ("UI", "1..2"), ("UI", "1" * 65), ("UI", "1.2.a"),
    ("UL", -1), ("US", 65_536), ("US", 1.0), ("US", "1"), ("US or SS", 65_536), ("UV", 2**64),
    ("US", [1, "2"]), ("LO", False),
]  # fmt: skip


@pytest.mark.parametrize(("vr", "value"), GOOD)
def test_compatible(vr: str, value: Any) -> None:
    assert compatible(vr, value)


@pytest.mark.parametrize(("vr", "value"), BAD)
def test_incompatible(vr: str, value: Any) -> None:
    assert not compatible(vr, value)
