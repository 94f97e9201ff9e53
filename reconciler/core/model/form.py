"""Manifests that differ in an ID, a reason, values and UIDs alone, and their asks.

A form has all that such manifests have in common. What one of them asks is kept as the form and its
own texts: an ask of some 5 kB takes 0.4 kB so, and is made when it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple, overload

from reconciler.core.errors import Place
from reconciler.core.model.address import Address, Level
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk, Revert, Source, in_order
from reconciler.core.model.value import Json, Value

ID, REASON = "imageSetId", "reason"
UID = '"":'
# No line holds it, so no line is taken for one from which a text is left out.
LEFT_OUT = "\n"


class Asked(NamedTuple):
    """What a claim asks for, without its place. `force` is that of its manifest."""

    kind: ClaimKind
    tag: int | None
    vr: str | None
    raw: Json
    force: bool


class Outline(NamedTuple):
    """The lines of a manifest without the `texts` that are left out, in the order of the file.

    A part that begins with LEFT_OUT is the line up to its text, with a quotation mark if the text
    has some. It ends with UID if the text is a UID that is a key.
    """

    parts: tuple[str, ...]
    texts: tuple[str, ...]


class Where(NamedTuple):
    """The address of a claim: each UID as the number of its text, or as itself."""

    level: Level
    series: int | str
    instance: int | str


class Row(NamedTuple):
    """A claim of a form. `value` is the number of its value, or the value that all have."""

    kind: ClaimKind
    where: int
    tag: int | None
    value: int | Value | None
    vr: str | None
    line: int
    column: int
    is_literal: bool


@dataclass(frozen=True, slots=True)
class Form:
    """What manifests have in common. `first` is the ask of one of them.

    `image_set_id` and `reason` are numbers of texts. Rows are in the order of claims, unless UIDs
    may change it.
    """

    first: ImageSetAsk
    image_set_id: int
    reason: int | None
    wheres: tuple[Where, ...]
    rows: tuple[Row, ...]
    is_in_order: bool


@dataclass(frozen=True, slots=True, repr=False)
class Filled:
    """A manifest of a form: the name of its file, its texts and its values.

    `is_left_out` says that a run on some paths does not carry it.
    """

    form: Form
    file: str
    texts: tuple[str, ...]
    values: tuple[Value, ...]
    is_left_out: bool = False

    @property
    def datastore(self) -> str:
        """The name of the data store in reconciler.yaml."""
        return self.form.first.datastore

    @property
    def image_set_id(self) -> str:
        """The image set."""
        return self.texts[self.form.image_set_id]

    @property
    def place(self) -> Place:
        """The place of the manifest."""
        return self._here(self.form.first.place)

    def asked(self) -> list[Asked]:
        """Return what the claims ask for, without making them."""
        values, force = self.values, self.form.first.sources[0].force
        return [
            _asked(kind, tag, values[value] if isinstance(value, int) else value, vr, force)
            for kind, _, tag, value, vr, _, _, _ in self.form.rows
        ]

    def ask(self) -> ImageSetAsk:
        """Make the ask, with its claims in order."""
        form = self.form
        source = self._source()
        at = [self._address(where) for where in form.wheres]
        claims = tuple([self._claim(row, at[row.where], source) for row in form.rows])
        return ImageSetAsk(
            datastore=form.first.datastore,
            image_set_id=source.own,
            sources=(source,),
            claims=claims if form.is_in_order else in_order(claims),
            revert=self._revert(source),
            left_out=frozenset({source}) if self.is_left_out else frozenset(),
        )

    def _source(self) -> Source:
        (first,), reason = self.form.first.sources, self.form.reason
        own = self.texts[self.form.image_set_id]
        said = first.reason if reason is None else self.texts[reason].strip()
        return Source(self.place, said, first.force, first.allow, own)

    def _address(self, where: Where) -> Address:
        level, series, instance = where
        return Address(
            level,
            series if isinstance(series, str) else self.texts[series],
            instance if isinstance(instance, str) else self.texts[instance],
        )

    def _claim(self, row: Row, address: Address, source: Source) -> Claim:
        kind, _, tag, value, vr, line, column, is_literal = row
        found = self.values[value] if isinstance(value, int) else value
        place = Place(self.file, line, column)
        return Claim(kind, address, tag, found, vr, place, source, is_literal)

    def _revert(self, source: Source) -> Revert | None:
        found = self.form.first.revert
        return Revert(found.version_id, self._here(found.place), source) if found else None

    def _here(self, place: Place) -> Place:
        return Place(self.file, place.line, place.column)


class Asks(Sequence[ImageSetAsk]):
    """Asks of which some are kept as filled forms. Each of these is made anew when it is taken."""

    def __init__(self, found: Sequence[ImageSetAsk | Filled]) -> None:
        self.found = found

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, index: int) -> ImageSetAsk: ...

    @overload
    def __getitem__(self, index: slice) -> Asks: ...

    def __getitem__(self, index: int | slice) -> ImageSetAsk | Asks:
        if isinstance(index, slice):
            return Asks(self.found[index])
        return made(self.found[index])

    def __iter__(self) -> Iterator[ImageSetAsk]:
        return map(made, self.found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def carrying(self, files: Set[str]) -> Asks:
        """The asks, each with the manifests left out that are not of these files."""
        return Asks([_carrying(one, files) for one in self.found])

    def carried(self) -> Asks:
        """The asks of which the run carries something."""
        return Asks([one for one in self.found if _is_carried(one)])

    def of_stores(self, names: Set[str]) -> Asks:
        """The asks of data stores with these names."""
        return Asks([one for one in self.found if one.datastore in names])


def claims_of(asks: Iterable[ImageSetAsk], is_of_note: Callable[[Asked], bool]) -> Iterator[Claim]:
    """Yield the claims of note that the run carries, each once.

    A manifest of a thousand image sets makes the same claims on each of them.
    """
    shared: set[Place] = set()
    for found in asks.found if isinstance(asks, Asks) else asks:
        if isinstance(found, Filled) and not any(map(is_of_note, found.asked())):
            continue
        for claim in made(found).carried.claims:
            if claim.place in shared:
                continue
            if not claim.source.own:
                shared.add(claim.place)
            if is_of_note(asked_by(claim)):
                yield claim


def asked_by(claim: Claim) -> Asked:
    """Return what a claim asks for."""
    return _asked(claim.kind, claim.tag, claim.value, claim.vr, claim.source.force)


def _asked(
    kind: ClaimKind, tag: int | None, value: Value | None, vr: str | None, force: bool
) -> Asked:
    return Asked(kind, tag, vr, value.raw if value is not None else None, force)


def made(found: ImageSetAsk | Filled) -> ImageSetAsk:
    """Return the ask itself."""
    return found.ask() if isinstance(found, Filled) else found


def _carrying(found: ImageSetAsk | Filled, files: Set[str]) -> ImageSetAsk | Filled:
    if isinstance(found, Filled):
        return found if found.file in files else replace(found, is_left_out=True)
    others = frozenset(one for one in found.sources if one.place.file not in files)
    return replace(found, left_out=others)


def _is_carried(found: ImageSetAsk | Filled) -> bool:
    if isinstance(found, Filled):
        return not found.is_left_out
    return bool(found.carried.sources)
