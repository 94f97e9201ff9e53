"""A file system on which the n-th call fails: full, forbidden, broken, or the process is killed."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from reconciler.edges.files import RealFiles

ERRORS = {"full": errno.ENOSPC, "forbidden": errno.EACCES, "broken": errno.EIO}


def failing(code: int) -> Callable[[], None]:
    """What a call does that fails with this errno."""

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    return fail


class FaultyFiles(RealFiles):
    """`act` replaces `times` calls from call number `first` on, counted from 1.

    A write is half done before it. `calls` keeps the names of all calls.
    """

    def __init__(
        self, first: int = 0, act: Callable[[], None] = lambda: None, times: int = 1
    ) -> None:
        self.calls: list[str] = []
        self._first = first
        self._act = act
        self._times = times

    def _call(self, name: str) -> bool:
        self.calls.append(name)
        return self._first <= len(self.calls) < self._first + self._times and self._first > 0

    def make_folder(self, path: Path) -> None:
        if self._call("make_folder"):
            self._act()
        super().make_folder(path)

    def create(self, path: Path, mode: int) -> int:
        if self._call("create"):
            self._act()
        return super().create(path, mode)

    def open_end(self, path: Path, mode: int) -> int:
        if self._call("open_end"):
            self._act()
        return super().open_end(path, mode)

    def write(self, handle: int, content: bytes) -> int:
        if self._call("write"):
            super().write(handle, content[: len(content) // 2])
            self._act()
        return super().write(handle, content)

    def sync(self, handle: int) -> None:
        if self._call("sync"):
            self._act()
        super().sync(handle)

    def close(self, handle: int) -> None:
        failed = self._call("close")
        super().close(handle)
        if failed:
            self._act()

    def rename(self, old: Path, new: Path) -> None:
        if self._call("rename"):
            self._act()
        super().rename(old, new)

    def link(self, old: Path, new: Path) -> None:
        if self._call("link"):
            self._act()
        super().link(old, new)

    def remove(self, path: Path) -> None:
        if self._call("remove"):
            self._act()
        super().remove(path)

    def sync_folder(self, path: Path) -> None:
        if self._call("sync_folder"):
            self._act()
        super().sync_folder(path)
