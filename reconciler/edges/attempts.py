"""Attempts: what an apply that was killed had set out to do, for the next one to know it by.

The service tells that an image set moved, not that it was us who moved it. So before the first
call of an action one small file says which versions it means to make, with digests of their
content, and it goes when the action is recorded. What a kill leaves behind is a hint, never a lock:
it counts only where the live content proves it, and whoever removes it loses no more than that. It
holds no DICOM value.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from reconciler.core.dicom.content import digest
from reconciler.core.errors import LinkError, RecordError
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.key import Key, Use
from reconciler.core.model.plan import Action, next_version, pins
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.worktree import first_link, refuse_links, refuse_links_below

FOLDER = Path(".reconcile") / "attempts"
KIND = "Attempt"

# The data store's id and the image set: what an attempt is about.
Subject: TypeAlias = tuple[str, str]


def read(root: Path) -> tuple[Attempt, ...]:
    """What runs left behind, or are at, sorted; a file that is none of ours says nothing.

    Raises `LinkError` for a symbolic link there.
    """
    refuse_links_below(root, root / FOLDER)
    refuse_links(root, root / FOLDER.parent / ".gitignore")
    found: set[Attempt] = set()
    for path in (root / FOLDER).glob("*.json"):
        with suppress(OSError):
            found.update(_attempts(path))
    return tuple(sorted(found))


def begin(root: Path, action: Action, key: Key, *, files: Files = disk.REAL) -> bool:
    """Write down what an action is about to do; whether no earlier run had set out to do it.

    RecordError where it cannot be written.
    """
    meant = _of(action)
    path = _path(root, action, meant, key)
    refuse_links(root, path, root / FOLDER.parent / ".gitignore")
    try:
        is_first = not path.exists()
        files.make_folder(path.parent)
        disk.keep_from_git(root / FOLDER.parent, files=files)
        disk.replace(path, _bytes(meant), mode=disk.PRIVATE, files=files)
    except OSError as error:
        raise RecordError(
            f"{path.relative_to(root).as_posix()}: cannot be written ({error.strerror})",
            "make room or mend the permissions, then run again: nothing is sent without it",
        ) from None
    return is_first


def end(root: Path, action: Action, key: Key, *, files: Files = disk.REAL) -> None:
    """The action is recorded, or changed nothing; what cannot be taken away is in nobody's way."""
    path = _path(root, action, _of(action), key)
    with suppress(OSError, LinkError):
        refuse_links(root, path)
        disk.remove(path, files=files)


def tidy(
    root: Path,
    settled: Mapping[Subject, int],
    ended: Set[Attempt],
    *,
    files: Files = disk.REAL,
) -> None:
    """Take away what has ended, and what says no more than the version that is settled by now.

    Of a study the rest stays: what is recorded is not found again by every run. So does what cannot
    be read; what can be read and is none of ours goes.
    """
    if first_link(root, root / FOLDER):
        return
    disk.sweep(root / FOLDER, files=files)
    for path in sorted((root / FOLDER).glob("*.json")):
        with suppress(OSError):
            held = _attempts(path)
            left = tuple(
                one
                for one in held
                if one not in ended
                and int(one.last[0]) > settled.get((one.datastore_id, one.image_set_id), 0)
            )
            if not left:
                disk.remove(path, files=files)
            elif left != held:
                disk.replace(path, _bytes(left), mode=disk.PRIVATE, files=files)


@contextmanager
def under_way(root: Path) -> Iterator[tuple[Attempt, ...] | None]:
    """While an apply runs: what earlier ones left behind; None while another one is at it.

    flock(2) of the repository's folder tells: it ends with the process, however that ends. Where
    there is no lock to be had, nobody is known to be at it.
    """
    with ExitStack() as stack:
        try:
            handle = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            left = _left(root, handle)
        except OSError:
            left = read(root)
        yield left


def _of(action: Action) -> tuple[Attempt, ...]:
    """What the steps of an action make of each of its image sets that they move."""
    versions: dict[str, list[tuple[str, str]]] = {}
    for step, before in zip(action.steps, pins(action), strict=True):
        for name, held in step.expected:
            versions.setdefault(name, []).append((next_version(before[name]), held))
    return tuple(
        Attempt(
            action.datastore_id,
            member.image_set_id,
            member.before,
            tuple(versions[member.image_set_id]),
            member.asked,
            member.ask_digest,
        )
        for member in action.members
        if member.image_set_id in versions
    )


def _left(root: Path, handle: int) -> tuple[Attempt, ...] | None:
    """What is there if no other apply holds the folder; from now on this one does.

    Looked at while nobody else can begin.
    """
    left = None
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        left = read(root)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return left


def _path(root: Path, action: Action, meant: Sequence[Attempt], key: Key) -> Path:
    """A name of its own for what is made of each pin: what an earlier run meant stays known.

    Keyed, since errors name the file.
    """
    made = key.digest(Use.ATTEMPT, {one.image_set_id: dict(one.versions) for one in meant})[-8:]
    name = f"{action.datastore}-{action.image_set_id}-{action.members[0].pin}-{made}.json"
    return root / FOLDER / name


def _attempts(path: Path) -> tuple[Attempt, ...]:
    """Nothing of what is none of ours, was edited or made under other rules; OSError."""
    try:
        told = orjson.loads(disk.read_regular(path) or b"")
        if (told["kind"], told["rulesVersion"]) != (KIND, RULES_VERSION):
            return ()
        if told.pop("digest") != digest(told):
            return ()
        return tuple(_attempt(told["datastoreId"], row) for row in told["members"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def _attempt(datastore_id: object, row: dict[str, Any]) -> Attempt:
    """ValueError or the like for a row that is not what we wrote."""
    versions = tuple((str(int(version)), held) for version, held in row["versions"].items())
    digests = (held for _, held in versions)
    texts = (datastore_id, row["imageSetId"], row["askDigest"], *row["asked"], *digests)
    if not versions or not all(isinstance(one, str) for one in texts):
        raise ValueError("no attempt of ours")
    return Attempt(
        datastore_id=str(datastore_id),
        image_set_id=row["imageSetId"],
        before=str(int(row["before"])),
        versions=versions,
        asked=tuple(row["asked"]),
        ask_digest=row["askDigest"],
    )


def _bytes(attempts: tuple[Attempt, ...]) -> bytes:
    content: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "rulesVersion": RULES_VERSION,
        "datastoreId": attempts[0].datastore_id,
        "members": [
            {
                "imageSetId": one.image_set_id,
                "before": one.before,
                "versions": dict(one.versions),
                "asked": sorted(one.asked),
                "askDigest": one.ask_digest,
            }
            for one in attempts
        ],
    }
    content["digest"] = digest(content)
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
