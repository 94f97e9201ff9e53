"""What fits a VR: one table of good and bad values per VR (PS3.5 section 6.2)."""

from __future__ import annotations

import re

import pytest

from reconciler.core.dicom.dictionary import by_tag, standard_tags
from reconciler.core.dicom.vr import ALL_VRS, alternatives, multiplicity, problems
from reconciler.core.model.value import Json

GOOD: dict[str, list[Json]] = {
    "AE": ["STORESCP", "A B", "x" * 16, "lower_case-1", " PADDED "],
    "AS": ["018M", "000D", "099Y", "010W"],
    "AT": ["00181065", "7fe00010"],
    "CS": ["ORIGINAL", "M", "A_1 B", "X" * 16, "TRAILING "],
    "DA": ["20240229", "19000228", "00010101", "20240131 "],
    "DS": ["1", "-1.5", "+.5", "5.", "1e-10", "1.234567890123", " 1.0 ", "-0"],
    "DT": [
        "2024",
        "202402",
        "20240229",
        "2024022923",
        "20180803160125.605+0100",
        "20240229235960.999999",
        "20240101-1200",
        "20240101+1400",
        "20240101+0000",
    ],
    "FD": [1, 0.1, -1e308, 0],
    "FL": [1, 0.1, 3.4e38],
    "IS": ["0", "-2147483648", "2147483647", "+1", "1 ", " 7"],
    "LO": ["any text", "ü日本", "x" * 64, ""],
    "LT": ["line\r\nline\ttab\\back", "x" * 10240],
    "OB": ["AAE=", "", "MCA="],
    "OD": ["AAAAAAAAAAA="],
    "OF": ["AAAAAA=="],
    "OL": ["AAAAAA=="],
    "OV": ["AAAAAAAAAAA="],
    "OW": ["AAE="],
    "PN": [
        "Garcia^Gloria",
        "A^B^C^D^E",
        "Yamada^Tarou=山田^太郎=やまだ^たろう",
        "x" * 64,
        "US Echo",
    ],
    "SH": ["x" * 16, "1_000"],
    "SL": [-(2**31), 2**31 - 1],
    "SS": [-(2**15), 2**15 - 1],
    "ST": ["a\\b\nc", "x" * 1024],
    "SV": [-(2**63), 2**63 - 1],
    "TM": ["08", "0830", "083000", "083000.123456", "235960", "215500.000000", "12 "],
    "UC": ["x" * 10000, " leading"],
    "UI": ["1.2.840.10008.1.2", "2.25.0", "1", "1.2\0"],
    "UL": [0, 2**32 - 1],
    "UN": ["AAE=", ""],
    "UR": ["https://example.com/a?b=c%20d#e", "urn:oid:1.2"],
    "US": [0, 2**16 - 1],
    "US or SS": [0, -1, 65535, -32768],
    "UT": ["x" * 20000, "a\\b"],
    "UV": [0, 2**64 - 1],
    "OB or OW": ["AAE="],
    "US or OW": [1, "AAE="],
    "US or SS or OW": [1, -1, "AAE="],
    "SQ": [[], [{}], [{"CodeValue": "1"}], [{"001910F9": "anything"}]],
}

BAD: dict[str, list[Json]] = {
    "AE": ["x" * 17, "ü", "tab\t"],
    "AS": ["18M", "018m", "018", "0018M", "018X"],
    "AT": ["PatientName", "0010,0010", "1048592", 5],
    "CS": ["lower", "A-B", "X" * 17, "É", "A\n"],
    "DA": [
        "20240230",
        "20230229",
        "20241301",
        "2024-01-01",
        "2024.01.01",
        "240101",
        "00000101",
        "٢٠٢٤٠١٠١",
        20240101,
    ],
    "DS": ["1,5", "1.2345678901234567", "abc", "NaN", "1e", "--1", "0x10", "1_000", 1.5],
    "DT": [
        "20240230",
        "202413",
        "2024022924",
        "20240101+2500",
        "20240101+0060",
        "20240101-0000",
        "20240101-1300",
        "2024-01-01",
        "2024010112.5",
        "20240101120000.",
    ],
    "FD": [float("nan"), float("inf"), 10**400, "1", True],
    "FL": [1e39, float("nan"), "1"],
    "IS": ["1.0", "2147483648", "-2147483649", "abc", "99999999999999999999", "1_000", 1],
    "LO": ["x" * 65, "a\nb", "\x00a", "x\x7fy"],
    "LT": ["x" * 10241, "bell\a"],
    "OB": ["AAE", "A A=", "AAF==", "ü", "AA==\n", "AB==", 5],
    "OW": ["*"],
    "PN": ["A^B^C^D^E^F", "A=B=C=D", "x" * 65, "a\nb", 7],
    "SH": ["x" * 17],
    "SL": [2**31, -(2**31) - 1],
    "SS": [2**15, "5"],
    "ST": ["x" * 1025],
    "SV": [2**63],
    "TM": ["8", "083", "2400", "0860", "083061", "08:30", "083000.", "083000.1234567", "0830001"],
    "UC": ["a\tb"],
    "UI": ["1.02", "1..2", ".1", "1.", "1.2.a", "1" * 65, "1.2 .3"],
    "UL": [-1, 2**32, 1.5, True],
    "UN": ["not base64"],
    "UR": ["with space", "back\\slash", "per%zz", "ü"],
    "US": [-1, 65536, "1", 1.5],
    "US or SS": [65536, -32769, "x"],
    "UT": ["nul\0 inside"],
    "UV": [-1, 2**64],
    "OB or OW": ["*"],
    "US or OW": [-1, "*"],
    "US or SS or OW": [65536],
    "SQ": [
        "text",
        [{"CodeValue": "x" * 17}],
        [{"NoSuchKeyword": "1"}],
        [["x"]],
        [{"ConceptNameCodeSequence": [{"CodeMeaning": "x" * 65}]}],
        {"CodeValue": "1"},
    ],
}


