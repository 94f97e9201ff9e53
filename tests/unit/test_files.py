"""No file is ever torn, whichever call fails, and however many processes write it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.cli.emulator.server import write_ready
from reconciler.cli.report import append_summary, write_report
from reconciler.cli.workspace import save_plan
from reconciler.core.errors import ReconcilerError, RecordError
from reconciler.core.model.plan import Basis, Plan
from reconciler.core.model.record import Entry
from reconciler.core.model.value import Json
from reconciler.core.plan.file import dumps
from reconciler.core.ports import Files
from reconciler.edges import files, records
from tests.entries import always, put
from tests.faulty_files import ERRORS, FaultyFiles, failing

ID = "ea92b0d8838c72a3f25d00d13616f87e"
OLD, NEW = Plan(Basis("old", 1), ()), Plan(Basis("new", 1), ())


def entry(version: str) -> Entry:
    return Entry("1" * 32, ID, version, "", None, (), "sha256:" + "0" * 64)


def write_record(folder: Path, new: bool, disk: Files) -> None:
    wanted = entry("2" if new else "1")
    records.write(folder, wanted.datastore_id, {ID: [always(wanted)]}, files=disk)


def drop_record(folder: Path, new: bool, disk: Files) -> None:
    """The file of the first form goes when its entry is written again."""
    if new:
        write_record(folder, False, disk)
    else:
        old = records.folder(folder, "1" * 32)
        disk.make_folder(folder / "records")
        put(folder, [entry("1")])
        old.rename(folder / "records" / "research")


def write_plan(folder: Path, new: bool, disk: Files) -> None:
    save_plan(NEW if new else OLD, folder / "plan.json", None, disk)


def write_a_report(folder: Path, new: bool, disk: Files) -> None:
    report: Json = {"apiVersion": "reconciler/v1", "kind": "Report", "new": new}
    if error := write_report(report, folder / "report.json", disk=disk):
        raise error


def append_a_summary(folder: Path, new: bool, disk: Files) -> None:
    page = folder / "page.md"
    if not new:
        page.write_bytes(b"of an earlier step\n")
        page.chmod(0o666)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(page))
        if error := append_summary("new\n", disk):
            raise error


def write_ready_file(folder: Path, new: bool, disk: Files) -> None:
    write_ready(folder / "ready.json", f"http://127.0.0.1:{int(new)}", disk)


Writer = Callable[[Path, bool, Files], None]
WRITERS: dict[str, Writer] = {
    "record": write_record,
    "dropped record": drop_record,
    "plan": write_plan,
    "report": write_a_report,
    "ready file": write_ready_file,
    "step summary": append_a_summary,
}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not files.is_leftover(path.name)
    }


def calls_of(write: Writer, folder: Path) -> list[str]:
    folder.mkdir()
    write(folder, False, files.REAL)
    counting = FaultyFiles()
    write(folder, True, counting)
    return counting.calls


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", WRITERS)
def test_each_file_is_the_old_one_or_the_new_one_whatever_call_fails(
    tmp_path: Path, name: str, error: str
) -> None:
    write = WRITERS[name]
    reference = tmp_path / "reference"
    calls = calls_of(write, reference)
    new = contents(reference)
    assert "sync_folder" in calls or name == "step summary"
    for first in range(1, len(calls) + 1):
        for times in (1, 99):
            folder = tmp_path / f"{first}-{times}"
            folder.mkdir()
            write(folder, False, files.REAL)
            old = contents(folder)
            faulty = FaultyFiles(first, failing(ERRORS[error]), times)
            with pytest.raises(ReconcilerError, match=os.strerror(ERRORS[error])) as caught:
                write(folder, True, faulty)
            assert contents(folder) in (old, new)
            assert times > 1 or not any(files.is_leftover(one.name) for one in folder.rglob("*"))
            if "record" in name:
                assert isinstance(caught.value, RecordError)
                assert "run the command again" in caught.value.hint
            if name == "step summary":  # it is appended to: once more would be twice
                continue
            write(folder, True, files.REAL)
            assert contents(folder) == new


def test_a_write_that_takes_only_a_part_goes_on(tmp_path: Path) -> None:
    class Slow(files.RealFiles):
        def write(self, handle: int, content: bytes) -> int:
            return super().write(handle, content[:1])

    files.replace(tmp_path / "a", b"content", files=Slow())
    assert (tmp_path / "a").read_bytes() == b"content"


def test_what_holds_values_is_its_owners_alone(tmp_path: Path) -> None:
    save_plan(NEW, tmp_path / "plan.json", None)
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600
    assert (tmp_path / "plan.json").read_bytes() == dumps(NEW)
    write_report({}, tmp_path / "report.json")
    assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o644


PROGRAM = """
import os, signal, sys
from pathlib import Path
from reconciler.edges import files
from tests.entries import always, put
from tests.faulty_files import FaultyFiles
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
files.replace(Path(sys.argv[1]), b"new", files=FaultyFiles(int(sys.argv[2]), kill))
"""


def test_a_killed_write_leaves_the_old_file_and_its_leftover_is_swept(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b"old")
    (tmp_path / ".mine.tmp").write_bytes(b"no business of ours")
    killed = subprocess.run([sys.executable, "-c", PROGRAM, str(path), "3"], check=False)
    assert killed.returncode == -9
    assert path.read_bytes() == b"old"
    (leftover,) = (one for one in tmp_path.iterdir() if files.is_leftover(one.name))
    files.sweep(tmp_path, "other.json")
    assert leftover.exists()
    files.sweep(tmp_path, "file.json")
    assert sorted(one.name for one in tmp_path.iterdir()) == [".mine.tmp", "file.json"]


def test_what_a_run_that_is_alive_writes_is_not_swept(tmp_path: Path) -> None:
    theirs = tmp_path / f".a.json.{os.getppid()}-0123abcd.tmp"
    of_another_user = tmp_path / ".a.json.1-0123abcd.tmp"
    theirs.write_bytes(b"")
    of_another_user.write_bytes(b"")
    ours = tmp_path / f".a.json.{os.getpid()}-0123abcd.tmp"
    ours.write_bytes(b"")
    files.sweep(tmp_path)
    assert theirs.exists()
    assert of_another_user.exists()
    assert not ours.exists()


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    """As root a rename would put a file in the place of /dev/stdout."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, problem in (("pipe", "is not a regular file"), ("folder", "Is a directory")):
        with pytest.raises(OSError, match=problem):
            files.replace(tmp_path / name, b"x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder", "pipe"]


