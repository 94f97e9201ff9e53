"""Versions in the gap between a record and the service: which of them a lost run of ours made.

A run that is killed on a machine whose disk is lost leaves neither records nor attempts. The
reviews that it worked off are there still: they say which values the next version was to have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.dicom.content import content_digest, section_at
from reconciler.core.dicom.dictionary import attribute_path
from reconciler.core.diff.revert import document_changes
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.change import Change
from reconciler.core.model.key import Key
from reconciler.core.model.observed import Properties
from reconciler.core.model.outcome import Landed
from reconciler.core.model.plan import Plan
from reconciler.core.model.record import Entry
from reconciler.core.model.reviewed import Reviewed
from reconciler.core.model.value import Document
from reconciler.core.reviewed.changes import change_digest


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """The version after the pin of a review, which no record states.

    `digests` are those of all changes that the review has of the image set at this pin.
    """

    datastore: str
    datastore_id: str
    image_set_id: str
    pin: str
    digests: tuple[str, ...]

    @property
    def version_id(self) -> str:
        """The version that an apply of the review would have made."""
        return str(int(self.pin) + 1)


@dataclass(frozen=True, slots=True)
class Made:
    """A version that a lost run made: as its attempt would have announced it, and as it landed."""

    datastore: str
    attempt: Attempt
    landed: Landed


def gaps(
    plan: Plan, reviews: Iterable[Reviewed], entries: Mapping[str, Mapping[str, Entry]]
) -> tuple[Gap, ...]:
    """The gaps that reviews may explain, sorted. `entries` are those of data stores by name."""
    live = {
        (action.datastore_id, member.image_set_id): (action.datastore, int(member.pin))
        for action in plan.actions
        for member in (*action.members, *action.siblings)
        if member.pin
    }
    found = set()
    for (store, image_set_id, pin), digests in _groups(reviews):
        name, version = live.get((store, image_set_id), ("", 0))
        entry = entries.get(name, {}).get(image_set_id)
        recorded = int(entry.version_id) if entry is not None else 0
        if recorded <= int(pin) < version:
            found.add(Gap(name, store, image_set_id, pin, digests))
    return tuple(sorted(found))


def _groups(
    reviews: Iterable[Reviewed],
) -> Iterator[tuple[tuple[str, str, str], tuple[str, ...]]]:
    """The digests of each review, by data store, image set and pin."""
    for review in reviews:
        groups: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for row in review.changes:
            groups[row.datastore_id, row.image_set_id, row.pin].append(row.digest)
        for subject, digests in groups.items():
            yield subject, tuple(sorted(digests))


def made(
    gap: Gap, properties: Properties, before: Document, after: Document, key: Key
) -> Made | None:
    """The version in a gap as ours, if it holds every value that was reviewed; else None.

    `properties` are those of the version. A version that changed more besides may be that of
    another process. That is no danger: only the paths of the review get it as their baseline, and
    they hold what was reviewed.
    """
    changes = {
        change_digest(gap.datastore_id, properties.arn, change, key): change
        for change in document_changes(gap.image_set_id, before, after)
    }
    if not _all_in(gap.digests, changes):
        return None
    paths = tuple(sorted(filter(None, (_path(changes[one], after) for one in gap.digests))))
    version = gap.version_id
    return Made(
        gap.datastore,
        Attempt(
            gap.datastore_id,
            gap.image_set_id,
            gap.pin,
            ((version, content_digest(after)),),
            asked=paths,
            sent=(paths,),
        ),
        Landed(gap.image_set_id, version, gap.pin, properties.updated_at, properties.created_at),
    )


def _path(change: Change, after: Document) -> str:
    """The path of a change as a record may hold it, else "".

    A malformed UID and an unknown key may contain a name. Below a UID that the version renamed or
    removed, there is no value.
    """
    is_known = change.tag is not None or not change.key
    if (
        not (is_known and change.address.is_well_formed)
        or section_at(after, change.address) is None
    ):
        return ""
    return attribute_path(change.address, change.tag, change.key)


def _all_in(digests: Collection[str], changes: Collection[str]) -> bool:
    return bool(digests) and set(digests) <= set(changes)
