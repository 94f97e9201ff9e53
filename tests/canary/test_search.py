"""A planted leak of each kind is found, and nothing is found where there is none."""

from __future__ import annotations

import base64
import html
import json
import textwrap
import zlib
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from tests.canary.marks import EARLIER, LIVE, NEVER, STATED, Mark
from tests.canary.search import found, zipped

Plant = Callable[[str], bytes]


def _wrapped(value: str, width: int) -> bytes:
    text = textwrap.wrap(f"the value was {value}", width, break_on_hyphens=False)
    return "\n    ".join(text).encode()


PLANTS: dict[str, Plant] = {
    "as it is": lambda value: f"before {value} after".encode(),
    "in upper case": lambda value: value.upper().encode(),
    "base64, first alignment": lambda value: base64.b64encode(value.encode()),
    "base64, second alignment": lambda value: base64.b64encode(b"x" + value.encode()),
    "base64, third alignment": lambda value: base64.b64encode(b"xx" + value.encode()),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(b"\xff\xfe?>" + value.encode()),
    "base64 in a longer word": lambda value: b"key" + base64.b64encode(value.encode()),
    "base64 in lines": lambda value: base64.encodebytes(b"x" * 70 + value.encode()),
    "JSON, all escaped": lambda value: json.dumps({"value": value}).encode(),
    "JSON, every character": lambda value: "".join(f"\\u{ord(one):04x}" for one in value).encode(),
    "JSON in JSON": lambda value: json.dumps(json.dumps({"value": value})).encode(),
    "HTML": lambda value: html.escape(value).encode(),
    "HTML, every character": lambda value: "".join(f"&#x{ord(one):x};" for one in value).encode(),
    "URL": lambda value: quote(value).encode(),
    "URL, every byte": lambda value: "".join(f"%{one:02X}" for one in value.encode()).encode(),
    "form": lambda value: quote_plus(value).encode(),
    "Markdown": lambda value: "".join(f"\\{one}" for one in value).encode(),
    "gzip": lambda value: zipped(value.encode()),
    "gzip after other bytes": lambda value: b"\x00\x01garbage" + zipped(value.encode()),
    "gzip, base64, in a page": lambda value: (
        b"<script>" + base64.b64encode(zipped(json.dumps([value]).encode())) + b"</script>"
    ),
    "zlib, as git has it": lambda value: zlib.compress(b"blob 12\0" + value.encode()),
    "wrapped in a terminal": lambda value: _wrapped(value, 17),
    "wrapped in the word": lambda value: "\n".join(textwrap.wrap(value, 4)).encode(),
    "hexadecimal": lambda value: value.encode().hex().encode(),
    "UTF-16": lambda value: value.encode("utf-16-le"),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
@pytest.mark.parametrize("mark", [LIVE, EARLIER], ids=lambda mark: mark.name)
def test_a_planted_leak_is_found(plant: Plant, mark: Mark) -> None:
    for value in (mark.person, mark.word, mark.ideographic, mark.uid, mark.date, mark.decimal):
        assert found(plant(value), [mark]), value
        assert not found(plant(value), [STATED])


@pytest.mark.parametrize("start", range(3))
def test_a_binary_value_is_found_at_each_place_in_a_blob(start: int) -> None:
    blob = base64.b64encode(b"x" * start + json.dumps({"OB": LIVE.binary}).encode())
    assert found(blob, [LIVE]) == {"live: zylvik"}


def test_a_value_cut_to_its_first_letters_is_found() -> None:
    assert found(LIVE.person[:6], NEVER) == {"live: zylvik"}


def test_a_written_date_is_found() -> None:
    assert found("born 1947-11-13", NEVER) == {"live: 1947-11-13"}


def test_nothing_is_found_where_there_is_none() -> None:
    text = json.dumps({"digest": "hmac-sha256:" + "0123456789abcdef" * 4, "PatientName": "masked"})
    assert found(text + base64.b64encode(bytes(range(256))).decode(), NEVER) == set()


def test_no_needle_is_part_of_another() -> None:
    """Otherwise a value of a manifest would be taken for a live value."""
    marks = (*NEVER, STATED)
    needles = [(mark.name, needle) for mark in marks for needle in mark.needles]
    for name, needle in needles:
        others = [other for owner, other in needles if owner != name and needle in other]
        assert not others
