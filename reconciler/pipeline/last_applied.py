"""The newest commit that was applied, as records state it."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.model.settings import Settings
from reconciler.edges import git, records
from reconciler.pipeline.record_branch import branch_tips


def last_applied(settings: Settings, tip: str = "HEAD") -> str:
    """The newest commit before `tip` that was applied, as records of commits state it, or "".

    Records in the working tree do not count: they may be those of a killed run of this commit,
    which has not seen to everything that was merged. Entries survive a squash merge. The trailers
    of commits count only where no entry states a commit of this branch. Raises GitError if the
    record branch is not fetched.
    """
    root = Path(settings.root)
    folder = root / records.FOLDER
    tips = (tip, *branch_tips(settings))
    contents = (content for one in tips for content in git.committed_below(root, folder, one))
    stated = records.applied_commits(contents)
    return git.newest_of(root, stated, tip) or git.applied_by_trailers(root, folder, tips)
