"""The sections of a page that stand for all image sets together, in the order of the comment."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.model.change import Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.review import Review, wording
from reconciler.core.review.explain import MEANING
from reconciler.core.review.model import SYMBOL
from reconciler.core.review.overview import Danger, LiveValue, Reach, Refusal, Remark, Row
from reconciler.core.review.phrases import plural
from reconciler.render.html.markup import Html, element, joined, place_link, text, value
from reconciler.render.html.section import Section, headline, made, optional, section_of

_VERBS: dict[Op, str] = {
    Op.ADD: "Add",
    Op.UPDATE: "Change",
    Op.REMOVE: "Remove",
    Op.REMOVE_SERIES: "Remove",
    Op.REMOVE_INSTANCE: "Remove",
    Op.RESTORE_SERIES: "Restore",
    Op.RESTORE_INSTANCE: "Restore",
}


def sections(review: Review, link: str) -> Html:
    """What a reviewer decides by. A section without an entry is left out."""
    return joined(section_of(one) for one in _all(review, link) if one.entries)


def notes(review: Review, link: str) -> Html:
    """What a reviewer should know, and need not decide; "" if there is nothing."""
    found = made(("notes", "Notes", ""), review.overview.notes, lambda one: _note(one, link))
    return section_of(found) if found.entries else Html("")


def _all(review: Review, link: str) -> Iterator[Section]:
    found = review.overview
    odd = [(row, one) for row in (*found.drift, *found.rows) for one in row.odd]
    yield made(
        ("refusals", "Not changed", "These image sets stay as they are."),
        found.refusals,
        lambda one: _refusal(one, link),
    )
    happening = [danger for danger in found.dangers if danger.happens]
    yield made(("dangers", "Dangers", "Look at these first."), happening, _danger)
    yield made(
        ("drift", "Drift", "Another process changed these values outside this repository."),
        found.drift,
        lambda row: _row(row, link),
    )
    about = "Few image sets hold another value than the rest. Check that they belong here."
    yield made(("odd", "Odd ones out", about), odd, lambda one: _odd(*one))
    about = f"Equal edits of many image sets are one entry. {wording.hidden(found)}".strip()
    yield made(("changes", "Changes", about), found.rows, lambda row: _row(row, link))
    about = "These edits are asked for, and not made. The reasons stand under “Not changed”."
    yield made(("held", "Held back", about), found.held, lambda row: _row(row, link))


def _refusal(refusal: Refusal, link: str) -> Html:
    about = joined([value(refusal.about), ": "]) if refusal.about else ""
    lines = [element("pre", element("code", line)) for line in refusal.lines]
    return element(
        "li",
        element("p", about, headline(refusal.message), class_="lead"),
        element("p", "To allow it, add to the manifest:", class_="about") if lines else "",
        *lines,
        optional(refusal.hint, "p", "about"),
        _where(
            refusal.reach,
            None,
            joined(filter(None, [text(refusal.at_base), place_link(refusal.place, link)]), " · "),
        ),
        class_="refusal",
        data_find=refusal.message,
    )


def _danger(danger: Danger) -> Html:
    held = f"held back on {danger.held:,} more" if danger.held else ""
    return element(
        "li",
        element(
            "p",
            _sentence_case(danger.meaning),
            " ",
            _hazard(danger.hazard),
            " ",
            optional(held, "strong", "refused"),
            class_="lead",
        ),
        _where(danger.reach, None, Html("")),
        class_="danger",
        data_hazard=danger.hazard,
    )


def _sentence_case(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _hazard(hazard: Hazard) -> Html:
    return element("span", hazard, class_="hazard", title=MEANING[hazard])


def _odd(row: Row, live: LiveValue) -> Html:
    others = row.reach.image_sets - live.reach.image_sets
    return element(
        "li",
        element(
            "p",
            value(wording.name_of(row), "name"),
            " is ",
            value(wording.live_text(row, live), "old"),
            f" only on {plural(live.reach.image_sets, 'image set')}. The other {others:,} hold ",
            value(wording.live_text(row, row.before[0]), "old"),
            ".",
            class_="lead",
        ),
        element("p", value(wording.named(live.reach)), class_="where"),
        class_="odd",
        data_attribute=wording.name_of(row),
        data_level=row.level.title,
        data_find=wording.live_text(row, live),
    )


def _row(row: Row, link: str) -> Html:
    more = f" and {row.places - 1:,} more lines" if row.places > 1 else ""
    parts = [element("li", value(row.name + part.path, "name"), *_part(part)) for part in row.parts]
    return element(
        "li",
        element("p", joined(_title(row), " "), class_="lead"),
        element("p", *_values(row), class_="values"),
        element("ul", *parts, class_="parts") if parts else "",
        optional(_sentence_case(wording.changed_outside(row)) if row.drift else "", "p", "drifted"),
        _where(row.reach, row, joined([place_link(row.place, link), more])),
        class_="row",
        data_attribute=wording.name_of(row),
        data_level=row.level.title,
    )


def _title(row: Row) -> Iterator[Html]:
    yield element("span", _VERBS[row.op], class_=f"verb {row.op.split('-')[0]}")
    yield value(row.name, "name") if row.name else text(wording.name_of(row))
    vr = f" level, sent as {row.vr}" if row.sends_vr else " level"
    yield element("span", f"{row.level.title}{vr}", class_="level")
    if not row.runs:
        yield element("strong", "held back", class_="refused")
    yield from map(_hazard, row.hazards)


def _values(row: Row) -> Iterator[Html]:
    before, after = wording.values_of(row)
    if before:
        yield element("span", "now", class_="tag")
        # Beyond the values that are known, `before` has words such as `5 other values`.
        known = len(row.before or row.uids)
        yield joined([value(one, "old") for one in before[:known]] + [*before[known:]], " or ")
    if before and (after or SYMBOL[row.op] == "-"):
        yield Html(" → ")
    if wording.has_place_instead(row):
        yield element("span", "new", class_="tag")
        yield text("a new value, which the line shows")
    elif after:
        yield element("span", "new", class_="tag")
        yield text(after) if row.values > 1 else value(after, "new")
    elif SYMBOL[row.op] == "-":
        yield text("removed")
    if difference := wording.difference_of(row):
        yield text(f" {difference}")
    if row.components:
        yield text(f" ({', '.join(row.components)})")


def _part(part: object) -> Iterator[Html]:
    _, old, new = wording.part_text(part)  # type: ignore[arg-type]
    yield text(" ")
    yield value(old, "old")
    yield text(" → ")
    yield value(new, "new")


def _note(remark: Remark, link: str) -> Html:
    return element(
        "li",
        element("p", headline(remark.message)),
        _where(remark.reach, None, place_link(remark.place, link)),
        class_="note",
        data_find=remark.message,
    )


def _where(reach: Reach, row: Row | None, place: Html) -> Html:
    words = wording.where(reach, row.level if row else None)
    shown = text(words)
    if reach.image_sets == 1:
        before, _, after = words.partition(reach.first[0])
        shown = joined([before, value(reach.first[0]), after])
    return element("p", shown, " · " if place else "", place, class_="where")
