"""Commits whose messages keep a push of them from starting jobs.

Sources: docs.github.com/actions/how-tos/manage-workflow-runs/skip-workflow-runs;
docs.gitlab.com/ci/pipelines, Skip a pipeline. The message of a squash merge holds those of all
commits of its pull request, so one of them is enough.
"""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.edges.git.failures import explained
from reconciler.edges.git.repository import repository_of

# GitLab reads any capitalization.
_SKIPS = re.compile(
    r"""
    \[ (?: skip[ ]ci | ci[ ]skip | no[ ]ci | skip[ ]actions | actions[ ]skip ) \]
    | ^ skip-checks:[ ]?true \s* $
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def skipping(root: Path, earlier: str, later: str) -> str:
    """Return the newest commit after `earlier`, up to `later`, that starts no job; "" if none.

    Only first parents count: jobs start for what was pushed, not for each commit of what it merges.
    """
    with repository_of(root) as repo:
        assert repo is not None
        with explained("git log"):
            options = ("--no-show-signature", "--first-parent", "-z", "--format=%H%n%B")
            output = str(repo.git.log(*options, f"{earlier}..{later}"))
    rows = (row.partition("\n") for row in output.split("\0"))
    return next((commit for commit, _, text in rows if _SKIPS.search(text)), "")
