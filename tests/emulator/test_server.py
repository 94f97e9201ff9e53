"""The server: several on one folder, restarts, a kill -9, a clean stop."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.http.options import Listener, Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.operations.service import Service
from reconciler.emulator.store.database import FILE_NAME, StoreError
from reconciler.emulator.wire.errors import ApiError
from tests.processes import SECONDS, bounded

DS, IMAGE_SET = "1" * 32, "a" * 32
DESCRIPTION = json.dumps({"Study": {"DICOM": {"StudyDescription": "X"}}})
_PROGRAM = """
import sys
from pathlib import Path
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import run
options = Options(update_seconds=0.05)
run(Path(sys.argv[1]), options, on_ready=lambda e: print(e.endpoint, flush=True))
"""


@contextlib.contextmanager
def process(folder: Path, program: str = _PROGRAM) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An emulator in a process of its own."""
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True
    )
    with bounded(child):
        assert child.stdout is not None
        yield child, child.stdout.readline().strip()


def update(client: Any, pin: str) -> Any:
    return client.update_image_set_metadata(
        datastoreId=DS,
        imageSetId=IMAGE_SET,
        latestVersionId=pin,
        updateImageSetMetadataUpdates={"DICOMUpdates": {"updatableAttributes": DESCRIPTION}},
    )


def get(client: Any) -> tuple[str, str]:
    answer = client.get_image_set(datastoreId=DS, imageSetId=IMAGE_SET)
    return answer["versionId"], answer["imageSetWorkflowStatus"]


def test_two_servers_one_folder(
    tmp_path: Path, clock: Any, client_for: Any, document: dict[str, Any], error_of: Any
) -> None:
    with (
        Emulator(tmp_path, Options(update_seconds=5, now=clock)) as one,
        Emulator(tmp_path, Options(update_seconds=5, now=clock)) as other,
    ):
        first, second = client_for(one.endpoint), client_for(other.endpoint)
        one.service.ensure_datastore(DS)
        other.service.load(DS, document, image_set_id=IMAGE_SET)
        update(first, "1")
        assert get(second) == ("2", "UPDATING")
        assert error_of(update, second, "1")[0] == 409
        clock.advance(5)
        assert get(second) == ("2", "UPDATED")
        update(second, "2")
        assert get(first) == ("3", "UPDATING")


