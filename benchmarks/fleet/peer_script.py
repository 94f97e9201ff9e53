"""The peer of a plan without a tool: a script that reads every document."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.fleet import naive
from benchmarks.fleet.bench import Bench
from benchmarks.fleet.image_sets import STORE
from benchmarks.fleet.measure import Cost, run
from benchmarks.fleet.rows import Row, numbers

LATENCY = 0.02
THREADS = 32
# So many image sets are read, and the numbers are multiplied: each image set takes as long.
SAMPLES = {1: 500, THREADS: 2_000}


def script(bench: Bench) -> Iterator[Row]:
    """The script, one call after the other and in threads, beside plans at the same latency."""
    size = bench.fleet.size
    with bench.service(latency=LATENCY) as service:

        def read(threads: int, sample: int) -> Cost:
            files = [str(bench.fleet.manifest_file(number)) for number in range(sample)]
            before = service.calls()
            command = [sys.executable, naive.__file__, service.endpoint, STORE, str(threads)]
            return service.counted(before, run([*command, *files], Path.cwd()))

        base = read(1, 1)
        theirs = {}
        for threads, sample in SAMPLES.items():
            read_now = min(sample, size)
            theirs[threads] = _extrapolated(base, read(threads, read_now), read_now, size)
            name = "sequential" if threads == 1 else f"{threads} threads"
            how = "" if read_now == size else f", extrapolated from {read_now:,}"
            text = f"{_shown(theirs[threads])}{how}"
            case = f"script that reads {size:,} documents, {name}, 20 ms latency"
            yield Row(f"script-{threads}", case, text, numbers=numbers(theirs[threads]))
        for name, options, least in _ways(bench):
            ours = bench.best_plan(service, *options, times=1)
            times = theirs[1].all_calls / max(1, ours.all_calls)
            text = f"{times:,.0f} times fewer calls; {_ratios(theirs, ours)}"
            case = "full scan" if name == "full" else "search since the watermark"
            yield Row(
                f"script-{name}", f"the script against a plan, {case}, 20 ms latency", text,
                f"≥ {least:,} times fewer calls", times >= least if bench.is_goal_size else None,
                {**numbers(ours), "timesFewerCalls": round(times)},
            )  # fmt: skip


def _ways(bench: Bench) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """The ways of a plan to observe, its options, and how many times fewer calls it must make."""
    if bench.has_scans:
        yield "watermark", (), 2_000
    if bench.has_refresh:
        yield "full", ("--refresh", "full"), 50


def _extrapolated(base: Cost, cost: Cost, sample: int, size: int) -> Cost:
    """The cost of all image sets: start-up, then as much for each of them as for the sample."""
    if sample == size:
        return cost
    factor = (size - 1) / (sample - 1)
    return Cost(
        base.wall + (cost.wall - base.wall) * factor,
        base.cpu + (cost.cpu - base.cpu) * factor,
        cost.peak,
        {name: count * size // sample for name, count in cost.calls.items()},
        cost.calibration,
    )


def _shown(cost: Cost) -> str:
    return f"{cost.all_calls:,} calls, {cost.cpu:,.0f} s CPU, {cost.wall:,.0f} s wall"


def _ratios(theirs: dict[int, Cost], ours: Cost) -> str:
    one, many = theirs[1], theirs[THREADS]
    return (
        f"wall {one.wall / ours.wall:,.0f} and {many.wall / ours.wall:,.0f} times, "
        f"CPU {one.cpu / ours.cpu:,.0f} and {many.cpu / ours.cpu:,.0f} times "
        f"(sequential and {THREADS} threads)"
    )
