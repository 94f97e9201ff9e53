"""An emulator that deviates, and a repository beside it. Commands run in this process.

Emulator and commands share one clock, which moves when a command waits: no wait takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.cli.run import run
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.rules.behaviours import with_settings
from tests.fakes import EPOCH, FakeClock
from tests.otherwise.sites import Ran, Site

Sites = Callable[..., Site]


@pytest.fixture
def site_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sites]:
    """Makes a site whose emulator has these switches, as `name=value`."""
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("CI", raising=False)
    clock = FakeClock()

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(list(arguments), clock)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    with ExitStack() as stack:

        def make(*switches: str) -> Site:
            options = Options(
                update_seconds=0.02,
                behaviours=with_settings(switches),
                now=lambda: EPOCH + clock.now(),
            )
            emulator = stack.enter_context(Emulator(tmp_path / "emulator", options))
            folder = tmp_path / "repository"
            folder.mkdir()
            monkeypatch.chdir(folder)
            return Site(folder, emulator, command)

        yield make


@pytest.fixture
def site(site_with: Sites) -> Site:
    """A site whose emulator has the default switches."""
    return site_with()
