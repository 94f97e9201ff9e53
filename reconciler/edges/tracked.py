"""Local files that git tracks: a commit, and so a pull request, may have added them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Tracked:
    """The names of tracked files, relative to a root, as git has them.

    A file system may ignore case: there `.Reconcile` is `.reconcile`.
    """

    names: tuple[str, ...] = ()

    def has(self, path: PurePath) -> bool:
        """Whether git tracks a file, or a folder above it as a submodule."""
        return any(_is_below(path, PurePath(name)) for name in self.names)

    def below(self, folder: PurePath) -> tuple[str, ...]:
        """The names of tracked files below a folder, or of a submodule that holds it."""
        return tuple(
            name
            for name in self.names
            if _is_below(PurePath(name), folder) or _is_below(folder, PurePath(name))
        )


def _is_below(path: PurePath, above: PurePath) -> bool:
    """Whether a path is another one, or below it."""
    start = _folded(above)
    return _folded(path)[: len(start)] == start


def _folded(path: PurePath) -> tuple[str, ...]:
    return tuple(part.casefold() for part in path.parts)


NONE = Tracked()
