"""With `--show-values`, only the owner can read what a command writes, at every moment."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.report import write_report
from reconciler.cli.run import run
from reconciler.cli.workspace import save_plan
from reconciler.core.model.plan import Basis, Plan
from reconciler.edges import files
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import World, git, imported, manifest
from tests.documents import document

NAME = """\
allow: [CHANGES_PATIENT_IDENTITY]
present: {Patient: {DICOM: {PatientName: Doe^Pieter}}}
"""
LIVE = "Garcia"
WRITERS = {
    "--out": ["plan"],
    "--review": ["plan", "--base", "HEAD"],
    "--report": ["apply", "--auto-approve"],
}


@pytest.fixture(autouse=True)
def open_to_all() -> Iterator[None]:
    """The widest umask: a file is readable by everybody unless a mode says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        manifest(world.root, "a.yaml", NAME)
        (world.root / "reconciler.key").write_text(f"{'5c' * 32}\n")
        (world.root / ".gitignore").write_text(".reconcile/\n*.json\n")
        git(world.root, "init", "-q")
        git(world.root, "add", ".")
        git(world.root, "commit", "-q", "-m", "ask")
        yield world


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class Watched(files.RealFiles):
    """Notes the modes of all files in a folder before and after each call that may change one."""

    def __init__(self, folder: Path, old: Path) -> None:
        self.seen: set[int] = set()
        self._folder = folder
        self._old = old.stat().st_ino

    def _note(self) -> None:
        for path in self._folder.iterdir():
            if path.stat().st_ino != self._old:
                self.seen.add(mode(path))

    def create(self, path: Path, mode: int) -> int:
        handle = super().create(path, mode)
        self._note()
        return handle

    def write(self, handle: int, content: bytes) -> int:
        written = super().write(handle, content)
        self._note()
        return written

    def rename(self, old: Path, new: Path) -> None:
        super().rename(old, new)
        self._note()


def save(path: Path, disk: files.RealFiles) -> None:
    save_plan(Plan(Basis("new", 1), ()), path, None, disk)


def report(path: Path, disk: files.RealFiles) -> None:
    document: Any = {"apiVersion": "reconciler/v1", "kind": "Report"}
    assert write_report(document, path, files.PRIVATE, disk) is None


@pytest.mark.parametrize("write", [save, report])
def test_a_private_file_is_never_readable_by_others(tmp_path: Path, write: Any) -> None:
    """Also if a file with a wider mode was there."""
    path = tmp_path / "file.json"
    write(path, files.REAL)
    path.chmod(0o644)
    disk = Watched(tmp_path, path)
    write(path, disk)
    assert disk.seen == {0o600} and mode(path) == 0o600


@pytest.mark.parametrize("option", WRITERS)
@pytest.mark.parametrize("shows", [True, False])
def test_every_file_of_a_run_that_shows_values_is_private(
    tree: World, option: str, shows: bool
) -> None:
    command = WRITERS[option]
    show = ["--show-values"] if shows else []
    ran = tree.reconcile(*command, option, "file.json", *show)
    assert ran.code == 0 and (LIVE in ran.out) is shows
    assert mode(Path("file.json")) == (0o600 if shows or option == "--out" else 0o644)


@pytest.mark.parametrize("option", WRITERS)
def test_a_link_is_refused(tree: World, option: str) -> None:
    """The user who made the link could read the file that it leads to."""
    away = tree.root.parent / "away.json"
    away.write_text("theirs")
    Path("file.json").symlink_to(away)
    command = WRITERS[option]
    ran = tree.reconcile(*command, option, "file.json", "--show-values")
    assert (ran.code, ran.out) == (1, "") and "it is a symbolic link" in ran.err
    assert away.read_text() == "theirs"


@pytest.mark.parametrize("option", WRITERS)
def test_a_hard_link_is_replaced_and_the_other_name_keeps_its_content(
    tree: World, option: str
) -> None:
    command = WRITERS[option]
    assert tree.reconcile(*command, option, "file.json").code == 0
    away = tree.root.parent / "away.json"
    away.hardlink_to(Path("file.json"))
    away.chmod(0o644)
    before = away.read_bytes()
    assert tree.reconcile(*command, option, "file.json", "--show-values").code == 0
    assert (away.read_bytes(), mode(away), mode(Path("file.json"))) == (before, 0o644, 0o600)


# Standard output and standard error that go to a file


class Stream(io.TextIOWrapper):
    """A text stream to a file; notes the mode of the file at each write."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("wb"), encoding="utf-8", write_through=True)
        self.seen: set[int] = set()

    def write(self, text: str, /) -> int:
        self.seen.add(stat.S_IMODE(os.fstat(self.fileno()).st_mode))
        return super().write(text)


COMMANDS = {
    "plan": ["plan"],
    "page": ["plan", "--format", "html"],
    "JSON": ["plan", "--json"],
    "show": ["show", "p.json"],
    "apply": ["apply", "--auto-approve"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("shows", [True, False])
def test_a_file_that_stdout_goes_to_is_private_before_the_first_line(
    tree: World, monkeypatch: pytest.MonkeyPatch, command: list[str], shows: bool
) -> None:
    assert tree.reconcile("plan", "--out", "p.json").code == 0
    path = tree.root.parent / "out"
    with Stream(path) as stream, monkeypatch.context() as context:
        context.setattr(sys, "stdout", stream)
        assert run([*command, *(["--show-values"] if shows else [])]) == 0
    assert stream.seen == {0o600 if shows else 0o666}
    assert (LIVE in path.read_text()) is shows


class NotOurs(Stream):
    """A stream to a file of procfs, whose mode not even root can change."""

    def fileno(self) -> int:
        return self._handle

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._handle = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        if not self.closed:
            os.close(self._handle)
        super().close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs procfs")
def test_a_file_that_cannot_be_made_private_gets_no_value(
    tree: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tree.root.parent / "out"
    with NotOurs(path) as stream, monkeypatch.context() as context:
        context.setattr(sys, "stdout", stream)
        assert run(["plan", "--show-values"]) == 1
    assert path.read_text() == ""
    assert "its mode cannot be changed (Operation not permitted)" in capsys.readouterr().err


def test_what_is_no_file_keeps_its_mode() -> None:
    before = mode(Path(os.devnull))
    with Path(os.devnull).open("wb") as file:
        files.restrict(file.fileno())
    assert mode(Path(os.devnull)) == before


@pytest.mark.parametrize("command", [["search"], ["plan", "--out", "p.json"]])
def test_a_job_refuses_to_show_values_before_it_reads(
    tree: World, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    ran = tree.reconcile(*command, "--show-values")
    assert (ran.code, ran.out) == (1, "")
    assert "--show-values is refused in a CI job" in ran.err
    assert not Path("p.json").exists()
