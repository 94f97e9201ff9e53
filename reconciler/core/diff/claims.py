"""Applies the claims of an ask to a document: which attributes differ from the ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from reconciler.core.dicom.agreement import agree
from reconciler.core.dicom.content import instances, series
from reconciler.core.dicom.dictionary import document_key
from reconciler.core.diff.attribute import compare
from reconciler.core.diff.creators import creator_blocks, orphan_blocks, private_notes
from reconciler.core.diff.locate import Locator, Renames, renames
from reconciler.core.diff.media_storage import media_storage_notes
from reconciler.core.diff.paths import claim_path
from reconciler.core.diff.same_instance import same_instance_notes
from reconciler.core.errors import Place
from reconciler.core.model.address import WILDCARD, Address, Level, series_at, shown_uid
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk, Source
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.diff import AskedChanges, SourcedChange
from reconciler.core.model.settings import Rules
from reconciler.core.model.value import Document


def claim_changes(ask: ImageSetAsk, document: Document, rules: Rules) -> AskedChanges:
    """Spread the claims over the document and compare each attribute once.

    Claims that the run leaves out make no change. They still rename, remove and contradict.
    """
    carries = _Carried(ask.left_out)
    alias = renames(ask.claims)
    if tangles := _tangles(ask, alias):
        return AskedChanges((), tuple(tangles))
    found = _Spread(ask, document, Locator(document, alias), carries)
    changes = list(found.removals())
    blocks = [*found.blocks, *creator_blocks(ask, document, found.targets)]
    for (place, _), winners in found.targets.items():
        compared = compare(ask.image_set_id, document, place, winners, rules)
        if isinstance(compared, Block):
            blocks.append(compared)
        elif compared is not None:
            changes.append(SourcedChange(compared, _sources(winners)))
    made = [sourced.change for sourced in changes]
    blocks += orphan_blocks(document, made)
    notes = (
        *private_notes(document, made),
        *media_storage_notes(document, made),
        *same_instance_notes(document, made),
    )
    return AskedChanges(tuple(changes), tuple(blocks), tuple(found.missing), notes)


class _Spread:
    """The claims of an ask on each place of the document.

    `targets` are the claims that win on each attribute, of the manifests that the run carries.
    `missing` are removals of series and instances that the document does not have.
    """

    def __init__(
        self, ask: ImageSetAsk, document: Document, locator: Locator, carries: _Carried
    ) -> None:
        self._ask = ask
        self._carries = carries
        self._series = series(document)
        self._removed: dict[Address, list[Claim]] = defaultdict(list)
        self.blocks: list[Block] = []
        self.missing: list[Claim] = []
        self.targets: dict[tuple[Address, int], list[Claim]] = {}
        for (place, tag), claims in sorted(self._places(locator).items()):
            self._settle(place, tag, claims)

    def _places(self, locator: Locator) -> dict[tuple[Address, int], list[Claim]]:
        found: dict[tuple[Address, int], list[Claim]] = defaultdict(list)
        for claim in self._ask.claims:
            places = locator.locate(claim.address)
            if unplaced := _unplaced(self._ask, claim, places):
                self.blocks += [unplaced] if self._carries.any([claim]) else []
                continue
            if not places and self._carries.any([claim]):
                self.missing.append(claim)
            for place in places:
                if claim.tag is None:
                    self._removed[place].append(claim)
                else:
                    found[place, claim.tag].append(claim)
        return found

    def _settle(self, place: Address, tag: int, claims: list[Claim]) -> None:
        ask, carries = self._ask, self._carries
        if gone := self._removed.get(place) or self._removed.get(series_at(place.series)):
            self.blocks += _below(ask, gone[0], claims) if carries.any([*gone, *claims]) else []
            return
        winners = _most_specific(claims)
        if carries.any(winners):
            self.blocks += _quarrels(ask, place, tag, winners)
            self.targets[place, tag] = carries.of(winners)

    def removals(self) -> Iterator[SourcedChange]:
        """Yield the removals of series and instances; a series takes its instances with it."""
        for place, claims in sorted(self._removed.items()):
            is_whole = place.level is Level.SERIES or series_at(place.series) not in self._removed
            if is_whole and self._carries.any(claims):
                yield self._removal(place, self._carries.of(claims))

    def _removal(self, place: Address, claims: list[Claim]) -> SourcedChange:
        """The removal of a whole series or instance; of a series with the number it has."""
        is_series = place.level is Level.SERIES
        change = Change(
            self._ask.image_set_id,
            Op.REMOVE_SERIES if is_series else Op.REMOVE_INSTANCE,
            place,
            "",
            None,
            "",
            None,
            None,
            place=claims[0].place,
            instances=len(instances(self._series[place.series])) if is_series else 0,
        )
        return SourcedChange(change, _sources(claims))


class _Carried:
    """Which claims a run carries."""

    def __init__(self, left_out: frozenset[Source]) -> None:
        self._left_out = left_out

    def of(self, claims: list[Claim]) -> list[Claim]:
        """The claims of the manifests that were selected."""
        return [claim for claim in claims if claim.source not in self._left_out]

    def any(self, claims: list[Claim]) -> bool:
        """Whether one of them is carried."""
        return bool(self.of(claims))


def _sources(claims: Iterable[Claim]) -> tuple[Source, ...]:
    return tuple(dict.fromkeys(claim.source for claim in claims))


def _tangles(ask: ImageSetAsk, alias: Renames) -> list[Block]:
    """Report a chain, a swap or a merge of UIDs: AWS does not document what a call would do."""
    return [
        Block(
            ask.image_set_id,
            f"UID {shown_uid(uid)} is part of several UID changes",
            "Change one UID at a time, each to a UID that is not in use. After each apply, remove "
            "that change from the manifests.",
            ask.place,
        )
        for aliases in (alias.series, alias.instances)
        for uid in aliases.tangled()
    ]


def _unplaced(ask: ImageSetAsk, claim: Claim, places: tuple[Address, ...]) -> Block | None:
    """Report a claim without a place: nothing matches, or the old and the new UID both exist."""
    if not places and claim.kind is not ClaimKind.REMOVED:
        message = f"the image set has no {claim.address.shown()}"
        hint = "Correct the UID. An update cannot create a series or an instance."
        return Block(ask.image_set_id, message, hint, claim.place, claim_path(claim))
    if len(places) > 1 and not claim.address.is_pattern:
        message = f"{claim.address.shown()} exists under its old UID and under its new UID"
        hint = "Choose a new UID that is not in use."
        return Block(ask.image_set_id, message, hint, claim.place, claim_path(claim))
    return None


def _most_specific(claims: list[Claim]) -> list[Claim]:
    """Keep the most specific claims of each manifest: a UID takes precedence over `"*"`."""
    best: dict[Place, list[Claim]] = {}
    for claim in claims:
        rivals = best.setdefault(claim.source.place, [])
        if rivals and rivals[0].address.rank != claim.address.rank:
            best[claim.source.place] = min(rivals, [claim], key=lambda some: some[0].address.rank)
        else:
            rivals.append(claim)
    return sorted((claim for some in best.values() for claim in some), key=lambda c: c.place)


def _quarrels(ask: ImageSetAsk, place: Address, tag: int, claims: list[Claim]) -> list[Block]:
    first, *others = claims
    return [
        Block(
            ask.image_set_id,
            f"{place.shown()}/{document_key(tag)} contradicts {first.place}",
            "Remove one of the two lines, or make them equal.",
            other.place,
            claim_path(other),
        )
        for other in others
        if not agree(first, other)
    ]


def _below(ask: ImageSetAsk, gone: Claim, claims: list[Claim]) -> list[Block]:
    """Report a named series or instance below a removal. `"*"` means all that remain."""
    removes_series = gone.address.level is Level.SERIES
    return [
        Block(
            ask.image_set_id,
            f"{gone.place} removes the series or instance that this line changes",
            "Remove this line, or the line that removes the series or instance.",
            claim.place,
            claim_path(claim),
        )
        for claim in claims
        if claim.address.instance not in ("", WILDCARD)
        or (removes_series and claim.address.series != WILDCARD)
    ]
