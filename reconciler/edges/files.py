"""Writes files atomically: a reader always finds the old bytes or the new bytes.

A new file is written next to the old file, synced and renamed over it; then the folder is synced.
So a kill, a full disk or a power cut leaves no partial content (POSIX rename(2), fsync(2)).
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from reconciler.core.ports import Files

PUBLIC = 0o644
PRIVATE = 0o600  # for files with patient data
# .NAME.PID-HEX.tmp: the process ID shows whether a process still writes it.
_PARTIAL = re.compile(r"\.(.+)\.([0-9]{1,10})-[0-9a-f]{8}\.tmp")

# git-merge(1), "How conflicts are presented": three lines that begin so, in this order.
_CONFLICT = re.compile(rb"^<{7} ", re.MULTILINE)
_BEGIN, _MIDDLE, _END = b"<<<<<<< ", b"\n=======", b"\n>>>>>>> "


class RealFiles:
    """Implements `reconciler.core.ports.Files` on the file system of the machine."""

    def make_folder(self, path: Path) -> None:
        """mkdir(2), with the parent folders."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path, mode: int) -> int:
        """open(2) of a file that must not exist yet. The umask of the process applies."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)

    def open_end(self, path: Path, mode: int) -> int:
        """open(2) for appending."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, mode)

    def write(self, handle: int, content: bytes) -> int:
        """write(2): returns the number of bytes written."""
        return os.write(handle, content)

    def sync(self, handle: int) -> None:
        """fsync(2)."""
        os.fsync(handle)

    def close(self, handle: int) -> None:
        """close(2)."""
        os.close(handle)

    def rename(self, old: Path, new: Path) -> None:
        """rename(2)."""
        old.replace(new)

    def link(self, old: Path, new: Path) -> None:
        """link(2): another name for a file; the name must not exist yet."""
        new.hardlink_to(old)

    def remove(self, path: Path) -> None:
        """unlink(2); a file that does not exist is no error."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """fsync(2) of a folder: makes a rename in it durable."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


REAL = RealFiles()

# The limit of Linux (path_resolution(7)); a longer chain is a loop.
_MOST_LINKS = 40


def replace(path: Path, content: bytes, *, mode: int = PUBLIC, files: Files = REAL) -> None:
    """Replace the content of a file, or create it. After an OSError the old file is unchanged.

    One exception: the final sync of the folder can fail after the new file is in place.
    """
    _check_replaceable(path)
    partial = _partial(path)
    try:
        _write(partial, content, mode, files)
        files.rename(partial, path)
    except BaseException:
        with suppress(OSError):  # report the first error; `sweep` removes the partial file
            files.remove(partial)
        raise
    files.sync_folder(path.parent)


def place(path: Path, content: bytes, *, mode: int = PUBLIC, files: Files = REAL) -> None:
    """Create a file that must not exist yet: completely, or not at all.

    Raises FileExistsError if it exists, even if another process has just created it: unlike
    rename(2), link(2) replaces nothing. Raises OSError if the file system has no hard links.
    """
    partial = _partial(path)
    try:
        _write(partial, content, mode, files)
        files.link(partial, path)
    finally:
        with suppress(OSError):  # `sweep` removes it
            files.remove(partial)
    files.sync_folder(path.parent)


def append(path: Path, content: bytes, *, files: Files = REAL) -> None:
    """Append `content` to a file completely, or not at all (OSError). Create it if necessary.

    Use it for files that other processes may have open (`| tee -a`): replacing such a file would
    lose what they write later.
    """
    handle = files.open_end(path, PUBLIC)
    try:
        before = os.fstat(handle).st_size
        try:
            _write_all(handle, content, files)
        except OSError:
            with suppress(OSError):  # a pipe cannot be truncated; a full disk does not matter here
                os.ftruncate(handle, before)
            raise
    finally:
        files.close(handle)


def restrict(handle: int) -> None:
    """Let only its owner read an open file. Pipes, terminals and devices are left as they are.

    Raises OSError if it is a file of another user.
    """
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode) and stat.S_IMODE(mode) & ~PRIVATE:
        os.fchmod(handle, PRIVATE)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, so that two processes do not overwrite each other's changes.

    flock(2) ends with the process and leaves no file behind. If the folder or the lock is not
    possible, there is no lock; the write that follows reports the problem.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def read_regular(path: Path) -> bytes | None:
    """Read a regular file; None for a folder, pipe, socket or device, which may never end.

    Raises OSError if it does not exist or cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    with open(path, "rb", opener=open_at_once) as file:
        return file.read()


def open_at_once(path: str, flags: int) -> int:
    """open(2) that does not wait for a writer when the file is a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def keep_from_git(folder: Path, *, files: Files = REAL) -> None:
    """Create a folder that git ignores: its content belongs to this machine only."""
    files.make_folder(folder)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        replace(ignore, b"*\n", files=files)


def remove(path: Path, *, files: Files = REAL) -> None:
    """Remove a file durably."""
    files.remove(path)
    files.sync_folder(path.parent)


def is_leftover(name: str) -> bool:
    """Whether a file name is that of an unfinished write."""
    return _PARTIAL.fullmatch(name) is not None


def sweep(folder: Path, name: str = "", *, files: Files = REAL) -> None:
    """Remove partial files of killed runs from a folder: those of `name`, or all.

    Files of processes that still run are kept.
    """
    for leftover in sorted(folder.glob(".*.tmp")):
        found = _PARTIAL.fullmatch(leftover.name)
        if found and name in ("", found[1]) and not _is_written(int(found[2])):
            with suppress(OSError):  # a leftover does no harm
                files.remove(leftover)


def _partial(path: Path) -> Path:
    """Return the name under which this process writes until the file is complete."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _check_replaceable(path: Path) -> None:
    """Raise OSError for a folder or a device: a rename would replace /dev/stdout by a file."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if _is_open_file(path) or (path.exists() and not path.is_file()):
        raise FileExistsError(errno.EEXIST, "it is not a regular file")


def _is_open_file(path: Path) -> bool:
    """Whether the path leads to an open file of a process, such as /dev/stdout."""
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            break
        if path.parent.resolve().is_relative_to("/proc"):
            return True
        path = path.parent / path.readlink()
    return False


def _write(partial: Path, content: bytes, mode: int, files: Files) -> None:
    handle = files.create(partial, mode)
    try:
        _write_all(handle, content, files)
        files.sync(handle)
    finally:
        files.close(handle)


def _write_all(handle: int, content: bytes, files: Files) -> None:
    left = memoryview(content)
    while left:
        left = left[files.write(handle, bytes(left)) :]


def _is_written(process: int) -> bool:
    """Whether another process that still runs writes the file."""
    if process in (0, os.getpid()):
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def conflict_in(content: bytes) -> int:
    """Return the line of the first conflict that a merge left in a file, 0 if there is none."""
    if _BEGIN not in content:
        return 0
    found = _CONFLICT.search(content)
    middle = content.find(_MIDDLE, found.end()) if found else -1
    if found is None or middle < 0 or content.find(_END, middle) < 0:
        return 0
    return content.count(b"\n", 0, found.start()) + 1
