"""Opens the gate of a fleet: whether the last scans still show what need not be looked at.

A scan is true of its inputs alone: manifests, records, settings, and this program. Every manifest
is read and compared with the tree of the scan, byte for byte: `git status` is silent about ignored
files, skip-worktree and assume-unchanged. What differs is looked at again.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler import __version__
from reconciler.core.ask.ids import image_set_ids
from reconciler.core.errors import GitError, ReconcilerError
from reconciler.core.model.key import Key
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.model.scan import Scan, ScanBasis
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import git, manifests, records
from reconciler.edges.manifests import is_named_so
from reconciler.edges.places import SETTINGS_FILE
from reconciler.edges.records import scans
from reconciler.pipeline.known import key_of

# With more changed manifests than this part of all, a plan reads everything.
_MOST_CHANGED = 0.1
_FEW = 100


class ShutError(Exception):
    """Why the gate is shut: the plan looks at everything. No reason where there is no scan yet."""


@dataclass(frozen=True)
class Gate:
    """A fleet whose last scans still hold.

    `scans` are those of the data stores that manifests named, by name, and `tree` is that of the
    manifests then. `names` are all manifests of the working tree, sorted. `changed` are those that
    differ from the tree, in either of them, and `then` the content of each of these in it.
    """

    root: Path
    folder: Path
    scans: Mapping[str, Scan]
    tree: git.Tree
    names: tuple[str, ...]
    changed: frozenset[str]
    then: Mapping[str, bytes]

    @property
    def tree_id(self) -> str:
        """The ID of the tree of the manifests of the scans."""
        return _manifests_of(self.scans)

    @property
    def held(self) -> Mapping[str, str]:
        """The manifests of the tree, each with the ID of its content."""
        return _manifests_in(self.root, self.folder, self.tree)

    def touched(self) -> frozenset[str]:
        """The image sets that changed manifests name, as they were and as they are."""
        now = (content for _, content in self.contents(self.changed_now()))
        return frozenset().union(*map(image_set_ids, (*self.then.values(), *now)))

    def changed_now(self) -> frozenset[str]:
        """The changed manifests that are there. One may select image sets, and name none."""
        return self.changed.intersection(self.names)

    def naming(self, image_sets: Collection[str]) -> frozenset[str]:
        """The manifests that name one of some image sets."""
        if not image_sets:
            return frozenset()
        wanted = frozenset(image_sets)
        return frozenset(
            name
            for name, content in self.contents(self.names)
            if not wanted.isdisjoint(image_set_ids(content))
        )

    def contents(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The contents of some manifests. Raises ShutError if one changed since it was compared."""
        prefix = _prefix(self.root, self.folder)
        for name in names:
            try:
                content = _content(f"{self.root}/{name}")
            except OSError:
                raise ShutError("a manifest changed while it was read") from None
            if name not in self.changed:
                blob = self.tree.blobs[name.removeprefix(prefix)]
                if git.blob_id(content, len(blob)) != blob:
                    raise ShutError("a manifest changed while it was read")
            yield name, content


def open_gate(settings: Settings) -> Gate:
    """Open the gate. Raises ShutError with the reason why the plan must read everything."""
    root = Path(settings.root)
    if settings.record_mode and settings.record_mode.is_apart:
        raise ShutError("the records have a branch of their own")
    try:
        key = key_of(root)
        if key is None:
            raise ShutError
        found = _scans(settings, key)
        folder = root / settings.manifests
        tree = git.files_in(root, folder, _manifests_of(found))
        if tree is None:
            raise ShutError("this clone does not have the manifests of the last scan as files")
        names = _names(root, folder)
        changed = _changed(root, folder, tree, names)
    except (ReconcilerError, OSError):
        # The plan that reads everything reports it.
        raise ShutError("something cannot be read") from None
    if len(changed) > max(_FEW, _MOST_CHANGED * len(names)):
        raise ShutError(f"{len(changed):,} manifests changed since the last scan")
    then = _then(root, folder, tree, changed)
    return Gate(root, folder, found, tree, names, changed, then)


def _manifests_of(found: Mapping[str, Scan]) -> str:
    """The tree of the manifests of all scans."""
    return next(iter(found.values())).basis.manifests


def _then(
    root: Path, folder: Path, tree: git.Tree, changed: Collection[str]
) -> Mapping[str, bytes]:
    """The contents of manifests in a tree. Raises ShutError if this clone does not have one."""
    if not changed:
        return {}
    held = _manifests_in(root, folder, tree)
    contents = git.contents_of(root, [held[name] for name in changed if name in held])
    if contents is None:
        raise ShutError("this clone does not have the manifests of the last scan")
    return {name: contents[held[name]] for name in changed if name in held}