def test_writers_in_several_processes(tmp_path: Path, document: dict[str, Any]) -> None:
    """Of several writers with the same pin one succeeds, on whichever server."""
    services = [Service(tmp_path, update_seconds=0) for _ in range(3)]
    services[0].ensure_datastore(DS)
    services[0].load(DS, document, image_set_id=IMAGE_SET, primary=False)
    updates = {"DICOMUpdates": {"updatableAttributes": DESCRIPTION.encode()}}
    wins: list[str] = []

    def write(service: Service) -> None:
        for pin in range(1, 21):
            with contextlib.suppress(ApiError):
                answer = service.call(
                    "UpdateImageSetMetadata",
                    {
                        "datastoreId": DS,
                        "imageSetId": IMAGE_SET,
                        "latestVersionId": str(pin),
                        "updateImageSetMetadataUpdates": updates,
                    },
                )
                wins.append(answer["latestVersionId"])

    threads = [threading.Thread(target=write, args=(service,)) for service in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latest = services[0].call("GetImageSet", {"datastoreId": DS, "imageSetId": IMAGE_SET})
    assert sorted(map(int, wins)) == list(range(2, int(latest["versionId"]) + 1))
    for service in services:
        service.close()


def test_a_restart_keeps_everything(
    tmp_path: Path, clock: Any, client_for: Any, document: dict[str, Any]
) -> None:
    with Emulator(tmp_path, Options(update_seconds=5, now=clock)) as emulator:
        emulator.service.ensure_datastore(DS)
        emulator.service.load(DS, document, image_set_id=IMAGE_SET)
        update(client_for(emulator.endpoint), "1")
    with Emulator(tmp_path, Options(update_seconds=5, now=clock)) as emulator:
        client = client_for(emulator.endpoint)
        assert get(client) == ("2", "UPDATING")
        clock.advance(5)
        assert get(client) == ("2", "UPDATED")
        assert update(client, "2")["latestVersionId"] == "3"


def test_kill_9(tmp_path: Path, client_for: Any, document: dict[str, Any]) -> None:
    service = Service(tmp_path)
    service.ensure_datastore(DS)
    service.load(DS, document, image_set_id=IMAGE_SET)
    service.close()
    with process(tmp_path) as (child, endpoint):
        update(client_for(endpoint), "1")
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    with Emulator(tmp_path, Options(now=lambda: 4e9)) as emulator:
        client = client_for(emulator.endpoint)
        assert get(client) == ("2", "UPDATED")
        assert update(client, "2")["latestVersionId"] == "3"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_clean_stop(tmp_path: Path, client_for: Any, number: int) -> None:
    with process(tmp_path) as (child, endpoint):
        client = client_for(endpoint)
        assert client.list_datastores()["datastoreSummaries"] == []
        child.send_signal(number)
        assert child.wait() == 0


# A signal comes at every line of Python that is run for the wait: it must not wait for that line.
_SIGNALLED = """
import signal, sys
from pathlib import Path
from reconciler.emulator.http.server import run
def trace(frame, event, argument):
    if callable(signal.getsignal(signal.SIGTERM)):
        signal.raise_signal(signal.SIGTERM)
    return trace
def on_ready(emulator):
    print(emulator.endpoint, flush=True)
    sys.settrace(trace)
run(Path(sys.argv[1]), on_ready=on_ready)
"""


def test_a_clean_stop_at_the_first_moment_of_waiting(tmp_path: Path) -> None:
    with process(tmp_path, _SIGNALLED) as (child, _):
        child.send_signal(signal.SIGTERM)
        assert child.wait() == 0


def test_close_ends_idle_connections(tmp_path: Path, client_for: Any) -> None:
    before = set(threading.enumerate())
    emulator = Emulator(tmp_path)
    host, port = emulator.endpoint.removeprefix("http://").split(":")
    assert host == "127.0.0.1"
    client_for(emulator.endpoint).list_datastores()
    with socket.create_connection((host, int(port)), timeout=10) as idle:
        client_for(emulator.endpoint).list_datastores()
        emulator.close()
        assert idle.recv(1) == b""
    with pytest.raises(OSError):
        socket.create_connection((host, int(port)), timeout=10)
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(SECONDS)  # one that has closed its connection is at its end, not beyond it
    assert not any(thread.is_alive() for thread in left)


def test_a_taken_port(tmp_path: Path) -> None:
    with Emulator(tmp_path / "a") as emulator:
        port = int(emulator.endpoint.rsplit(":", 1)[1])
        with pytest.raises(OSError):
            Emulator(tmp_path / "b", listener=Listener(port=port))


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / FILE_NAME).write_bytes(b"no database at all, but long enough" * 40)
    for folder in ("file", "broken"):
        with pytest.raises(StoreError, match=folder):
            Service(tmp_path / folder)


def test_a_bug_is_a_500_without_values(
    store_with: Any, capsys: pytest.CaptureFixture[str], error_of: Any
) -> None:
    store = store_with()

    def broken(*_: Any) -> Any:
        raise RuntimeError("Doe^Jane")

    store.emulator.service.call = broken
    status, code, message = error_of(store.client.list_datastores)
    assert (status, code) == (500, "InternalServerException")
    printed = capsys.readouterr().err
    assert "RuntimeError at " in printed
    assert "Doe^Jane" not in printed + message


def test_a_body_that_is_too_large_gets_its_answer(tmp_path: Path) -> None:
    """Also while it is still being sent: else a client sees a broken pipe, and no reason."""
    with Emulator(tmp_path) as emulator:
        host, _, port = emulator.endpoint.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request("POST", f"/datastore/{DS}/searchImageSets", b" " * (65 * 2**20))
        response = connection.getresponse()
        assert response.status == 400
        assert b"too large" in response.read()
        connection.close()
