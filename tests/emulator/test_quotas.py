"""Throttling rates, concurrency and the counters, on a clock that only the test moves."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.trouble.quotas import DOCUMENTED, OFF, Limits, Quotas, Rate, parse_limits
from reconciler.emulator.wire.protocol import medical_imaging
from tests.emulator.conftest import UPDATE_SECONDS, Clock, EmulatedStore, connect

NAME = {"Study": {"DICOM": {"StudyDescription": "X"}}}


@pytest.fixture
def limited(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., EmulatedStore]]:
    """Stores of their own server, with limits."""
    emulators: list[Emulator] = []

    def make(limits: Limits, **switches: Any) -> EmulatedStore:
        emulator = Emulator(
            tmp_path / f"{len(emulators)}",
            Options(update_seconds=UPDATE_SECONDS, now=clock, limits=limits, **switches),
        )
        emulators.append(emulator)
        return EmulatedStore(emulator, connect(emulator.endpoint), clock)

    yield make
    for emulator in emulators:
        emulator.close()


def counters(store: EmulatedStore) -> Any:
    with urllib.request.urlopen(f"{store.emulator.endpoint}/_emulator/counters") as answer:
        return json.load(answer)["operations"]


def test_every_operation_has_a_documented_rate() -> None:
    assert set(DOCUMENTED.rates) == set(medical_imaging().operations)


def test_updates_are_throttled_as_documented(
    limited: Callable[..., EmulatedStore], document: Any, error_of: Any, clock: Clock
) -> None:
    store = limited(DOCUMENTED)
    image_set = store.load(document, primary=False)
    store.call(image_set, NAME, pin="1")
    refused = error_of(store.call, image_set, NAME, pin="1")
    assert refused[:2] == (429, "ThrottlingException")
    assert refused[2] == "Rate exceeded"
    clock.advance(3.9)
    assert error_of(store.call, image_set, NAME, pin="1")[0] == 429
    clock.advance(0.1)
    assert error_of(store.call, image_set, NAME, pin="1")[0] == 409  # not throttled, but LOCKED
    assert counters(store)["UpdateImageSetMetadata"] == {
        "calls": 4,
        "throttled": 2,
        "errors": {"ConflictException": 1, "ThrottlingException": 2},
    }


def test_a_burst_of_reads(
    limited: Callable[..., EmulatedStore], document: Any, clock: Clock
) -> None:
    store = limited(DOCUMENTED)
    image_set = store.load(document)

    def answered(calls: int) -> int:
        count = 0
        for _ in range(calls):
            try:
                store.get(image_set)
                count += 1
            except store.client.exceptions.ThrottlingException:
                pass
        return count

    assert answered(60) == 50
    clock.advance(1)
    assert answered(60) == 25
    clock.advance(1000)
    assert answered(60) == 50
    assert counters(store)["GetImageSet"]["throttled"] == 10 + 35 + 10


def test_one_operation_leaves_the_others_alone(
    limited: Callable[..., EmulatedStore], document: Any
) -> None:
    store = limited(Limits({"GetImageSet": Rate(1, 1)}, {}))
    image_set = store.load(document)
    store.get(image_set)
    for _ in range(3):
        store.metadata(image_set)


def test_concurrent_updates_are_limited(
    limited: Callable[..., EmulatedStore], document: Any, error_of: Any, clock: Clock
) -> None:
    limits = Limits({}, {"UpdateImageSetMetadata": 2})
    store = limited(limits)
    image_sets = [store.load(document, primary=False) for _ in range(3)]
    # One that fails at once is not in progress.
    assert error_of(store.call, image_sets[0], NAME, pin="7")[0] == 404
    for image_set in image_sets[:2]:
        store.call(image_set, NAME, pin="1")
    refused = error_of(store.call, image_sets[2], NAME, pin="1")
    assert refused[:2] == (402, "ServiceQuotaExceededException")
    assert store.get(image_sets[2])["versionId"] == "1"
    clock.advance(UPDATE_SECONDS)
    store.call(image_sets[2], NAME, pin="1")
    other = EmulatedStore(store.emulator, store.client, clock)  # another data store has its own
    image_set = other.load(document, primary=False)
    other.call(image_set, NAME, pin="1")


def test_what_exceeds_concurrency_is_a_switch(
    limited: Callable[..., EmulatedStore], document: Any, error_of: Any
) -> None:
    from reconciler.emulator.rules.behaviours import Behaviours

    store = limited(
        Limits({}, {"UpdateImageSetMetadata": 0}),
        behaviours=Behaviours(concurrency_error="ThrottlingException"),
    )
    image_set = store.load(document, primary=False)
    assert error_of(store.call, image_set, NAME, pin="1")[:2] == (429, "ThrottlingException")


def test_the_payload_limit_is_a_switch(store_with: Any, document: Any, error_of: Any) -> None:
    store = store_with(payload_limit_bytes=40)
    image_set = store.load(document, primary=False)
    refused = error_of(store.call, image_set, NAME, pin="1")
    assert refused[:2] == (402, "ServiceQuotaExceededException")


def test_a_factor_scales_rates_and_bursts() -> None:
    rates = DOCUMENTED.scaled(8).rates
    assert rates["UpdateImageSetMetadata"] == Rate(2, 8)
    assert rates["GetImageSet"] == Rate(200, 400)
    assert DOCUMENTED.scaled(0.1).rates["UpdateImageSetMetadata"].burst == 1
    assert OFF.scaled(8) == OFF


def test_a_clock_that_goes_back_takes_nothing() -> None:
    moments = iter([10.0, 5.0, 5.5])
    quotas = Quotas(Limits({"x": Rate(2, 2)}, {}), lambda: next(moments), "")
    quotas.take("x")
    quotas.take("x")
    quotas.take("x")


def test_a_quotas_file() -> None:
    text = (
        b'{"rates": {"GetImageSet": {"perSecond": 5, "burst": 7}, "CopyImageSet": null},'
        b' "concurrent": {"UpdateImageSetMetadata": 3, "DeleteImageSet": null}}'
    )
    limits = parse_limits(text)
    assert limits.rates["GetImageSet"] == Rate(5, 7)
    assert "CopyImageSet" not in limits.rates
    assert limits.rates["SearchImageSets"] == DOCUMENTED.rates["SearchImageSets"]
    assert limits.concurrent == {"UpdateImageSetMetadata": 3, "CopyImageSet": 100}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "line 1"),
        (b"[]", "object"),
        (b'{"rate": {}}', "object"),
        (b'{"rates": []}', "rates"),
        (b'{"rates": {"GetImageSets": null}}', "GetImageSets"),
        (b'{"rates": {"GetImageSet": 5}}', "GetImageSet"),
        (b'{"rates": {"GetImageSet": {"perSecond": -1, "burst": 1}}}', "perSecond"),
        (b'{"rates": {"GetImageSet": {"perSecond": 1, "burst": 0}}}', "burst"),
        (b'{"rates": {"GetImageSet": {"perSecond": true, "burst": 1}}}', "perSecond"),
        (b'{"concurrent": {"GetImageSet": 1}}', "GetImageSet"),
        (b'{"concurrent": {"CopyImageSet": 1.5}}', "CopyImageSet"),
    ],
)
def test_what_is_no_quotas_file(text: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_limits(text)
