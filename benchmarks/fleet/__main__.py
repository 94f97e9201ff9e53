"""Cost against the size of a fleet, beside peers: `make bench`.

python -m benchmarks.fleet [SIZE] [--write] [--only CASE]... [--folder FOLDER]

The fleet has one manifest per file in 1,000 folders, about 1 KB each: five attributes over four
levels, some of them `absent`. One tenth is applied by the tool itself, to an emulator in a process
of its own; the other records are clones that the tool's own code writes. Small fleets are measured
first, for the picture. CPU counts start-up and child processes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from benchmarks.fleet import (
    case_calls,
    case_local,
    case_plan,
    page,
    peer_octodns,
    peer_script,
    peer_terraform,
)
from benchmarks.fleet.bench import Bench
from benchmarks.fleet.make import make
from benchmarks.fleet.measure import CommandFailed
from benchmarks.fleet.ratios import ratios
from benchmarks.fleet.rows import GOAL_SIZE, NotThere, Row

Case: TypeAlias = Callable[[Bench], Iterator[Row | NotThere]]
# Those of every size, of which the picture is made.
CURVES: Mapping[str, Case] = {
    "unchanged": case_plan.unchanged,
    "script": peer_script.script,
    "octodns": peer_octodns.octodns,
    "terraform": peer_terraform.terraform,
}
# In this order; `large` changes the data store, so it comes last.
CASES: Mapping[str, Case] = {
    "unchanged": case_plan.unchanged,
    "quotas": case_plan.at_quotas,
    "edited": case_plan.edited,
    "validate": case_local.validate,
    "cold": case_calls.cold_plans,
    "study": case_calls.study_wide,
    "selector": case_calls.selector,
    "records": case_local.record_writing,
    "start": case_local.start_up,
    "script": peer_script.script,
    "octodns": peer_octodns.octodns,
    "terraform": peer_terraform.terraform,
    "large": case_plan.in_large_store,
}
SMALLEST = 1_000
TOOLS = Path(".bench")


def main() -> None:
    """Measure fleets up to the size, and print each row as soon as it is known."""
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=int, nargs="?", default=GOAL_SIZE)
    parser.add_argument("--only", action="append", choices=sorted(CASES), default=[])
    parser.add_argument("--write", action="store_true", help="write the pages in docs/")
    given = parser.parse_args()
    sizes = [] if given.only else _smaller(given.size)
    found: dict[int, list[Row]] = {}
    begin = time.perf_counter()
    for size in [*sizes, given.size]:
        cases = CASES if size == given.size else CURVES
        chosen = {name: case for name, case in cases.items() if name in (given.only or cases)}
        # Terraform gets no more resources than before, so it is not measured again.
        earlier = [row for row in found.get(peer_terraform.MOST, ()) if row.name == "terraform"]
        if earlier:
            chosen.pop("terraform", None)
        found[size] = _measured(size, chosen, earlier)
    _say(f"\nDone in {(time.perf_counter() - begin) / 60:.0f} minutes")
    if given.write:
        page.write(found)


def _smaller(size: int) -> list[int]:
    """The sizes below, by powers of ten."""
    found = [SMALLEST]
    while found[-1] < size:
        found.append(found[-1] * 10)
    return found[:-1]


def _measured(size: int, cases: Mapping[str, Case], earlier: Sequence[Row]) -> list[Row]:
    """The rows of a size, with those that were measured with an earlier one."""
    rows = [*earlier]
    with TemporaryDirectory(prefix="bench-") as name:
        folder, begin = Path(name), time.perf_counter()
        _say(f"\nA fleet of {size:,} image sets")
        bench = Bench(make(folder / "fleet", size), folder, TOOLS.absolute())
        with bench.service() as service:
            bench.record(service)
        _say(f"  made in {time.perf_counter() - begin:,.0f} s")
        for label, case in cases.items():
            try:
                for row in case(bench):
                    _show(row)
                    rows += [row] if isinstance(row, Row) else []
            except CommandFailed as error:  # the other cases are worth their time
                _say(f"  {label} failed: {error}")
    for ratio in tuple(ratios(size, rows)):
        _show(ratio)
        rows.append(ratio)
    return rows


def _show(row: Row | NotThere) -> None:
    if isinstance(row, NotThere):
        _say(f"  {row.case}: not there yet")
    else:
        _say(f"  {row.case}: {row.measured}{_verdict(row)}")


def _verdict(row: Row) -> str:
    if not row.goal:
        return ""
    words = {None: "goal", True: "meets", False: "MISSES"}
    return f" ({words[row.is_met]} {row.goal})"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
