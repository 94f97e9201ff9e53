"""Render the fingerprints of live values as text: one line for each value, in plan order.

The whole paths stand there, so that the lines of two plans can be compared by a program.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.escape import escape
from reconciler.core.review.model import ShownAction, ShownChange
from reconciler.render.changes import INDENT
from reconciler.render.style import Look, Style
from reconciler.render.values import wrapped

_MEANING = (
    "Compare them with those of another plan. Equal fingerprints mean equal live values of one "
    "attribute of one image set. They say nothing about other attributes and image sets."
)
_NONE = "No fingerprints: no change replaces or removes a live value of an attribute."


def fingerprint_lines(actions: Iterable[ShownAction], look: Look) -> Iterator[str]:
    """The fingerprints under the image sets that they belong to."""
    before = ""
    for action in actions:
        for change in action.changes:
            if not change.fingerprint:
                continue
            if not before:
                yield look.paint("Fingerprints of live values", Style.STRONG)
                yield from (look.paint(line, Style.DIM) for line in wrapped(_MEANING, look.width))
            if change.image_set_id != before:
                before = change.image_set_id
                yield f"image set {before} ({escape(action.datastore)}):"
            yield _line(change, look)
    if not before:
        yield _NONE
    yield ""


def _line(change: ShownChange, look: Look) -> str:
    return f"{INDENT}{look.paint(change.fingerprint, Style.STRONG)}  {escape(change.path)}"
