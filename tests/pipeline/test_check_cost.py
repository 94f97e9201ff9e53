"""What a check of many manifests keeps."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path, PurePath

import pytest

from benchmarks.validate import write_fleet
from reconciler import pipeline
from reconciler.core.model.settings import Datastore, Settings

COUNT = 300
# The asks of a manifest take about 5 kB, its keys and values would take 10 kB more.
MOST = 10_000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    write_fleet(tmp_path, COUNT)
    return Settings(
        PurePath(tmp_path), "manifests", (Datastore("research", "1" * 32, "us-east-1"),)
    )


def test_a_check_keeps_the_asks_but_not_the_texts_as_keys_and_values(settings: Settings) -> None:
    assert len(pipeline.check(settings).asks) == COUNT  # what is made once
    tracemalloc.start()
    pipeline.check(settings)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak / COUNT < MOST


def test_a_check_collects_no_garbage_meanwhile(settings: Settings) -> None:
    seen: list[str] = []
    note = lambda phase, info: seen.append(phase)  # noqa: E731
    gc.callbacks.append(note)
    try:
        pipeline.check(settings)
    finally:
        gc.callbacks.remove(note)
    assert seen.count("start") <= 1  # when it is on again
    assert gc.isenabled()
