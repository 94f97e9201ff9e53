"""Values that DICOM allows but that a data steward hardly means."""

from __future__ import annotations

from datetime import date

import pytest

from reconciler.core.ask.warnings import RULES
from reconciler.core.dicom.dictionary import by_key

TODAY = date(2026, 11, 28)

CASES = {
    "undefined-term": ("PatientSex", "FEMALE", "F"),
    "comma-in-name": ("PatientName", "Meier, Anna", "Meier^Anna"),
    "typographic-quotes": ("PatientID", "7\u201d", '7"'),
    "future-date": ("PatientBirthDate", "20261129", "20261128"),
    "unseen-character": ("PatientComments", "left\u00a0hand", "left hand"),
    "mixed-scripts": ("PatientName", "G\u0430rcia^Ana", "Garcia^Ana"),
    "decomposed-letter": ("PatientName", "Garcia^Jose\u0301", "Garcia^Jos\u00e9"),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_a_case(rule: str) -> None:
    keyword, odd, usual = CASES[rule]
    attribute = by_key(keyword)
    found = RULES[rule](attribute, odd, TODAY)
    assert found is not None
    assert odd not in " ".join(found)
    assert RULES[rule](attribute, usual, TODAY) is None


@pytest.mark.parametrize(
    ("keyword", "text", "warned"),
    [
        ("PatientName", "Meier,^Anna", True),
        ("PatientName", "Yamada^Tarou=山田，太郎", True),
        ("PatientName", "Morrison-Jones^Susan^^^Ph.D., Chief Executive Officer", False),
        ("ScanOptions", "HELICAL MODE", False),
        ("PatientOrientation", "LE", False),
        ("Modality", "CTX", True),
    ],
)
def test_what_a_rule_takes_for_odd(keyword: str, text: str, warned: bool) -> None:
    found = [rule(by_key(keyword), text, TODAY) for rule in RULES.values()]
    assert any(found) is warned
