"""Reads what the repository knows of a data store: records, left attempts, and the key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

from reconciler.core.errors import GitError, RecordError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import KEY_FILE, Key
from reconciler.core.model.plan import Released
from reconciler.core.model.record import Entry
from reconciler.core.model.settings import Datastore
from reconciler.edges import git, records
from reconciler.edges import key as keys


def refuse_missing_records(root: Path, datastores: Iterable[Datastore]) -> None:
    """Raise RecordError for records of these data stores that are in the commit, but not here.

    In a sparse checkout, or after a deletion, every attribute would look as if no one had ever
    reviewed it, and drift would be overwritten.
    """
    ids = {one.datastore_id for one in datastores}
    try:
        known = git.known_files(root, root / records.FOLDER)
        gone = [path for path in known if not path.exists() and _may_be_of(path, root, ids)]
        committed = git.committed(root, gone) if gone else {}
    except GitError:
        return  # what needs git reports it
    missing = [path for path in gone if not records.is_moved(root, path, committed.get(path, b""))]
    if missing:
        name = "/".join(missing[0].parts[-3:])
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise RecordError(
            f"{name}{more}: the commit has these records, but they are not checked out",
            "Check them out: `git sparse-checkout add records` in a sparse checkout, else "
            "`git checkout HEAD -- records`. To delete records for good, commit the deletion.",
        )


def _may_be_of(path: Path, root: Path, ids: Set[str]) -> bool:
    """Whether a missing file may hold records of some data stores.

    A file of the first form, whose folder has a name, was moved if its successor is there.
    """
    folder = path.parent.name
    if records.is_id(folder):
        return folder in ids
    return not any((records.folder(root, one) / path.name).exists() for one in ids)


def attempts_of(left: Sequence[Attempt], datastore: Datastore) -> Mapping[str, Sequence[Attempt]]:
    """Return the attempts that killed runs left for one data store, by image set."""
    found: dict[str, list[Attempt]] = defaultdict(list)
    for one in left:
        if one.datastore_id == datastore.datastore_id:
            found[one.image_set_id].append(one)
    return found


def released(
    datastore: Datastore, entries: Mapping[str, Entry], asks: Sequence[ImageSetAsk]
) -> list[Released]:
    """The image sets with recorded paths of which no manifest asks anything any more."""
    asked = {ask.image_set_id for ask in asks}
    return [
        Released(datastore.name, datastore.datastore_id, image_set_id)
        for image_set_id, entry in entries.items()
        if image_set_id not in asked and (entry.asked or entry.selected_by)
    ]


def key_of(root: Path) -> Key | None:
    """Return the key of the repository, None before the first apply that records.

    Raises RecordError if it cannot be read or is not the committed key.
    """
    own = keys.read(root)
    try:
        return keys.checked(own, committed_key(root))
    except GitError:
        return own


def committed_key(root: Path) -> bytes:
    """The content of the key file in the commit; b"" where the commit has none."""
    path = keys.path(root)
    return git.committed(root, [path]).get(path, b"")


def key_to_record_with(root: Path) -> Key | None:
    """Like `key_of`, for a run that creates a key if there is none.

    Raises RecordError if git does not answer whether the commit has a key: a key is never replaced.
    """
    own = keys.read(root)
    try:
        return keys.checked(own, committed_key(root))
    except GitError as error:
        if own is not None:
            return own
        raise RecordError(
            f"{KEY_FILE}: is missing, and git cannot say whether the commit has it\n"
            f"{error.message}",
            "Fix the error of git, then run the command again. Nothing was sent.",
        ) from None