def _names(root: Path, folder: Path) -> tuple[str, ...]:
    first = next(iter(manifests.each(root, [folder])))
    if first.problems:
        raise ShutError("something cannot be read")
    return first.files


def _changed(root: Path, folder: Path, tree: git.Tree, names: Collection[str]) -> frozenset[str]:
    """The manifests that differ between the working tree and a tree, in either of them.

    A file that git does not vouch for is read.
    """
    prefix = _prefix(root, folder)
    below = {name.removeprefix(prefix) for name in names}
    unsure = below - tree.vouched
    found = {name for name in tree.vouched - below if is_named_so(name)}
    if not unsure and len(tree.vouched) == tree.count:
        return frozenset(f"{prefix}{name}" for name in found) - {SETTINGS_FILE}
    held = tree.blobs
    found |= {name for name in held.keys() - below if is_named_so(name)}
    for name in unsure:
        blob = held.get(name, "")
        if not blob or git.blob_id(_content(f"{root}/{prefix}{name}"), len(blob)) != blob:
            found.add(name)
    return frozenset(f"{prefix}{name}" for name in found) - {SETTINGS_FILE}


def _prefix(root: Path, folder: Path) -> str:
    above = manifests.name_of(root, folder)
    return "" if above == "." else f"{above}/"


def _manifests_in(root: Path, folder: Path, tree: git.Tree) -> dict[str, str]:
    """The manifests of a tree of the folder, by the names that places use."""
    prefix = _prefix(root, folder)
    return {
        f"{prefix}{below}": blob
        for below, blob in tree.blobs.items()
        if is_named_so(below) and f"{prefix}{below}" != SETTINGS_FILE
    }


def files_at(gate: Gate, tree: str) -> Mapping[str, str]:
    """The manifests of a tree of the folder. Raises ShutError if this clone does not have it."""
    found = git.files_in(gate.root, gate.folder, tree)
    if found is None:
        raise ShutError("this clone does not have the manifests of the base as files")
    return _manifests_in(gate.root, gate.folder, found)


def basis_now(settings: Settings, commit: str, named: Iterable[Datastore]) -> dict[str, ScanBasis]:
    """The basis of scans of some data stores, by ID, of the manifests of a commit.

    Returns {} if the commit has no folder of manifests.
    """
    root = Path(settings.root)
    tree = git.tree_of(root, root / settings.manifests, commit)
    ids = tuple(sorted(one.datastore_id for one in named))
    if not tree:
        return {}
    return {
        one: ScanBasis(
            tree, records.digest(root, one), settings.digest, ids, __version__, RULES_VERSION
        )
        for one in ids
    }


def _scans(settings: Settings, key: Key) -> dict[str, Scan]:
    """The scans of the data stores that manifests named. Raises ShutError if one does not hold."""
    root = Path(settings.root)
    by_id = {one.datastore_id: one for one in settings.datastores}
    found = {
        one.datastore_id: scan
        for one in settings.datastores
        if (scan := scans.read(root, one.datastore_id, key)) is not None
    }
    if not found:
        raise ShutError
    bases = [scan.basis for scan in found.values()]
    if any(set(basis.datastores) != found.keys() for basis in bases):
        raise ShutError("the data stores are not those of the last scan")
    if len({basis.manifests for basis in bases}) > 1:
        raise ShutError("the scans are not of the same manifests")
    for identity, scan in found.items():
        if scan.basis.settings != settings.digest:
            raise ShutError("reconciler.yaml changed since the last scan")
        if (scan.basis.tool, scan.basis.rules_version) != (__version__, RULES_VERSION):
            raise ShutError("the last scan is of another version of reconcile")
        if scan.basis.records != records.digest(root, identity):
            raise ShutError("the records changed since the last scan")
    return {by_id[identity].name: scan for identity, scan in sorted(found.items())}


def _content(path: str) -> bytes:
    """The bytes of a manifest. Raises OSError for a link: what it names may be anywhere."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.read(handle, manifests.MAX_BYTES + 1)
    finally:
        os.close(handle)
    return found


def is_clean(settings: Settings, gate: Gate) -> bool | None:
    """Whether the commit holds reconciler.yaml and the manifests as read, and no other."""
    root = gate.root
    files = [root / settings.file]
    tree = git.tree_of(root, gate.folder)
    if tree != gate.tree_id or gate.changed:
        held = files_at(gate, tree) if tree else {}
        then = gate.held
        differing = {name for name in {*held, *then} if held.get(name) != then.get(name)}
        differing |= gate.changed
        names = set(gate.names)
        if not names.issuperset(differing.intersection(held)):
            return False
        files += [root / name for name in differing if name in names]
    try:
        return git.holds(root, files, lambda _: False, root / settings.file)
    except GitError:
        return False
