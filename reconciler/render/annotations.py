"""Render problems, refusals and hazards as annotations of GitHub Actions, at lines of manifests.

GitHub shows at most 10 errors and 10 warnings of a step, and more of them not at all
(docs.github.com: Workflow commands for GitHub Actions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.escape import escape
from reconciler.core.report import wording as report_wording
from reconciler.core.report.view import End, ReportView
from reconciler.core.review import Review, wording
from reconciler.core.review.applied import Mark
from reconciler.core.review.phrases import changed_since, planned_later, plural

# The last of them counts the others.
MOST = 10
_FILES = "these files: see the log of this step"


def commands(review: Review) -> Iterator[str]:
    """What changes besides manifests, refusals as errors, then rows with hazards as warnings."""
    found = [*_whole(review), *_errors(review), *_warnings(review)]
    yield from _worst(found, "this plan: see the comment or the job summary")


def _whole(review: Review) -> Iterator[str]:
    """What is stated of the plan as a whole."""
    since = review.basis.since
    if since is None:
        return
    if since.unplanned:
        yield _command("notice", None, "No plan", " ".join(review.overview.verdict))
    if changed := changed_since(since):
        text = " ".join(changed)
        yield _command("warning", None, "Changes more than manifests", text)
    for line in planned_later(since):
        yield _command("notice", None, "Planned after the merge", line)


def report_commands(view: ReportView) -> Iterator[str]:
    """What failed, was not verified or was not sent: an error where a person must act."""
    errors = [_command("error", None, "Apply", f"{one.message}. {one.hint}") for one in view.errors]
    ends = [_of_end(end) for end in (*view.wrong, *view.unsent)]
    yield from _worst([*errors, *ends], "this apply: see the comment or the job summary")


def error_commands(problems: Sequence[Diagnostic]) -> Iterator[str]:
    """The problems of invalid manifests or settings."""
    yield from _worst([_of_diagnostic("error", "Not valid", one) for one in problems], _FILES)


def warning_commands(warnings: Sequence[Diagnostic]) -> Iterator[str]:
    """What `validate` warns of in valid manifests."""
    yield from _worst([_of_diagnostic("warning", "Unusual", one) for one in warnings], _FILES)


def _of_diagnostic(kind: str, title: str, one: Diagnostic) -> str:
    return _command(kind, one.place, title, f"{one.message}. {one.hint}")


def _of_end(end: End) -> str:
    kind = "error" if end.mark is Mark.ERROR else "warning"
    lines = f" Add to the manifest: {', '.join(end.lines)}" if end.lines else ""
    names = ", ".join(one.image_set_id for one in end.first)
    named = f": {names}{report_wording.more(end)}" if names else ""
    reason = f"{report_wording.message_of(end)} " if end.message else ""
    text = f"{reason}({report_wording.counted(end)}{named}).{lines} {end.hint}"
    return _command(kind, end.place, end.word, text)


def _worst(lines: Sequence[str], where: str) -> Iterator[str]:
    if len(lines) <= MOST:
        yield from lines
        return
    yield from lines[: MOST - 1]
    more = plural(len(lines) - MOST + 1, "more problem")
    text = f"{more} in {where}."
    yield _command("warning", None, "More", text)


def _errors(review: Review) -> Iterator[str]:
    for one in review.overview.refusals:
        lines = f" Add to the manifest: {', '.join(one.lines)}" if one.lines else ""
        where = f"{wording.where(one.reach)}{wording.since_base(one)}"
        text = f"{one.message} ({where}).{lines} {one.hint}"
        yield _command("error", one.place, "Not changed", text)


def _warnings(review: Review) -> Iterator[str]:
    for row in (*review.overview.drift, *review.overview.rows):
        if row.hazards:
            name, level = wording.name_of(row), row.level.title
            text = f"{name} ({level}) changes on {wording.where(row.reach, row.level)}."
            yield _command("warning", row.place, ", ".join(row.hazards), text)


def _command(kind: str, place: Place | None, title: str, text: str) -> str:
    where = [f"file={_property(place.file)}"] if place else []
    where += [f"line={place.line}"] if place and place.line else []
    properties = ",".join([*where, f"title={_property(title)}"])
    return f"::{kind} {properties}::{_data(text.strip())}"


def _data(text: str) -> str:
    return escape(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
