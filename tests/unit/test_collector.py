"""The collector is off while manifests are checked, and afterwards as before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from reconciler.pipeline.collector import paused


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave the collector on for other tests."""
    yield
    gc.enable()


@pytest.mark.parametrize("was_on", [True, False])
def test_the_collector_is_off_meanwhile_and_then_as_before(was_on: bool) -> None:
    (gc.enable if was_on else gc.disable)()
    with paused():
        assert not gc.isenabled()
    assert gc.isenabled() is was_on


def test_an_exception_restores_it() -> None:
    with pytest.raises(ZeroDivisionError), paused():
        1 / 0  # noqa: B018
    assert gc.isenabled()
