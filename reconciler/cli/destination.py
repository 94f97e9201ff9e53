"""Where the records of a run go, and which branch its commit is from. Checked before all else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.settings import RecordMode

if TYPE_CHECKING:
    from reconciler.core.model.results import Applied
    from reconciler.core.model.settings import Settings
    from reconciler.edges import git


def check(settings: Settings, *, push: bool) -> None:
    """Raise ReconcilerError if records cannot be committed, or a CI job does not say where to."""
    from reconciler import pipeline
    from reconciler.edges import ci

    if settings.record_mode is None and ci.job().is_ci:
        raise ReconcilerError(
            "this is a CI job, and nothing states where the records of this run go",
            "Add `record: {mode: commit}` to reconciler.yaml, or use `--record commit`. If the "
            "default branch is protected, use `branch`, or `pull-request` if records are to be "
            "merged like all changes. With `files` they stay in the working tree. If the job then "
            "deletes it, the next run does not know which values were reviewed, and cannot detect "
            "drift.",
        )
    if settings.record_mode is RecordMode.COMMIT:
        pipeline.check_committable(settings, pushes=push)


def followed(settings: Settings) -> git.Remote | None:
    """The branch that the current branch follows, None if it follows none.

    A CI job that has checked out a commit and no branch follows the branch that it runs for.
    """
    from reconciler.edges import git

    root = Path(settings.root)
    name, branch = git.upstream(root)
    if not branch:
        name, branch = _of_job(root)
    return git.Remote(name, branch, _token()) if branch else None


def _of_job(root: Path) -> tuple[str, str]:
    from reconciler.edges import ci, git

    branch = ci.job().branch
    name = git.main_remote(root) if branch and not git.current_branch(root) else ""
    return (name, branch) if name else ("", "")


def refuse_unfollowed() -> None:
    """Raise ReconcilerError in a CI job: newer commits of the branch may ask for something else."""
    from reconciler.edges import ci

    if ci.job().is_ci:
        raise ReconcilerError(
            "--reviewed: the commit that is checked out follows no branch of a remote, so newer "
            "commits cannot be looked for",
            "Check out the branch at this commit, as the workflows of `reconcile init` do:\n"
            "git checkout -B main && git branch --set-upstream-to origin/main",
        )


def _token() -> str:
    """The token for remotes over https, "" for the credentials that git itself has."""
    return os.environ.get("RECONCILE_PUSH_TOKEN", "")


def copies(applied: Applied) -> tuple[str, ...]:
    """What a person does with record files that are on another branch than the current one.

    A job deletes its clone.
    """
    from reconciler.edges import ci

    published = applied.published
    if not (applied.recorded and published.branch and not published.missing) or ci.job().is_ci:
        return ()
    return (
        f"The files below records/ are copies of those on {published.branch}, and `git pull` may "
        "stop at them. Set them aside: `git stash push --include-untracked -- records`.",
    )


def pushed_to(settings: Settings, branch: git.Remote | None, *, push: bool) -> git.Remote | None:
    """The branch to push to, None without `--push`. The record branch is fetched first.

    Raises ReconcilerError, before anything is sent, if records cannot go where they are to go.
    """
    from reconciler.edges import git
    from reconciler.pipeline.record_branch import check_record_branch, fetch_record_branch

    mode = settings.record_mode or RecordMode.FILES
    if mode.is_apart:
        name = check_record_branch(settings)
        if not push:
            return None
        if not name:
            raise ReconcilerError(
                "--push: this repository has no remote",
                "Add it with `git remote add origin URL`, then push the default branch.",
            )
        remote = git.Remote(name, settings.record_branch, _token())
        fetch_record_branch(settings, remote)
        return remote
    if not push:
        return None
    if mode is not RecordMode.COMMIT:
        raise ReconcilerError(
            "--push needs records that are committed", "Add `--record commit`, or set record.mode."
        )
    if branch is None:
        raise ReconcilerError(
            "--push: the current branch follows no branch of a remote",
            "Check out a branch that does, or run `git branch --set-upstream-to origin/main`.",
        )
    return branch
