"""Make the view of a report. Decides what renderers show, but not how it looks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.core.errors import EXIT_INTERRUPTED, EXIT_TERMINATED
from reconciler.core.model.address import Level
from reconciler.core.model.change import Op
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status
from reconciler.core.model.results import Published
from reconciler.core.report.ends import (
    GOOD,
    NOT_READ,
    WRONG,
    ends_of,
    grouped,
    rank,
    recovered_rows,
    unread_row,
)
from reconciler.core.report.view import Done, ImageSetEnd, ReportView
from reconciler.core.review import AppliedReview
from reconciler.core.review.applied import ShownRecords
from reconciler.core.review.overview import Reach
from reconciler.core.review.phrases import duration, plural
from reconciler.core.review.reach import NAMED

# So many image sets are named that could not be recorded in git.
LISTED = 100
# What to do about image sets of which the plan had no call. The reasons stand beside them.
_WITHOUT_CALLS: dict[str, str] = {
    Status.BLOCKED: "Follow the reason, then run `reconcile plan` again.",
    Status.DRIFTED: "Decide whether the manifest or the live value is right. "
    "`reconcile plan` shows both.",
    Status.BUSY: "Another operation was running. Run the same command again later.",
    NOT_READ: "Fix the error of the data store, then run `reconcile plan` again.",
}


def view_of(review: AppliedReview) -> ReportView:
    """The view of a report, from the outcomes of an apply or from their file."""
    ends = ends_of(review)
    bad = [end for end in ends if end.word not in GOOD]
    unread = tuple(map(unread_row, review.unread))
    unsent = (*grouped(end for end in bad if end.word not in WRONG), *unread)
    words = Counter(end.word for end in ends)
    words.update({NOT_READ: sum(row.image_sets for row in unread)} if unread else {})
    already = [
        replace(end, message="held the planned content before this run", place=None)
        for end in ends
        if end.word == Result.ALREADY_CONVERGED
    ]
    return ReportView(
        basis=review.basis,
        verdict=tuple(_verdict(review, words)),
        next=tuple(_next(review, words)),
        errors=review.problems,
        wrong=grouped(end for end in bad if end.word in WRONG),
        unsent=tuple(sorted(unsent, key=lambda row: rank(row.word))),
        done=tuple(_done(review, ends)),
        other=(*grouped(already), *recovered_rows(review)),
        recording=tuple(_recording(review, ends)),
        calls=_calls(review),
        ends=ends,
        total=words.total(),
        good=len(ends) - len(bad),
    )


def recording(records: ShownRecords) -> Iterator[str]:
    """What was recorded, in sentences, and what was not."""
    commit = records.commit[:12]
    if records.is_of_earlier_run:
        yield f"Committed the records of an earlier run, commit {commit}{_on(records)}."
    elif records.paths:
        text = f"Recorded in {plural(records.files, 'file')} below records/"
        key = f", with a new {KEY_FILE}" if records.has_new_key else ""
        yield f"{text}{key}, commit {commit}{_on(records)}." if commit else f"{text}{key}."
    if records.missing:
        more = len(records.missing) - NAMED
        others = f" and {more:,} more" if more > 0 else ""
        yield (
            f"Not recorded: image set {', '.join(records.missing[:NAMED])}{others}. "
            "The next apply records what is missing."
        )
    yield from _publishing(records.published)


def _on(records: ShownRecords) -> str:
    branch = records.published.branch
    return f" on {branch}" if branch else ""


def _publishing(published: Published) -> Iterator[str]:
    if published.missing:
        named = [f"{name} (version {version})" for name, version in published.missing[:LISTED]]
        more = len(published.missing) - LISTED
        others = f" and {more:,} more, which `--report FILE` lists" if more > 0 else ""
        where = f"on {published.branch}" if published.branch else "in a commit"
        yield f"Applied, and not recorded {where}: image set {', '.join(named)}{others}."
    if published.waiting:
        image_sets = plural(published.waiting, "image set")
        yield (
            f"The records of {image_sets} wait on {published.branch} to be merged into the "
            "default branch."
        )


def _recording(review: AppliedReview, ends: Sequence[ImageSetEnd]) -> Iterator[str]:
    """What was recorded, of which versions, and what is left to do with it."""
    seen = {end.image_set_id for end in ends if end.version_id}
    seen.update(landed.image_set_id for landed in review.recovered)
    recorded = len(seen.difference(review.records.missing))
    if seen and recorded == len(seen):
        yield f"Recorded {_every(recorded)} that was read back as planned."
    elif seen:
        yield f"Recorded {recorded:,} of {len(seen):,} versions that were read back as planned."
    yield from recording(review.records)
    if review.records.published.is_pushed:
        return
    if review.records.commit:
        yield "Push this commit: `apply` pushes only with `--push`."
    elif review.records.paths:
        yield "Commit these files: the next run needs them."


def _every(count: int) -> str:
    return "the version" if count == 1 else f"each of {count:,} versions"


def _verdict(review: AppliedReview, words: Counter[str]) -> Iterator[str]:
    total = words.total()
    good = sum(words[word] for word in GOOD)
    if missing := len(review.records.published.missing):
        verb = "is" if missing == 1 else "are"
        yield f"{plural(missing, 'image set')} {verb} applied and not recorded."
    yield _first(good, total)
    bad = [(word, count) for word, count in words.items() if count and word not in GOOD]
    if bad:
        counts = sorted(bad, key=lambda one: rank(one[0]))
        yield f"Not as planned: {', '.join(f'{count:,} {word}' for word, count in counts)}."
    if review.exit_code in (EXIT_INTERRUPTED, EXIT_TERMINATED):
        yield "A signal stopped the run."
    if review.problems:
        yield f"The run had {plural(len(review.problems), 'error')}."


def _first(good: int, total: int) -> str:
    if not total:
        return "Nothing was to do."
    if total == 1:
        return f"The image set is {'as planned and verified' if good else 'not as planned'}."
    if good == total:
        return f"All {total:,} image sets are as planned and verified."
    verb = "is" if good == 1 else "are"
    return f"{good:,} of {total:,} image sets {verb} as planned and verified."


def _next(review: AppliedReview, words: Counter[str]) -> Iterator[tuple[str, str]]:
    """What to do next about each word, the gravest first."""
    advice: dict[str, str] = {**_WITHOUT_CALLS, **{str(word): text for word, text in review.advice}}
    for word in sorted((one for one, count in words.items() if count), key=rank):
        if word in advice:
            yield word, advice[word]


def _done(review: AppliedReview, ends: Sequence[ImageSetEnd]) -> Iterator[Done]:
    """The edits of image sets that this run made as planned, identical ones as one row."""
    good = {one.image_set_id for one in ends if one.word == Result.CONVERGED}
    found: dict[tuple[Level, str, Op], Counter[str]] = {}
    for outcome in review.outcomes:
        for member in outcome.members:
            for edit in member.edits if member.image_set_id in good else ():
                where = found.setdefault((edit.level, edit.name, edit.op), Counter())
                where[member.image_set_id] += edit.places
    for (level, name, op), where in sorted(found.items()):
        yield Done(op, level, name, _reach(level, where))


def _reach(level: Level, where: Counter[str]) -> Reach:
    places = where.total()
    return Reach(
        len(where),
        0,
        places if level is Level.SERIES else 0,
        places if level is Level.INSTANCE else 0,
        tuple(sorted(where)[:NAMED]),
    )


def _calls(review: AppliedReview) -> str:
    if not review.sent:
        return ""
    return f"{plural(review.sent, 'call')} in {duration(review.seconds)}."
