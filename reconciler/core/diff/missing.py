"""Removals of a series or an instance that the live document does not have.

Such a removal has converged if an earlier version held the series or instance at that place, and
its images are nowhere else now. Otherwise the UID is mistyped, or another process has changed it:
then what must be removed is still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product

from reconciler.core.diff.compare import with_blocks
from reconciler.core.diff.locate import Renames, renames
from reconciler.core.diff.moved import Live, PastVersion
from reconciler.core.diff.paths import ask_digest, claim_path, wholes_above
from reconciler.core.model.address import Address
from reconciler.core.model.ask import Claim
from reconciler.core.model.change import Block
from reconciler.core.model.diff import Diff
from reconciler.core.model.record import UNREADABLE, Entry, ranked
from reconciler.core.model.value import Document

_MOST_PLACES = 3


def is_proven(found: Diff, entry: Entry | None) -> bool:
    """Whether the record states that all of this ask has converged, the removals too.

    `entry` must not be refuted by the service.
    """
    return (
        entry is not None
        and entry.is_level
        and not entry.unverified
        and entry.ask_digest == ask_digest(found.ask)
    )


class Missing:
    """The removals of one diff that have no place in its live document.

    It takes the documents of earlier versions one by one, and says which version it needs next.
    """

    def __init__(self, found: Diff, recorded: Mapping[str, str]) -> None:
        self._found = found
        self._alias = renames(found.ask.claims)
        self._baselines = _Baselines(recorded, self._alias)
        self._earlier: dict[str, PastVersion | None] = {}

    def add(self, version: str, document: Document | None) -> None:
        """Take the document of an earlier version; None if it cannot be read."""
        self._earlier[version] = (
            PastVersion(document, self._alias) if document is not None else None
        )

    def next_version(self) -> str:
        """The next version to read; "" once every removal can be judged."""
        wanted = (
            version
            for claim in self._found.missing
            if self._held(claim) is None
            for version in self._versions(claim)
            if version not in self._earlier
        )
        return next(wanted, "")

    def judged(self) -> Diff:
        """The diff, blocked by every removal that has not converged."""
        if not self._found.missing:
            return self._found
        assert self._found.reading.document is not None
        live = Live(self._found.reading.document)
        blocks = (self._block(claim, live) for claim in self._found.missing)
        return with_blocks(self._found, [block for block in blocks if block is not None])

    def _versions(self, claim: Claim) -> tuple[str, ...]:
        """Where it may have been: the baseline, the version before the live one, and version 1.

        The baseline of the removal itself decides alone: it shows the removal, or what was removed.
        """
        live = self._found.reading.live_versions
        own, inside = self._baselines.own(claim), self._baselines.inside(claim)
        before = str(min(map(int, live)) - 1)
        wanted = (own,) if own else (inside, before, "1")
        return tuple(dict.fromkeys(one for one in wanted if one not in ("", "0", *live)))

    def _held(self, claim: Claim) -> tuple[PastVersion, Address] | None:
        """The first version that held it, and where."""
        for version in self._versions(claim):
            earlier = self._earlier.get(version)
            places = earlier.locate(claim.address) if earlier is not None else ()
            if earlier is not None and places:
                return earlier, places[0]
        return None

    def _block(self, claim: Claim, live: Live) -> Block | None:
        if held := self._held(claim):
            now = live.now_at(*held)
            return self._moved(claim, now) if now else None
        is_known = self._baselines.own(claim) or self._baselines.inside(claim)
        return None if is_known else self._never_there(claim, live)

    def _moved(self, claim: Claim, now: tuple[Address, ...]) -> Block:
        return Block(
            self._found.image_set_id,
            f"the image set has no {claim.address.shown()} now: it is at {_shown(now)}",
            "Another process changed the UID. Write the UID that it has now, or delete this line.",
            claim.place,
            claim_path(claim),
        )

    def _never_there(self, claim: Claim, live: Live) -> Block:
        name, where, path = self._found.image_set_id, claim.address.shown(), claim_path(claim)
        if now := live.with_uid(claim.address):
            message = f"the image set has no {where}: this UID is at {_shown(now)}"
            hint = "Write the series and the instance as the document has them."
            return Block(name, message, hint, claim.place, path)
        message = f"the image set has no {where}, and no earlier version that was read has it"
        hint = "Correct the UID. If it was removed long ago, delete this line."
        return Block(name, message, hint, claim.place, path)


class _Baselines:
    """What the record knows of series and instances: "" is nothing.

    Each of these baselines proves that the series or instance was there.
    """

    def __init__(self, recorded: Mapping[str, str], alias: Renames) -> None:
        self._alias = alias
        self._own = recorded
        self._inside: dict[str, list[str]] = defaultdict(list)
        for path, version in recorded.items():
            for whole in wholes_above(path):
                self._inside[whole].append(version)

    def own(self, claim: Claim) -> str:
        """The baseline of the removal itself."""
        return _highest(self._own.get(path, "") for path in self._paths(claim))

    def inside(self, claim: Claim) -> str:
        """The highest baseline of what is inside of the series or instance."""
        return _highest(
            version for path in self._paths(claim) for version in self._inside.get(path, ())
        )

    def _paths(self, claim: Claim) -> list[str]:
        """The paths of all names: those before and after a rename."""
        where, alias = claim.address, self._alias
        names = product(alias.series.names(where.series), alias.instances.names(where.instance))
        return [replace(where, series=one, instance=other).path() for one, other in names]


def _highest(versions: Iterable[str]) -> str:
    found = (version for version in versions if version not in ("", UNREADABLE))
    return max(found, key=ranked, default="")


def _shown(places: tuple[Address, ...]) -> str:
    found = [place.shown() for place in places[:_MOST_PLACES]]
    if len(places) > _MOST_PLACES:
        found.append(f"{len(places) - _MOST_PLACES} more")
    return ", ".join(found)
