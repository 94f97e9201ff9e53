"""The picture of what changes where: a strip of bars for each level, a bar for each study.

Its numbers stand beside it, so it is a table with a picture in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

from reconciler.core.model.address import Level
from reconciler.core.model.hazard import Hazard
from reconciler.core.review.model import ShownAction
from reconciler.core.review.phrases import plural
from reconciler.render.html.markup import Html, element

# More bars are narrower than a phone shows; then a bar stands for several studies.
MOST = 100
# The width of a bar where there is room, in pixels.
_WIDE = 40
# The height of a strip and the least height of a bar, in units of the picture.
_HEIGHT, _LEAST = 20.0, 1.5


class _Kind(IntEnum):
    """How an image set changes at a level. The gravest decides."""

    PLAIN = 0
    DANGER = 1
    HELD = 2


# A member of an enum takes longer to read than a function to call, in Python 3.11.
_PLAIN, _DANGER, _HELD = _Kind
_WORDS = {_Kind.PLAIN: "without danger", _Kind.DANGER: "dangerous", _Kind.HELD: "held back"}


@dataclass(slots=True)
class _Cell:
    """What changes at one level of a study, or of the studies of a bar."""

    kinds: Counter[_Kind] = field(default_factory=Counter)
    hazards: set[Hazard] = field(default_factory=set)

    def add(self, other: _Cell) -> None:
        self.kinds.update(other.kinds)
        self.hazards |= other.hazards


# By level, then by study or by bar.
_Cells: TypeAlias = dict[tuple[Level, int], _Cell]


class Picture:
    """The table, drawn once every action was added."""

    def __init__(self) -> None:
        self._cells: _Cells = defaultdict(_Cell)
        # With 0 for image sets whose study is unknown.
        self._studies: set[int] = set()

    def add(self, action: ShownAction) -> None:
        """Count what changes at each level of each study."""
        studies = {one.image_set_id: one.study for one in action.members}
        self._studies.update(studies.values())
        worst: dict[tuple[str, Level], _Kind] = {}
        is_held = not action.steps
        for change in action.changes:
            key = change.image_set_id, change.address.level
            kind = _HELD if is_held else _DANGER if change.hazards else _PLAIN
            if kind > worst.get(key, -1):
                worst[key] = kind
            if change.hazards:
                cell = self._cells[key[1], studies.get(key[0], 0)]
                cell.hazards.update(change.hazards)
        for (name, level), kind in worst.items():
            self._cells[level, studies.get(name, 0)].kinds[kind] += 1

    def drawn(self) -> Html:
        """The table, "" if no attribute, series or instance changes."""
        if not self._cells:
            return Html("")
        studies = max(self._studies, default=0)
        per_bar = -(-studies // MOST) or 1
        bars = -(-studies // per_bar) + (0 in self._studies)
        cells: _Cells = defaultdict(_Cell)
        for (level, study), cell in self._cells.items():
            # Image sets whose study is unknown have the last bar.
            cells[level, (study - 1) // per_bar if study else bars - 1].add(cell)
        named = f"Bars: {_studies(studies, per_bar)}" if studies > 1 else ""
        return _table(cells, bars, named)


def _table(cells: _Cells, bars: int, named: str) -> Html:
    return element(
        "section",
        element("h2", "What changes where"),
        element("p", f"Image sets that change at each level. {named}", class_="about"),
        element(
            "table",
            element("thead", element("tr", *_head())),
            element("tbody", *(_line(level, cells, bars) for level in Level)),
            class_="picture",
        ),
        id="where",
    )


def _studies(studies: int, per_bar: int) -> str:
    several = f", {per_bar} a bar" if per_bar > 1 else ""
    return f"study 1 to study {studies:,} from left to right{several}."


def _head() -> Iterator[Html]:
    yield element("th", "Level", scope="col")
    yield element("th", element("span", "Picture", class_="unseen"), scope="col")
    for kind in _Kind:
        key = element("span", class_=f"key {kind.name.lower()}", aria_hidden="true")
        yield element("th", key, _WORDS[kind], scope="col")


def _line(level: Level, cells: _Cells, bars: int) -> Html:
    here = {bar: cells[level, bar] for bar in range(bars) if (level, bar) in cells}
    counts: Counter[_Kind] = Counter()
    for cell in here.values():
        counts.update(cell.kinds)
    most = max((sum(cell.kinds.values()) for cell in cells.values()), default=1)
    return element(
        "tr",
        element("th", level.title, scope="row"),
        element("td", _strip(here, bars, most), class_="strip"),
        *(element("td", f"{counts[kind]:,}") for kind in _Kind),
    )


def _strip(here: Mapping[int, _Cell], bars: int, most: int) -> Html:
    groups = [element("g", *_bars(bar, cell, most)) for bar, cell in here.items()]
    return element(
        "svg",
        *groups,
        viewBox=f"0 0 {bars} {_HEIGHT:g}",
        width=str(bars * _WIDE),
        height="34",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _bars(bar: int, cell: _Cell, most: int) -> Iterator[Html]:
    """From the bottom: held back, dangerous, without danger."""
    hazards = f": {', '.join(sorted(cell.hazards))}" if cell.hazards else ""
    yield element("title", f"{plural(sum(cell.kinds.values()), 'image set')}{hazards}")
    top = _HEIGHT
    for kind in reversed(_Kind):
        if not cell.kinds[kind]:
            continue
        height = max(_LEAST, cell.kinds[kind] / most * _HEIGHT)
        top = max(0.0, top - height)
        yield element(
            "rect",
            x=f"{bar + 0.06:.2f}",
            y=f"{top:.2f}",
            width="0.88",
            height=f"{height:.2f}",
            class_=kind.name.lower(),
        )
