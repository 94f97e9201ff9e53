"""The paths of asks, as plans and records name them, and the digest over an ask."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby, product
from operator import attrgetter
from typing import cast

from reconciler.core.dicom.canonical import canonical
from reconciler.core.dicom.content import digest
from reconciler.core.dicom.dictionary import attribute_path, by_tag
from reconciler.core.diff.locate import Aliases, Renames, renames
from reconciler.core.model import selected
from reconciler.core.model.address import WILDCARD, Address, path_part, uid_of_part
from reconciler.core.model.ask import Claim, ImageSetAsk, Source
from reconciler.core.model.change import Change
from reconciler.core.model.key import Key, Use
from reconciler.core.model.record import Entry, Evidence, Unverified
from reconciler.core.model.value import Json

REVERT_PATH = "revertToVersionId"
_SERIES, _INSTANCES = "Series", "Instances"


def claim_path(claim: Claim) -> str:
    """`Patient/PatientName`; the series or instance itself where a claim removes it."""
    return attribute_path(claim.address, claim.tag)


def asked_paths(ask: ImageSetAsk, alias: Renames | None = None) -> tuple[str, ...]:
    """Every path that an ask names, sorted, without a value.

    Series and instances have the UID that they have once the ask is fulfilled. `alias` are the
    renames that all manifests of the image set ask for, also those that the ask does not carry.
    """
    known = alias or renames(ask.claims)
    paths = {attribute_path(_after(claim.address, known), claim.tag) for claim in ask.claims}
    if ask.revert:
        paths.add(REVERT_PATH)
    return tuple(sorted(paths))


def asking(ask: ImageSetAsk, alias: Renames) -> dict[str, tuple[Source, ...]]:
    """The manifests that ask for each path, also those that the run leaves out."""
    found: dict[str, dict[Source, None]] = defaultdict(dict)
    for claim in ask.claims:
        path = attribute_path(_after(claim.address, alias), claim.tag)
        found[path][claim.source] = None
    if ask.revert:
        found[REVERT_PATH][ask.revert.source] = None
    return {path: tuple(sources) for path, sources in found.items()}


def governing_paths(change: Change, alias: Renames) -> Iterator[tuple[str, ...]]:
    """The recorded paths that may govern a change; those that decide first come first.

    A named UID wins over `"*"`. Paths that come together differ in the names of a UID alone: the
    names before and after a rename.
    """
    where = change.address
    series = _names(where.series, alias.series)
    inner = _names(where.instance, alias.instances)
    found = [replace(where, series=one, instance=other) for one, other in product(series, inner)]
    rank = attrgetter("rank")
    for _, some in groupby(sorted(found, key=rank), key=rank):
        yield tuple(attribute_path(address, change.tag, change.key) for address in some)


def renamed_paths(paths: Iterable[str], alias: Renames) -> tuple[tuple[str, str], ...]:
    """Recorded paths under a UID that the manifests change, each with that under the new UID."""
    found = []
    for path in paths:
        parts = path.split("/")
        series, instance = alias.series.new_of, alias.instances.new_of
        if len(parts) > 2 and parts[1] == _SERIES:
            parts[2] = _renamed(parts[2], series)
        if len(parts) > 4 and parts[3] == _INSTANCES:
            parts[4] = _renamed(parts[4], instance)
        if (name := "/".join(parts)) != path:
            found.append((path, name))
    return tuple(sorted(found))


def _renamed(part: str, new_of: Mapping[str, str]) -> str:
    new = new_of.get(uid_of_part(part))
    return path_part(new) if new is not None else part


def is_pattern(path: str) -> bool:
    """Whether a path stands for several series or instances."""
    return WILDCARD in path


def is_whole(path: str) -> bool:
    """Whether a path is that of a series or an instance itself."""
    return path.split("/")[-2:-1] in ([_SERIES], [_INSTANCES])


def covers(pattern: str, path: str) -> bool:
    """Whether a path with `"*"` stands for another path."""
    if not is_pattern(pattern) or pattern == path:
        return False
    wide, narrow = pattern.split("/"), path.split("/")
    return len(wide) == len(narrow) and all(
        one in (WILDCARD, other) for one, other in zip(wide, narrow, strict=True)
    )


def is_below(path: str, whole: str) -> bool:
    """Whether a path is inside of a series or an instance that is a path of its own."""
    return path.startswith(f"{whole}/") and is_whole(whole)


def wholes_above(path: str) -> Iterator[str]:
    """The paths of the series and the instance that a path is inside of."""
    parts = path.split("/")
    for end in (3, 5):
        if len(parts) > end and parts[end - 2] in (_SERIES, _INSTANCES):
            yield "/".join(parts[:end])


def _after(address: Address, alias: Renames) -> Address:
    return replace(
        address,
        series=alias.series.new_of.get(address.series, address.series),
        instance=alias.instances.new_of.get(address.instance, address.instance),
    )


def _names(key: str, aliases: Aliases) -> tuple[str, ...]:
    """What a recorded path may call a series or an instance; "" alone where there is none."""
    return (*sorted(aliases.names(key)), WILDCARD) if key else ("",)


def ask_digest(ask: ImageSetAsk) -> str:
    """Return `sha256:…` over an ask, without consent, reason and place.

    It is not keyed: it stays in plan files and attempts. Records contain the result of `sealed`.
    """
    rows = sorted(
        {
            (
                claim_path(claim),
                str(claim.kind),
                claim.vr or "",
                digest(_value(claim)),
            )
            for claim in ask.claims
        }
    )
    revert = ask.revert.version_id if ask.revert else None
    return digest({"claims": cast(Json, [list(row) for row in rows]), "revert": revert})


def paths_of_studies(asks: Iterable[ImageSetAsk]) -> frozenset[str]:
    """The Patient and Study paths that asks name."""
    return frozenset(claim_path(claim) for ask in asks for claim in ask.study_claims)


def request_digests(ask: ImageSetAsk, alias: Renames) -> dict[str, str]:
    """What is asked of each path, as `sha256:…`, so that the same request is known again.

    It is the same for a path that is spelt otherwise, such as with `"*"`. It is not keyed either.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for claim in ask.claims:
        path = attribute_path(_after(claim.address, alias), claim.tag)
        found[path].add(digest([str(claim.kind), claim.vr or "", digest(_value(claim))]))
    if ask.revert:
        found[REVERT_PATH].add(digest([REVERT_PATH, ask.revert.version_id]))
    return {path: digest(cast(Json, sorted(some))) for path, some in found.items()}