@pytest.mark.parametrize(("vr", "value"), [(vr, value) for vr in GOOD for value in GOOD[vr]])
def test_fits(vr: str, value: Json) -> None:
    assert problems(vr, "1", value) == ()


@pytest.mark.parametrize(("vr", "value"), [(vr, value) for vr in BAD for value in BAD[vr]])
def test_does_not_fit(vr: str, value: Json) -> None:
    assert problems(vr, "1", value)


SENTENCE = re.compile(
    "(the (value|name|key|offset from UTC)|an? (component group of the name|item of the sequence)) "
    "(is|has|contains|fits) [^:]+(: [A-Z0-9a-z].+)?|[0-9]+ values? (is|are) given, but the VM is .+"
)


@pytest.mark.parametrize(("vr", "value"), [(vr, value) for vr in BAD for value in BAD[vr]])
@pytest.mark.parametrize("vm", ["1", "3"])
def test_every_problem_is_a_sentence(vr: str, value: Json, vm: str) -> None:
    """Messages print it after the name of the attribute, and add no words."""
    for text in problems(vr, vm, value):
        path = re.compile("([A-Za-z]+: )*") if vr == "SQ" else re.compile("")
        assert SENTENCE.fullmatch(path.sub("", text, count=1)), text


def test_the_tables_and_the_dictionary_know_every_vr() -> None:
    assert set(GOOD) >= ALL_VRS
    assert {vr for tag in standard_tags() for vr in alternatives(by_tag(tag).vr)} <= ALL_VRS


def test_what_the_dictionary_has_no_vr_for_is_said() -> None:
    assert problems("XX", "1", "text") == ("the stated VR does not exist",)


@pytest.mark.parametrize("vr", sorted(ALL_VRS))
def test_an_empty_value_fits_every_vr(vr: str) -> None:
    assert problems(vr, "6", None) == problems(vr, "6", []) == ()


@pytest.mark.parametrize(
    ("vm", "fits", "fails"),
    [
        ("1", [1], [2]),
        ("2", [2], [1, 3, 4]),
        ("1-3", [1, 2, 3], [4]),
        ("1-n", [1, 2, 99], []),
        ("2-n", [2, 3], [1]),
        ("2-2n", [2, 4, 100], [1, 3]),
        ("3-3n", [3, 6], [1, 2, 4]),
        ("1-99", [99], [100]),
        ("16", [16], [15]),
    ],
)
def test_number_of_values(vm: str, fits: list[int], fails: list[int]) -> None:
    assert all(multiplicity(vm, count) is None for count in fits)
    assert all(multiplicity(vm, count) for count in fails)


def test_every_vm_of_the_dictionary_is_understood() -> None:
    for tag in standard_tags():
        vm = by_tag(tag).vm
        low = int(vm.split("-")[0])
        assert multiplicity(vm, low) is None
        assert low == 1 or multiplicity(vm, low - 1)


def test_one_alternative_must_fit_all_values() -> None:
    assert problems("US or SS", "1-n", [-1, 1]) == ()
    assert problems("US or SS", "1-n", [-1, 65535]) == ("the value fits neither VR US nor SS",)


def test_values_joined_by_a_backslash_are_checked_one_by_one() -> None:
    assert problems("DS", "1-n", "1.0\\2.0 \\") == ()
    assert problems("DS", "1-n", "1.0\\x")


def test_no_text_holds_the_value() -> None:
    marker = "ZQJXK"
    for vr in ALL_VRS - {"SQ"}:
        values: list[Json] = [marker, marker * 3000, [marker, "\x01" + marker]]
        for value in values:
            assert marker not in " ".join(problems(vr, "1", value))
