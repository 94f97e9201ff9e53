"""Records on a branch of their own (`record.mode: branch` and `pull-request`).

They are read from the tip of that branch as this clone has it, and joined with the records of the
working tree, entry by entry. Nothing is fetched for a plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from reconciler.core.diff.joined import joined_entries
from reconciler.core.errors import GitError, RecordError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.record import Entry
from reconciler.core.model.scope import Scope
from reconciler.core.model.settings import Datastore, Settings
from reconciler.edges import git, records
from reconciler.edges import key as keys
from reconciler.pipeline.known import committed_key
from reconciler.record.writer import Entries


def entries_of(
    settings: Settings, datastores: Iterable[Datastore], scope: Scope | None = None
) -> dict[str, Mapping[str, Entry]]:
    """The records of data stores by their names, whatever the names were when they were written.

    After a scan, only those in `scope`.
    Raises RecordError for an edited record, and GitError if the record branch is not fetched.
    """
    root = Path(settings.root)
    if scope is not None:
        return {
            one.name: records.read_some(root, one.datastore_id, scope.stores[one.name].entries)
            if one.name in scope.stores
            else {}
            for one in datastores
        }
    elsewhere = branch_entries(settings)
    return {
        one.name: with_branch(records.read(root, one.datastore_id), elsewhere, one)
        for one in datastores
    }


def with_branch(
    entries: Mapping[str, Entry], elsewhere: Entries, datastore: Datastore
) -> Mapping[str, Entry]:
    """The entries of a data store, joined with those of the record branch."""
    others = elsewhere.get(datastore.datastore_id, {})
    return _by_image_set(joined_entries(entries.values(), others.values())) if others else entries


def branch_entries(settings: Settings) -> Entries:
    """The records of the record branch by the ID of the data store; none in other record modes.

    Raises GitError if the branch is not fetched, and RecordError for an edited record.
    """
    root = Path(settings.root)
    found: dict[str, Mapping[str, Entry]] = {}
    for tip in branch_tips(settings):
        files = git.files_at(root, tip, root / records.FOLDER)
        contents = {path.relative_to(root).as_posix(): data for path, data in files.items()}
        for one in settings.datastores:
            known = found.get(one.datastore_id, {}).values()
            other = _read(contents, one, settings.record_branch).values()
            found[one.datastore_id] = _by_image_set(joined_entries(known, other))
    return found


def _by_image_set(entries: Iterable[Entry]) -> Mapping[str, Entry]:
    return {one.image_set_id: one for one in entries}


def _read(files: Mapping[str, bytes], one: Datastore, branch: str) -> Mapping[str, Entry]:
    try:
        return records.read_contents(files, one.datastore_id)
    except RecordError as error:
        raise RecordError(
            f"the record branch {branch} is not valid\n{error.message}",
            "Only `reconcile` writes records. Revert the commit of that branch that changed them.",
        ) from None


def branch_tips(settings: Settings) -> tuple[str, ...]:
    """The commits at the tips of the record branch; none in other record modes.

    Raises GitError if the branch of the remote is not fetched.
    """
    if not (settings.record_mode and settings.record_mode.is_apart):
        return ()
    branch = settings.record_branch
    tips = git.record_tips(Path(settings.root), branch)
    if tips.remote and not tips.tracked:
        ref = f"refs/remotes/{tips.remote}/{branch}"
        raise GitError(
            f"the records are on the branch {branch} of {tips.remote}, and this clone does not "
            "have it",
            f"Fetch it: `git fetch {tips.remote} {branch}:{ref}`. If git answers that there is no "
            f"such branch yet, `git update-ref {ref} HEAD` says that it begins here; "
            "`reconcile apply --push` makes it.",
        )
    return tips.all


def check_record_branch(settings: Settings) -> str:
    """Check, before anything is sent, that records can go to the branch; return the remote, or "".

    Raises GitError if the branch is checked out, and RecordError if the commit has no key.
    """
    root, branch = Path(settings.root), settings.record_branch
    tips = git.record_tips(root, branch)
    if git.current_branch(root) == branch:
        raise GitError(
            f"the record branch {branch} is checked out",
            "Check out the branch with the manifests that are to be applied, such as "
            "`git checkout main`. Records are committed to the record branch from there.",
        )
    if keys.parse(committed_key(root)) is None:
        raise RecordError(
            f"the commit has no {KEY_FILE}, and records on the branch {branch} need it",
            f"Make it with `openssl rand -hex 32 > {KEY_FILE}`, and merge it into the default "
            "branch. Nothing was sent.",
        )
    return tips.remote


def fetch_record_branch(settings: Settings, remote: git.Remote) -> None:
    """Fetch the record branch, so that the plan knows what others have recorded.

    A branch that the remote does not have begins at its default branch. One that was deleted there
    stays known. Raises GitError if the remote cannot be reached.
    """
    root = Path(settings.root)
    tip = git.fetch(root, remote)
    if not tip and not git.record_tips(root, remote.branch).tracked:
        tip = git.fetch_default(root, remote)
    if tip:
        git.track(root, remote.name, remote.branch, tip)
