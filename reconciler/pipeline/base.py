"""The base of a pull request: what it asks and records, read from git as data.

No file of the base is written to the working tree, and nothing is read from the service for it. A
base that cannot be compared never fails a plan: the plan states why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from reconciler.core.ask.selection import Chosen, expanded
from reconciler.core.errors import InputError, RecordError
from reconciler.core.model.key import KEY_FILE, Key
from reconciler.core.model.node import ListNode, MappingNode, Scalar
from reconciler.core.model.plan import Released, Since
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Checked
from reconciler.core.model.scope import Scope
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import git, records
from reconciler.edges import key as keys
from reconciler.edges.manifests import is_manifest, parse
from reconciler.edges.settings import parse_settings
from reconciler.pipeline.check import check_contents
from reconciler.pipeline.held import Held
from reconciler.pipeline.local_files import FOLDER as LOCAL
from reconciler.pipeline.record_branch import branch_entries, with_branch
from reconciler.pipeline.trusted import test_merge


@dataclass(frozen=True, slots=True)
class Base:
    """What the base holds. `entries` are its records by the ID of the data store."""

    settings: Settings
    checked: Checked
    entries: Mapping[str, Mapping[str, Entry]]
    key: Key | None

    def held(self, datastore: Datastore) -> Held:
        """What the base holds about a data store, whatever its name was."""
        identity = datastore.datastore_id
        stores = (one for one in self.settings.datastores if one.datastore_id == identity)
        then = next(stores, datastore)
        managed = tuple(ask for ask in self.checked.managed if ask.datastore == then.name)
        return Held(then, self.settings, managed, self.entries.get(identity, {}), self.key)


class _Incomparable(Exception):
    """Why the actions cannot be compared with the base."""


def base_commit(settings: Settings, ref: str | None) -> str:
    """The base that a plan compares with: `ref`, or the one that the job tests; "" without one."""
    return ref or test_merge(Path(settings.root).resolve())


def base_of(
    settings: Settings, checked: Checked, ref: str | None, scope: Scope | None = None
) -> tuple[Since | None, Base | None]:
    """Read the base of a plan, and what changed since it; None without a base.

    `ref` is the commit to compare with. Without it, a job that tests a pull request compares with
    the first parent of its merge commit. Of a base with the same settings and records, only the
    `scope` is read. Raises GitError if the repository does not have the base.
    """
    places = _Places.of(settings, checked)
    ref = base_commit(settings, ref)
    found = git.since(places.root, ref, places.all, places.wanted(scope)) if ref else None
    if found is None:
        return None, None
    since = replace(_since(found, places), later=checked.later)
    try:
        base = _base(found, settings, checked, places, scope)
    except _Incomparable as problem:
        return replace(since, problem=str(problem)), None
    return replace(since, released=_released(settings, checked, base)), base


@dataclass(frozen=True, slots=True)
class _Places:
    """The files and folders that are compared. `selected` are manifests that a run carries."""

    root: Path
    manifests: Path
    settings: Path
    selected: tuple[Path, ...]

    @classmethod
    def of(cls, settings: Settings, checked: Checked) -> _Places:
        root = Path(settings.root).resolve()
        inside = tuple(root / name for name in checked.paths if ".." not in PurePath(name).parts)
        return cls(root, root / settings.manifests, root / settings.file, inside)

    @property
    def records(self) -> Path:
        return self.root / records.FOLDER

    @property
    def local(self) -> Path:
        return self.root / LOCAL

    @property
    def key(self) -> Path:
        return self.root / KEY_FILE

    @property
    def all(self) -> list[Path]:
        folders = [self.manifests, self.records, self.local]
        return list(dict.fromkeys([*folders, self.settings, self.key, *self.selected]))

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def decides(self, path: Path) -> bool:
        """Whether the status of an image set may depend on a file."""
        return (
            path in (self.settings, self.key)
            or path.is_relative_to(self.manifests)
            or path.is_relative_to(self.records)
            or self.is_read(path)
        )

    def wanted(self, scope: Scope | None) -> Callable[[Path], bool]:
        """Which files that are the same at the base are read there."""
        if scope is None:
            return lambda _: True
        return lambda path: (
            path in (self.settings, self.key)
            or (path.is_relative_to(self.manifests) and self.name(path) in scope.files)
        )

    def is_read(self, path: Path) -> bool:
        """Whether a file is read as a manifest."""
        return path in self.selected or any(
            path.is_relative_to(folder) and is_manifest(self.root, folder, path)
            for folder in (self.manifests, *self.selected)
        )


def _since(found: git.Since, places: _Places) -> Since:
    then = Counter(_consents(found.before, places))
    now = Counter(_consents(found.after, places))
    return Since(
        found.base,
        settings=places.settings in found.changed,
        key=places.key in found.changed,
        consents=tuple(sorted((now - then).elements())),
        local=sum(path.is_relative_to(places.local) for path in found.changed),
    )


def _consents(files: Mapping[Path, bytes], places: _Places) -> Iterator[str]:
    """The consents of manifests: `manifests/a.yaml: allow: CHANGES_UID`."""
    for path, content in files.items():
        if not places.is_read(path):
            continue
        name = places.name(path)
        for document in parse(content.decode("utf-8", "replace"), name).documents:
            for line in _lines(document):
                yield f"{name}: {line}"


def _lines(document: MappingNode) -> Iterator[str]:
    allow, force = document.get("allow"), document.get("force")
    for item in allow.items if isinstance(allow, ListNode) else ():
        if isinstance(item, Scalar):
            yield f"allow: {item.text[:80]}"
    if isinstance(force, Scalar) and force.text == "true":
        yield "force: true"


def _base(
    found: git.Since, settings: Settings, checked: Checked, places: _Places, scope: Scope | None
) -> Base:
    for path in found.unreadable:
        if places.decides(path):
            raise _Incomparable(f"{places.name(path)} is not a regular file, or is not fetched")
    then = _settings(found, settings, places)
    try:
        manifests = {
            places.name(path): content
            for path, content in found.held.items()
            if places.is_read(path)
        }
        asked = check_contents(then, manifests, checked.paths)
        entries = (
            _entries(found, then, places, settings)
            if scope is None
            else _entries_in(scope, then, places)
        )
    except InputError as error:
        raise _Incomparable(_invalid(error)) from None
    except RecordError as error:
        raise _Incomparable(f"a record is not valid: {error.message.splitlines()[0]}") from None
    return Base(then, asked, entries, keys.parse(found.held.get(places.key, b"")))


def _settings(found: git.Since, settings: Settings, places: _Places) -> Settings:
    content = found.held.get(places.settings)
    if content is None:
        raise _Incomparable(f"there is no {places.name(places.settings)}")
    try:
        then = parse_settings(Path(settings.root) / settings.file, content)
    except InputError as error:
        raise _Incomparable(_invalid(error)) from None
    if then.manifests != settings.manifests:
        raise _Incomparable("`manifests:` in reconciler.yaml names another folder")
    return settings if then.digest == settings.digest else then


def _invalid(error: InputError) -> str:
    """`manifests/a.yaml:3:5 is not valid (the first of 3 problems)`."""
    several = f" (the first of {error.counted})" if len(error.diagnostics) > 1 else ""
    return f"{error.diagnostics[0].place} is not valid{several}"


def _entries(
    found: git.Since, then: Settings, places: _Places, settings: Settings
) -> Mapping[str, Mapping[str, Entry]]:
    """The records of the base. Those of the record branch are the same for both commits."""
    elsewhere = branch_entries(settings)
    files = {
        places.name(path): content
        for path, content in found.held.items()
        if path.is_relative_to(places.records)
    }
    return {
        one.datastore_id: with_branch(
            records.read_contents(files, one.datastore_id), elsewhere, one
        )
        for one in then.datastores
    }


def _entries_in(scope: Scope, then: Settings, places: _Places) -> Mapping[str, Mapping[str, Entry]]:
    """The records of a base that has those of today, as far as they are in scope."""
    return {
        one.datastore_id: records.read_some(
            places.root, one.datastore_id, scope.stores[one.name].entries
        )
        for one in then.datastores
        if one.name in scope.stores
    }


def _released(settings: Settings, checked: Checked, base: Base) -> tuple[Released, ...]:
    """The image sets that only the base manages."""
    now = {
        (settings.datastore(one.datastore).datastore_id, one.image_set_id)
        for one in checked.managed
    }
    then = [(base.settings.datastore(one.datastore), one) for one in base.checked.managed]
    return tuple(
        sorted(
            Released(store.name, store.datastore_id, ask.image_set_id)
            for store, ask in then
            if (store.datastore_id, ask.image_set_id) not in now
        )
    )


def with_selected(
    settings: Settings,
    checked: Checked,
    chosen: Sequence[Chosen],
    since: Since | None,
    base: Base | None,
) -> tuple[Since | None, Base | None]:
    """The base with the image sets of its selectors: those that the searches of the plan found.

    There is no search for the base. If one of its selectors selects otherwise, or is gone, its
    image sets are not known, and the actions are not compared.
    """
    if since is None or base is None or not (chosen or base.checked.selectors):
        return since, base
    now = {
        (one.selection.datastore_id, one.selector.name, one.selector.digest): one for one in chosen
    }
    then: list[Chosen] = []
    for selector in base.checked.selectors:
        store = base.settings.datastore(selector.datastore)
        found = now.get((store.datastore_id, selector.name, selector.digest))
        if found is None:
            problem = f"{selector.place} selects image sets that are not known"
            released = _released(settings, checked, base)
            return replace(since, released=released, problem=problem), None
        then.append(replace(found, selector=selector))
    base = replace(base, checked=expanded(base.checked, then))
    return replace(since, released=_released(settings, checked, base)), base
