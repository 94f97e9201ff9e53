"""The lines that show changes: `~ PatientName  Patient  "before" → "after"  place`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.errors import Place
from reconciler.core.escape import escape
from reconciler.core.model.change import Change, Op
from reconciler.core.review.mask import masked
from reconciler.render.rows import Row, rows, short_addresses, where
from reconciler.render.style import Look, Style
from reconciler.render.values import cut, cut_pair, pad, shown, width

INDENT = "    "
_STYLE = {"+": Style.ADD, "~": Style.UPDATE, "-": Style.REMOVE}
_WIDEST_KEY = 34


@dataclass(frozen=True, slots=True)
class _Cells:
    row: Row
    name: str
    where: str
    before: str
    after: str
    place: str

    @property
    def body(self) -> str:
        return f"{self.before} → {self.after}" if self.before and self.after else self.one

    @property
    def one(self) -> str:
        return self.before or self.after


def change_lines(
    changes: Iterable[Change],
    look: Look,
    indent: str = INDENT,
    *,
    drift: Mapping[str, str] | None = None,
    anywhere: bool = False,
) -> list[str]:
    """One line per edit; more where before and after do not fit beside each other.

    `drift` tells by image set between which versions somebody else was at work. `anywhere` leaves
    out the UIDs, where the lines stand for several image sets.
    """
    changes = tuple(changes)
    short = short_addresses(changes)
    if anywhere:
        short = dict.fromkeys(short, "")
    table = [_cells(row, short, look) for row in rows(changes)]
    names = min(_WIDEST_KEY, max((width(cells.name) for cells in table), default=0))
    places = max((width(cells.where) for cells in table), default=0)
    room = look.width - len(indent) - 2 - names - 2 - places - 2
    fitting = [width(cells.body) for cells in table if _fits(cells, room)]
    body = max(fitting, default=0)
    lines: list[str] = []
    for cells in table:
        start = f"{pad(cells.name, names)}  {pad(cells.where, places)}"
        lines += _lines(cells, start, (body, room), look, indent)
        lines += _remarks(cells, drift or {}, look, indent)
    return lines


def _fits(cells: _Cells, room: int) -> bool:
    return width(cells.body) + (width(cells.place) + 2 if cells.place else 0) <= room


def _lines(
    cells: _Cells, start: str, columns: tuple[int, int], look: Look, indent: str
) -> list[str]:
    """Values beside the attribute, with the place after them or below; else values below too."""
    body, room = columns
    style = _STYLE[cells.row.symbol]
    lead = f"{indent}{look.paint(cells.row.symbol, style)} {start}  "
    place = look.paint(cells.place, Style.DIM)
    inner = f"{indent}    "
    if _fits(cells, room):
        filling = " " * (body - width(cells.body))
        return [f"{lead}{_painted_body(cells, look)}{filling}  {place}".rstrip()]
    if width(cells.body) <= room:
        return [f"{lead}{_painted_body(cells, look)}".rstrip(), f"{inner}{place}".rstrip()]
    room = look.width - len(inner) - 2
    if not (cells.before and cells.after):
        return [f"{lead}{place}".rstrip(), f"{inner}  {look.paint(cut(cells.one, room), style)}"]
    before, after = cut_pair(cells.before, cells.after, room)
    return [
        f"{lead}{place}".rstrip(),
        f"{inner}  {look.paint(before, Style.REMOVE)}",
        f"{inner}→ {look.paint(after, Style.ADD)}",
    ]


def _painted_body(cells: _Cells, look: Look) -> str:
    if cells.before and cells.after:
        before = look.paint(cells.before, Style.REMOVE)
        return f"{before} → {look.paint(cells.after, Style.ADD)}"
    return look.paint(cells.one, _STYLE[cells.row.symbol])


def _remarks(cells: _Cells, drift: Mapping[str, str], look: Look, indent: str) -> list[str]:
    change = cells.row.change
    inner = f"{indent}    "
    lines = []
    if change.drifted:
        when = drift.get(change.image_set_id, "since it was last recorded")
        lines.append(inner + look.paint(f"drift: changed by somebody else {when}", Style.DRIFT))
    lines += [
        inner + look.paint(f"needs force: {reason}", Style.DIM) for reason in change.force_reasons
    ]
    return lines


def _cells(row: Row, short: dict[str, str], look: Look) -> _Cells:
    """The texts of a row. An after-value that is masked is told by the line that it stands in."""
    change = row.change
    name = cut(escape(row.name), _WIDEST_KEY)
    place = place_of(change.place)
    hidden = bool(place) and change.op in (Op.ADD, Op.UPDATE) and _hides_after(change, look)
    return _Cells(
        row=row,
        name=f"{name} ({change.vr})" if change.send_vr else name,
        where=where(row, short).rstrip(),
        before=_before(change, look),
        after=place if hidden else _after(change, look),
        place="" if hidden else place,
    )


def _before(change: Change, look: Look) -> str:
    if change.op in (Op.UPDATE, Op.REMOVE):
        return shown(change.before, change.tag, look)
    # What goes as a whole is named in full: that is the line to look at twice.
    removed = change.op in (Op.REMOVE_INSTANCE, Op.REMOVE_SERIES)
    return escape(change.address.instance or change.address.series) if removed else ""


def _after(change: Change, look: Look) -> str:
    if change.op in (Op.ADD, Op.UPDATE):
        return shown(change.after, change.tag, look)
    restored = change.op in (Op.RESTORE_INSTANCE, Op.RESTORE_SERIES)
    return escape(change.address.instance or change.address.series) if restored else ""


def _hides_after(change: Change, look: Look) -> bool:
    return masked(change.tag, change.after.raw if change.after else None, look.redact)


def place_of(place: Place | None) -> str:
    """`manifests/a.yaml:12`: what terminals and editors open at a click."""
    if place is None:
        return ""
    return f"{escape(place.file)}:{place.line}" if place.line else escape(place.file)
