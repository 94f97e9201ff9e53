"""The peers that plan without a service, as ratios to a plan of as many recorded image sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.fleet.rows import GOAL_SIZE, Row

_LEAST = 40


def ratios(size: int, rows: Sequence[Row]) -> Iterator[Row]:
    """A row for each peer that was measured beside a plan."""
    by_name = {row.name: row for row in rows}
    ours = by_name.get("watermark") or by_name.get("plan")
    if ours is None:
        return
    zones = [by_name[name] for name in ("octodns-one", "octodns-many") if name in by_name]
    if zones:
        cpu = [_times(one.numbers, ours.numbers, "cpu") for one in zones]
        peak = [_times(one.numbers, ours.numbers, "peak") for one in zones]
        yield Row(
            "octodns-ratio",
            f"octoDNS against a plan of {size:,} recorded image sets",
            f"{_listed(cpu, 0)} times the CPU, {_listed(peak, 1)} times the memory",
            f"≥ {_LEAST} times the CPU, more memory",
            min(cpu) >= _LEAST and min(peak) > 1 if size == GOAL_SIZE else None,
            {"cpu": cpu, "peak": peak},
        )
    if terraform := by_name.get("terraform"):
        resources = terraform.numbers["resources"]
        cpu_of, peak_of = (_times(terraform.numbers, ours.numbers, one) for one in ("cpu", "peak"))
        yield Row(
            "terraform-ratio",
            f"Terraform with {resources:,} resources against a plan of {size:,} image sets",
            f"{cpu_of:,.0f} times the CPU, {peak_of:,.1f} times the memory",
            "stated",
            numbers={"cpu": cpu_of, "peak": peak_of},
        )


def _times(theirs: Mapping[str, float], ours: Mapping[str, float], name: str) -> float:
    return round(theirs[name] / ours[name], 2)


def _listed(values: Sequence[float], digits: int) -> str:
    return " and ".join(f"{value:,.{digits}f}" for value in values)
