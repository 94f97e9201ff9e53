"""The progress of an apply, and the time left as estimated from measured rates."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.model.outcome import Outcome, Started
from reconciler.core.model.plan import Step
from reconciler.core.review.phrases import duration

# The rate is measured over this many sends: it shows throttling soon, but not a short delay.
_RECENT = 50


def _sends() -> deque[float]:
    return deque(maxlen=_RECENT)


@dataclass(slots=True)
class Tally:
    """Counts steps. `total` steps are planned; at the quotas they take at least `quota_seconds`.

    At most `most` steps change something, and no step is sent after `until`, in monotonic seconds.
    `lanes` has the number of steps of each lane. A lane has its own quota, and the slowest lane
    decides the time left. `lane_of` has the lane of each data store, by ID.
    """

    total: int
    quota_seconds: float = 0.0
    most: int | None = None
    until: float = math.inf
    lanes: Mapping[str, int] = field(default_factory=dict)
    lane_of: Mapping[str, str] = field(default_factory=dict)
    done: int = 0
    sent: int = 0
    _changed: int = 0
    _sent_at: dict[int, float] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=_sends)
    _lasted: deque[float] = field(default_factory=_sends)
    _recent_of: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(_sends))
    _gone_of: Counter[str] = field(default_factory=Counter)

    def take(self, event: Started | Outcome, now: float) -> None:
        """Count an event that came at `now`, in monotonic seconds."""
        if isinstance(event, Started):
            self.sent += 1
            self._sent_at[id(event.step)] = now
            self._recent.append(now)
            self._recent_of[self._lane(event.step)].append(now)
            self._gone_of[self._lane(event.step)] += 1
            return
        self.done += 1
        begun = self._sent_at.pop(id(event.step), None)
        if begun is not None:
            self._lasted.append(now - begun)
            self._changed += event.result.counts_as_change
        else:
            self._gone_of[self._lane(event.step)] += 1

    @property
    def in_flight(self) -> int:
        """Steps that were sent and have not ended."""
        return len(self._sent_at)

    @property
    def left(self) -> int:
        """Steps that are not sent yet."""
        return self.total - self.done - self.in_flight

    def rate(self, now: float) -> float:
        """Recent sends a second; it falls while nothing can be sent. 0.0 if unknown."""
        return _rate(self._recent, now)

    def seconds_left(self, now: float) -> float | None:
        """Estimated seconds until the last step has ended; None if unknown."""
        sends = self._sends_left(now)
        sending = self._sending_seconds(now, sends) if sends else 0.0
        if sending is None:
            return None
        last = self._last_seconds(now, sends)
        return None if last is None else min(sending, max(0.0, self.until - now)) + last

    def _sending_seconds(self, now: float, sends: int) -> float | None:
        """Estimated seconds until the last send. With a limit, its lane is unknown."""
        if sends < self.left or len(self.lanes) < 2:
            rate = self.rate(now) or self._hoped(self.total)
            return sends / rate if rate else None
        seconds = []
        for lane, steps in self.lanes.items():
            left = steps - self._gone_of[lane]
            rate = _rate(self._recent_of[lane], now) or self._hoped(steps) or self.rate(now)
            if left > 0 and rate:
                seconds.append(left / rate)
        return max(seconds, default=None)

    def _hoped(self, steps: int) -> float:
        """The rate that the quotas allow; 0.0 without quotas."""
        return steps / self.quota_seconds if self.quota_seconds else 0.0

    def _lane(self, step: Step) -> str:
        return self.lane_of.get(step.datastore_id, "")

    def _sends_left(self, now: float) -> int:
        """How many of the steps left will be sent."""
        if now >= self.until:
            return 0
        if self.most is None:
            return self.left
        return max(0, min(self.left, self.most - self._changed - self.in_flight))

    def _last_seconds(self, now: float, sends: int) -> float | None:
        """Estimated seconds from the last send, or from now if it was made, to its end.

        Until a step has ended, the estimate is the longest wait so far. None if the last step takes
        longer than the steps before.
        """
        lasted = sum(self._lasted) / len(self._lasted) if self._lasted else None
        if sends or not self._sent_at:
            waited = (now - begun for begun in self._sent_at.values())
            return lasted if lasted is not None else max(waited, default=0.0)
        if lasted is None:
            return None
        seconds = max(self._sent_at.values()) + lasted - now
        return seconds if seconds > 0 else None

    def line(self, now: float) -> str:
        """`12 of 400 done, 3 in flight, 385 left, 0.25/s, about 26 min to go`."""
        parts = [f"{self.done:,} of {self.total:,} done"]
        if self.in_flight:
            parts.append(f"{self.in_flight:,} in flight")
        if self.left:
            parts.append(f"{self.left:,} left")
        if self.left and (rate := self.rate(now)):
            parts.append(f"{rate:.2f}/s")
        seconds = self.seconds_left(now)
        if seconds is not None and self.done < self.total:
            parts.append(f"about {duration(seconds)} to go")
        return ", ".join(parts)


def lanes(steps: Sequence[Step], lane_of: Mapping[str, str]) -> Counter[str]:
    """Count the steps of each lane."""
    return Counter(lane_of.get(step.datastore_id, "") for step in steps)


def _rate(recent: Sequence[float], now: float) -> float:
    if len(recent) < 2 or recent[-1] <= recent[0]:
        return 0.0
    first, last, count = recent[0], recent[-1], len(recent)
    return min((count - 1) / (last - first), count / max(now - first, 1e-9))
