"""Laws of values: canonical form, sameness, and text that is read back."""

from __future__ import annotations

import base64
import json
import math
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.dicom.canonical import canonical, same
from reconciler.core.dicom.constraints import never_sent
from reconciler.core.dicom.dictionary import by_key, by_tag, document_key, standard_tags
from reconciler.core.dicom.values import parse
from reconciler.core.dicom.vr import ALL_VRS, INTEGER_RANGES, problems
from reconciler.core.errors import Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.value import Json

PLACE = Place("manifest.yaml", 1, 1)
VRS = [*sorted(ALL_VRS), "US or SS", "OB or OW", "US or OW", "US or SS or OW", "ZZ"]
ATTRIBUTES = [by_tag(tag) for tag in standard_tags()]

# Text near the edges: padding, delimiters, digits and signs more often than chance has them.
texts = st.text(
    st.one_of(st.sampled_from(" \0^=\\.+-eE0159,A/"), st.characters(codec="utf-8")), max_size=12
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    texts,
    st.from_regex(r"\A ?[+-]?[0-9]{1,4}(\.[0-9]{0,3})?([eE][+-]?[0-9]{1,3})? ?\Z"),
)
keys = st.one_of(
    st.sampled_from(ATTRIBUTES).map(lambda attribute: attribute.keyword),
    st.sampled_from(ATTRIBUTES).map(lambda attribute: f"{attribute.tag:08X}"),
    st.sampled_from(ATTRIBUTES).map(lambda attribute: f"{attribute.tag:08x}"),
    texts,
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
vrs = st.sampled_from(VRS)


@given(vrs, anything)
def test_canonical_is_idempotent(vr: str, raw: Json) -> None:
    once = canonical(vr, raw)
    assert text_of(canonical(vr, once)) == text_of(once)


@given(vrs, anything)
def test_equal_canonical_forms_have_equal_bytes(vr: str, raw: Json) -> None:
    """Digests use the JSON text, equality uses Python: both must agree on 1, 1.0 and True."""
    form = canonical(vr, raw)
    assert "NaN" not in text_of(form).replace('"NaN"', "")
    assert canonical(vr, json.loads(text_of(form))) == form


@given(vrs, anything, anything, anything)
def test_same_is_an_equivalence(vr: str, a: Json, b: Json, c: Json) -> None:
    assert same(vr, a, a)
    assert same(vr, a, b) == same(vr, b, a)
    if same(vr, a, b) and same(vr, b, c):
        assert same(vr, a, c)


@given(vrs, anything, anything)
def test_same_is_what_digests_see(vr: str, a: Json, b: Json) -> None:
    assert same(vr, a, b) == (text_of(canonical(vr, a)) == text_of(canonical(vr, b)))


@given(vrs, anything)
def test_checks_never_raise(vr: str, raw: Json) -> None:
    problems(vr, "1-n", raw)


@given(st.integers(-(10**6), 10**6), st.integers(0, 5))
def test_decimals_compare_by_number(number: int, zeros: int) -> None:
    assert same("DS", str(number), f" {number}.{'0' * zeros} ")
    assert same("DS", str(number), f"{number}{'0' * zeros}E-{zeros}")
    assert same("IS", str(number), f" {'-' if number < 0 else '+'}00{abs(number)} ")
    assert not same("DS", str(number), str(number + 1))
    assert not same("IS", str(number), str(number + 1))


NUMBERS = st.from_regex(r"\A[+-]?[0-9]{0,16}(\.[0-9]{0,15})?([eE][+-]?[0-9]{1,3})?\Z")


@given(st.sampled_from(["DS", "IS"]), NUMBERS, NUMBERS)
def test_a_form_that_the_vr_does_not_allow_equals_no_other_text(vr: str, a: str, b: str) -> None:
    if problems(vr, "1", a) and a != b:
        assert not same(vr, a, b)
        assert not same(vr, a, str(canonical(vr, b)))
    if not problems(vr, "1", a):
        assert problems(vr, "1", canonical(vr, a)) == ()
        assert canonical(vr, canonical(vr, a)) == canonical(vr, a)


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_single_precision_survives_what_a_document_writes(number: float) -> None:
    assert same("FL", number, float(f"{number:.9g}"))


def test_documents_write_no_minus_zero_apart() -> None:
    assert math.copysign(1, canonical("FD", -0.0)) == 1  # type: ignore[arg-type]


def text_of(value: Json) -> str:
    return json.dumps(value, sort_keys=True)


# --- values that fit, printed as a manifest has them, are read back as they were -----------------

words = st.text("ABCXYZ019 _", min_size=1, max_size=16).filter(lambda text: text.strip(" "))
free = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\\"),
    min_size=1,
    max_size=16,
)
FITTING: dict[str, st.SearchStrategy[Json]] = {
    "AE": words,
    "AS": st.from_regex(r"\A[0-9]{3}[DWMY]\Z"),
    "AT": st.integers(0, 2**32 - 1).map(lambda tag: f"{tag:08X}"),
    "CS": words,
    "DA": st.dates(min_value=date(1000, 1, 1)).map(lambda day: day.strftime("%Y%m%d")),
    "DS": st.integers(-(10**14), 10**14).map(str),
    "DT": st.datetimes().map(lambda moment: f"{moment.year:04}{moment:%m%d%H%M%S}"),
    "FD": st.one_of(
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
    ),
    "FL": st.integers(-(2**24), 2**24)
    .map(lambda number: number / 8)
    .map(lambda number: int(number) if number.is_integer() else number),
    "IS": st.integers(-(2**31), 2**31 - 1).map(str),
    "LO": free,
    "LT": free,
    "PN": free.filter(lambda text: text.count("=") < 3 and text.count("^") < 5),
    "SH": free,
    "ST": free,
    "TM": st.times().map(lambda time: time.strftime("%H%M%S")),
    "UC": free,
    "UI": st.from_regex(r"\A[12](\.(0|[1-9][0-9]{0,8})){1,5}\Z"),
    "UR": st.from_regex(r"\Ahttps://[a-z]{1,9}/[a-z0-9]{0,9}\Z"),
    "UT": free,
    **{vr: st.integers(*bounds) for vr, bounds in INTEGER_RANGES.items()},
    **dict.fromkeys(
        ("OB", "OD", "OF", "OL", "OV", "OW", "UN"),
        st.binary(min_size=1, max_size=12).map(lambda data: base64.b64encode(data).decode()),
    ),
}


