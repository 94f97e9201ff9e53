"""Parses durations in reconciler.yaml and on the command line."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def in_seconds(text: str) -> float:
    """Parse `15m`, `90s`, `1.5h`, `14d`, or a number of seconds.

    Raises ValueError if the text is not a duration above 0.
    """
    found = _DURATION.fullmatch(text)
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not seconds:
        raise ValueError("not a duration above 0")
    return seconds
