"""Commands run in this process, in a workspace with the repository's own manifests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.clock import REAL
from reconciler.cli.embedded import embedded
from reconciler.cli.run import run
from reconciler.core.ports import Clock
from tests.fakes import FakeClock

REPOSITORY = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
DATASTORE_ID = "0123456789abcdef0123456789abcdef"
UPDATE = bool(os.environ.get("UPDATE_CASES"))


@dataclass(frozen=True)
class Ran:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def reconcile(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `reconcile` with arguments in the current folder."""
    return _command(REAL, capsys, monkeypatch)


@pytest.fixture
def reconcile_at_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Run `reconcile` on a clock that stands still while nothing waits: no wait takes time.

    For data stores in which no operation takes time either.
    """
    return _command(FakeClock(), capsys, monkeypatch)


def _command(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    monkeypatch.setenv("COLUMNS", "100")

    def command(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments], clock)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return command


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded emulator with the default data, to copy."""
    folder = tmp_path_factory.mktemp("filled")
    with embedded(folder, DATASTORE_ID):
        pass
    return folder / ".reconcile"


@pytest.fixture
def workspace(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository as it is cloned, its emulator filled; the test stands in it."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    shutil.copytree(filled, folder / ".reconcile")
    shutil.copytree(REPOSITORY / "manifests", folder / "manifests")
    # No update here takes that long. A test that waits in vain must fail soon. The setting replaces
    # the comment at the top, so that line numbers stay the same.
    _comment, settings = (REPOSITORY / "reconciler.yaml").read_text(encoding="utf-8").split("\n", 1)
    (folder / "reconciler.yaml").write_text(f"lockTimeout: 1m\n{settings}", encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def expect(name: str, text: str) -> None:
    """Compare with a golden text; `UPDATE_CASES=1` writes it."""
    path = GOLDEN / name
    if UPDATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
