"""The inputs of a plan: the commit, whether it holds them as read, and what else it changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from reconciler.core.errors import GitError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.plan import Basis, Since, StoreIdentity
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import git, records
from reconciler.edges.manifests import is_manifest, names


def basis_of(
    settings: Settings, checked: Checked, since: Since | None, settled: Collection[str] = ()
) -> Basis:
    """The basis of a plan that is made from these settings and manifests.

    `settled` are data stores that manifests name, though none of those that were checked may.
    """
    root = Path(settings.root)
    named = {ask.datastore for ask in checked.managed}.union(settled)
    return Basis(
        git.head(root),
        RULES_VERSION,
        checked.paths,
        settings.rules.stated,
        _is_clean(settings, checked),
        tuple(_identity(one) for one in settings.datastores if one.name in named),
        settings.digest,
        since,
    )


def check_committable(settings: Settings, *, pushes: bool) -> None:
    """Raise GitError if records cannot be committed here, before anything is sent.

    Pushed records are committed to the branch of the remote, not to the one that is checked out.
    """
    root = Path(settings.root)
    if not pushes:
        git.check_committable(root, [root / records.FOLDER, root / KEY_FILE])


def _identity(one: Datastore) -> StoreIdentity:
    return StoreIdentity(one.name, one.datastore_id, one.region, one.account_id, one.endpoint)


def refuse_uncommitted(settings: Settings, paths: Sequence[Path] = ()) -> None:
    """Raise GitError unless the commit holds settings, manifests and records as regular files.

    `paths` are manifests that are read besides those of the settings.
    """
    root = Path(settings.root)
    folder = root / settings.manifests
    if not git.head(root):
        raise GitError(
            f"{root} is not the checkout of a commit, and a CI job plans commits",
            "Check out the repository with git: a download of its files has no commit.",
        )
    ours = [folder, root / settings.file, root / KEY_FILE, root / records.FOLDER, *paths]
    if odd := git.irregular(root, ours):
        path, kind = odd[0]
        more = f" (and {len(odd) - 1:,} more)" if len(odd) > 1 else ""
        raise GitError(
            f"{path.relative_to(root.resolve()).as_posix()} is {kind}, not a regular file{more}",
            "Commit the file itself in its place. A reviewer does not see what is elsewhere.",
        )
    found = [folder, *paths] if folder.exists() or not paths else paths
    if not _holds(settings, names(root, found)):
        raise GitError(
            f"the commit does not hold {settings.file} and the manifests as they are on the disk",
            "Commit all of them. In a job, plan and apply before any step that writes manifests.",
        )


def _is_clean(settings: Settings, checked: Checked) -> bool | None:
    return checked.is_clean if checked.is_clean is not None else _holds(settings, checked.read)


def _holds(settings: Settings, read: Iterable[str]) -> bool | None:
    """Whether the commit holds some manifests and the settings as they are, and no others."""
    root = Path(settings.root)
    folder = root / settings.manifests
    files = [root / settings.file, *(root / name for name in read)]
    return git.holds(root, files, lambda path: is_manifest(root, folder, path), folder)
