"""Token buckets: the arithmetic, and the waiting on a clock that only sleeping moves."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePath

import pytest

from reconciler.core.errors import ThrottledError
from reconciler.core.model.observed import SearchPage
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import DOCUMENTED_QUOTAS, Datastore, Quota, Settings, quotas_of
from reconciler.edges.quotas import (
    MARGIN,
    PATIENCE,
    UNLIMITED,
    UPDATE,
    Bucket,
    Buckets,
    Paced,
    full,
    recovered,
    share,
    slowed,
    take,
)
from tests.documents import IMAGE_SET_ID, document
from tests.fakes import FakeClock, FakeImageSets, Patient

QUOTA = Quota(0.25, 1)


def test_a_full_bucket_gives_its_burst_and_then_makes_wait() -> None:
    quota = Quota(2.0, 3)
    bucket, waits = full(quota, 0.0), []
    for _ in range(4):
        bucket, wait = take(bucket, quota, 0.0)
        waits.append(wait)
    assert waits == [0.0, 0.0, 0.0, 0.5]


def test_tokens_come_back_with_time_up_to_the_burst() -> None:
    bucket = Bucket(0.0, 0.25, 0.0)
    assert take(bucket, QUOTA, 2.0) == (Bucket(0.5, 0.25, 2.0), 2.0)
    assert take(bucket, QUOTA, 400.0)[0].tokens == 0.0


@pytest.mark.parametrize("started", [0.0, 1e6, 1e9])
@pytest.mark.parametrize("rate", [0.25, 0.2475, 1 / 3, 3.3, 7.0, 25.0, 1000.0])
def test_waiting_exactly_what_was_told_is_enough(rate: float, started: float) -> None:
    """Whatever floats do, and for how long ever the machine has run (1e9 s are thirty years)."""
    quota, now = Quota(rate, 1), started
    bucket, _ = take(full(quota, now), quota, now)
    for _ in range(50):
        bucket, wait = take(bucket, quota, now)
        now += wait
        bucket, wait = take(bucket, quota, now)
        assert wait == 0.0


def test_time_that_stands_still_gives_nothing() -> None:
    bucket = Bucket(0.0, 0.25, 10.0)
    assert take(bucket, QUOTA, 10.0) == (bucket, 4.0)


def test_a_throttle_halves_the_rate_once_per_token_and_has_a_floor() -> None:
    bucket = slowed(full(QUOTA, 0.0), QUOTA, 0.0)
    assert (bucket.rate, bucket.tokens) == (0.125, 0.0)
    assert slowed(bucket, QUOTA, 1.0) == bucket  # the same burst of throttles
    now = 0.0
    for _ in range(20):
        now += 1000.0
        bucket = slowed(bucket, QUOTA, now)
    assert bucket.rate == 0.25 / 16


def test_calls_that_pass_bring_the_rate_back_to_the_quota_and_no_further() -> None:
    bucket = slowed(full(QUOTA, 0.0), QUOTA, 0.0)
    rates = []
    for _ in range(7):
        bucket = recovered(bucket, QUOTA)
        rates.append(bucket.rate)
    assert rates[0] == pytest.approx(0.15)
    assert rates[-1] == 0.25
    assert rates == sorted(rates)


def test_unlimited_never_waits_until_it_is_throttled() -> None:
    bucket = full(UNLIMITED, 0.0)
    assert take(bucket, UNLIMITED, 0.0) == (bucket, 0.0)
    bucket = slowed(bucket, UNLIMITED, 0.0)
    assert take(bucket, UNLIMITED, 0.0)[1] > 0
    assert math.isinf(recovered(bucket, UNLIMITED).rate)


def test_updates_keep_to_the_rate_over_many_turns() -> None:
    clock = FakeClock()
    buckets = Buckets({UPDATE: QUOTA}, clock)
    times = []
    for _ in range(26):
        assert buckets.turn(UPDATE)
        times.append(clock.now())
    gaps = [b - a for a, b in pairwise(times)]
    assert min(gaps) >= 4.0
    assert times[-1] == pytest.approx(25 * 4 / MARGIN, rel=0.01)


def test_threads_share_a_bucket() -> None:
    clock = FakeClock()
    buckets = Buckets({UPDATE: Quota(10.0, 1)}, clock)
    taken: list[bool] = []

    def work() -> None:
        taken.extend(buckets.turn(UPDATE) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 40
    assert clock.now() >= 39 / 10


def test_a_turn_is_given_up_when_asked_to() -> None:
    clock = FakeClock()
    buckets = Buckets({UPDATE: QUOTA}, clock)
    assert buckets.turn(UPDATE)
    assert not buckets.turn(UPDATE, Patient(clock, lambda: clock.now() > 1.0))
    assert clock.now() < 1.5


@pytest.fixture
def fake() -> FakeImageSets:
    fake = FakeImageSets(FakeClock())
    fake.put(document())
    return fake


def paced(fake: FakeImageSets, **quotas: Quota) -> Paced:
    return Paced(fake, Buckets(quotas, fake.clock))


def test_a_throttled_read_is_tried_again_slower(fake: FakeImageSets) -> None:
    fake.fail("GetImageSet", ThrottledError("slow down"), times=3)
    port = paced(fake, GetImageSet=Quota(25, 50))
    assert port.get(IMAGE_SET_ID).version_id == "1"
    assert fake.clock.now() > 0


def test_the_patience_of_a_read_has_an_end(fake: FakeImageSets) -> None:
    fake.fail("GetImageSetMetadata", ThrottledError("slow down"), times=99)
    with pytest.raises(ThrottledError):
        paced(fake).metadata(IMAGE_SET_ID, "1")
    assert len(fake.calls) == PATIENCE


def test_a_throttled_update_is_told_at_once_and_slows_the_next_turn(fake: FakeImageSets) -> None:
    step = Step(fake.datastore_id, IMAGE_SET_ID, "1", (), updatable="{}")
    fake.fail(UPDATE, ThrottledError("slow down"))
    buckets = Buckets({UPDATE: QUOTA}, fake.clock)
    port = Paced(fake, buckets)
    assert port.turn(Patient(fake.clock))
    with pytest.raises(ThrottledError):
        port.update(step)
    assert fake.clock.now() == 0.0
    assert buckets.rate(UPDATE) == pytest.approx(0.25 * MARGIN / 2)
    assert port.turn(Patient(fake.clock))
    assert fake.clock.now() >= 8.0
    assert port.update(step) == "2"
    assert buckets.rate(UPDATE) > 0.25 * MARGIN / 2


@pytest.mark.parametrize("seconds", [0.0, 0.03, 0.5, 3.9, 300.0])
def test_what_leaves_late_makes_the_next_one_wait_for_that(
    fake: FakeImageSets, seconds: float
) -> None:
    port = paced(fake, **{UPDATE: QUOTA})
    assert port.turn(Patient(fake.clock))
    fake.clock.sleep(seconds)  # as a study-wide step does, which looks at its study before
    sent = fake.clock.now()
    port.update(Step(fake.datastore_id, IMAGE_SET_ID, "1", (), updatable="{}"))
    assert port.turn(Patient(fake.clock))
    least = 4.0 if seconds <= 0.04 else 4.0 / MARGIN
    assert least - 1e-6 <= fake.clock.now() - sent <= 4.0 / MARGIN + 1e-6


def test_what_leaves_late_costs_nothing_where_there_is_no_quota(fake: FakeImageSets) -> None:
    port = paced(fake)
    assert port.turn(Patient(fake.clock))
    fake.clock.sleep(100.0)
    port.update(Step(fake.datastore_id, IMAGE_SET_ID, "1", (), updatable="{}"))
    assert port.turn(Patient(fake.clock))
    assert fake.clock.now() == 100.0


def test_a_search_takes_a_token_for_each_page() -> None:
    fake = FakeImageSets(FakeClock())
    for number in range(120):
        fake.put(document(image_set_id=f"{number:032x}"))
    port = paced(fake, SearchImageSets=Quota(1, 1))
    assert len(list(port.search())) == 120
    assert fake.clock.now() == pytest.approx(2 / MARGIN, abs=0.01)
    assert port.counts() == {"SearchImageSets": 3}


def test_a_search_of_full_pages_takes_no_token_for_a_page_that_is_not_there() -> None:
    fake = FakeImageSets(FakeClock())
    for number in range(100):
        fake.put(document(image_set_id=f"{number:032x}"))
    port = paced(fake, SearchImageSets=Quota(1, 1))
    assert [len(page.rows) for page in port.pages()] == [50, 50]
    assert port.counts() == fake.counts() == {"SearchImageSets": 2}


def test_a_call_that_is_tried_again_is_counted_again(fake: FakeImageSets) -> None:
    fake.fail("GetImageSet", ThrottledError("slow down"), times=3)
    port = paced(fake)
    port.get(IMAGE_SET_ID)
    port.metadata(IMAGE_SET_ID, "1")
    assert port.counts() == {"GetImageSet": 4, "GetImageSetMetadata": 1}


def test_a_throttled_search_is_tried_again_slower(fake: FakeImageSets) -> None:
    fake.fail("SearchImageSets", ThrottledError("slow down"), times=PATIENCE - 1)
    assert [row.image_set_id for row in paced(fake).search()] == [IMAGE_SET_ID]
    assert fake.clock.now() > 0


def test_a_search_goes_on_after_a_throttle_of_any_page() -> None:
    fake = FakeImageSets(FakeClock())
    names = [fake.put(document(image_set_id=f"{number:032x}")) for number in range(120)]
    port, found = paced(fake), []
    for page in port.pages():
        found += [row.image_set_id for row in page.rows]
        fake.fail("SearchImageSets", ThrottledError("slow down"), times=2)
    assert found == names
    assert port.counts() == {"SearchImageSets": 7}


def test_a_search_that_a_throttle_has_ended_is_not_complete() -> None:
    """An iterator that is a generator cannot go on."""

    class Ended(FakeImageSets):
        def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
            yield SearchPage((), None)
            raise ThrottledError("slow down")

    with pytest.raises(ThrottledError):
        list(paced(Ended()).pages())


def test_everything_else_passes_through(fake: FakeImageSets) -> None:
    port = paced(fake)
    assert port.versions(IMAGE_SET_ID) == fake.versions(IMAGE_SET_ID)
    assert port.metadata(IMAGE_SET_ID, "1").raw == fake.document(IMAGE_SET_ID)


AWS = Datastore("research", "1" * 32, "us-east-1", account_id="123456789012")


def settings(*datastores: Datastore, **quotas: float) -> Settings:
    return Settings(PurePath("/"), "manifests", datastores, quotas=tuple(quotas.items()))


def test_aws_has_the_documented_quotas() -> None:
    assert quotas_of(AWS, settings(AWS)) == DOCUMENTED_QUOTAS


def test_an_emulator_has_none_but_those_that_are_stated() -> None:
    emulator = replace(AWS, endpoint="emulator")
    assert quotas_of(emulator, settings(emulator)) == {}
    stated = settings(emulator, UpdateImageSetMetadata=10.0)
    assert quotas_of(emulator, stated) == {UPDATE: Quota(10.0, 1)}


def test_an_accounts_own_quotas_win() -> None:
    given = replace(
        settings(AWS, UpdateImageSetMetadata=1.0),
        account_quotas=(("123456789012/us-east-1", ((UPDATE, 2.0),)),),
    )
    assert quotas_of(AWS, given)[UPDATE] == Quota(2.0, 1)
    elsewhere = replace(AWS, region="eu-west-1")
    assert quotas_of(elsewhere, given)[UPDATE] == Quota(1.0, 1)


def test_data_stores_of_one_account_and_region_share_buckets() -> None:
    other = replace(AWS, name="other", datastore_id="2" * 32, account_id="")
    far = replace(AWS, name="far", region="eu-west-1")
    emulator = replace(AWS, name="emulator", endpoint="emulator")
    shared = share(settings(AWS, other, far, emulator), FakeClock())
    assert shared["research"] is shared["other"]
    assert len({id(buckets) for buckets in shared.values()}) == 3