def sealed(evidence: Evidence, key: Key) -> Evidence:
    """The evidence with keyed digests of what was asked, as a record holds them."""
    ask, unverified = evidence.ask_digest, evidence.unverified
    if evidence.selected_by:
        names = selected.sealed(evidence.datastore_id, evidence.selected_by, key)
        evidence = replace(evidence, selected_by=names)
    if unverified is not None:
        requests = tuple((path, _keyed(evidence, one, key)) for path, one in unverified.requests)
        evidence = replace(evidence, unverified=replace(unverified, requests=requests))
    return replace(evidence, ask_digest=_keyed(evidence, ask, key)) if ask else evidence


def opened(
    entries: Mapping[str, Entry], asks: Iterable[ImageSetAsk], key: Key | None
) -> dict[str, Entry]:
    """Return entries of records by image set, with digests that can be compared with asks.

    If a keyed digest is that of what is asked now, it is replaced by the digest of that ask.
    Otherwise (another ask, another key, no key) it becomes "", which matches no ask.
    """
    by_id = {ask.image_set_id: ask for ask in asks}
    return {name: _opened(entry, by_id.get(name), key) for name, entry in entries.items()}


def _opened(entry: Entry, ask: ImageSetAsk | None, key: Key | None) -> Entry:
    unverified = tuple(_repeated(one, entry, ask, key) for one in entry.unverified)
    if entry.selected_by:
        now = ask.selected_by if ask is not None else ()
        names = selected.opened(entry.datastore_id, entry.selected_by, now, key)
        entry = replace(entry, selected_by=names)
    if ask is not None and key is not None and entry.ask_digest:
        own = ask_digest(ask)
        if _keyed(entry, own, key) == entry.ask_digest:
            return replace(entry, ask_digest=own, unverified=unverified)
    return replace(entry, ask_digest="", unverified=unverified)


def _repeated(
    held: Unverified, entry: Entry, ask: ImageSetAsk | None, key: Key | None
) -> Unverified:
    now = request_digests(ask, renames(ask.claims)) if ask is not None and key is not None else {}
    keyed = {own: _keyed(entry, own, key) for own in now.values()} if key is not None else {}
    requests = tuple(
        (
            path,
            next(
                (own for other, own in now.items() if _meets(path, other) and keyed[own] == one), ""
            ),
        )
        for path, one in held.requests
    )
    return replace(held, requests=requests)


def _meets(path: str, other: str) -> bool:
    """Whether two paths may stand for the same place."""
    return path == other or covers(path, other) or covers(other, path)


def _keyed(subject: Entry | Evidence, own: str, key: Key) -> str:
    """Data store and image set are covered, so that equal asks do not show."""
    return key.digest(Use.ASK, [subject.datastore_id, subject.image_set_id, own])


def _value(claim: Claim) -> Json:
    if claim.value is None:
        return None
    vr = claim.vr or by_tag(claim.tag or 0).vr
    return [canonical(vr, claim.value.raw)]
