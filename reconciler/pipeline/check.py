"""Manifests -> asks without contradictions, or every problem of every file."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path, PurePath

from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.force_notes import force_notes
from reconciler.core.ask.resolve import resolve
from reconciler.core.ask.schema import Checker
from reconciler.core.ask.warnings import warnings as value_warnings
from reconciler.core.errors import Diagnostic, GitError, InputError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.node import MappingNode
from reconciler.core.model.plan import Later
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Settings
from reconciler.edges import git, schemas
from reconciler.edges.manifests import Loaded, each, load_contents, name_of, names
from reconciler.pipeline.collector import paused


@paused()
def check(
    settings: Settings, paths: Sequence[Path] = (), *, proposed: Settings | None = None
) -> Checked:
    """Read and check all manifests; `paths` select those that a run carries.

    A run on some paths is judged over all manifests, too: what contradicts, what is managed.
    Manifests may also name data stores that only the `proposed` settings have; what they ask is in
    `later`. Raises InputError with every problem of every file.
    """
    root = Path(settings.root)
    folders = _folders(root / settings.manifests, paths)
    loaded = _Loading(each(root, folders))
    asks = _asks(_with_stores_of(settings, proposed), loaded)
    if not paths:
        warned = tuple(loaded.warnings)
        found = Checked(asks, len(loaded.files), read=loaded.files, warnings=warned)
        return _without_later(found, settings)
    selected = names(root, paths)
    relative = tuple(sorted({_relative(root, path) for path in paths}))
    warned = _below(loaded.warnings, [PurePath(name_of(root, path)) for path in paths])
    carrying = _carrying(asks, selected)
    found = Checked(carrying, len(selected), relative, loaded.files, warned)
    return _without_later(found, settings)


def _with_stores_of(settings: Settings, proposed: Settings | None) -> Settings:
    """The settings with the data stores that only the proposed settings have."""
    known = {one.name for one in settings.datastores}
    more = tuple(one for one in (proposed or settings).datastores if one.name not in known)
    return replace(settings, datastores=(*settings.datastores, *more)) if more else settings


def _without_later(checked: Checked, settings: Settings) -> Checked:
    """Count what is asked of data stores that the settings lack, and leave it out."""
    known = {one.name for one in settings.datastores}
    counts = Counter(ask.datastore for ask in checked.asks if ask.datastore not in known)
    if not counts:
        return checked
    managed = tuple(ask for ask in checked.managed if ask.datastore in known)
    later = tuple(Later(name, count) for name, count in sorted(counts.items()))
    return replace(checked, managed=managed, later=later)


def check_contents(
    settings: Settings, files: Mapping[str, bytes], paths: Sequence[str] = ()
) -> Checked:
    """Like `check`, for manifests by name that are not on the disk. `paths` are names, too."""
    loaded = _Loading([load_contents(files)])
    asks = _asks(settings, loaded)
    if not paths:
        return Checked(asks, len(files), read=loaded.files)
    selected = {
        name for name in files if any(PurePath(name).is_relative_to(path) for path in paths)
    }
    return Checked(_carrying(asks, selected), len(selected), tuple(paths), loaded.files)


class _Loading:
    """Manifests while they are loaded. It keeps what `Loaded` has, but no documents."""

    def __init__(self, found: Iterable[Loaded]) -> None:
        self._found = iter(found)
        first = next(self._found)
        self._documents = first.documents
        self.files = first.files
        self.problems = list(first.problems)
        self.warnings = list(first.warnings)
        self.sources = first.sources

    def documents(self) -> Iterator[MappingNode]:
        """Yield the documents, which are read meanwhile."""
        yield from self._documents
        for loaded in self._found:
            self.problems += loaded.problems
            self.warnings += loaded.warnings
            self.sources.add(loaded.sources)
            yield from loaded.documents


def _asks(settings: Settings, loading: _Loading) -> tuple[ImageSetAsk, ...]:
    """The asks of all manifests. Raises InputError with every problem."""
    documents = loading.documents()
    validated = validate(documents, settings, _checker())
    deque(documents, maxlen=0)  # where `validate` stops, the problems of reading are still missing
    resolved = resolve(validated.asks)
    if problems := (*loading.problems, *validated.problems, *resolved.problems):
        raise InputError(problems, loading.sources)
    return resolved.asks


def _below(found: Sequence[Diagnostic], selected: Sequence[PurePath]) -> tuple[Diagnostic, ...]:
    """The warnings about selected files and about files in selected folders, each once."""
    return tuple(
        one
        for one in dict.fromkeys(found)
        if any(PurePath(one.place.file).is_relative_to(path) for path in selected)
    )


def are_committed(settings: Settings, files: Iterable[str]) -> bool:
    """Whether the commit holds files as they are. False outside a repository."""
    root = Path(settings.root)
    try:
        return git.holds(root, [root / name for name in files], lambda _: False, root) is True
    except GitError:
        return False


def warnings(checked: Checked, today: date) -> tuple[Diagnostic, ...]:
    """What `validate` warns of in valid manifests, sorted by place."""
    return tuple(sorted((*checked.warnings, *value_warnings(checked.asks, today))))


def notes(settings: Settings, checked: Checked) -> tuple[Diagnostic, ...]:
    """What `validate` notes of valid manifests."""
    return force_notes(checked.asks, settings.rules)


def _folders(manifests: Path, paths: Sequence[Path]) -> list[Path]:
    """What to read: a selected file may lie elsewhere, and then the folder need not be there."""
    if paths and not manifests.exists():
        return list(paths)
    return [manifests, *paths]


def _carrying(asks: Sequence[ImageSetAsk], selected: Set[str]) -> tuple[ImageSetAsk, ...]:
    """The asks, each with the manifests that were not selected left out."""
    return tuple(
        replace(
            ask,
            left_out=frozenset(one for one in ask.sources if one.place.file not in selected),
        )
        for ask in asks
    )


def _relative(root: Path, path: Path) -> str:
    return PurePath(os.path.relpath(path.absolute(), root.absolute())).as_posix()


@cache
def _checker() -> Checker:
    return manifest_checker(schemas.load("manifest"))
