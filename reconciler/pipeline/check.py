"""Manifests -> asks without contradictions, or every problem of every file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePath

from reconciler.core.ask.force_notes import force_notes
from reconciler.core.ask.selectors import carrying
from reconciler.core.ask.warnings import warnings as value_warnings
from reconciler.core.errors import Diagnostic, GitError
from reconciler.core.model.form import Asks
from reconciler.core.model.plan import Later
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Settings
from reconciler.edges.manifests import each, each_content, name_of, names, read, read_content
from reconciler.pipeline.collector import paused
from reconciler.pipeline.reading import Reading


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
    reading = Reading(_with_stores_of(settings, proposed))
    files: tuple[str, ...] = ()
    for loaded in each(root, folders, reading.takes):
        files = files or loaded.files  # the first has all
        reading.add(loaded)
    asks = reading.asks(lambda name: read(root / name, name))
    found = Checked(
        asks,
        len(files),
        read=files,
        warnings=tuple(reading.warnings),
        selectors=tuple(reading.selectors),
    )
    if paths:
        warned = _below(reading.warnings, [PurePath(name_of(root, path)) for path in paths])
        relative = tuple(sorted({_relative(root, path) for path in paths}))
        found = replace(_carrying(found, names(root, paths)), paths=relative, warnings=warned)
    return _without_later(found, settings)


def _with_stores_of(settings: Settings, proposed: Settings | None) -> Settings:
    """The settings with the data stores that only the proposed settings have."""
    known = {one.name for one in settings.datastores}
    more = tuple(one for one in (proposed or settings).datastores if one.name not in known)
    return replace(settings, datastores=(*settings.datastores, *more)) if more else settings


def _without_later(checked: Checked, settings: Settings) -> Checked:
    """Count what is asked of data stores that the settings lack, and leave it out."""
    known = {one.name for one in settings.datastores}
    counts = Counter(ask.datastore for ask in checked.asks.found if ask.datastore not in known)
    # How many image sets a selector selects, only a search can say.
    counts.update({one.datastore: 0 for one in checked.selectors if one.datastore not in known})
    if not counts:
        return checked
    later = tuple(Later(name, count) for name, count in sorted(counts.items()))
    selectors = tuple(one for one in checked.selectors if one.datastore in known)
    return replace(
        checked, managed=checked.managed.of_stores(known), later=later, selectors=selectors
    )


def check_contents(
    settings: Settings, files: Mapping[str, bytes], paths: Sequence[str] = ()
) -> Checked:
    """Like `check`, for manifests by name that are not on the disk. `paths` are names, too."""
    reading = Reading(settings)
    for loaded in each_content(files, reading.takes):
        reading.add(loaded)
    asks = reading.asks(lambda name: read_content(files[name], name))
    all_names = tuple(sorted(files))
    found = Checked(asks, len(files), read=all_names, selectors=tuple(reading.selectors))
    if not paths:
        return found
    selected = {
        name for name in files if any(PurePath(name).is_relative_to(path) for path in paths)
    }
    return replace(_carrying(found, selected), paths=tuple(paths))


def _carrying(checked: Checked, selected: Set[str]) -> Checked:
    """What a run on some files carries."""
    return replace(
        checked,
        managed=checked.managed.carrying(selected),
        files=len(selected),
        selectors=tuple(carrying(one, selected) for one in checked.selectors),
    )


def _below(found: Sequence[Diagnostic], selected: Sequence[PurePath]) -> tuple[Diagnostic, ...]:
    """The warnings about selected files and about files in selected folders, each once."""
    return tuple(
        one
        for one in dict.fromkeys(found)
        if any(PurePath(one.place.file).is_relative_to(path) for path in selected)
    )


def are_committed(settings: Settings, files: Iterable[str]) -> bool:
    """Whether the commit holds files as they are. False outside a repository."""
    from reconciler.edges import git  # slow, and needed where something is wrong

    root = Path(settings.root)
    try:
        return git.holds(root, [root / name for name in files], lambda _: False, root) is True
    except GitError:
        return False


def warnings(checked: Checked, today: date) -> tuple[Diagnostic, ...]:
    """What `validate` warns of in valid manifests, sorted by place."""
    return tuple(sorted((*checked.warnings, *value_warnings(_asked(checked), today))))


def notes(settings: Settings, checked: Checked) -> tuple[Diagnostic, ...]:
    """What `validate` notes of valid manifests."""
    return force_notes(_asked(checked), settings.rules)


def _asked(checked: Checked) -> Asks:
    """What manifests ask, of image sets that they name or select."""
    return Asks([*checked.asks.found, *(one.ask for one in checked.selectors)])


def _folders(manifests: Path, paths: Sequence[Path]) -> list[Path]:
    """What to read: a selected file may lie elsewhere, and then the folder need not be there."""
    if paths and not manifests.exists():
        return list(paths)
    return [manifests, *paths]


def _relative(root: Path, path: Path) -> str:
    return PurePath(os.path.relpath(path.absolute(), root.absolute())).as_posix()
