"""Render the notes of `validate`: remarks about lines of valid manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.errors import Diagnostic
from reconciler.core.escape import escape
from reconciler.core.review.phrases import plural

# A manifest of private elements has a note for each line.
LISTED = 20


def warning_lines(warnings: Sequence[Diagnostic]) -> Iterator[str]:
    """`manifests/a.yaml:9:7: warning: …` with what to do, at most LISTED of them."""
    for one in warnings[:LISTED]:
        yield f"{escape(str(one.place))}: warning: {escape(one.message)}"
        yield f"    {escape(one.hint)}"
    more = len(warnings) - LISTED
    if more > 0:
        yield f"… and {plural(more, 'more warning')}: `--json` lists all of them"


def note_lines(notes: Sequence[Diagnostic]) -> Iterator[str]:
    """`manifests/a.yaml:9:7: note: …`, at most LISTED of them, then the number of the others."""
    for note in notes[:LISTED]:
        yield f"{escape(str(note.place))}: note: {escape(note.message)}"
    more = len(notes) - LISTED
    if more > 0:
        yield f"… and {plural(more, 'more note')}: `--json` lists all of them"
