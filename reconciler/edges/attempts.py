"""Attempts: the versions that an apply intends to create, so that the next run recognises them.

The service reports that an image set changed, but not which process changed it. So before the first
call of an action, a small file states the versions that the action will create, with digests of
their content. It is removed when the action is recorded. The file of a killed run is a hint, not a
lock: it counts only if the live content matches. Without it, the versions of the killed run look
like drift. It contains no DICOM value.
"""

from __future__ import annotations

import fcntl
import os
from collections import defaultdict
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
from reconciler.core.model.record import RULES_VERSION, SelectedBy
from reconciler.core.plan.sent import paths_of_study, recordable_paths
from reconciler.core.ports import Files
from reconciler.edges import files as disk
from reconciler.edges.tracked import NONE, Tracked
from reconciler.edges.worktree import first_link, refuse_links, refuse_links_below

FOLDER = Path(".reconcile") / "attempts"
KIND = "Attempt"

# The datastoreId and the imageSetId of an attempt.
Subject: TypeAlias = tuple[str, str]


def read(root: Path, tracked: Tracked = NONE) -> tuple[Attempt, ...]:
    """Read the attempts of interrupted and current runs, sorted.

    Invalid files are ignored, and so are files that git tracks. Raises `LinkError` for a symbolic
    link.
    """
    refuse_links_below(root, root / FOLDER)
    refuse_links(root, root / FOLDER.parent / ".gitignore")
    found: set[Attempt] = set()
    for path in (root / FOLDER).glob("*.json"):
        if tracked.has(FOLDER / path.name):
            continue
        with suppress(OSError):
            found.update(_attempts(path))
    return tuple(sorted(found))


def begin(root: Path, action: Action, key: Key, *, files: Files = disk.REAL) -> bool:
    """Write the attempt of an action; return whether no earlier run has written the same attempt.

    Raises RecordError if it cannot be written.
    """
    intended = _of(action)
    path = _path(root, action, intended, key)
    refuse_links(root, path, root / FOLDER.parent / ".gitignore")
    try:
        is_first = not path.exists()
        files.make_folder(path.parent)
        disk.keep_from_git(root / FOLDER.parent, files=files)
        disk.replace(path, _bytes(intended), mode=disk.PRIVATE, files=files)
    except OSError as error:
        raise RecordError(
            f"{path.relative_to(root).as_posix()}: cannot be written ({error.strerror})",
            "Free disk space or fix the permissions, then run the command again. Nothing is sent "
            "until this file is written.",
        ) from None
    return is_first


def end(root: Path, action: Action, key: Key, *, files: Files = disk.REAL) -> None:
    """Remove the attempt of an action that is recorded or changed nothing. Errors do no harm."""
    path = _path(root, action, _of(action), key)
    with suppress(OSError, LinkError):
        refuse_links(root, path)
        disk.remove(path, files=files)


