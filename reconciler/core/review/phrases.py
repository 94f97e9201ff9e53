"""Counts and durations in words, the same in every output."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """`1 image set`, `3 image sets`, `2 series`."""
    if count == 1 or noun.endswith("s"):
        return f"{count:,} {noun}"
    return f"{count:,} {noun}s"


def duration(seconds: float) -> str:
    """`4 s`, `12 min`, `1 h 06 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02} min"
