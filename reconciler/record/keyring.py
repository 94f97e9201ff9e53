"""The key of the repository: the existing key, or a new key when it is first needed."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.model.key import Key
from reconciler.core.ports import Files
from reconciler.edges import key as keys


class Keyring:
    """Holds the key. `key` is None while there is none; `is_new` says that this run created it."""

    def __init__(self, root: Path, key: Key | None, files: Files) -> None:
        self.key = key
        self.is_new = False
        self._root = root
        self._files = files

    @property
    def path(self) -> Path:
        """The path of the key file."""
        return keys.path(self._root)

    def take(self) -> Key:
        """Return the key, or create it. Safe to call from any thread. May raise RecordError."""
        if self.key is None:
            self.key = keys.make(self._root, files=self._files)
            self.is_new = True
        return self.key
