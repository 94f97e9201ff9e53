"""The lines that show edits: `~ PatientName  Patient  "before" → "after"  place`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.core.errors import Place
from reconciler.core.lookalikes import reveal, reveal_both
from reconciler.core.model.address import Level
from reconciler.core.review.model import Edit
from reconciler.core.review.wording import difference_of, part_text
from reconciler.render.style import Look, Style
from reconciler.render.values import cut, cut_pair, isolated, pad, short_uids, width

INDENT = "    "
STYLE = {"+": Style.ADD, "~": Style.UPDATE, "-": Style.REMOVE}
_WIDEST_KEY = 34


@dataclass(frozen=True, slots=True)
class _Cells:
    edit: Edit
    name: str
    where: str
    before: str
    after: str
    place: str

    @property
    def body(self) -> str:
        return f"{self.before} → {self.after}" if self.before and self.after else self.single

    @property
    def single(self) -> str:
        return self.before or self.after


def edit_lines(edits: Sequence[Edit], look: Look, indent: str = INDENT) -> list[str]:
    """One line per edit; more if the values before and after do not fit beside each other."""
    where = _places(edits)
    table = [_cells(edit, where(edit)) for edit in edits]
    names = min(_WIDEST_KEY, max((width(cells.name) for cells in table), default=0))
    places = max((width(cells.where) for cells in table), default=0)
    room = look.width - len(indent) - 2 - names - 2 - places - 2
    fitting = [width(cells.body) for cells in table if _fits(cells, room)]
    body = max(fitting, default=0)
    lines: list[str] = []
    for cells in table:
        start = f"{pad(cells.name, names)}  {pad(cells.where, places)}"
        lines += _lines(cells, start, (body, room), look, indent)
        lines += _remarks(cells.edit, look, indent)
    return lines


def _fits(cells: _Cells, room: int) -> bool:
    return width(cells.body) + (width(cells.place) + 2 if cells.place else 0) <= room


def _lines(
    cells: _Cells, start: str, columns: tuple[int, int], look: Look, indent: str
) -> list[str]:
    """Values beside the attribute, with the place after or below them; else all of it below."""
    body, room = columns
    style = STYLE[cells.edit.symbol]
    lead = f"{indent}{look.paint(cells.edit.symbol, style)} {start}  "
    place = look.paint(cells.place, Style.DIM)
    inner = f"{indent}    "
    if _fits(cells, room):
        filling = " " * (body - width(cells.body))
        return [f"{lead}{_painted_body(cells, look)}{filling}  {place}".rstrip()]
    if width(cells.body) <= room:
        return [f"{lead}{_painted_body(cells, look)}".rstrip(), f"{inner}{place}".rstrip()]
    room = look.width - len(inner) - 2
    if not (cells.before and cells.after):
        single = isolated(cut(cells.single, room))
        return [f"{lead}{place}".rstrip(), f"{inner}  {look.paint(single, style)}"]
    before, after = cut_pair(cells.before, cells.after, room)
    return [
        f"{lead}{place}".rstrip(),
        f"{inner}  {look.paint(isolated(before), Style.REMOVE)}",
        f"{inner}→ {look.paint(isolated(after), Style.ADD)}",
    ]


def _painted_body(cells: _Cells, look: Look) -> str:
    if cells.before and cells.after:
        before = look.paint(isolated(cells.before), Style.REMOVE)
        return f"{before} → {look.paint(isolated(cells.after), Style.ADD)}"
    return look.paint(isolated(cells.single), STYLE[cells.edit.symbol])


def _remarks(edit: Edit, look: Look, indent: str) -> list[str]:
    inner = f"{indent}    "
    lines = []
    for part in edit.change.parts:
        path, *values = part_text(part)
        path, (old, new) = reveal(path), reveal_both(*values)
        before, after = cut_pair(old, new, (look.width - len(inner) - width(path)) // 2)
        lines.append(f"{inner}{path}: {before} → {after}")
    if edit.change.components:
        changed = ", ".join(edit.change.components)
        lines.append(inner + look.paint(f"changed: {changed}", Style.DIM))
    if difference := difference_of(edit.change):
        lines.append(inner + look.paint(difference, Style.UPDATE))
    if edit.drift:
        text = f"drift: changed outside this repository {edit.drift}"
        lines.append(inner + look.paint(text, Style.DRIFT))
    return lines + [
        inner + look.paint(f"needs force: {reason}", Style.DIM)
        for reason in edit.change.force_reasons
    ]


def _cells(edit: Edit, where: str) -> _Cells:
    """The texts of an edit. A masked new value is replaced by the line that states it."""
    change = edit.change
    name = cut(reveal(edit.name), _WIDEST_KEY)
    before, after = reveal_both(edit.before, edit.after)
    place = place_of(change.place)
    hidden = bool(place) and edit.is_after_masked
    return _Cells(
        edit=edit,
        name=f"{name} ({change.vr})" if change.send_vr else name,
        where=where,
        before="" if change.parts else before,
        after="" if change.parts else place if hidden else after,
        place="" if hidden and not change.parts else place,
    )


def _places(edits: Sequence[Edit]) -> Callable[[Edit], str]:
    """A function of an edit: `Patient`, `Series …99.1`, `Instance …99.1.7`, `50 instances`.

    An instance that is in several series is `Instance …99.1.7 of series …99.1`.
    """
    addresses = {address for edit in edits for address in edit.addresses}
    instances = Counter(address.instance for address in addresses if address.instance)
    short = {
        **short_uids({address.series for address in addresses}),
        **short_uids(set(instances)),
    }

    def where(edit: Edit) -> str:
        address = edit.addresses[0]
        level, uid = address.level, address.instance or address.series
        if len(edit.addresses) > 1:
            noun = "instances" if level is Level.INSTANCE else "series"
            return f"{len(edit.addresses):,} {noun}"
        if not uid:
            return level.title
        place = f"{level.title} {short[uid]}" if edit.change.key else level.title
        series = f" of series {short[address.series]}"
        return f"{place}{series}" if instances[address.instance] > 1 else place

    return where


def place_of(place: Place | None) -> str:
    """`manifests/a.yaml:12`: a form that terminals and editors open on a click."""
    if place is None:
        return ""
    file = reveal(place.file)
    return f"{file}:{place.line}" if place.line else file
