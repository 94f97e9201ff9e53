"""Commands without the service: the first check of all manifests, start-up, and the records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fleet.bench import NOTHING_TO_DO, Bench
from benchmarks.fleet.image_sets import manifest
from benchmarks.fleet.measure import RECONCILE, Cost, best, run
from benchmarks.fleet.rows import Goal, Row, judged
from benchmarks.records import SMALL, measured
from reconciler.edges.records import layout

_OUTCOMES = 1_000
_MEBIBYTE = 1024 * 1024


def validate(bench: Bench) -> Iterator[Row]:
    """Check all manifests, for the first time and again."""
    case = f"`validate` of {bench.fleet.size:,} manifests"

    def command() -> Cost:
        return run([*RECONCILE, "validate"], bench.fleet.root)

    def cold() -> Cost:
        bench.forget()
        return command()

    goal = Goal(wall=25, cpu=45, peak=250)
    yield judged("validate", f"{case}, cold", best(cold), goal, is_for_size=bench.is_goal_size)
    goal = Goal(wall=2)
    name = f"{case}, with a warm index"
    yield judged("validate-warm", name, best(command), goal, is_for_size=bench.is_goal_size)


def record_writing(bench: Bench) -> Iterator[Row]:
    """What an outcome costs in a small and in a large data store, and a commit of the outcomes."""
    size, first = bench.fleet.size, layout.FIRST_WIDTH
    small = measured(SMALL, _OUTCOMES, first)
    large = measured(size, _OUTCOMES, layout.width_for(size, first))
    ratio = large.cpu / small.cpu
    yield Row(
        "record",
        f"recording an outcome among {size:,} records, beside {SMALL:,}",
        f"{large.cpu * 1000:.2f} ms CPU, {ratio:.2f} times as much",
        "≤ 2 times as much",
        ratio <= 2 if bench.is_goal_size else None,
        {"cpu": large.cpu, "cpuOfSmall": small.cpu},
    )
    pushed = large.pushed / _MEBIBYTE
    yield Row(
        "commit",
        f"commit of {_OUTCOMES:,} of {size:,} records",
        f"{large.commit:.1f} s wall, {pushed:.1f} MiB as pushed",
        "≤ 2 s wall, ≤ 4 MiB",
        large.commit <= 2 and pushed <= 4 if bench.is_goal_size else None,
        {"wall": large.commit, "pushed": large.pushed, "loose": large.loose},
    )


def start_up(bench: Bench) -> Iterator[Row]:
    """The smallest commands."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        settings = bench.fleet.settings_file.read_text(encoding="utf-8")
        (root / "reconciler.yaml").write_text(settings, encoding="utf-8")
        (root / "manifests").mkdir()
        (root / "manifests" / "one.yaml").write_text(manifest(0), encoding="utf-8")
        for name, limit in (("--help", 0.15), ("validate", 0.4)):
            command = [*RECONCILE, name]
            cost = best(lambda command=command: run(command, root), 5)  # type: ignore[misc]
            case = f"`{name}`" if name == "--help" else f"`{name}` of one manifest"
            yield judged(f"start-{name.strip('-')}", case, cost, Goal(cpu=limit))
        with bench.service() as service:
            cost = best(lambda: bench.plan(service, root=root, exit_code=NOTHING_TO_DO), 5)
            yield judged("start-plan", "`plan` of one manifest", cost, Goal(cpu=0.7))
