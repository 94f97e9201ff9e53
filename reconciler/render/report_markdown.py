"""Render a report as Markdown: for the page of a job, or for one comment of a pull request.

Every text that is not ours stands in a code span, as in the comment of a plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.report import wording
from reconciler.core.report.view import End, ImageSetEnd, ReportView
from reconciler.core.review.applied import ShownProblem
from reconciler.core.review.phrases import not_clean
from reconciler.render.markdown import Section, at_place, code, fitted, words

# Finds the comment of an earlier report, so that it is replaced and not repeated.
MARKER = "<!-- imageset-reconciler: report -->"


def report_comment(view: ReportView, link: str = "", *, summary: bool = False) -> str:
    """The comment, never longer than `markdown.MOST`. What does not fit is counted.

    `link` is the address of the repository's files at the planned commit; without it, places are
    text.
    """
    sections = [] if summary else list(_sections(view, link))
    head = [MARKER, *_head(view)]
    return fitted(head, sections, list(_footer(view)), "`reconcile show REPORT` shows all.")


def _head(view: ReportView) -> Iterator[str]:
    first, *rest = view.verdict
    yield f"## Apply: {first}"
    if rest:
        yield ""
        yield " ".join(rest)
    if view.next:
        yield ""
    for word, advice in view.next:
        yield f"- **{word}**: {advice}"
    if view.basis.is_clean is False:
        yield ""
        yield f"> **{not_clean(view.basis.commit)}**"


def _sections(view: ReportView, link: str) -> Iterator[Section]:
    yield f"### ⛔ {wording.ERRORS}", [_error(one) for one in view.errors]
    yield f"### ❌ {wording.WRONG}", [_end(one, link) for one in view.wrong]
    yield f"### ⏸️ {wording.UNSENT}", [_end(one, link) for one in view.unsent]
    yield f"### ✅ {wording.DONE}", list(_applied(view))
    yield f"### {wording.RECORDED}", [f"- {words(one)}" for one in view.recording]


def _error(problem: ShownProblem) -> str:
    return "  \n".join(filter(None, [f"- {words(problem.message)}", _below(problem.hint)]))


def _end(end: End, link: str) -> str:
    """`**failed** (12 image sets): …`, below it what to do, and the first image sets."""
    reason = f": {words(wording.message_of(end))}" if end.message else ""
    more = f" and {end.places - 1:,} more lines" if end.places > 1 else ""
    lines = [f"- **{end.word}** ({wording.counted(end)}){reason}{at_place(end.place, link)}{more}"]
    if end.lines:
        lines.append("  Add to the manifest: " + ", ".join(map(code, end.lines)))
    lines.append(_below(end.hint))
    if end.first:
        lines.append(f"  {', '.join(map(_image_set, end.first))}{wording.more(end)}")
    return "  \n".join(filter(None, lines))


def _below(hint: str) -> str:
    return f"  {words(hint)}" if hint else ""


def _image_set(end: ImageSetEnd) -> str:
    version = wording.version_of(end)
    return f"{code(end.image_set_id)} ({version})" if version else code(end.image_set_id)


def _applied(view: ReportView) -> Iterator[str]:
    for done in view.done:
        yield f"- {words(wording.done_text(done))}"
    for end in view.other:
        yield f"- {words(wording.done_text(end))}"


def _footer(view: ReportView) -> Iterator[str]:
    stated = [f"commit {code(view.basis.commit[:12])}"] if view.basis.commit else []
    stated += [view.calls.removesuffix(".")] if view.calls else []
    if stated:
        yield "---"
        yield f"<sub>{' · '.join(stated)}</sub>"
