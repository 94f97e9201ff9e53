"""Writes what was measured: docs/benchmarks.json, the table in docs/benchmarks.md, the picture.

A run replaces what is known of the sizes that it measured. Other sizes stay.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.fleet.picture import COLOURS, Curve, Panel, picture
from benchmarks.fleet.rows import GOAL_SIZE, Row

FOLDER = Path("docs")
BEGIN, END = "<!-- begin: make bench -->", "<!-- end: make bench -->"
# The cases that are curves, with their labels; peers come last.
_CPU = {
    "watermark": "plan",
    "plan": "plan",
    "full": "plan, full scan",
    "octodns-one": "octoDNS, one zone",
    "octodns-many": "octoDNS, zones of 1,000",
    "terraform": "Terraform",
    "script-1": "script, every document",
}
_CALLS = {
    "watermark": "plan",
    "plan": "plan",
    "full": "plan, full scan",
    "script-1": "script, every document",
}
# The same label has the same colour in both panels.
_COLOURED = list(dict.fromkeys(_CPU.values()))
_OURS = frozenset({"watermark", "plan", "full"})
_TEXT = """\
## Cost against the size of the fleet

`make bench` measures this and writes it. The fleet has one manifest per file in 1,000 folders,
about 1 KB each: five attributes over four levels, some of them `absent`. One tenth is applied by
`reconcile apply`; the other records are clones that the same code writes. The last write is older
than the overlap of a scan. The emulator is a process of its own.

CPU counts start-up and child processes; memory is the peak. A case that takes seconds runs three
times, and the least CPU counts; the others run once.
octoDNS, Terraform and the script run on the same machine in the same run.

![Cost against the size of the fleet](benchmarks.svg)

{size:,} image sets, {machine}. The calibration loop, 3,000,000 additions in Python, took
{calibration:.2f} s.

| case | measured | goal |
|---|---|---|
{rows}

[benchmarks.json](benchmarks.json) has the numbers of every size.

"""
Sizes = Mapping[str, Mapping[str, Any]]


def write(found: Mapping[int, Sequence[Row]], folder: Path = FOLDER) -> None:
    """Write all three files."""
    file = folder / "benchmarks.json"
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known |= {str(size): measured(rows) for size, rows in found.items()}
    known = {size: known[size] for size in sorted(known, key=int)}
    file.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "benchmarks.svg").write_text(picture(list(panels(known))), encoding="utf-8")
    page = folder / "benchmarks.md"
    page.write_text(replaced(page.read_text(encoding="utf-8"), table(known)), encoding="utf-8")


def measured(rows: Sequence[Row]) -> dict[str, Any]:
    """What was measured of one size, as the JSON file has it."""
    return {
        "machine": (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
        ),
        "cases": {
            row.name: {
                "case": row.case,
                "measured": row.measured,
                "goal": row.goal,
                "isMet": row.is_met,
                "numbers": dict(row.numbers),
            }
            for row in rows
        },
    }


def replaced(page: str, block: str) -> str:
    """The page with another text between the markers."""
    before, _, rest = page.partition(BEGIN)
    _, marker, after = rest.partition(END)
    if not marker:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{block}{END}{after}"


def table(known: Sizes) -> str:
    """The text between the markers: of the size that the goals are for, else of the largest."""
    size = str(GOAL_SIZE) if str(GOAL_SIZE) in known else max(known, key=int)
    found = known[size]
    loops = [
        case["numbers"]["calibration"]
        for case in found["cases"].values()
        if case["numbers"].get("calibration")
    ]
    return _TEXT.format(
        size=int(size),
        machine=found["machine"],
        calibration=min(loops, default=0.0),
        rows="\n".join(_row(case) for case in found["cases"].values()),
    )


def _row(case: Mapping[str, Any]) -> str:
    mark = {True: "", False: " **not reached**", None: ""}[case["isMet"]]
    return f"| {case['case']} | {case['measured']} | {case['goal']}{mark} |"


def panels(known: Sizes) -> Iterator[Panel]:
    """The panels of the picture."""
    yield Panel("CPU seconds", tuple(_curves(known, _CPU, "cpu")))
    yield Panel("calls to the service", tuple(_curves(known, _CALLS, "calls")))


def _curves(known: Sizes, labels: Mapping[str, str], number: str) -> Iterator[Curve]:
    for name, label in labels.items():
        points = [
            (float(size), value)
            for size, found in known.items()
            if name in found["cases"]
            and (value := _value(found["cases"][name]["numbers"], number)) > 0
        ]
        if name == "terraform":  # it is measured up to a number of resources
            points = [(known[f"{size:.0f}"]["cases"][name]["numbers"]["resources"], value)
                      for size, value in points]  # fmt: skip
        if points:
            colour = COLOURS[_COLOURED.index(label)]
            yield Curve(label, colour, tuple(dict(points).items()), name not in _OURS)


def _value(numbers: Mapping[str, Any], name: str) -> float:
    value = numbers[name]
    return float(sum(value.values()) if isinstance(value, dict) else value)
