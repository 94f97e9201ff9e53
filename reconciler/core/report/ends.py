"""How each image set of a report ended, and which of them ended alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status, Unread
from reconciler.core.report.view import End, ImageSetEnd
from reconciler.core.review import AppliedReview
from reconciler.core.review.applied import Mark, ShownHeld, ShownOutcome
from reconciler.core.review.reach import NAMED

NOT_READ = "not read"
RECOVERED = "recovered"
# The gravest first: what changed otherwise than reviewed, then what is not known, then what stays.
GRAVITY: tuple[str, ...] = (
    Result.UNVERIFIED,
    Result.FAILED,
    Result.CONFLICT,
    Result.UNRESOLVED,
    Result.STALE,
    Result.BLOCKED,
    Status.DRIFTED,
    Result.UNREVIEWED,
    NOT_READ,
    Status.BUSY,
    Result.NOT_ATTEMPTED,
    Result.SUPERSEDED,
    RECOVERED,
    Result.CONVERGED,
    Result.ALREADY_CONVERGED,
)
# A call was sent, and its planned content was not seen.
WRONG = frozenset[str]({Result.UNVERIFIED, Result.FAILED, Result.CONFLICT, Result.UNRESOLVED})
GOOD = frozenset[str]({Result.CONVERGED, Result.ALREADY_CONVERGED})

# What differs between messages about several image sets: their IDs and versions.
_VARYING = re.compile(r"\b[0-9a-f]{32}\b|(?<=\bversion )\d+|(?<=--version-id )\d+|(?<=\bto )\d+")


def ends_of(review: AppliedReview) -> tuple[ImageSetEnd, ...]:
    """Every image set that the plan was to change, by its gravest outcome; the gravest first."""
    found: dict[tuple[str, str], ImageSetEnd] = {}
    for key, end in _all(review):
        found[key] = _graver(found[key], end) if key in found else end
    ranked = sorted(found.items(), key=lambda item: (rank(item[1].word), *item[0]))
    return tuple(end for _, end in ranked)


def rank(word: str) -> int:
    """The place of an outcome or a status among those of GRAVITY."""
    return GRAVITY.index(word)


def grouped(ends: Iterable[ImageSetEnd]) -> tuple[End, ...]:
    """One row for all image sets that ended alike: the gravest first, then the most frequent."""
    groups: dict[tuple[object, ...], list[ImageSetEnd]] = {}
    general = cache(_general)  # thousands of image sets often end with the same long message
    for end in ends:
        texts = general(end.message), general(end.hint)
        groups.setdefault((end.word, *texts, end.lines), []).append(end)
    rows = [_row(group) for group in groups.values()]
    return tuple(sorted(rows, key=lambda row: (rank(row.word), -row.image_sets, row.message)))


def unread_row(one: Unread) -> End:
    """A data store that the plan could not read."""
    message = f"data store {one.datastore}: {one.message}"
    return End(NOT_READ, Mark.ERROR, message, one.hint, False, (), one.image_sets, (), None, 0)


def recovered_rows(review: AppliedReview) -> tuple[End, ...]:
    """The versions that an interrupted run made outside this plan."""
    return grouped(
        ImageSetEnd(
            datastore="",
            image_set_id=landed.image_set_id,
            word=RECOVERED,
            mark=Mark.GOOD,
            pin=landed.previous_version_id,
            version_id=landed.version_id,
            message="an interrupted run made the change",
            hint="",
            lines=(),
            place=None,
        )
        for landed in review.recovered
    )


def _all(review: AppliedReview) -> Iterator[tuple[tuple[str, str], ImageSetEnd]]:
    for outcome in review.outcomes:
        for end in _of_outcome(outcome):
            yield (outcome.call.datastore_id, end.image_set_id), end
    for held in review.held:
        for end in _of_held(held):
            yield (held.datastore_id, end.image_set_id), end


def _of_outcome(outcome: ShownOutcome) -> Iterator[ImageSetEnd]:
    message, _, hint = outcome.message.partition("\n")
    for member in outcome.members:
        yield ImageSetEnd(
            datastore=outcome.call.datastore,
            image_set_id=member.image_set_id,
            word=outcome.result,
            mark=outcome.mark,
            pin=member.pin,
            version_id=member.version_id,
            message=message.strip(),
            hint=_on_one_line(hint),
            lines=(),
            place=outcome.place,
        )


def _of_held(held: ShownHeld) -> Iterator[ImageSetEnd]:
    messages = [reason.message for reason in held.reasons]
    messages += [f"{one.hazard} needs consent" for one in held.missing]
    for name in held.image_set_ids:
        yield ImageSetEnd(
            datastore=held.datastore,
            image_set_id=name,
            word=held.status,
            mark=held.mark,
            pin=held.pin if name == held.image_set_id else "",
            version_id="",
            message="; ".join(messages),
            hint=_on_one_line(" ".join(reason.hint for reason in held.reasons)),
            lines=held.consents,
            place=held.place,
        )


def _graver(first: ImageSetEnd, later: ImageSetEnd) -> ImageSetEnd:
    """The graver end of two calls, from the version before the first to that of the later."""
    graver = later if rank(later.word) < rank(first.word) else first
    return replace(graver, pin=first.pin, version_id=later.version_id or first.version_id)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _general(text: str) -> str:
    return _VARYING.sub("#", text)


def _row(group: Sequence[ImageSetEnd]) -> End:
    first, *others = group
    places = {end.place for end in group if end.place}
    return End(
        word=first.word,
        mark=first.mark,
        message=first.message,
        hint=first.hint,
        varies=any((one.message, one.hint) != (first.message, first.hint) for one in others),
        lines=first.lines,
        image_sets=len(group),
        first=tuple(group[:NAMED]),
        place=min(places, default=None),
        places=len(places),
    )