def printed(value: Json) -> Node:
    """The nodes a loader makes of a value as we print it: quoted text, bare numbers."""
    if isinstance(value, list):
        return ListNode(tuple(printed(inner) for inner in value), PLACE)
    if isinstance(value, dict):
        entries = tuple((Scalar(key, PLACE, False), printed(inner)) for key, inner in value.items())
        return MappingNode(entries, PLACE)
    if value is None:
        return Scalar("", PLACE, plain=False)
    return Scalar(value if isinstance(value, str) else repr(value), PLACE, plain=False)


def fitting(keyword: str) -> st.SearchStrategy[Json]:
    attribute = by_key(keyword)
    if attribute.vr == "SQ":
        return st.lists(items, min_size=1, max_size=2)
    one = FITTING[attribute.vr]
    if not attribute.is_multi:
        return st.one_of(st.none(), one)
    return st.one_of(st.none(), st.lists(one, min_size=1, max_size=3))


# One attribute of every VR, once with VM 1 and once with any number of values.
SINGLE = {by_tag(tag).vr: by_tag(tag).keyword for tag in standard_tags() if by_tag(tag).vm == "1"}
MANY = {by_tag(tag).vr: by_tag(tag).keyword for tag in standard_tags() if by_tag(tag).vm == "1-n"}
KEYWORDS = sorted(
    keyword
    for keyword in {*SINGLE.values(), *MANY.values()}
    if by_key(keyword).vr in FITTING or by_key(keyword).vr == "SQ"
)


# Pixel data is refused in every item.
IN_ITEMS = [keyword for keyword in KEYWORDS if never_sent(by_key(keyword)) is None]


def item_of(keywords: list[str]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {document_key(by_key(keyword).tag): fitting(keyword) for keyword in keywords}
    )


items: st.SearchStrategy[Json] = st.deferred(
    lambda: st.lists(st.sampled_from(IN_ITEMS), unique=True, max_size=3).flatmap(item_of)
)


def test_every_vr_has_an_attribute_in_the_round_trip() -> None:
    assert {by_key(keyword).vr for keyword in KEYWORDS} == ALL_VRS


@pytest.mark.parametrize("keyword", KEYWORDS)
@settings(max_examples=25)
@given(st.data())
def test_a_printed_value_is_read_back(keyword: str, data: st.DataObject) -> None:
    attribute = by_key(keyword)
    value = data.draw(fitting(keyword))
    parsed = parse(attribute, attribute.vr, printed(value))
    assert parsed.errors == parsed.violations == ()
    assert parsed.value is not None
    assert parsed.value.raw == value
    assert problems(attribute.vr, attribute.vm, value) == ()
