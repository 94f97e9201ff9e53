"""Render a report as text for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.escape import escape
from reconciler.core.report import wording
from reconciler.core.report.view import Done, End, ReportView
from reconciler.core.review.applied import ShownProblem
from reconciler.core.review.phrases import not_clean
from reconciler.render.changes import INDENT, place_of
from reconciler.render.outcomes import sign_of
from reconciler.render.overview import marked, painted, section
from reconciler.render.style import Look, Style

_INNER = f"{INDENT}  "


def report_text(view: ReportView, look: Look) -> Iterator[str]:
    """The verdict and what to do next, then the failures, then what was applied and recorded."""
    yield from _head(view, look)
    yield from section(wording.ERRORS, view.errors, _error, look)
    yield from section(wording.WRONG, view.wrong, _end, look)
    yield from section(wording.UNSENT, view.unsent, _end, look)
    done: tuple[Done | End, ...] = (*view.done, *view.other)
    yield from section(wording.DONE, done, _done, look)
    yield from _foot(view, look)


def summary_text(view: ReportView, look: Look) -> Iterator[str]:
    """The verdict, what to do next, and what was recorded."""
    yield from _head(view, look)
    yield from _foot(view, look)


def _head(view: ReportView, look: Look) -> Iterator[str]:
    yield from painted(" ".join(view.verdict), Style.STRONG, look, "")
    for word, advice in view.next:
        yield from painted(f"{word}: {advice}", Style.UPDATE, look, "")


def _foot(view: ReportView, look: Look) -> Iterator[str]:
    lines = [*view.recording, view.calls]
    lines += [not_clean(view.basis.commit)] if view.basis.is_clean is False else []
    lines = [line for line in lines if line]
    if lines:
        yield ""
    for line in lines:
        yield from painted(escape(line), Style.DIM, look, "")


def _error(problem: ShownProblem, look: Look) -> Iterator[str]:
    yield from marked("✗", escape(problem.message), Style.ERROR, look)
    yield from _hint(problem.hint, look)


def _end(end: End, look: Look) -> Iterator[str]:
    """`✗ failed (12 image sets): …`, below it what to do, and the first image sets."""
    sign, style = sign_of(end.mark)
    reason = f": {escape(wording.message_of(end))}" if end.message else ""
    place = f"  {place_of(end.place)}" if end.place else ""
    place += f" and {end.places - 1:,} more lines" if end.places > 1 else ""
    text = f"{end.word} ({wording.counted(end)}){reason}{place}"
    yield from marked(sign, text, style, look)
    if end.lines:
        yield f"{_INNER}add to the manifest:"
    for line in end.lines:
        yield f"{_INNER}  {look.paint(escape(line), Style.STRONG)}"
    yield from _hint(end.hint, look)
    for one in end.first:
        version = wording.version_of(one)
        yield look.paint(
            f"{_INNER}image set {escape(one.image_set_id)}  {version}".rstrip(), Style.DIM
        )
    if more := wording.more(end):
        yield look.paint(f"{_INNER}{more.strip()}", Style.DIM)


def _hint(hint: str, look: Look) -> Iterator[str]:
    yield from painted(escape(hint), None, look, _INNER)


def _done(done: Done | End, look: Look) -> Iterator[str]:
    text = wording.done_text(done)
    yield from marked("✓", text, Style.ADD, look)
