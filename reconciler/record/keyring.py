"""The key of the repository: the one that is there, or one that is made when it is first needed."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.model.key import Key
from reconciler.core.ports import Files
from reconciler.edges import key as keys


class Keyring:
    """`key` is None as long as the repository has none; `is_new` says that this run made it."""

    def __init__(self, root: Path, key: Key | None, files: Files) -> None:
        self.key = key
        self.is_new = False
        self._root = root
        self._files = files

    @property
    def path(self) -> Path:
        """The file of the key."""
        return keys.path(self._root)

    def take(self) -> Key:
        """The key, made where there is none yet. Any thread. RecordError where it cannot be."""
        if self.key is None:
            self.key = keys.make(self._root, files=self._files)
            self.is_new = True
        return self.key
