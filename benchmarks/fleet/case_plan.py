"""Plans of a fleet of which nothing, or little, has changed."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.fleet.bench import CHANGES, Bench
from benchmarks.fleet.emulator import Running
from benchmarks.fleet.image_sets import EDITED, manifest
from benchmarks.fleet.make import add
from benchmarks.fleet.measure import Cost, best
from benchmarks.fleet.rows import Goal, NotThere, Row, judged, numbers, shown

PAGE = 50
EDITED_MANIFESTS = 100
# How many image sets the large data store has for each managed one, and how many arrive.
TIMES_UNMANAGED = 10
MOST_IN_STORE = 1_000_000
NEW_IN = 20
LATENCY = 0.1
# Calls a second of SearchImageSets and of GetImageSet, as documented.
RATE = 25.0
_QUOTAS = "quotas: {SearchImageSets: 25, GetImageSet: 25}\n"
_POLL_SECONDS = 0.05


def unchanged(bench: Bench) -> Iterator[Row | NotThere]:
    """Nothing has changed: by the watermark, with every file hashed, and by a full scan."""
    size = bench.fleet.size
    with bench.service() as service:
        case = f"plan of {size:,} recorded image sets, nothing changed"
        if not bench.has_scans:
            yield NotThere("watermark", f"{case}, search since the watermark")
            cost = bench.best_plan(service)
            yield Row("plan", case, shown(cost), numbers=numbers(cost))
            return
        cost = bench.best_plan(service)
        goal = Goal(calls=3, cpu=1.5, peak=120)
        yield judged("watermark", case, cost, goal, is_for_size=bench.is_goal_size)
        yield _hashed(bench, service, case)
        if not bench.has_refresh:
            yield NotThere("full", f"{case}, full scan")
            return
        cost = bench.best_plan(service, "--refresh", "full")
        goal = Goal(calls=size // PAGE + 10, documents=0, cpu=8, peak=150)
        yield judged("full", f"{case}, full scan", cost, goal, is_for_size=bench.is_goal_size)


def _hashed(bench: Bench, service: Running, case: str) -> Row:
    """Without git: every file is hashed."""
    git_folder, aside = bench.fleet.root / ".git", bench.folder / "git-aside"
    shutil.move(git_folder, aside)
    try:
        cost = bench.best_plan(service)
    finally:
        shutil.move(aside, git_folder)
    goal = Goal(calls=3, cpu=3, peak=120)
    name = f"{case}, every file hashed"
    return judged("watermark-hashed", name, cost, goal, is_for_size=bench.is_goal_size)


def at_quotas(bench: Bench) -> Iterator[Row | NotThere]:
    """A full scan within the documented quotas: how much of the search quota it uses."""
    case = "full scan, documented quotas and 100 ms latency"
    if not bench.has_refresh:
        yield NotThere("quotas", case)
        return
    settings = bench.fleet.settings_file
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text + _QUOTAS, encoding="utf-8")
    try:
        with bench.service(latency=LATENCY, quotas=True) as service, _watched(service) as seen:
            cost = bench.plan(service, "--refresh", "full")
    finally:
        settings.write_text(text, encoding="utf-8")
    used = seen.utilisation
    yield Row(
        "quotas", case, f"{used:.1%} of the quota of {seen.operation}, {shown(cost)}",
        "≥ 95% of the search quota", used >= 0.95 if bench.is_goal_size else None,
        {**numbers(cost), "utilisation": round(used, 4)},
    )  # fmt: skip


@dataclass
class _Seen:
    """How many calls had been accepted when, by operation."""

    calls: list[tuple[float, Mapping[str, int]]] = field(default_factory=list)

    @property
    def operation(self) -> str:
        """The operation with the most calls: a scan takes the cheaper one. Their quotas agree."""
        _, last = self.calls[-1]
        return max(("SearchImageSets", "GetImageSet"), key=lambda name: last.get(name, 0))

    @property
    def utilisation(self) -> float:
        """The share of the quota, between the first and the last accepted call."""
        counts = [(at, calls.get(self.operation, 0)) for at, calls in self.calls]
        _, last = counts[-1]
        begin = max((at for at, count in counts if count == 0), default=counts[0][0])
        end = min(at for at, count in counts if count == last)
        return last / ((end - begin) * RATE) if end > begin else 0.0


@contextmanager
def _watched(service: Running) -> Iterator[_Seen]:
    seen, end = _Seen(), threading.Event()

    def watch() -> None:
        while not end.wait(_POLL_SECONDS):
            seen.calls.append((time.monotonic(), service.calls()))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        end.set()
        thread.join()
        seen.calls.append((time.monotonic(), service.calls()))


def edited(bench: Bench) -> Iterator[Row]:
    """A few manifests have changed, in a commit: with the index, and without."""
    fleet = bench.fleet
    count = min(EDITED_MANIFESTS, fleet.size // 10)
    numbers_of = range(0, fleet.size, fleet.size // count)[:count]
    with bench.service() as service:
        bench.best_plan(service, times=1)
        for number in numbers_of:
            fleet.manifest_file(number).write_text(manifest(number, EDITED), encoding="utf-8")
        bench.commit("Edit manifests")
        case = f"plan after {count} of {fleet.size:,} manifests were edited"
        bench.plan(service, exit_code=CHANGES)
        cost = best(lambda: bench.plan(service, exit_code=CHANGES))
        goal = Goal(documents=count, cpu=2.5)
        yield judged("edited", case, cost, goal, is_for_size=bench.is_goal_size)

        def without_index() -> Cost:
            bench.forget()
            return bench.plan(service, exit_code=CHANGES)

        cost, goal = best(without_index), Goal(documents=count, cpu=5)
        name = f"{case}, without an index"
        yield judged("edited-no-index", name, cost, goal, is_for_size=bench.is_goal_size)
    for number in numbers_of:
        fleet.manifest_file(number).write_text(manifest(number), encoding="utf-8")
    bench.commit("Take the edits back")


def in_large_store(bench: Bench) -> Iterator[Row | NotThere]:
    """One managed image set in ten, and new unmanaged ones. It changes the data store: last."""
    size, total = bench.fleet.size, bench.fleet.size * TIMES_UNMANAGED
    new = size // NEW_IN
    if total > MOST_IN_STORE:
        return
    case = f"plan of {size:,} of {total:,} image sets, {new:,} unmanaged ones are new"
    if not bench.has_scans:
        yield NotThere("large-store", case)
        return
    fleet = bench.fleet
    add(fleet, range(size, total - new), fleet.times)
    with bench.service() as service:
        bench.record(service)
    now = time.time()
    add(fleet, range(total - new, total), lambda _: (now, now))
    with bench.service() as service:
        cost = bench.best_plan(service)
        goal = Goal(calls=new // PAGE + 120, cpu=3)
        yield judged("large-store", case, cost, goal, is_for_size=bench.is_goal_size)
        if bench.has_refresh:
            cost = bench.plan(service, "--refresh", "full")
            goal = Goal(calls=min(total // PAGE + 10, size))
            name = f"{case}, full scan"
            yield judged("large-store-full", name, cost, goal, is_for_size=bench.is_goal_size)
