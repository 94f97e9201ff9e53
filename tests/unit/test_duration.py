"""Durations as people write them."""

from __future__ import annotations

import pytest

from reconciler.core.model.duration import in_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("0.5", 0.5),
        ("5400s", 5400.0),
        ("15m", 900.0),
        ("90m", 5400.0),
        ("1.5h", 5400.0),
    ],
)
def test_a_duration_is_in_seconds_unless_a_unit_says_otherwise(text: str, seconds: float) -> None:
    assert in_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "m", "0", "0.0h", "-1", "+1", "1e3", "1.", ".5", "15 m", "15min", "1h30m", "15M", "٣m"],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        in_seconds(text)
