"""A repository in which commands run, and everything that they print or leave is searched."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.emulator.http.server import Emulator
from tests.canary.documents import ident
from tests.canary.marks import MANIFEST, NEVER, Mark
from tests.canary.search import found
from tests.canary.service import Front
from tests.cli.conftest import Command, Ran
from tests.cli.outside import git

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
# Files for their owner alone, mode 0600, which may hold values: docs/patient-data.md.
OWNERS = frozenset({"plan.json"})
OURS = ("manifests", "invalid", "documents", ".git")


@dataclass
class Place:
    """`leaks` has the marks that a command may not show, `kept` all that was searched."""

    root: Path
    reconcile: Command
    front: Front
    emulator: Emulator
    leaks: dict[str, set[str]] = field(default_factory=dict)
    ran: set[tuple[str, bool]] = field(default_factory=set)
    kept: dict[str, bytes] = field(default_factory=dict)
    _log: io.StringIO = field(default_factory=io.StringIO)
    _searched: dict[Path, bytes] = field(default_factory=dict)

    def run(
        self,
        *arguments: str | Path,
        may: Sequence[Mark] = (),
        prints_values: bool = False,
        name: str = "",
    ) -> Ran:
        """Run a command. `may` are marks that standard output may show; nothing else may.

        With `prints_values`, standard output is not searched: it is there to hold values.
        """
        ran = self.reconcile(*arguments)
        words = [str(word) for word in arguments]
        command = " ".join(words[:2]) if words[0] == "emulator" else words[0]
        self.ran.add((command, ran.code in (0, 2)))
        title = f"{' '.join(words)} ({name})" if name else " ".join(words)
        hidden = [mark for mark in _ALL if mark not in may]
        self._search(f"{title}: stderr", ran.err, _ALL)
        if not prints_values:
            self._search(f"{title}: stdout", ran.out, hidden)
        self.search_stored(title)
        assert ran.code != 3, ran.err
        return ran

    def search_stored(self, title: str) -> None:
        """Search the files that others may read, the commits of the program, and the log."""
        for path in self._stored():
            content = path.read_bytes()
            if self._searched.get(path) != content:
                self._searched[path] = content
                self._search(f"{title}: {path.relative_to(self.root)}", content, _ALL)
        self._search(f"{title}: log", self._log.getvalue(), _ALL)
        self._log.seek(0)
        self._log.truncate()

    def search_commits(self) -> None:
        """Search what the program committed: messages, authors and content."""
        ours = [f":!{name}" for name in OURS]
        log = git(self.root, "log", "-p", "--all", "--format=%an %ae %B", "--", ".", *ours)
        assert "records/" in log
        self._search("commits", log, _ALL)

    def _search(self, title: str, content: bytes | str, marks: Sequence[Mark]) -> None:
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        self.kept[title] = data
        if leaked := found(data, marks):
            self.leaks[title] = leaked

    def _stored(self) -> Iterator[Path]:
        for path in sorted(self.root.rglob("*")):
            is_ours = path.relative_to(self.root).parts[0] in OURS
            if path.is_file() and not is_ours and path.name not in OWNERS:
                yield path

    @contextmanager
    def logging_everything(self) -> Iterator[None]:
        """A handler of the root logger for all records, as a host that debugs has it."""
        handler = logging.StreamHandler(self._log)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.removeHandler(handler)
            root.setLevel(level)


_ALL = (*NEVER, *MANIFEST)


def settings(root: Path, endpoint: str, redact: str, comment: str) -> None:
    (root / "reconciler.yaml").write_text(
        f"redact: {redact}\n{comment}lockTimeout: 1m\n"
        "fingerprintKey: RECONCILE_KEY\ndatastores:\n  research:\n"
        f'    datastoreId: "{DATASTORE_ID}"\n    region: us-east-1\n    endpoint: {endpoint}\n',
        encoding="utf-8",
    )


def write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def write_outside(emulator: Emulator, number: int, updates: dict[str, Any]) -> None:
    """An update by another program."""
    address = {"datastoreId": DATASTORE_ID, "imageSetId": ident(number)}
    latest = emulator.service.call("GetImageSet", address)["versionId"]
    blob = json.dumps({"SchemaVersion": 1.1, **updates}).encode()
    emulator.service.call(
        "UpdateImageSetMetadata",
        {
            **address,
            "latestVersion": latest,
            "latestVersionId": latest,
            "updateImageSetMetadataUpdates": {"DICOMUpdates": {"updatableAttributes": blob}},
        },
    )
