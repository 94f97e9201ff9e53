"""Asks of many manifests -> one ask per image set, or every contradiction between them. Pure.

This module reports certain contradictions only: one address covers the other, and the claims
differ. Two patterns that may overlap (`"*"` × UID and UID × `"*"`) need the live document: there,
`diff` blocks the action.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, product

from reconciler.core.dicom.agreement import agree
from reconciler.core.dicom.dictionary import document_key
from reconciler.core.errors import MAX_PROBLEMS, Diagnostic
from reconciler.core.model.address import Address, series_at
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk, in_order
from reconciler.core.model.form import Asks, Filled, made


@dataclass(frozen=True, slots=True)
class Resolved:
    """One ask per image set, sorted; `problems` names both places of each contradiction."""

    asks: Asks
    problems: tuple[Diagnostic, ...]


def resolve(asks: Iterable[ImageSetAsk | Filled]) -> Resolved:
    """Merge the asks of several manifests for the same image set.

    Reports at most one contradiction more than MAX_PROBLEMS: their number grows with the square of
    the number of manifests.
    """
    groups: dict[tuple[str, str], list[ImageSetAsk | Filled]] = defaultdict(list)
    for ask in asks:
        groups[ask.datastore, ask.image_set_id].append(ask)
    merges: list[ImageSetAsk | Filled] = []
    problems: list[Diagnostic] = []
    for _, group in sorted(groups.items()):
        if len(group) == 1 and isinstance(group[0], Filled):
            merges.append(group[0])  # is simple, with its claims in order
            continue
        own = sorted(map(made, group), key=lambda ask: ask.place)
        problems += islice(contradictions(own), MAX_PROBLEMS + 1 - len(problems))
        merges.append(merged(own))
    return Resolved(Asks(merges), tuple(sorted(set(problems))))


def merged(group: Sequence[ImageSetAsk]) -> ImageSetAsk:
    """One ask of asks for the same image set. Contradictions are kept: `diff` finds them, too."""
    if len(group) == 1:
        return _sorted(group[0])
    reverts = [ask.revert for ask in group if ask.revert]
    return _sorted(
        ImageSetAsk(
            datastore=group[0].datastore,
            image_set_id=group[0].image_set_id,
            sources=tuple(source for ask in group for source in ask.sources),
            claims=tuple(claim for ask in group for claim in ask.claims),
            revert=reverts[0] if reverts else None,
            left_out=frozenset().union(*(ask.left_out for ask in group)),
            selected_by=tuple(sorted(pair for ask in group for pair in ask.selected_by)),
            is_recalled=all(ask.is_recalled for ask in group),
        )
    )


def _sorted(ask: ImageSetAsk) -> ImageSetAsk:
    return replace(ask, claims=in_order(ask.claims))


def _where(address: Address) -> tuple[int, str, str]:
    """An address as a tuple, which is compared and hashed in C."""
    return (address.level, address.series, address.instance)


def contradictions(group: list[ImageSetAsk]) -> Iterator[Diagnostic]:
    """Yield the contradictions in asks for one image set."""
    if len(group) == 1 and is_simple(group[0]):
        return
    yield from _shared_reverts(group)
    claims = [claim for ask in group for claim in ask.claims]
    yield from _below_removed(claims)
    by_attribute: dict[tuple[int, int], list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.tag is not None:
            by_attribute[claim.address.level, claim.tag].append(claim)
    for rivals in by_attribute.values():
        yield from _rivals(rivals)


def is_simple(ask: ImageSetAsk) -> bool:
    """Whether one document asks at most once for each attribute, and removes no series or instance.

    Then nothing contradicts: see `_specialises`. Nearly all asks are so.
    """
    claims = ask.claims
    asked = {(one.tag, *_where(one.address)) for one in claims}
    is_distinct = len(asked) == len(claims) and all(one.tag is not None for one in claims)
    return len(ask.sources) == 1 and is_distinct


def _shared_reverts(group: list[ImageSetAsk]) -> Iterator[Diagnostic]:
    """Report other asks of an image set that has a revert: a revert claims the whole image set."""
    for ask in group:
        if ask.revert is None:
            continue
        for other in group:
            if other is not ask:
                yield Diagnostic(
                    other.place,
                    f"image set {ask.image_set_id} has `revertToVersionId` at {ask.revert.place}",
                    "A revert changes the whole image set. Remove one of the two manifests.",
                )


def _below_removed(claims: list[Claim]) -> Iterator[Diagnostic]:
    removed: dict[Address, list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.kind is ClaimKind.REMOVED:
            removed[claim.address].append(claim)
    return (
        Diagnostic(
            claim.place,
            f"this line is below {gone.address.shown()}, which {gone.place} removes",
            "Remove this line, or the line that removes the series or instance.",
        )
        for claim in claims
        if claim.kind is not ClaimKind.REMOVED
        for above in (claim.address, series_at(claim.address.series))
        for gone in removed.get(above, ())
    )


def _rivals(claims: list[Claim]) -> Iterator[Diagnostic]:
    """Report the contradictions about one attribute."""
    return (
        _disagreement(first, second)
        for first, second in _pairs(claims)
        if not _specialises(first, second) and not agree(first, second)
    )


def _pairs(claims: list[Claim]) -> Iterator[tuple[Claim, Claim]]:
    """Yield the pairs of claims with the same address, or where one address covers the other.

    The search is by address: comparing all pairs takes half a minute for 5,000 claims.
    """
    by_address: dict[Address, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_address[claim.address].append(claim)
    for address, own in by_address.items():
        yield from combinations(own, 2)
        for wider in address.wider():
            yield from product(by_address.get(wider, ()), own)


def _specialises(first: Claim, second: Claim) -> bool:
    """Whether one claim refines the other: in one manifest a UID takes precedence over `"*"`."""
    return first.source.place == second.source.place and first.address != second.address


def _disagreement(first: Claim, second: Claim) -> Diagnostic:
    early, late = sorted((first, second), key=lambda claim: claim.place)
    key = document_key(late.tag or 0)
    return Diagnostic(
        late.place,
        f"{late.address.shown()}/{key} contradicts {early.place}",
        "Remove one of the two lines, or make them equal.",
    )
