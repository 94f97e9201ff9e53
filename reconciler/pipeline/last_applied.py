"""The newest commit that was applied, as records state it."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.model.settings import Settings
from reconciler.edges import git, records
from reconciler.pipeline.record_branch import branch_tips


def last_applied(settings: Settings, tip: str = "HEAD") -> str:
    """The newest commit before `tip` that was applied, as records of commits state it, or "".

    Records in the working tree do not count: they may be those of a killed run of this commit,
    which has not seen to everything that was merged. Trailers of commits do not count, either: a
    squash merge drops them, and any author can write them. Raises GitError if the record branch is
    not fetched.
    """
    return next(iter(_stated(settings, tip)), "")


def applied_before(settings: Settings, last: str) -> str:
    """The newest applied commit with other manifests than those of the commit `last`, or "".

    A job that is started again may apply `last` once more, with records on top of it.
    """
    root = Path(settings.root)
    manifests = root / settings.manifests
    return next(
        (one for one in _stated(settings, "HEAD") if git.differing(root, one, last, manifests)), ""
    )


def _stated(settings: Settings, tip: str) -> tuple[str, ...]:
    """The commits before `tip` that entries state as applied, newest first."""
    root = Path(settings.root)
    folder = root / records.FOLDER
    contents = (
        content
        for one in (tip, *branch_tips(settings))
        for content in git.committed_below(root, folder, one)
    )
    return git.on_line(root, records.applied_commits(contents), tip)
