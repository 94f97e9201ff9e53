"""What was reviewed is what is applied: writes reviews, reads them, and judges a plan by them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

from reconciler.core.diff.drift import Comparison, Earlier
from reconciler.core.diff.locate import renames
from reconciler.core.errors import ReconcilerError, ReviewFileError, ServiceError
from reconciler.core.model.change import Change
from reconciler.core.model.key import KEY_FILE, Key
from reconciler.core.model.plan import Plan
from reconciler.core.model.reviewed import Reviewed
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.model.value import Document
from reconciler.core.reviewed import (
    Evidence,
    Judgement,
    Made,
    Moved,
    judge,
    loads,
    moved_pins,
    reviewed_changes,
)
from reconciler.edges import files as disk
from reconciler.edges import git, records
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.known import key_of
from reconciler.pipeline.record_branch import branch_tips
from reconciler.pipeline.touched import touched

# A review of 10,000 image sets with four changes each has 16 MB.
_MOST_BYTES = 200_000_000


def key_for_reviews(root: Path) -> Key:
    """Return the key of the repository. Raises ReviewFileError if it has none."""
    key = key_of(root)
    if key is None:
        raise ReviewFileError(
            f"a review needs {KEY_FILE}, and this repository has none",
            f"Make it with `openssl rand -hex 32 > {KEY_FILE}`, and commit it to the branch that "
            "pull requests are merged into.",
        )
    return key


def review_of(settings: Settings, plan: Plan, edges: Edges) -> Reviewed:
    """What a review of this plan approves.

    Raises ReviewFileError if the plan is not that of a whole, clean commit with a base, and
    GitError if the commit lacks commits of the base.
    """
    root = Path(settings.root)
    key = key_for_reviews(root)
    if plan.basis.paths:
        raise ReviewFileError(
            "a review is of all manifests, and PATHS select some of them",
            "Leave out the paths. Only the changes of the pull request are new in the review.",
        )
    refuse_unclean(plan)
    if plan.basis.since is None:
        raise ReviewFileError(
            "a review needs the commit that the pull request is merged into",
            "Name it, for example with `--base origin/main`.",
        )
    made_at = int(edges.clock.utc())
    return Reviewed(
        git.origin(root, plan.basis.since.base),
        plan.basis.settings_digest,
        made_at,
        made_at + int(settings.review_seconds),
        secrets.token_hex(16),
        reviewed_changes(plan, key),
    )


def refuse_unclean(plan: Plan) -> None:
    """Raise ReviewFileError for a plan that is not of a commit alone."""
    if not plan.basis.is_clean:
        raise ReviewFileError(
            "the commit does not hold reconciler.yaml and the manifests as they were read",
            "Commit or stash your changes, then run the command again.",
        )


def read_reviews(root: Path, paths: Sequence[Path], expected: Sequence[str]) -> list[Reviewed]:
    """Read reviews. Raises ReviewFileError with every problem of every file.

    A folder stands for the files in it that are named *.json. `expected` are digests (`sha256:…`)
    of the files; if there are any, each file needs one.
    """
    if not git.head(root):
        raise ReviewFileError(
            f"reviews are of commits, and {root} is no checkout of a git repository",
            "Run the command in a clone of the repository.",
        )
    key = key_for_reviews(root)
    found: list[Reviewed] = []
    problems: list[ReconcilerError] = []
    for path in _files(paths):
        try:
            found.append(_read(root, path, key, expected))
        except ReviewFileError as error:
            problems.append(ReviewFileError(f"the review {path}: {error.message}", error.hint))
    if problems:
        hints = dict.fromkeys(one.hint for one in problems)
        raise ReviewFileError("\n".join(one.message for one in problems), " ".join(hints))
    return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises for a name of no file
            yield from sorted(path.glob("*.json"))
        else:
            yield path


def _read(root: Path, path: Path, key: Key, expected: Sequence[str]) -> Reviewed:
    try:
        data = disk.read_regular(path)
    except OSError as error:
        raise ReviewFileError(
            f"it cannot be read: {os.strerror(error.errno or 0)}",
            "Name a file that `reconcile plan --review` wrote.",
        ) from None
    if data is None or len(data) > _MOST_BYTES:
        raise ReviewFileError("it is not a regular file, or too large", "Name another file.")
    digest = f"sha256:{sha256(data).hexdigest()}"
    if expected and digest not in expected:
        raise ReviewFileError(
            f"its digest is {digest}, which is not the one of `--expect`",
            "Apply the file that was approved.",
        )
    return opened(root, data, key)


def opened(root: Path, data: bytes, key: Key) -> Reviewed:
    """Return the content of a review whose base is before the commit that is checked out.

    Raises ReviewFileError for anything else.
    """
    reviewed = loads(data, key)
    if not git.has_commit(root, reviewed.origin.base):
        hint = (
            "This clone has a part of the history only: fetch all of it, such as with "
            "`fetch-depth: 0` of actions/checkout, or `git fetch --unshallow`."
            if git.is_shallow(root)
            else "Check out the branch that the pull request was merged into."
        )
        raise ReviewFileError(
            f"its base, commit {reviewed.origin.base}, is not before the commit that is checked "
            "out",
            hint,
        )
    return reviewed


def judge_by_reviews(
    settings: Settings,
    plan: Plan,
    edges: Edges,
    reviews: Sequence[Reviewed],
    made: Sequence[Made] = (),
) -> Judgement:
    """Judge which actions of a plan were reviewed. `made` are versions of lost runs of ours.

    Where an image set has moved on since the review, its document of the reviewed version is read.
    Raises ReviewFileError if the plan is not that of a clean commit.
    """
    refuse_unclean(plan)
    root = Path(settings.root)
    key = key_for_reviews(root)
    moved = moved_pins(plan, reviews, key)
    known = Evidence(
        edges.clock.utc(),
        frozenset(_untouched(settings, edges, moved, reviews, made)),
        touched(settings, plan),
    )
    return judge(plan, reviews, key, known)


def _untouched(
    settings: Settings,
    edges: Edges,
    moved: Mapping[Moved, Change],
    reviews: Iterable[Reviewed],
    made: Sequence[Made],
) -> Iterator[Moved]:
    """The changes whose attribute is as it was in the reviewed version.

    Every version since must be one that this repository recorded, or is about to.
    """
    bases = sorted({one.origin.base for one in reviews})
    read = _reader(settings, edges)
    for one, change in moved.items():
        datastore = settings.datastore(one.datastore)
        since = range(int(one.reviewed_pin) + 1, int(one.pin) + 1)
        ours = {
            int(other.landed.version_id)
            for other in made
            if (other.datastore, other.landed.image_set_id) == (one.datastore, one.image_set_id)
        }
        if not set(since) <= ours | _recorded(settings, datastore, one.image_set_id, bases):
            continue
        try:
            earlier = read(one.datastore, one.image_set_id, one.reviewed_pin)
            live = read(one.datastore, one.image_set_id, one.pin)
        except ServiceError:
            continue
        if Earlier(live, earlier, renames(()), ()).seen(change) is Comparison.SAME:
            yield one


def _reader(settings: Settings, edges: Edges) -> Callable[[str, str, str], Document]:
    """A function that reads a document of a data store, an image set and a version once."""

    @cache
    def read(datastore: str, image_set_id: str, version_id: str) -> Document:
        port = edges.ports(settings.datastore(datastore))
        return port.metadata(image_set_id, version_id)

    return read


def _recorded(
    settings: Settings, datastore: Datastore, image_set_id: str, bases: Iterable[str]
) -> set[int]:
    """The versions of an image set that entries name, as the one seen or as leading to it."""
    root = Path(settings.root)
    paths = records.paths_of(root, datastore.datastore_id, image_set_id)
    tips = ("HEAD", *branch_tips(settings))
    contents = [
        content for base in bases for content in git.contents_since(root, base, paths, tips)
    ]
    contents += [path.read_bytes() for path in paths if path.is_file()]
    found: set[int] = set()
    for content in contents:
        for entry in records.changed_entries([(b"", content)]):
            if entry.image_set_id == image_set_id:
                last = int(entry.version_id)
                found.update(range(int(entry.previous_version_id or last - 1) + 1, last + 1))
    return found
