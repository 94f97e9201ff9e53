"""The lines that show changes: `~ PatientName  Patient  "before" → "after"  place`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import Place
from reconciler.model.change import Change, Op
from reconciler.redact import masked
from reconciler.render.look import Look, Style
from reconciler.render.rows import Row, rows, short_addresses, where
from reconciler.render.values import cut, cut_pair, escape, pad, shown, width

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


def change_lines(changes: Iterable[Change], look: Look, indent: str = INDENT) -> list[str]:
    """One line per edit; two more where before and after do not fit beside each other."""
    changes = tuple(changes)
    short = short_addresses(changes)
    table = [_cells(row, short, look) for row in rows(changes)]
    names = min(_WIDEST_KEY, max((width(cells.name) for cells in table), default=0))
    places = max((width(cells.where) for cells in table), default=0)
    room = look.width - len(indent) - 2 - names - 2 - places - 2
    fitting = [width(cells.body) for cells in table if _fits(cells, room)]
    body = max(fitting, default=0)
    lines: list[str] = []
    for cells in table:
        start = f"{pad(cells.name, names)}  {pad(cells.where, places)}"
        lines += _lines(cells, start, body if _fits(cells, room) else None, look, indent)
    return lines


def _fits(cells: _Cells, room: int) -> bool:
    return width(cells.body) + (width(cells.place) + 2 if cells.place else 0) <= room


def _lines(cells: _Cells, start: str, body: int | None, look: Look, indent: str) -> list[str]:
    style = _STYLE[cells.row.symbol]
    lead = f"{indent}{look.paint(cells.row.symbol, style)} "
    place = look.paint(cells.place, Style.DIM)
    if body is not None:
        text = _painted_body(cells, pad(cells.body, body)[len(cells.body) :], look)
        return [f"{lead}{start}  {text}  {place}".rstrip(), *_remarks(cells, look, indent)]
    room = look.width - len(indent) - 8
    lines = [f"{lead}{start}  {place}".rstrip()]
    inner = f"{indent}    "
    if cells.before and cells.after:
        before, after = cut_pair(cells.before, cells.after, room)
        lines.append(f"{inner}  {look.paint(before, Style.REMOVE)}")
        lines.append(f"{inner}→ {look.paint(after, Style.ADD)}")
    else:
        lines.append(f"{inner}  {look.paint(cut(cells.one, room), style)}")
    return [*lines, *_remarks(cells, look, indent)]


def _painted_body(cells: _Cells, filling: str, look: Look) -> str:
    if cells.before and cells.after:
        before = look.paint(cells.before, Style.REMOVE)
        return f"{before} → {look.paint(cells.after, Style.ADD)}{filling}"
    return look.paint(cells.one, _STYLE[cells.row.symbol]) + filling


def _remarks(cells: _Cells, look: Look, indent: str) -> list[str]:
    change = cells.row.change
    inner = f"{indent}    "
    lines = []
    if change.drifted:
        text = "drift: somebody else changed this since it was last recorded"
        lines.append(inner + look.paint(text, Style.DRIFT))
    lines += [
        inner + look.paint(f"needs force: {reason}", Style.DIM) for reason in change.force_reasons
    ]
    return lines


def _cells(row: Row, short: dict[str, str], look: Look) -> _Cells:
    change = row.change
    name = cut(escape(row.name), _WIDEST_KEY)
    if change.send_vr:
        name = f"{name} ({change.vr})"
    before = "" if change.op is Op.ADD or not change.key else shown(change.before, change.tag, look)
    return _Cells(
        row=row,
        name=name,
        where=where(row, short),
        before=before,
        after=_after(change, look),
        place=place_of(change.place),
    )


def _after(change: Change, look: Look) -> str:
    """The value to come; where it is masked, the line of the manifest that it stands in."""
    if change.op not in (Op.ADD, Op.UPDATE):
        return ""
    if change.place and change.tag is not None and masked(change.tag, look.redact):
        return f"as in {place_of(change.place)}"
    return shown(change.after, change.tag, look)


def place_of(place: Place | None) -> str:
    """`manifests/a.yaml:12`: what terminals and editors open at a click."""
    if place is None:
        return ""
    return f"{escape(place.file)}:{place.line}" if place.line else escape(place.file)
