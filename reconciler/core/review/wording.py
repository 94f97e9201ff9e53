"""What the rows of an overview say, the same in every output. Not escaped for any of them."""

from __future__ import annotations

from reconciler.core.lookalikes import reveal_both
from reconciler.core.model.address import Level
from reconciler.core.model.change import Op
from reconciler.core.review.model import ShownChange
from reconciler.core.review.overview import Danger, LiveValue, Overview, Reach, Refusal, Row
from reconciler.core.review.phrases import plural
from reconciler.core.review.shown import EMPTY, ShownPart, ShownValue

WHOLE: dict[Op, str] = {
    Op.REMOVE_SERIES: "a whole series",
    Op.REMOVE_INSTANCE: "a whole instance",
    Op.RESTORE_SERIES: "a whole series",
    Op.RESTORE_INSTANCE: "a whole instance",
}


def name_of(edit: Row | ShownChange) -> str:
    """`PatientSex`, `00091001 [ACME 1.1]`, `a whole series`."""
    return edit.name or WHOLE[edit.op]


def where(reach: Reach, level: Level | None = None) -> str:
    """`412 image sets in 87 studies`, `900 instances of 3 image sets`, `image set 0123…`."""
    image_sets = plural(reach.image_sets, "image set")
    if reach.image_sets == 1:
        image_sets = f"image set {reach.first[0]}"
    elif reach.studies:
        image_sets += f" in {plural(reach.studies, 'study')}"
    if level is Level.SERIES and reach.series > 1:
        return f"{plural(reach.series, 'series')} of {image_sets}"
    if level is Level.INSTANCE and reach.instances > 1:
        return f"{plural(reach.instances, 'instance')} of {image_sets}"
    return image_sets


def where_it_happens(danger: Danger) -> str:
    """`2 image sets in 2 studies; held back on 1 more`."""
    held = f"; held back on {danger.held:,} more" if danger.held else ""
    return f"{where(danger.reach)}{held}"


def changed_outside(row: Row) -> str:
    """What a reviewer of a drifted value decides; "" for another value."""
    if not row.drift:
        return ""
    if row.runs:
        return f"changed outside this repository {row.drift}; that value is overwritten"
    return f"changed outside this repository {row.drift}; that value stays"


def hidden(overview: Overview) -> str:
    """What stands for a hidden value, if there is one; else ""."""
    rows = (*overview.drift, *overview.rows, *overview.held)
    if not any(live.value.is_hidden for row in rows for live in row.before):
        return ""
    return (
        "Values in `< >` are hidden, since they may identify a person: their VR and length stand "
        "there. Equal letters stand for equal values."
    )


def since_base(refusal: Refusal) -> str:
    """`; new`, `; as at the base`, or "" if nothing is known of the base."""
    return f"; {refusal.at_base}" if refusal.at_base else ""


def named(reach: Reach) -> str:
    """The first image sets by ID, and how many more there are."""
    more = reach.image_sets - len(reach.first)
    listed = ", ".join(reach.first)
    return f"{listed} and {more:,} more" if more else listed


def before_texts(row: Row) -> tuple[str, ...]:
    """The live values, or the UIDs of what is removed: `<A: CS>`, `<B: CS>`, `3 other values`."""
    if row.op in (Op.REMOVE_INSTANCE, Op.REMOVE_SERIES):
        return _uids(row)
    if not row.before:
        return ("different values",) if row.values > 1 and row.op is not Op.ADD else ()
    texts = [live_text(row, one) for one in row.before]
    if row.others_before:
        texts.append(f"{row.others_before:,} other values")
    return tuple(texts)


def values_of(row: Row) -> tuple[tuple[str, ...], str]:
    """`before_texts` and `after_text`. Two texts that look alike show how they differ."""
    before, after = before_texts(row), after_text(row)
    if len(before) != 1:
        return before, after
    first, after = reveal_both(before[0], after)
    return (first,), after


def difference_of(edit: Row | ShownChange) -> str:
    """A sentence where the values before and after look the same, else ""."""
    if not edit.differs_in:
        return ""
    return f"looks the same before and after, but differs in {edit.differs_in}"


def _uids(row: Row) -> tuple[str, ...]:
    reach = row.reach
    total = reach.series if row.level is Level.SERIES else reach.instances
    more = total - len(row.uids)
    return (*row.uids, f"{more:,} more") if more > 0 else row.uids


def live_text(row: Row, live: LiveValue) -> str:
    """A live value in the usual form of its VR."""
    return live.value.as_vr(row.vr, live.label)


def after_text(row: Row) -> str:
    """The new value, `100 different values`, or "" where nothing is written."""
    if row.op in (Op.RESTORE_INSTANCE, Op.RESTORE_SERIES):
        return ", ".join(_uids(row))
    if row.values > 1:
        return f"{row.values:,} different values"
    return row.after.as_vr(row.vr) if row.after else EMPTY if row.op is Op.UPDATE else ""


def has_place_instead(row: Row) -> bool:
    """Whether only the line of the manifest shows the new value."""
    is_masked = row.values == 1 and row.after is not None and row.after.is_masked
    return is_masked and row.place is not None


def part_text(part: ShownPart) -> tuple[str, str, str]:
    """An element inside of a sequence: its path, its value before and after."""
    return part.path, _value(part.before), _value(part.after)


def _value(value: ShownValue | None) -> str:
    return "(absent)" if value is None else value.text
