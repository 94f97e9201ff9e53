"""What the rows of a report say, the same in every output. Not escaped for any of them."""

from __future__ import annotations

from reconciler.core.model.change import Op
from reconciler.core.report.view import Done, End, ImageSetEnd
from reconciler.core.review.phrases import plural
from reconciler.core.review.wording import WHOLE, where

WRONG = "Failed or not verified"
UNSENT = "Not sent"
DONE = "Applied"
RECORDED = "Records"
ERRORS = "Errors of the run"

_VERBS: dict[Op, str] = {
    Op.ADD: "added",
    Op.UPDATE: "changed",
    Op.REMOVE: "removed",
    Op.REMOVE_SERIES: "removed",
    Op.REMOVE_INSTANCE: "removed",
    Op.RESTORE_SERIES: "restored",
    Op.RESTORE_INSTANCE: "restored",
}


def name_of(done: Done) -> str:
    """`PatientSex`, `a whole series`, or words for a key that is no keyword and no tag."""
    return done.name or WHOLE.get(done.op, "an unknown attribute")


def happened(done: Done) -> str:
    """`changed on 412 image sets`."""
    return f"{_VERBS[done.op]} on {where(done.reach, done.level)}"


def done_text(done: Done | End) -> str:
    """`PatientSex (Patient) changed on 412 image sets`, `recovered: image set 0123…`."""
    if isinstance(done, Done):
        return f"{name_of(done)} ({done.level.title}) {happened(done)}"
    names = f"image set {done.first[0].image_set_id}" if done.image_sets == 1 else counted(done)
    return f"{done.word} ({names}): {done.message}"


def message_of(end: End) -> str:
    """The reason; where those of the other image sets name other versions, as an example."""
    if not end.varies:
        return end.message
    return f"for example, {end.message}"


def counted(end: End) -> str:
    """`12 image sets`."""
    return plural(end.image_sets, "image set")


def more(end: End) -> str:
    """` and 9 more`, where not all image sets are named."""
    left = end.image_sets - len(end.first)
    return f" and {left:,} more" if end.first and left else ""


def version_of(end: ImageSetEnd) -> str:
    """`version 1 → 2`, `planned at version 1`; "" where the report states no version."""
    if not end.pin:
        return ""
    return f"version {end.pin} → {end.version_id}" if end.version_id else _planned(end.pin)


def _planned(pin: str) -> str:
    return f"planned at version {pin}"
