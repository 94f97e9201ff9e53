"""Render problems, refusals and hazards as annotations of GitHub Actions, at lines of manifests.

GitHub shows at most 10 errors and 10 warnings of a step, and more of them not at all
(docs.github.com: Workflow commands for GitHub Actions). It looks for files from the root of the
repository: `folder` is the folder of reconciler.yaml there, "" if it is the root.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.escape import escape
from reconciler.core.report import wording as report_wording
from reconciler.core.report.view import End, ReportView
from reconciler.core.review import Review, wording
from reconciler.core.review.applied import Mark
from reconciler.core.review.phrases import changed_since, planned_later, plural, stopped

# The last of them counts the others.
MOST = 10
_FILES = "these files: see the log of this step"


@dataclass(frozen=True, slots=True)
class _Command:
    """An annotation of a kind, at a place if it is about one."""

    kind: str
    place: Place | None
    title: str
    text: str

    def line(self, folder: str) -> str:
        """The command. `folder` is that of reconciler.yaml, from the root of the repository."""
        place = self.place
        where = (
            [f"file={_property((PurePosixPath(folder) / place.file).as_posix())}"] if place else []
        )
        where += [f"line={place.line}"] if place and place.line else []
        properties = ",".join([*where, f"title={_property(self.title)}"])
        return f"::{self.kind} {properties}::{_data(self.text.strip())}"


def commands(review: Review, folder: str = "") -> Iterator[str]:
    """What changes besides manifests, refusals as errors, then rows with hazards as warnings."""
    found = [*_whole(review), *_errors(review), *_warnings(review)]
    yield from _worst(found, "this plan: see the comment or the job summary", folder)


def _whole(review: Review) -> Iterator[_Command]:
    """What is stated of the plan as a whole."""
    for one in review.stops:
        text = f"{stopped(one)}. Split the change, or raise the limit in a commit of its own."
        yield _Command("error", one.guardrail.place, "Apply would be stopped", text)
    since = review.basis.since
    if since is None:
        return
    if since.unplanned:
        yield _Command("notice", None, "No plan", " ".join(review.overview.verdict))
    if changed := changed_since(since):
        text = " ".join(changed)
        yield _Command("warning", None, "Changes more than manifests", text)
    for line in planned_later(since):
        yield _Command("notice", None, "Planned after the merge", line)


def report_commands(view: ReportView, folder: str = "") -> Iterator[str]:
    """What failed, was not verified or was not sent: an error where a person must act."""
    errors = [_Command("error", None, "Apply", f"{one.message}. {one.hint}") for one in view.errors]
    ends = [_of_end(end) for end in (*view.wrong, *view.unsent)]
    yield from _worst([*errors, *ends], "this apply: see the comment or the job summary", folder)


def error_commands(problems: Sequence[Diagnostic], folder: str = "") -> Iterator[str]:
    """The problems of invalid manifests or settings."""
    found = [_of_diagnostic("error", "Not valid", one) for one in problems]
    yield from _worst(found, _FILES, folder)


def warning_commands(warnings: Sequence[Diagnostic], folder: str = "") -> Iterator[str]:
    """What `validate` warns of in valid manifests."""
    found = [_of_diagnostic("warning", "Unusual", one) for one in warnings]
    yield from _worst(found, _FILES, folder)


def _of_diagnostic(kind: str, title: str, one: Diagnostic) -> _Command:
    return _Command(kind, one.place, title, f"{one.message}. {one.hint}")


def _of_end(end: End) -> _Command:
    kind = "error" if end.mark is Mark.ERROR else "warning"
    lines = f" Add to the manifest: {', '.join(end.lines)}" if end.lines else ""
    names = ", ".join(one.image_set_id for one in end.first)
    named = f": {names}{report_wording.more(end)}" if names else ""
    reason = f"{report_wording.message_of(end)} " if end.message else ""
    text = f"{reason}({report_wording.counted(end)}{named}).{lines} {end.hint}"
    return _Command(kind, end.place, end.word, text)


def _worst(found: Sequence[_Command], where: str, folder: str) -> Iterator[str]:
    if len(found) > MOST:
        more = plural(len(found) - MOST + 1, "more problem")
        found = (*found[: MOST - 1], _Command("warning", None, "More", f"{more} in {where}."))
    yield from (one.line(folder) for one in found)


def _errors(review: Review) -> Iterator[_Command]:
    for one in review.overview.refusals:
        lines = f" Add to the manifest: {', '.join(one.lines)}" if one.lines else ""
        where = f"{wording.where(one.reach)}{wording.since_base(one)}"
        text = f"{one.message} ({where}).{lines} {one.hint}"
        yield _Command("error", one.place, "Not changed", text)


def _warnings(review: Review) -> Iterator[_Command]:
    for row in (*review.overview.drift, *review.overview.rows):
        if row.hazards:
            name, level = wording.name_of(row), row.level.title
            text = f"{name} ({level}) changes on {wording.where(row.reach, row.level)}."
            yield _Command("warning", row.place, ", ".join(row.hazards), text)


def _data(text: str) -> str:
    return escape(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
