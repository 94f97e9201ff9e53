"""Throttling rates and concurrency limits, on the clock of the emulator.

The numbers are those of the developer guide, "Throttling limits" and "Endpoints and quotas". They
hold for one server: each server on a data folder has its own. The quota of the payload is a switch
(`payload_limit_bytes`), since AWS does not document how it counts.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from reconciler.emulator.wire.errors import ApiError


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: calls a second in the long run, and how many at once."""

    per_second: float
    burst: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits by operation. `concurrent` is how many image sets may be in progress."""

    rates: Mapping[str, Rate]
    concurrent: Mapping[str, int]

    def scaled(self, factor: float) -> Limits:
        """The same limits with rates and bursts multiplied; every burst is at least 1."""
        rates = {
            name: Rate(rate.per_second * factor, max(1.0, rate.burst * factor))
            for name, rate in self.rates.items()
        }
        return replace(self, rates=rates)


_TEN_TWENTY = Rate(10, 20)
_RARE = Rate(0.25, 1)
_READS = Rate(25, 50)
DOCUMENTED = Limits(
    {
        "CreateDatastore": Rate(0.085, 1),
        "DeleteDatastore": Rate(0.085, 1),
        "GetDatastore": _TEN_TWENTY,
        "ListDatastores": Rate(5, 10),
        "StartDICOMImportJob": Rate(1, 2),
        "GetDICOMImportJob": _READS,
        "ListDICOMImportJobs": _TEN_TWENTY,
        "SearchImageSets": _READS,
        "GetImageSet": _READS,
        "GetImageSetMetadata": Rate(50, 100),
        "GetImageFrame": Rate(1000, 2000),
        "ListImageSetVersions": _READS,
        "UpdateImageSetMetadata": _RARE,
        "CopyImageSet": _RARE,
        "DeleteImageSet": _RARE,
        "TagResource": _TEN_TWENTY,
        "UntagResource": _TEN_TWENTY,
        "ListTagsForResource": _TEN_TWENTY,
    },
    {"UpdateImageSetMetadata": 100, "CopyImageSet": 100, "DeleteImageSet": 100},
)
OFF = Limits({}, {})


def parse_limits(text: bytes) -> Limits:
    """Read a quotas file. A quota that it does not name is as documented; null lifts a limit.

    `{"rates": {"GetImageSet": {"perSecond": 5, "burst": 10}}, "concurrent": {"CopyImageSet": 2}}`.
    Raises ValueError with what is wrong.
    """
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"it is not JSON (line {error.lineno}, column {error.colno})") from None
    if not isinstance(given, dict) or not given.keys() <= {"rates", "concurrent"}:
        raise ValueError("it must be an object with the keys rates and concurrent")
    rates, concurrent = dict(DOCUMENTED.rates), dict(DOCUMENTED.concurrent)
    for name, value in _operations(given, "rates", DOCUMENTED.rates):
        if value is None:
            rates.pop(name, None)
        else:
            rates[name] = _rate(name, value)
    for name, value in _operations(given, "concurrent", DOCUMENTED.concurrent):
        if value is None:
            concurrent.pop(name, None)
        elif isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ValueError(f"concurrent.{name} must be a number of image sets")
        else:
            concurrent[name] = value
    return Limits(rates, concurrent)


def _operations(
    given: dict[str, Any], part: str, known: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    values = given.get(part, {})
    if not isinstance(values, dict):
        raise ValueError(f"{part} must be an object of operations")
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{part}: {name} has no such quota")
        yield name, value


def _rate(name: str, value: Any) -> Rate:
    if not isinstance(value, dict) or value.keys() != {"perSecond", "burst"}:
        raise ValueError(f"rates.{name} must have perSecond and burst")
    numbers = value["perSecond"], value["burst"]
    if not all(_is_number(number) for number in numbers) or numbers[1] < 1:
        raise ValueError(f"rates.{name}: perSecond must be 0 or more, burst 1 or more")
    return Rate(*numbers)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and value >= 0


class Quotas:
    """The limits of one server, and how much of them is used."""

    def __init__(self, limits: Limits, now: Callable[[], float], exceeded_code: str) -> None:
        self._limits = limits
        self._now = now
        self._exceeded_code = exceeded_code
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}
        self._under_way: dict[tuple[str, str], list[float]] = {}

    def take(self, operation: str) -> None:
        """Count one call. Raises 429 where the bucket is empty; a refused call takes no token."""
        rate = self._limits.rates.get(operation)
        if rate is None:
            return
        with self._lock:
            now = self._now()
            tokens, since = self._buckets.get(operation, (rate.burst, now))
            tokens = min(rate.burst, tokens + max(0.0, now - since) * rate.per_second)
            # A sum of tenths can be below a whole number by the last bit.
            allowed = tokens >= 1 - 1e-9
            self._buckets[operation] = (tokens - 1 if allowed else tokens, now)
        if not allowed:
            raise ApiError("ThrottlingException", "Rate exceeded")

    @contextmanager
    def slot(self, operation: str, datastore_id: str, seconds: float) -> Iterator[None]:
        """Hold a slot for a write that locks its image set for that long, if it succeeds."""
        most = self._limits.concurrent.get(operation)
        if most is None:
            yield
            return
        with self._lock:
            ends = self._under_way.setdefault((operation, datastore_id), [])
            now = self._now()
            ends[:] = [end for end in ends if end > now]
            if len(ends) >= most:
                raise ApiError(
                    self._exceeded_code, f"{most} {operation} operations are in progress already."
                )
            ends.append(math.inf)
        ended = None
        try:
            yield
            ended = self._now() + seconds
        finally:
            with self._lock:
                ends.remove(math.inf)
                if ended is not None:
                    ends.append(ended)
