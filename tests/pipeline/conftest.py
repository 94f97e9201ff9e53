"""One emulator for all tests of a worker; each test has a data store of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.pipeline.repository import Repository


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), Options(update_seconds=0.02)) as running:
        yield running


@pytest.fixture
def repository(tmp_path: Path, emulator: Emulator) -> Repository:
    return Repository(tmp_path, emulator)