def tidy(
    root: Path,
    recorded: Mapping[Subject, int],
    ended: Set[Attempt],
    *,
    files: Files = disk.REAL,
) -> None:
    """Remove attempts in `ended`, and attempts up to the versions in `recorded`.

    The other members of a study keep their attempts. Files that cannot be read stay; files with
    invalid content are removed.
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
                and int(one.last[0]) > recorded.get((one.datastore_id, one.image_set_id), 0)
            )
            if not left:
                disk.remove(path, files=files)
            elif left != held:
                disk.replace(path, _bytes(left), mode=disk.PRIVATE, files=files)


@contextmanager
def under_way(root: Path, tracked: Tracked = NONE) -> Iterator[tuple[Attempt, ...] | None]:
    """Hold the lock of an apply; yield the attempts of earlier runs, None if another apply runs.

    The lock is flock(2) on the folder of the repository: it ends with the process. On a file system
    without locks, another apply is not detected.
    """
    with ExitStack() as stack:
        try:
            handle = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            left = _left(root, handle, tracked)
        except OSError:
            left = read(root, tracked)
        yield left


def _of(action: Action) -> tuple[Attempt, ...]:
    """Return the attempt of each image set that the steps of an action change."""
    versions: dict[str, list[tuple[str, str]]] = {}
    sent: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    of_study = paths_of_study(action)
    for step, before in zip(action.steps, pins(action), strict=True):
        paths = recordable_paths(action, step) if len(action.steps) > 1 else ()
        for name, held in step.expected:
            versions.setdefault(name, []).append((next_version(before[name]), held))
            sent[name].append(tuple(path for owner, path in paths if owner == name))
    return tuple(
        Attempt(
            action.datastore_id,
            member.image_set_id,
            member.before,
            tuple(versions[member.image_set_id]),
            member.asked,
            member.ask_digest if member.is_whole else "",
            tuple(sent[member.image_set_id]),
            tuple(sorted(of_study.difference(member.asked))),
            member.selected_by,
        )
        for member in action.members
        if member.image_set_id in versions
    )


def _left(root: Path, handle: int, tracked: Tracked) -> tuple[Attempt, ...] | None:
    """Return the existing attempts if no other apply holds the folder, and hold it from now on.

    The exclusive lock keeps other runs from beginning while the attempts are read.
    """
    left = None
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        left = read(root, tracked)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return left


def _path(root: Path, action: Action, intended: Sequence[Attempt], key: Key) -> Path:
    """Return a file name that depends on the intended versions, so earlier attempts are kept.

    The digest in it is keyed, because error messages contain the file name.
    """
    made = key.digest(Use.ATTEMPT, {one.image_set_id: dict(one.versions) for one in intended})[-8:]
    name = f"{action.datastore}-{action.image_set_id}-{action.members[0].pin}-{made}.json"
    return root / FOLDER / name


def _attempts(path: Path) -> tuple[Attempt, ...]:
    """Read a file; () if it is invalid, edited or of other comparison rules. Raises OSError."""
    try:
        content = orjson.loads(disk.read_regular(path) or b"")
        if (content["kind"], content["rulesVersion"]) != (KIND, RULES_VERSION):
            return ()
        if content.pop("digest") != digest(content):
            return ()
        return tuple(_attempt(content["datastoreId"], row) for row in content["members"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def _attempt(datastore_id: object, row: dict[str, Any]) -> Attempt:
    """Read one row. Raises ValueError, KeyError or TypeError for an invalid row."""
    versions = tuple((str(int(version)), held) for version, held in row["versions"].items())
    digests = (held for _, held in versions)
    # Attempts of the first form do not have it: only their last version counts as theirs then.
    sent = tuple(tuple(paths) for paths in row.get("sent", [[] for _ in versions]))
    paths = (*row["asked"], *row.get("ofStudy", ()), *(path for some in sent for path in some))
    texts = (datastore_id, row["imageSetId"], row["askDigest"], *paths, *digests)
    if not versions or not all(isinstance(one, str) for one in texts):
        raise ValueError("not a valid attempt")
    return Attempt(
        datastore_id=str(datastore_id),
        image_set_id=row["imageSetId"],
        before=str(int(row["before"])),
        versions=versions,
        asked=tuple(row["asked"]),
        ask_digest=row["askDigest"],
        sent=sent,
        of_study=tuple(row.get("ofStudy", ())),
        selected_by=_selectors(row.get("selectedBy")),
    )


def _selectors(held: object) -> SelectedBy | None:
    """Read the selectors of an attempt; None if it states none. Raises ValueError for others."""
    if held is None:
        return None
    if not isinstance(held, dict) or not all(isinstance(one, str) for one in held.values()):
        raise ValueError("not a valid attempt")
    return tuple(sorted(held.items()))


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
                "sent": [list(paths) for paths in one.sent],
                "ofStudy": list(one.of_study),
                **({} if one.selected_by is None else {"selectedBy": dict(one.selected_by)}),
            }
            for one in attempts
        ],
    }
    content["digest"] = digest(content)
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
