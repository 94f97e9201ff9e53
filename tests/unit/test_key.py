"""The key of the digests: its file, who makes it, and what is said where it is none."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.errors import RecordError
from reconciler.core.model.key import KEY_FILE, Key, Use
from reconciler.edges import key as keys
from reconciler.pipeline.known import key_of, key_to_record_with
from tests.documents import KEY
from tests.faulty_files import ERRORS, FaultyFiles, failing

TEXT = bytes(range(32)).hex()


def test_it_is_made_once_and_never_replaced(tmp_path: Path) -> None:
    assert keys.read(tmp_path) is None
    made = keys.make(tmp_path)
    content = (tmp_path / KEY_FILE).read_text()
    assert content == f"{made.secret.hex()}\n"
    assert len(content) == 65
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o644
    assert keys.read(tmp_path) == keys.make(tmp_path) == made
    assert (tmp_path / KEY_FILE).read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_no_two_repositories_have_the_same(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert keys.make(tmp_path / "one") != keys.make(tmp_path / "two")


def test_of_many_at_once_all_get_the_one_that_is_there(tmp_path: Path) -> None:
    made: list[Key] = []
    at_once = threading.Barrier(8)

    def make() -> None:
        at_once.wait()
        made.append(keys.make(tmp_path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [keys.read(tmp_path)] * 8


@pytest.mark.parametrize("content", [TEXT, f"{TEXT}\n", f"{TEXT}\r\n", f"{TEXT.upper()}\n"])
def test_a_key_is_read_however_its_line_ends(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_bytes(content.encode())
    assert keys.read(tmp_path) == KEY


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        TEXT[:-1].encode(),
        f"{TEXT}0\n".encode(),
        f" {TEXT}\n".encode(),
        f"{TEXT}\n\n".encode(),
        f"{TEXT}\n{TEXT}\n".encode(),
        f"<<<<<<< HEAD\n{TEXT}\n".encode(),
        b"\xff" * 64,
        b"0" * 100_000,
    ],
)
def test_what_is_no_key_is_an_error_that_names_the_file_and_not_its_content(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(RecordError) as caught:
        keys.read(tmp_path)
    assert caught.value.message == (
        "reconciler.key: is not a key: it needs one line of 64 hex digits"
    )
    assert "git checkout HEAD -- reconciler.key" in caught.value.hint
    assert TEXT not in str(caught.value)
    assert caught.value.__cause__ is None


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    """A link could name any file of this machine, and a pipe would never end."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(TEXT)
    file = tmp_path / KEY_FILE
    others: list[Callable[[], None]] = [
        lambda: file.symlink_to(elsewhere),
        lambda: file.symlink_to(tmp_path / "nowhere"),
        lambda: os.mkfifo(file),
        lambda: file.mkdir(),
    ]
    for make in others:
        make()
        for use in (keys.read, keys.make):
            with pytest.raises(RecordError, match=r"reconciler\.key: is not a regular file"):
                use(tmp_path)
        file.rmdir() if file.is_dir() and not file.is_symlink() else file.unlink()
    assert elsewhere.read_text() == TEXT


@pytest.mark.parametrize("error", ERRORS)
def test_where_it_cannot_be_written_there_is_none_or_a_whole_one(
    tmp_path: Path, error: str
) -> None:
    counting = FaultyFiles()
    keys.make(tmp_path, files=counting)
    for first in range(1, len(counting.calls) + 1):
        (tmp_path / KEY_FILE).unlink()
        files = FaultyFiles(first, failing(ERRORS[error]))
        try:
            made = keys.make(tmp_path, files=files)
        except RecordError as problem:
            assert problem.message.startswith("reconciler.key: cannot be written (")
            assert "openssl rand -hex 32" in problem.hint
            assert keys.read(tmp_path) is None or files.calls[first - 1] == "sync_folder"
            made = keys.make(tmp_path)
        assert keys.read(tmp_path) == made
        keys.sweep(tmp_path)


def test_what_a_killed_run_has_left_of_it_is_swept(tmp_path: Path) -> None:
    leftover = tmp_path / f".{KEY_FILE}.4000000000-0123abcd.tmp"
    leftover.write_text(TEXT)
    keys.sweep(tmp_path)
    assert not leftover.exists()


@pytest.mark.parametrize("committed", [b"", b"is no key", f"{TEXT}\r\n".encode()])
def test_the_key_of_the_work_tree_is_that_of_the_commit(committed: bytes) -> None:
    assert keys.checked(KEY, committed) == KEY


@pytest.mark.parametrize("own", [None, Key(bytes(32))])
def test_another_key_than_that_of_the_commit_is_refused(own: Key | None) -> None:
    with pytest.raises(RecordError, match="a key is never replaced") as caught:
        keys.checked(own, f"{TEXT}\n".encode())
    assert "git checkout HEAD -- reconciler.key" in caught.value.hint


def test_without_any_key_there_is_none() -> None:
    assert keys.checked(None, b"") is None


# --- what it keys --------------------------------------------------------------------------------


def test_a_digest_is_the_hmac_that_openssl_computes() -> None:
    """So that no change of it goes unseen: records would match no ask any more.

    printf 'reconciler/v1/plan\\0{"a":[1,"ü"],"b":null}' |
        openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
    """
    digest = KEY.digest(Use.PLAN, {"b": None, "a": [1, "ü"]})
    told = "ed53c7f2d9853908bae151257c927b199912db3424f141620f441656c6550355"
    assert digest == f"hmac-sha256:{told}"


def test_digests_of_two_uses_or_two_keys_are_never_equal() -> None:
    keyed = [key.digest(use, "x") for key in (KEY, Key(bytes(32))) for use in Use]
    assert len(set(keyed)) == 2 * len(Use)


def test_a_key_does_not_print_itself() -> None:
    for text in (repr(KEY), str(KEY), f"{[KEY]}", f"{KEY!r:>5}"):
        assert TEXT not in text
        assert "***" in text
    with pytest.raises(TypeError) as caught:
        json.dumps({"key": KEY})
    assert TEXT not in str(caught.value)


def test_no_key_is_made_where_git_cannot_say_whether_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container without git, or with a git that refuses the repository of another owner."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    with monkeypatch.context() as without_git:
        without_git.setenv("PATH", str(tmp_path / "nowhere"))
        _assert_none_is_made(tmp_path)
    assert key_to_record_with(tmp_path) is None


def _assert_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="git cannot say whether the commit has it"):
        key_to_record_with(tmp_path)
    assert key_of(tmp_path) is None
    keys.path(tmp_path).write_text(f"{KEY.secret.hex()}\n")
    assert key_to_record_with(tmp_path) == KEY
    keys.path(tmp_path).unlink()
