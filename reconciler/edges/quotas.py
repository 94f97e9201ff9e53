"""Token buckets that keep the calls within the quotas of the account.

A quota belongs to an account in a region, so all threads and all data stores there share one
`Buckets`. The arithmetic is in frozen values and pure functions; only `Buckets` waits.

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/throttling-limits.html
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from reconciler.core.errors import ThrottledError
from reconciler.core.model.observed import Properties, SearchPage
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import Quota, Settings, quotas_by_domain
from reconciler.core.model.value import Document
from reconciler.core.ports import SLICE_SECONDS, Clock, ImageSets, PacedImageSets, Patience

T = TypeVar("T")

UPDATE = "UpdateImageSetMetadata"
SEARCH = "SearchImageSets"
UNLIMITED = Quota(math.inf, math.inf)

# The service counts a call when it arrives, we count it when it leaves. The margin covers jitter.
MARGIN = 0.99
# After a throttle the rate is halved. Each successful call adds a tenth of the quota again.
RECOVERY = 0.1
SLOWEST = 1 / 16
# The rate after a throttle of a service without a known quota (an emulator).
GUESSED_RATE = 8.0
# How often a throttled read is tried before the error is reported.
PATIENCE = 10
# Shorter waits are skipped: a clock that has run for months cannot measure them, so a caller would
# sleep forever. A token that is taken early is missing later.
SHORTEST_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class Bucket:
    """The tokens of one operation at a time, and the rate at which they refill."""

    tokens: float
    rate: float
    at: float
    slowed_at: float = -math.inf


def full(quota: Quota, now: float) -> Bucket:
    """Return a full bucket."""
    return Bucket(quota.burst, quota.rate, now)


def take(bucket: Bucket, quota: Quota, now: float) -> tuple[Bucket, float]:
    """Take a token: return the new bucket and 0.0, or the same bucket and the seconds to wait."""
    if math.isinf(bucket.rate):
        return bucket, 0.0
    tokens = _refilled(bucket, quota, now)
    seconds = (1.0 - tokens) / bucket.rate
    if seconds < SHORTEST_SECONDS:
        return replace(bucket, tokens=tokens - 1.0, at=now), 0.0
    return replace(bucket, tokens=tokens, at=now), seconds


def _refilled(bucket: Bucket, quota: Quota, now: float) -> float:
    elapsed = max(0.0, now - bucket.at)
    return min(max(1.0, quota.burst), bucket.tokens + elapsed * bucket.rate)


def left(bucket: Bucket, quota: Quota, now: float) -> Bucket:
    """Adjust the bucket when a call leaves some time after its token was taken.

    The service takes the token when the call arrives, and then has at most the rest of its burst.
    So tokens that were refilled here in between do not exist there. A call that leaves at once
    changes nothing; otherwise a fast machine would lose a little with each call.
    """
    if math.isinf(bucket.rate):
        return bucket
    tokens, rest = _refilled(bucket, quota, now), max(1.0, quota.burst) - 1.0
    if tokens <= rest + (1.0 - MARGIN):
        return bucket
    return replace(bucket, tokens=rest, at=now)


def slowed(bucket: Bucket, quota: Quota, now: float) -> Bucket:
    """Halve the rate and empty the bucket after a throttle.

    Calls in flight are often throttled together for the same reason. That counts as one throttle.
    """
    if math.isinf(bucket.rate):
        return Bucket(0.0, GUESSED_RATE, now, now)
    if now - bucket.slowed_at < 1.0 / bucket.rate:
        return bucket
    floor = (GUESSED_RATE if math.isinf(quota.rate) else quota.rate) * SLOWEST
    return Bucket(min(0.0, bucket.tokens), max(bucket.rate / 2, floor), now, now)


def recovered(bucket: Bucket, quota: Quota) -> Bucket:
    """Raise the rate by a step towards the quota after a successful call."""
    if math.isinf(quota.rate):
        rate = bucket.rate + GUESSED_RATE * RECOVERY
        return replace(bucket, rate=math.inf if rate > GUESSED_RATE else rate)
    return replace(bucket, rate=min(quota.rate, bucket.rate + quota.rate * RECOVERY))


@dataclass(frozen=True, slots=True)
class _Endless:
    """The patience of a read: it waits without a limit."""

    clock: Clock

    def is_over(self) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        self.clock.sleep(seconds)


class Buckets:
    """The quotas of one account in one region; safe to share between threads."""

    def __init__(self, quotas: Mapping[str, Quota], clock: Clock) -> None:
        """An operation that `quotas` does not name is unlimited."""
        self._clock = clock
        self._lock = threading.Lock()
        self._queues: dict[str, threading.Lock] = {}
        self._quotas = {
            operation: Quota(quota.rate * MARGIN, quota.burst)
            for operation, quota in quotas.items()
        }
        self._buckets = {
            operation: full(quota, clock.now()) for operation, quota in self._quotas.items()
        }

    def turn(self, operation: str, patience: Patience | None = None) -> bool:
        """Wait for a token and take it; return False if `patience` ends first.

        Only one thread watches the bucket. A hundred threads that wake at the same time would be
        late, and the service does not keep tokens above its burst.
        """
        queue, patience = self._queue(operation), patience or _Endless(self._clock)
        while not queue.acquire(timeout=SLICE_SECONDS):
            if patience.is_over():
                return False
        try:
            return self._watch(operation, patience)
        finally:
            queue.release()

    def _watch(self, operation: str, patience: Patience) -> bool:
        while not patience.is_over():
            seconds = self._take(operation)
            if not seconds:
                return True
            patience.wait(seconds)
        return False

    def _queue(self, operation: str) -> threading.Lock:
        with self._lock:
            return self._queues.setdefault(operation, threading.Lock())

    def throttled(self, operation: str) -> None:
        """Record that the service answered 429."""
        with self._lock:
            bucket, quota = self._of(operation)
            self._buckets[operation] = slowed(bucket, quota, self._clock.now())

    def passed(self, operation: str) -> None:
        """Record that the service accepted a call."""
        with self._lock:
            bucket, quota = self._of(operation)
            self._buckets[operation] = recovered(bucket, quota)

    def left(self, operation: str) -> None:
        """Record that a call leaves now, after its turn."""
        with self._lock:
            bucket, quota = self._of(operation)
            self._buckets[operation] = left(bucket, quota, self._clock.now())

    def rate(self, operation: str) -> float:
        """Return the current rate in calls a second: the quota, or less after a throttle."""
        with self._lock:
            return self._of(operation)[0].rate

    def _take(self, operation: str) -> float:
        with self._lock:
            now = self._clock.now()
            bucket, quota = self._of(operation)
            self._buckets[operation], seconds = take(bucket, quota, now)
            return seconds

    def _of(self, operation: str) -> tuple[Bucket, Quota]:
        quota = self._quotas.get(operation, UNLIMITED)
        return self._buckets.get(operation) or full(quota, self._clock.now()), quota


class Paced(PacedImageSets):
    """Implements `reconciler.core.ports.PacedImageSets`: calls that stay within the quotas."""

    def __init__(self, port: ImageSets, buckets: Buckets) -> None:
        self._port = port
        self._buckets = buckets
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def counts(self) -> Mapping[str, int]:
        """Return the calls so far by operation, without the retries of botocore."""
        with self._lock:
            return dict(self._counts)

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet."""
        return self._read("GetImageSet", lambda: self._port.get(image_set_id, version_id))

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata."""
        return self._read(
            "GetImageSetMetadata", lambda: self._port.metadata(image_set_id, version_id)
        )

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions. It takes one token; few image sets have more than one page."""
        return self._read("ListImageSetVersions", lambda: self._port.versions(image_set_id))

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """SearchImageSets: one token for each page. A throttled page is asked for again."""
        pages = _Continued(self._port.pages(filters))
        while page := self._read(SEARCH, pages.page):
            yield page
            if page.is_last:
                return

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata, sent once and immediately: the caller has taken its `turn`.

        In between, a study-wide step reads its study, which takes some time.
        """
        self._buckets.left(UPDATE)
        return self._counted(UPDATE, lambda: self._port.update(step))

    def turn(self, patience: Patience) -> bool:
        """Wait until one more update may be sent."""
        return self._buckets.turn(UPDATE, patience)

    def _read(self, operation: str, call: Callable[[], T]) -> T:
        for _ in range(PATIENCE - 1):
            self._buckets.turn(operation)
            try:
                return self._counted(operation, call)
            except ThrottledError:
                continue
        self._buckets.turn(operation)
        return self._counted(operation, call)

    def _counted(self, operation: str, call: Callable[[], T]) -> T:
        """Call once, count the call, and slow down after a throttle."""
        with self._lock:
            self._counts[operation] += 1
        try:
            result = call()
        except ThrottledError:
            self._buckets.throttled(operation)
            raise
        self._buckets.passed(operation)
        return result


class _Continued:
    """A search that goes on after a throttle: 20,000 pages are not read again for one of them."""

    def __init__(self, pages: Iterator[SearchPage]) -> None:
        self._pages = pages
        self._throttled: ThrottledError | None = None

    def page(self) -> SearchPage | None:
        """The next page, None after the last. A throttle that ends the iterator is raised again."""
        try:
            found = next(self._pages)
        except StopIteration:
            if self._throttled:
                raise self._throttled from None
            return None
        except ThrottledError as error:
            self._throttled = error
            raise
        self._throttled = None
        return found


def share(settings: Settings, clock: Clock) -> dict[str, Buckets]:
    """Return `Buckets` by data store name; data stores with the same quotas share them."""
    shared = {
        domain: Buckets(quotas, clock) for domain, quotas in quotas_by_domain(settings).items()
    }
    return {one.name: shared[one.quota_domain] for one in settings.datastores}
