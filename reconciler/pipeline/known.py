"""Reads what the repository knows of a data store: records, left attempts, and the key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.core.errors import GitError, RecordError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import KEY_FILE, Key
from reconciler.core.model.record import Entry
from reconciler.core.model.settings import Datastore
from reconciler.edges import git, records
from reconciler.edges import key as keys


def entries_of(root: Path, datastore: Datastore) -> Mapping[str, Entry]:
    """Return the records of one data store, without those of an earlier store of this name."""
    return {
        image_set_id: entry
        for image_set_id, entry in records.read(root, datastore.name).items()
        if entry.datastore_id == datastore.datastore_id
    }


def attempts_of(left: Sequence[Attempt], datastore: Datastore) -> Mapping[str, Sequence[Attempt]]:
    """Return the attempts that killed runs left for one data store, by image set."""
    found: dict[str, list[Attempt]] = defaultdict(list)
    for one in left:
        if one.datastore_id == datastore.datastore_id:
            found[one.image_set_id].append(one)
    return found


def forgotten(
    datastore: Datastore, entries: Mapping[str, Entry], asks: Sequence[ImageSetAsk]
) -> list[tuple[str, str]]:
    """Return records that no manifest asks for any more, without unasked siblings of a study."""
    asked = {ask.image_set_id for ask in asks}
    return [
        (datastore.name, image_set_id)
        for image_set_id, entry in entries.items()
        if image_set_id not in asked and entry.asked
    ]


def key_of(root: Path) -> Key | None:
    """Return the key of the repository, None before the first apply that records.

    Raises RecordError if it cannot be read or is not the committed key.
    """
    own = keys.read(root)
    try:
        return keys.settled(own, _committed_key(root))
    except GitError:
        return own


def _committed_key(root: Path) -> bytes:
    """The content of the key file in the commit; b"" where the commit has none."""
    path = keys.path(root)
    return git.committed(root, [path]).get(path, b"")


def key_to_record_with(root: Path) -> Key | None:
    """Like `key_of`, for a run that creates a key if there is none.

    Raises RecordError if git does not answer whether the commit has a key: a key is never replaced.
    """
    own = keys.read(root)
    try:
        return keys.settled(own, _committed_key(root))
    except GitError as error:
        if own is not None:
            return own
        raise RecordError(
            f"{KEY_FILE}: is missing, and git cannot say whether the commit has it\n"
            f"{error.message}",
            "Fix the error of git, then run the command again. Nothing was sent.",
        ) from None
