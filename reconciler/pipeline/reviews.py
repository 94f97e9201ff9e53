"""Brings reviews from pull requests to the apply, by a branch that only a bot may push.

Artifacts are deleted after some days, and other hosts have none, so accepted reviews are kept as
files of a branch (decision 0004).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.core.errors import GitBusyError, GitError, ReconcilerError, ReviewFileError
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.settings import Settings
from reconciler.core.ports import Clock
from reconciler.core.reviewed.kept import Collected, Kept, pull_of
from reconciler.core.reviewed.transport import Group, Host, NoReview
from reconciler.edges import ci, git, records
from reconciler.edges import files as disk
from reconciler.edges.github import GitHub
from reconciler.pipeline.accept import Search, accepted, default_branch
from reconciler.pipeline.last_applied import last_applied
from reconciler.pipeline.record_branch import fetch_record_branch
from reconciler.pipeline.reviewed import key_for_reviews, opened
from reconciler.record.publication import MOST_PUSHES, pauses

BRANCH = "reconcile/reviews"
FOLDER = "reviews"


def collect(
    settings: Settings, clock: Clock, branch: git.Remote, github: GitHub | None
) -> Collected:
    """Return the reviews that the branch keeps, and those that GitHub has for merged commits.

    Without `github`, the branch alone is read. Raises GitHubError, and GitError for a clone with a
    part of the history, or a commit that is not on the default branch.
    """
    root = Path(settings.root)
    _refuse_part(root)
    if settings.record_mode and settings.record_mode.is_apart:
        # Records state which commit was applied last.
        records_branch = git.Remote(branch.name, settings.record_branch, branch.token)
        fetch_record_branch(settings, records_branch)
    kept, refused = _kept(root, _files(root, git.fetch(root, branch)))
    held = {one.name for one in kept}
    if github:
        since = int(clock.utc() - settings.review_seconds)
        new, without = _from_github(settings, github, branch, since, {one.pull for one in kept})
        kept, refused = [*kept, *new], [*refused, *without]
    now = clock.utc()
    by_name = {one.name: one for one in sorted(kept, key=lambda one: one.name)}
    valid = tuple(one for one in by_name.values() if not one.reviewed.is_expired(now))
    expired = tuple(one for one in by_name.values() if one.reviewed.is_expired(now))
    added = tuple(one.name for one in valid if one.name not in held)
    return Collected(valid, added, expired, tuple(refused))


def _refuse_part(root: Path) -> None:
    if not git.head(root):
        raise GitError(
            "reviews are of commits, and there is no commit here",
            "Run the command in a clone of the repository.",
        )
    if git.is_shallow(root):
        raise GitError(
            "this clone has a part of the history only, so it does not show which commits were "
            "merged since the last apply",
            "Fetch the whole history: `fetch-depth: 0` of actions/checkout, or "
            "`git fetch --unshallow`.",
        )


def _files(root: Path, tip: str) -> Mapping[str, bytes]:
    """The files of the branch by name."""
    found = git.files_at(root, tip, root / FOLDER) if tip else {}
    return {path.name: content for path, content in found.items()}


def _kept(root: Path, files: Mapping[str, bytes]) -> tuple[list[Kept], list[NoReview]]:
    found: list[Kept] = []
    refused: list[NoReview] = []
    key = key_for_reviews(root)
    for name, content in sorted(files.items()):
        pull = pull_of(name, content)
        try:
            if not pull:
                raise ReviewFileError("reconcile did not write it: its name is not its digest")
            found.append(Kept(pull, content, opened(root, content, key)))
        except ReviewFileError as error:
            refused.append(NoReview(f"{FOLDER}/{name} of {BRANCH}", error.message))
    return found, refused


def _from_github(
    settings: Settings, github: GitHub, branch: git.Remote, after: int, known: set[int]
) -> tuple[list[Kept], list[NoReview]]:
    root = Path(settings.root)
    name, default = default_branch(github)
    head = git.head(root)
    tip = git.fetch(root, git.Remote(branch.name, default, branch.token))
    group = _group(root, tip)
    if not tip or not (group.commits or git.is_before(root, head, tip)):
        raise GitError(
            f"commit {head[:12]} is checked out, which is not on {default}, the default branch",
            f"Check out {default}: reviews are of pull requests that were merged into it.",
        )
    commits = tuple(one for one in _merged(settings, after) if one not in group.commits)
    host = Host(name, default, commits, group)
    return accepted(Search(github, host, root, key_for_reviews(root)), commits, known)


def _group(root: Path, tip: str) -> Group:
    """The group that this job of a merge queue tests; without commits in any other job.

    It begins at the default branch, not at the base of the event: that may be the group before it
    in the queue, which is not merged either.
    """
    job = ci.job()
    if not (job.base and tip):
        return Group()
    return Group(git.commits_beyond(root, tip), job.group_pull)


def _merged(settings: Settings, after: int) -> tuple[str, ...]:
    """The commits whose reviews may be needed, newest first, without those of records alone.

    They begin with the commit that was applied last: its apply may have been killed. Before the
    first apply, they are those of the time in which a review does not expire.
    """
    root = Path(settings.root)
    last = last_applied(settings)
    known = last if last and git.has_commit(root, last) else ""
    found = git.merged(root, known, after)
    return tuple(one.commit for one in found if not _is_of_records(root, one.files))


def _is_of_records(root: Path, files: Sequence[Path]) -> bool:
    base = Path(os.path.realpath(root))
    ours = (base / records.FOLDER, base / KEY_FILE)
    return bool(files) and all(any(map(one.is_relative_to, ours)) for one in files)


def keep(root: Path, clock: Clock, branch: git.Remote, found: Collected) -> str:
    """Push the new reviews to the branch, without those that expired; return the commit, or "".

    Raises GitError if the host refuses the push.
    """
    added = {one.name: one.content for one in found.reviews if one.name in found.added}
    for pause in pauses():
        tip = git.fetch(root, branch)
        files = {**added, **{one.name: b"" for one in found.expired}}
        held = _files(root, tip)
        changes = {
            root / FOLDER / name: content
            for name, content in files.items()
            if held.get(name, b"") != content
        }
        made = git.commit_onto(root, tip, changes, _message(found)) if changes else ""
        if not made or _push(root, branch, made, tip):
            return made
        clock.sleep(pause)
    raise GitBusyError(
        f"the branch {branch.branch} of {branch.name} changed with each of {MOST_PUSHES} tries to "
        "push reviews",
        "Run the command again.",
    )


def _push(root: Path, branch: git.Remote, made: str, tip: str) -> bool:
    try:
        return git.push(root, branch, made, tip)
    except GitError as error:
        raise GitError(
            error.message,
            f"Let the account of this job push to {branch.branch}, and no other account: check the "
            "rules of the host for that branch, and whether the token in RECONCILE_PUSH_TOKEN may "
            "write contents. Then run the command or start the job again. Nothing was applied, and "
            "no review is lost: GitHub keeps them as artifacts of the plans.",
        ) from None


def _message(found: Collected) -> git.Message:
    pulls = sorted({one.pull for one in found.reviews if one.name in found.added})
    named = ", ".join(f"#{number}" for number in pulls)
    subject = f"Keep the reviews of {named}" if pulls else "Remove reviews that have expired"
    return git.Message(subject, "", ())


def write(folder: Path, found: Collected) -> None:
    """Write the reviews to a folder. Raises ReconcilerError if it holds other files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ReconcilerError(
                f"the folder {folder} is not empty", "Remove it first, or name another folder."
            )
        for one in found.reviews:
            disk.replace(folder / one.name, one.content)
    except OSError as error:
        raise ReconcilerError(
            f"the reviews cannot be written to {folder}: {error.strerror}", "Name another folder."
        ) from None