def test_a_name_for_standard_output_is_not_replaced_though_that_is_a_regular_file(
    tmp_path: Path,
) -> None:
    """`--report /dev/stdout > log`, as root, would remove /dev/stdout for all programs."""
    stdout, log = tmp_path / "stdout", tmp_path / "log"
    with log.open("wb") as file:
        stdout.symlink_to(f"/proc/self/fd/{file.fileno()}")
        (tmp_path / "link").symlink_to("stdout")
        for name in ("stdout", "link"):
            with pytest.raises(OSError, match="is not a regular file"):
                files.replace(tmp_path / name, b"x")
    assert stdout.is_symlink()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link", "log", "stdout"]


def test_links_in_a_circle_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    files.replace(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_what_is_gone_already_need_not_be_taken_away(tmp_path: Path) -> None:
    files.remove(tmp_path / "gone")
    assert list(tmp_path.iterdir()) == []


def test_a_report_is_json(tmp_path: Path) -> None:
    assert write_report({"a": "ü"}, tmp_path / "r.json") is None
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == {"a": "ü"}


def test_a_summary_goes_after_what_is_there_and_leaves_its_mode(tmp_path: Path) -> None:
    append_a_summary(tmp_path, False, files.REAL)
    (tmp_path / "link").symlink_to("page.md")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "link"))
        assert append_summary("new\n") is None
    page = tmp_path / "page.md"
    assert page.read_bytes() == b"of an earlier step\nnew\n"
    assert stat.S_IMODE(page.stat().st_mode) == 0o666
    assert (tmp_path / "link").is_symlink()


def test_who_has_the_summary_open_goes_on_writing_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    with page.open("a") as theirs:  # reconcile apply | tee -a "$GITHUB_STEP_SUMMARY"
        assert append_summary("ours\n") is None
        theirs.write("theirs\n")
    assert page.read_text() == "ours\ntheirs\n"


def test_a_summary_may_go_into_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "pipe"))
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert append_summary("ours\n") is None
    assert os.read(reader, 99) == b"ours\n"
    os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
