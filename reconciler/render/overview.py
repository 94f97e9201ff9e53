"""Render the overview of a plan as text: verdict, dangers, refusals, drift and edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from reconciler.core.escape import escape
from reconciler.core.lookalikes import reveal, reveal_both
from reconciler.core.review import Review, wording
from reconciler.core.review.model import SYMBOL
from reconciler.core.review.overview import Danger, Overview, Refusal, Remark, Row
from reconciler.core.review.phrases import BEYOND_MANIFESTS, changed_since
from reconciler.render.changes import INDENT, STYLE, place_of
from reconciler.render.style import Look, Style
from reconciler.render.values import cut, isolated, short_path, wrapped

T = TypeVar("T")

# A longer value is cut in its middle.
_LONGEST = 60


def head_lines(overview: Overview, look: Look) -> Iterator[str]:
    """The verdict, and the dangers by name: what they mean follows with each action."""
    yield from painted(" ".join(overview.verdict), Style.STRONG, look, "")
    refused = [danger.hazard for danger in overview.dangers if danger.refused]
    if refused:
        yield from painted(f"Needs consent: {', '.join(refused)}.", Style.ERROR, look, "")
    taken = [danger.hazard for danger in overview.dangers if danger.happens]
    if taken:
        yield from painted(f"Dangers: {', '.join(taken)}.", Style.UPDATE, look, "")


def beyond_lines(review: Review, look: Look) -> Iterator[str]:
    """What the pull request changes besides manifests: a hazard of the plan as a whole."""
    changed = changed_since(review.basis.since) if review.basis.since else ()
    if changed:
        yield from painted(BEYOND_MANIFESTS, Style.ERROR, look, "")
        for line in changed:
            yield from marked("!", escape(line), Style.ERROR, look)
        yield ""


def summary_of(overview: Overview, look: Look) -> Iterator[str]:
    """The verdict, and every danger with its meaning."""
    yield from painted(" ".join(overview.verdict), Style.STRONG, look, "")
    yield from section("Dangers", _happening(overview), danger_lines, look)


def overview_lines(overview: Overview, look: Look) -> Iterator[str]:
    """The whole overview. Its length does not depend on the number of image sets."""
    yield from summary_of(overview, look)
    yield from section("Not changed", overview.refusals, _refusal, look)
    yield from section("Drift: changed outside this repository", overview.drift, _row, look)
    yield from section("Changes", overview.rows, _row, look)
    yield from section("Asked for, and held back", overview.held, _row, look)
    yield from section("Notes", overview.notes, _note, look)


def section(
    title: str, found: Sequence[T], lines: Callable[[T, Look], Iterator[str]], look: Look
) -> Iterator[str]:
    """A heading with the lines of its entries; nothing if there is none."""
    if found:
        yield ""
        yield look.paint(title, Style.STRONG)
    for one in found:
        yield from lines(one, look)


def _happening(overview: Overview) -> list[Danger]:
    return [danger for danger in overview.dangers if danger.happens]


def danger_lines(danger: Danger, look: Look) -> Iterator[str]:
    """A hazard with its meaning and the image sets that it concerns."""
    text = f"{danger.hazard} ({wording.where_it_happens(danger)}): {danger.meaning}"
    yield from marked("!", text, Style.UPDATE, look)


def _refusal(refusal: Refusal, look: Look) -> Iterator[str]:
    about = f"{short_path(refusal.about)}: " if refusal.about else ""
    where = f"{wording.where(refusal.reach)}{wording.since_base(refusal)}"
    text = f"{about}{escape(refusal.message)} ({where})"
    yield from marked("✗", f"{text}  {place_of(refusal.place)}".rstrip(), Style.ERROR, look)
    if refusal.lines:
        yield f"{INDENT}  to allow it, add to the manifest:"
    for line in refusal.lines:
        yield f"{INDENT}    {look.paint(line, Style.STRONG)}"
    yield from painted(escape(refusal.hint), None, look, f"{INDENT}  ")


def _note(remark: Remark, look: Look) -> Iterator[str]:
    text = f"{escape(remark.message)} ({wording.where(remark.reach)})  {place_of(remark.place)}"
    yield from marked("·", text.rstrip(), Style.DIM, look)


def _row(row: Row, look: Look) -> Iterator[str]:
    """`~ PatientSex (Patient): <CS> → "F"`, below it where, and the line that asks."""
    symbol = SYMBOL[row.op]
    befores, after = wording.values_of(row)
    if len(befores) != 1:
        befores, after = tuple(map(reveal, befores)), reveal(after)
    before = " or ".join(isolated(cut(one, _LONGEST)) for one in befores)
    after = isolated(cut(after, _LONGEST))
    place = f"  {place_of(row.place)}" if row.place else ""
    if wording.has_place_instead(row):
        after, place = place_of(row.place), ""
    value = f"{before} → {after}" if before and after else before or after
    value += f" ({', '.join(row.components)})" if row.components else ""
    vr = f", {row.vr}" if row.sends_vr else ""
    head = f"{reveal(wording.name_of(row))} ({row.level.title}{vr}): {value}"
    yield from marked(symbol, head.removesuffix(": "), STYLE[symbol], look)
    inner = f"{INDENT}  "
    place += f" and {row.places - 1:,} more lines" if row.places > 1 else ""
    held = "" if row.runs else "held back: "
    yield from painted(
        f"{held}{wording.where(row.reach, row.level)}{place}", Style.DIM, look, inner
    )
    yield from painted(wording.changed_outside(row), Style.DRIFT, look, inner)
    if row.hazards:
        yield from painted(", ".join(row.hazards), Style.UPDATE, look, inner)
    yield from painted(wording.difference_of(row), Style.UPDATE, look, inner)
    for part in row.parts:
        path, *values = wording.part_text(part)
        path, (old, new) = reveal(path), reveal_both(*values)
        yield from painted(f"{row.name}{path}: {old} → {new}", None, look, inner)
    for odd in row.odd:
        text = f"only {wording.named(odd.reach)}: {reveal(wording.live_text(row, odd))}"
        yield from painted(f"odd one out: {text}", Style.DRIFT, look, inner)


def marked(sign: str, text: str, style: Style, look: Look) -> Iterator[str]:
    """A sign and a text that is wrapped beside it."""
    first, *rest = wrapped(text, look.width - len(INDENT))
    yield f"{look.paint(sign, style)} {first}"
    for line in rest:
        yield f"{INDENT}{line}"


def painted(text: str, style: Style | None, look: Look, indent: str) -> Iterator[str]:
    """A text that is wrapped at the width of the output, with an indent."""
    for line in wrapped(text, look.width - len(indent)):
        yield indent + (look.paint(line, style) if style else line)
