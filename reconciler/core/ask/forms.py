"""Learns the forms of manifests, and reads manifests of a known form without checking all again.

A form is learned from a manifest that was checked in the usual way: `read` of `document` is the
oracle. Another manifest with the same outline has the same keys in the same places. So it asks the
same, with its own ID, reason, UIDs and values, if these are valid: each value is checked as
`values.parse` does. Every other manifest is left to `document` (tests/laws/test_forms.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from reconciler.core.ask.as_json import to_json
from reconciler.core.ask.attributes import reads_as
from reconciler.core.ask.ids import is_image_set_id
from reconciler.core.ask.resolve import is_simple
from reconciler.core.dicom import values
from reconciler.core.dicom.content import KEY_UIDS
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.errors import Place
from reconciler.core.model.address import WILDCARD, Address
from reconciler.core.model.ask import Claim, ImageSetAsk, in_order
from reconciler.core.model.form import (
    ID,
    LEFT_OUT,
    REASON,
    UID,
    Filled,
    Form,
    Outline,
    Row,
    Where,
)
from reconciler.core.model.memo import Memo
from reconciler.core.model.node import Scalar
from reconciler.core.model.value import Value

# The most forms and values to know. A fleet has some dozens of forms.
_MOST_FORMS = 1_000
_MOST_VALUES = 10_000
_NOWHERE = Place("")
# A tag, the VR to read a text with, the text, and whether it is without quotes.
_Key: TypeAlias = tuple[int, str, str, bool]
_Values: TypeAlias = "Memo[_Key, Value | None]"


class Forms:
    """The forms of the manifests of one check. They depend on its settings."""

    def __init__(self) -> None:
        self._noted: set[tuple[str, ...]] = set()
        self._known: dict[tuple[str, ...], _Reader | None] = {}
        self._values: _Values = Memo(_value, _MOST_VALUES)

    def filled(self, outline: Outline, file: str) -> Filled | None:
        """Return a valid manifest of a known form; None for every other."""
        reader = self._known.get(outline.parts)
        return reader.filled(outline.texts, file) if reader else None

    def learn(self, outline: Outline, ask: ImageSetAsk, file: str) -> None:
        """Learn from the only ask of a manifest, which is valid, if it has a form.

        The first manifest with an outline is only noted: it may be the only one.
        """
        parts = outline.parts
        if len(self._noted) >= _MOST_FORMS:
            self._noted.clear()
            self._known.clear()
        if parts in self._noted and parts not in self._known:
            self._known[parts] = _learned(outline, ask, file, self._values)
        self._noted.add(parts)


def _value(key: _Key) -> Value | None:
    """The value of a text of an attribute; None if it is not valid there."""
    tag, vr, text, plain = key
    parsed = values.parse(by_tag(tag), vr, Scalar(text, _NOWHERE, plain))
    if parsed.value is None or parsed.errors or parsed.violations:
        return None
    return None if tag in KEY_UIDS and not parsed.value.raw else parsed.value


class _Reader:
    """Reads the texts of manifests of one form.

    `uids` are the numbers of the UIDs among the texts, and `values` the attributes of those of
    values, with their VR and whether they are without quotes. `alike` states for each UID which is
    the first that is equal.
    """

    def __init__(
        self, form: Form, outline: Outline, taken: dict[int, tuple[int, str]], known: _Values
    ) -> None:
        self.form = form
        marks = _marks(outline)
        self.uids = [number for number, mark in enumerate(marks) if mark.endswith(UID)]
        self.values = [
            (number, tag, vr, _is_plain(marks[number])) for number, (tag, vr) in taken.items()
        ]
        self.alike = self._alike(outline.texts)
        self.is_plain_reason = form.reason is not None and _is_plain(marks[form.reason])
        self.known = known

    def filled(self, texts: tuple[str, ...], file: str) -> Filled | None:
        form, known = self.form, self.known
        if not is_image_set_id(texts[form.image_set_id]) or self._alike(texts) != self.alike:
            return None
        if form.reason is not None and not self._is_reason(texts[form.reason]):
            return None
        found = [known[tag, vr, texts[number], plain] for number, tag, vr, plain in self.values]
        own = tuple([value for value in found if value is not None])
        return Filled(form, file, texts, own) if len(own) == len(found) else None

    def _alike(self, texts: tuple[str, ...]) -> list[int]:
        first: dict[str, int] = {}
        return [first.setdefault(texts[number], number) for number in self.uids]

    def _is_reason(self, text: str) -> bool:
        return isinstance(to_json(Scalar(text, _NOWHERE, self.is_plain_reason)), str)


def _learned(outline: Outline, ask: ImageSetAsk, file: str, known: _Values) -> _Reader | None:
    """The form of a manifest, if every text that its outline leaves out has a meaning there."""
    if not is_simple(ask) or any(one.image_set_id for one in ask.sources[0].allow):
        return None
    claims = in_order(ask.claims)
    texts = _Texts(outline)
    wheres = dict.fromkeys(claim.address for claim in claims)
    numbers = {address: number for number, address in enumerate(wheres)}
    rows = [texts.row(claim, numbers[claim.address]) for claim in claims]
    named = [texts.where(address) for address in wheres]
    series, instances = ({one[at] for one in named if isinstance(one[at], int)} for at in (1, 2))
    if texts.image_set_id is None or not texts.are_all_used():
        return None
    is_in_order = len(series) <= 1 and len(instances) <= 1
    form = Form(ask, texts.image_set_id, texts.reason, tuple(named), tuple(rows), is_in_order)
    reader = _Reader(form, outline, texts.values, known)
    filled = reader.filled(outline.texts, file)
    is_right = filled is not None and filled.ask() == ImageSetAsk(
        ask.datastore, ask.image_set_id, ask.sources, claims, ask.revert
    )
    return reader if is_right else None


class _Texts:
    """The texts of an outline, while their meaning is found."""

    def __init__(self, outline: Outline) -> None:
        marks = _marks(outline)
        lines = [at for at, part in enumerate(outline.parts, 1) if part.startswith(LEFT_OUT)]
        numbers = range(len(marks))
        self.by_line = {
            line: number
            for line, number, mark in zip(lines, numbers, marks, strict=True)
            if not mark.endswith(UID)
        }
        self.by_uid: dict[str, int] = {}
        for number, mark, text in zip(numbers, marks, outline.texts, strict=True):
            if mark.endswith(UID):
                self.by_uid.setdefault(text, number)
        self.image_set_id = _only(marks, ID)
        self.reason = _only(marks, REASON)
        self.values: dict[int, tuple[int, str]] = {}
        self.uids: set[str] = set()

    def row(self, claim: Claim, where: int) -> Row:
        value: int | Value | None = claim.value
        number = self.by_line.get(claim.place.line)
        if number is not None and claim.tag is not None and claim.value is not None:
            self.values[number] = (claim.tag, reads_as(by_tag(claim.tag), claim.vr))
            value = len(self.values) - 1
        place = claim.place
        return Row(
            claim.kind,
            where,
            claim.tag,
            value,
            claim.vr,
            place.line,
            place.column,
            claim.is_literal,
        )

    def where(self, address: Address) -> Where:
        return Where(address.level, self._uid(address.series), self._uid(address.instance))

    def _uid(self, text: str) -> int | str:
        self.uids.add(text)
        return self.by_uid.get(text, text)

    def are_all_used(self) -> bool:
        """Whether all texts have a meaning, and no UID stands elsewhere, as before a comment."""
        used = {*self.values, self.image_set_id, self.reason}
        uids = self.uids - {"", WILDCARD}
        return used >= set(self.by_line.values()) and uids == set(self.by_uid)


def _marks(outline: Outline) -> list[str]:
    return [part for part in outline.parts if part.startswith(LEFT_OUT)]


def _only(marks: Sequence[str], key: str) -> int | None:
    found = [number for number, mark in enumerate(marks) if mark.startswith(f"{LEFT_OUT}{key}:")]
    return found[0] if found else None


def _is_plain(mark: str) -> bool:
    return mark[-1] not in "\"'"
