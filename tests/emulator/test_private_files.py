"""Only the owner can read what the emulator writes, whatever the umask and existing files."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.http.server import Emulator
from reconciler.emulator.operations.service import Service
from reconciler.emulator.store.database import FILE_NAME, StoreError
from tests.emulator.test_server import process
from tests.processes import bounded

STORE, IMAGE_SET = "1" * 32, "a" * 32


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: mode(path) for path in folder.iterdir()}


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_new_folders_and_files(tmp_path: Path, umask: int, document: dict[str, Any]) -> None:
    data = tmp_path / "a" / "b" / "data"
    with closing(Service(data)) as service:
        service.ensure_datastore(STORE)
        service.load(STORE, document, image_set_id=IMAGE_SET)
        assert modes(data) == dict.fromkeys(
            [FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"], 0o600
        )
    assert [mode(one) for one in (tmp_path / "a", tmp_path / "a" / "b", data)] == [0o700] * 3


@pytest.mark.parametrize("open_to_others", [0o755, 0o775, 0o777])
def test_a_folder_of_its_own_that_others_may_enter_is_closed(
    tmp_path: Path, umask: int, document: dict[str, Any], open_to_others: int
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(open_to_others)
    with closing(Service(data)) as service:
        service.ensure_datastore(STORE)
        assert mode(data) == 0o700
        assert set(modes(data).values()) == {0o600}


def test_files_of_an_earlier_run_that_was_killed_are_closed(
    tmp_path: Path, client_for: Any, document: dict[str, Any]
) -> None:
    data = tmp_path / "data"
    with process(data) as (child, endpoint):
        client_for(endpoint).create_datastore(clientToken="t")
        child.kill()
        child.wait()
    left = [FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"]
    assert sorted(modes(data)) == sorted(left)
    data.chmod(0o777)
    for name in left:
        (data / name).chmod(0o644)
    with Emulator(data) as emulator:
        assert modes(data) == dict.fromkeys(left, 0o600)
        assert mode(data) == 0o700
        assert len(client_for(emulator.endpoint).list_datastores()["datastoreSummaries"]) == 1


def test_a_folder_with_other_files_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    tmp_path.chmod(0o755)
    (tmp_path / "notes.txt").chmod(0o644)
    with closing(Service(tmp_path)):
        assert modes(tmp_path) == {
            **dict.fromkeys([FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"], 0o600),
            "notes.txt": 0o644,
        }
    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize("open_to_others", [0o775, 0o777, 0o1777])
def test_a_shared_folder_that_others_may_write_to_is_refused(
    tmp_path: Path, open_to_others: int
) -> None:
    """Others could put a database of their own in the place of this one."""
    (tmp_path / "notes.txt").write_text("x")
    tmp_path.chmod(open_to_others)
    with pytest.raises(StoreError, match="other users may write to this folder"):
        Service(tmp_path)
    assert modes(tmp_path).keys() == {"notes.txt"}
    assert mode(tmp_path) == open_to_others


@pytest.mark.parametrize("name", [FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"])
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    data, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    data.mkdir()
    if kind == "pipe":
        os.mkfifo(data / name)
    elif kind == "folder":
        (data / name).mkdir()
    else:
        (data / name).symlink_to(elsewhere)
    if kind == "link":
        elsewhere.write_bytes(b"")
        elsewhere.chmod(0o644)
    with pytest.raises(StoreError, match=f"{name}: it is not a regular file"):
        Service(data)
    assert elsewhere.exists() is (kind == "link")
    if kind == "link":
        assert mode(elsewhere) == 0o644


def test_the_command_line_makes_private_files(tmp_path: Path) -> None:
    """In a shell with umask 0, over a folder and a file that are open to everybody."""
    data, ready = tmp_path / "data", tmp_path / "ready.json"
    data.mkdir()
    data.chmod(0o777)
    (data / FILE_NAME).touch()
    (data / FILE_NAME).chmod(0o644)
    ready.write_text('{"endpoint": "http://127.0.0.1:1", "pid": 1}')
    ready.chmod(0o644)
    command = [sys.executable, "-m", "reconciler", "emulator", "start", "--data", str(data)]
    child = subprocess.Popen(
        [*command, "--ready-file", str(ready)], umask=0, stdout=subprocess.PIPE, text=True
    )
    with bounded(child):
        assert child.stdout is not None
        assert child.stdout.readline().startswith("HealthImaging emulator: ")
        assert mode(ready) == 0o600
        assert mode(data) == 0o700
        assert set(modes(data).values()) == {0o600}
