"""Restricts folders and files to their owner, whatever the umask: they may hold real metadata."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600
_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def make_folder(folder: Path) -> None:
    """Make a folder and its missing parents. Raises OSError."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        with suppress(FileExistsError):  # another process may make it first
            one.mkdir(mode=_FOLDER)
            one.chmod(_FOLDER)
    if not folder.is_dir():
        raise NotADirectoryError("it is not a folder")


def close_folder(folder: Path, own: Collection[str]) -> None:
    """Restrict a folder to its owner if it holds no files but those named in `own`.

    A folder with other files stays as it is. Raises OSError where other users may write to it,
    since they could replace our files.
    """
    mode = folder.stat().st_mode
    if not mode & _OTHERS:
        return
    if {one.name for one in folder.iterdir()} <= set(own):
        with suppress(OSError):  # it has another owner
            folder.chmod(_FOLDER)
            return
    if mode & _OTHERS_WRITE:
        raise PermissionError(
            "other users may write to this folder. Use a folder for the emulator alone, "
            f"or run: chmod go-w {folder}"
        )


def close_file(path: Path) -> bool:
    """Restrict a file to its owner.

    False where it does not exist. Raises OSError for anything but a regular file.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is not a regular file")
    if status.st_mode & _OTHERS:
        with suppress(FileNotFoundError):  # another process has removed it
            path.chmod(_FILE)
    return True


def create(path: Path, content: bytes = b"") -> None:
    """Make a file. Raises OSError where it exists."""
    with open(path, "xb", opener=_open) as file:
        file.write(content)


def _open(path: str, flags: int) -> int:
    handle = os.open(path, flags | os.O_CLOEXEC, _FILE)
    with suppress(OSError):  # a file system without modes
        os.fchmod(handle, _FILE)
    return handle
