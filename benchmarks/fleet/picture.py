"""Draws curves against the size of a fleet as SVG, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 470, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 196, 40, 46
_LABEL_APART = 14.0
# Of Okabe and Ito: people with any kind of colour vision can distinguish them.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_TEXT, _GRID = "#333333", "#DDDDDD"
_STYLE = "font-family:Helvetica,Arial,sans-serif;font-size:11px"


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve: its label, its colour, and (size, value) by size. Peers are dashed."""

    label: str
    colour: str
    points: tuple[tuple[float, float], ...]
    is_peer: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves with the same axes."""

    title: str
    curves: tuple[Curve, ...]


def picture(panels: Sequence[Panel]) -> str:
    """The panels side by side, as the text of an SVG file."""
    step = _LEFT + _WIDTH - _LEFT + _RIGHT
    body = [
        f'<g transform="translate({number * step},0)">{"".join(_panel(panel))}</g>'
        for number, panel in enumerate(panels)
    ]
    width = step * len(panels)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT}" '
            f'width="{width}" height="{_HEIGHT}" style="{_STYLE}" role="img">',
            f"<title>{escape(' and '.join(panel.title for panel in panels))}</title>",
            f'<rect width="{width}" height="{_HEIGHT}" fill="#FFFFFF"/>',
            *body,
            "</svg>\n",
        ]
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """Powers of ten from `low` to `high`, drawn from `begin` to `end`."""

    low: int
    high: int
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return round(self.begin + share * (self.end - self.begin), 1)

    @property
    def ticks(self) -> Iterator[int]:
        yield from range(self.low, self.high + 1)


def _axis(values: Sequence[float], begin: float, end: float) -> _Axis:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return _Axis(low, max(high, low + 1), begin, end)


def _panel(panel: Panel) -> Iterator[str]:
    points = [point for curve in panel.curves for point in curve.points]
    if not points:
        return
    across = _axis([size for size, _ in points], _LEFT, _WIDTH)
    up = _axis([value for _, value in points], _HEIGHT - _BOTTOM, _TOP)
    yield _words(_LEFT, 20, panel.title, "font-weight:bold")
    yield _words((_LEFT + _WIDTH) / 2, _HEIGHT - 8, "image sets in the fleet", "text-anchor:middle")
    for power in across.ticks:
        where = across.at(10.0**power)
        yield _line(where, _TOP, where, _HEIGHT - _BOTTOM)
        yield _words(where, _HEIGHT - _BOTTOM + 16, f"{10**power:,}", "text-anchor:middle")
    for power in up.ticks:
        where = up.at(10.0**power)
        yield _line(_LEFT, where, _WIDTH, where)
        yield _words(_LEFT - 6, where + 4, _power(power), "text-anchor:end")
    for curve in panel.curves:
        yield from _curve(curve, across, up)
    yield from _labels(panel.curves, across, up)


def _power(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"


def _curve(curve: Curve, across: _Axis, up: _Axis) -> Iterator[str]:
    places = [(across.at(size), up.at(value)) for size, value in curve.points]
    path = " ".join(f"{x},{y}" for x, y in places)
    dashes = ' stroke-dasharray="5 4"' if curve.is_peer else ""
    line = f'fill="none" stroke="{curve.colour}" stroke-width="2"{dashes}'
    yield f'<polyline points="{path}" {line}/>'
    for x, y in places:
        yield f'<circle cx="{x}" cy="{y}" r="3" fill="{curve.colour}"/>'


def _labels(curves: Sequence[Curve], across: _Axis, up: _Axis) -> Iterator[str]:
    """The name of each curve, right of its end, none over another."""
    ends = sorted((up.at(one.points[-1][1]), one.label, one) for one in curves)
    free: dict[float, float] = {}
    for y, label, curve in ends:
        x = across.at(curve.points[-1][0])
        free[x] = max(y + 4, free.get(x, -math.inf) + _LABEL_APART)
        yield _words(x + 8, free[x], label, f"fill:{curve.colour}")


def _words(x: float, y: float, text: str, style: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{_TEXT}" style="{style}">{escape(text)}</text>'


def _line(x: float, y: float, other_x: float, other_y: float) -> str:
    return f'<line x1="{x:g}" y1="{y:g}" x2="{other_x:g}" y2="{other_y:g}" stroke="{_GRID}"/>'
