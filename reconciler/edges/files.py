"""Files that are never torn: whoever reads one finds the old bytes or the new ones, always.

Written beside, synced, renamed over, the folder synced: after a kill, a full disk or a power cut
the name stands for one whole content (POSIX rename(2), fsync(2)).
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
PRIVATE = 0o600  # what holds the values of patients
# .NAME.PID-HEX.tmp: the process tells whether anybody still writes it.
_PARTIAL = re.compile(r"\.(.+)\.([0-9]{1,10})-[0-9a-f]{8}\.tmp")


class RealFiles:
    """`reconciler.core.ports.Files` on the machine's own file system."""

    def make_folder(self, path: Path) -> None:
        """mkdir(2), with the folders above."""
        path.mkdir(parents=True, exist_ok=True)

    def create(self, path: Path, mode: int) -> int:
        """open(2) of a file that must not be there yet."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with suppress(OSError):  # a file system without modes; the umask is not ours to obey
            os.fchmod(handle, mode)
        return handle

    def open_end(self, path: Path, mode: int) -> int:
        """open(2), to write after what is there."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, mode)

    def write(self, handle: int, content: bytes) -> int:
        """write(2): how many bytes it took."""
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
        """link(2): another name for a file, which must not be there yet."""
        new.hardlink_to(old)

    def remove(self, path: Path) -> None:
        """unlink(2); a file that is not there is removed already."""
        path.unlink(missing_ok=True)

    def sync_folder(self, path: Path) -> None:
        """fsync(2) of a folder: makes a rename in it last."""
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


REAL = RealFiles()

# As many links as Linux follows; more go in a circle.
_MOST_LINKS = 40


def replace(path: Path, content: bytes, *, mode: int = PUBLIC, files: Files = REAL) -> None:
    """Put `content` in place of the file, or make it. OSError leaves the old one as it was.

    One error may come when the new file is in place already: that of the folder's last sync.
    """
    _check_replaceable(path)
    partial = _partial(path)
    try:
        _write(partial, content, mode, files)
        files.rename(partial, path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell; `sweep` takes the rest
            files.remove(partial)
        raise
    files.sync_folder(path.parent)


def place(path: Path, content: bytes, *, mode: int = PUBLIC, files: Files = REAL) -> None:
    """Make a file that must not be there yet: whole, or not at all.

    FileExistsError where it is there, whoever was faster: rename(2) would replace it, link(2) does
    not. OSError where the file system has no hard links.
    """
    partial = _partial(path)
    try:
        _write(partial, content, mode, files)
        files.link(partial, path)
    finally:
        with suppress(OSError):  # `sweep` takes it
            files.remove(partial)
    files.sync_folder(path.parent)


def append(path: Path, content: bytes, *, files: Files = REAL) -> None:
    """Put `content` after what is in a file, all of it or nothing (OSError), or make the file.

    For a file that is not ours alone: who has it open (`| tee -a`) would go on with the old one, if
    another were put in its place, and nobody would see it.
    """
    handle = files.open_end(path, PUBLIC)
    try:
        before = os.fstat(handle).st_size
        try:
            _write_all(handle, content, files)
        except OSError:
            with suppress(OSError):  # a pipe; a file takes no room to become shorter
                os.ftruncate(handle, before)
            raise
    finally:
        files.close(handle)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time: of two that read, change and write a file, one would lose what it wrote.

    flock(2) of the folder ends with the process, however that ends, and leaves nothing behind.
    Where there can be no folder, or no lock, nobody is kept out: then the write itself tells why.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def read_regular(path: Path) -> bytes | None:
    """The bytes of a regular file; None of a folder, pipe, socket or device, which may never end.

    OSError where it is not there or cannot be read.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        return None
    with open(path, "rb", opener=open_at_once) as file:
        return file.read()


def open_at_once(path: str, flags: int) -> int:
    """open(2) that does not wait for somebody to write into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)


def keep_from_git(folder: Path, *, files: Files = REAL) -> None:
    """Make a folder that git does not look at: what is in it is of this machine alone."""
    files.make_folder(folder)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        replace(ignore, b"*\n", files=files)


def remove(path: Path, *, files: Files = REAL) -> None:
    """Take a file away, for good."""
    files.remove(path)
    files.sync_folder(path.parent)


def is_leftover(name: str) -> bool:
    """Whether a file name is that of a write which did not end."""
    return _PARTIAL.fullmatch(name) is not None


def sweep(folder: Path, name: str = "", *, files: Files = REAL) -> None:
    """Take away what killed runs have left in a folder, of one file or of all.

    A run that is alive keeps its own.
    """
    for leftover in sorted(folder.glob(".*.tmp")):
        found = _PARTIAL.fullmatch(leftover.name)
        if found and name in ("", found[1]) and not _is_written(int(found[2])):
            with suppress(OSError):  # it is in nobody's way
                files.remove(leftover)


def _partial(path: Path) -> Path:
    """A name for this process to write under until the file is whole."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def _check_replaceable(path: Path) -> None:
    """A rename would put a file in the place of /dev/stdout, for everybody."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if _is_open_file(path) or (path.exists() and not path.is_file()):
        raise FileExistsError(errno.EEXIST, "it is not a regular file")


def _is_open_file(path: Path) -> bool:
    """Whether it is a name for what a process has open; with `> log` that is a regular file."""
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
    """Whether the process that began to write is another one, and alive."""
    if process in (0, os.getpid()):
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
