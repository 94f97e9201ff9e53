"""`reconcile reviews`: bring the reviews of merged pull requests to the apply."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import options
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.core.model.value import Json
    from reconciler.core.reviewed.kept import Collected
    from reconciler.edges import git


def reviews(
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Write the reviews to this folder, which is new or empty, for `apply --reviewed`.",
            show_default=False,
        ),
    ],
    github: Annotated[
        bool,
        typer.Option(
            "--github",
            help="Also accept artifacts of the plan workflow, for the commits that were merged "
            "since the last apply. Needs gh.",
            show_default=False,
        ),
    ] = False,
    push: Annotated[
        bool,
        typer.Option(
            "--push",
            help="Push newly accepted reviews to the branch reconcile/reviews.",
            show_default=False,
        ),
    ] = False,
    json: options.AsJson = False,
    config: options.Config = None,
) -> None:
    """Collect the reviews of merged pull requests. Sends nothing to a data store.

    Reviews come from the branch reconcile/reviews, and with `--github` from the artifacts of the
    plan workflow. What gives no review is listed with the reason, and is no error: its changes stay
    unreviewed.
    """
    from reconciler.cli import screen, workspace
    from reconciler.cli.clock import clock
    from reconciler.edges import ci, git
    from reconciler.edges.github import repository
    from reconciler.pipeline import reviews as stage

    if push and ci.job().is_proposed:
        raise ReconcilerError(
            "`--push` is refused in a job for a pull request or a merge queue: its reviews are not "
            "of merged commits",
            "Leave out `--push`. The workflow that applies after the merge keeps the reviews.",
        )
    settings = workspace.settings(config)
    root = Path(settings.root)
    workspace.refuse_links(settings, out)
    branch = _branch(root)
    host = repository(git.address(root, branch.name)) if github else None
    found = stage.collect(settings, clock(), branch, host)
    made = stage.keep(root, clock(), branch, found) if push else ""
    stage.write(out, found)
    screen.note(*_notes(found))
    if json:
        screen.say_json(_document(found, made))
    else:
        screen.say(_lines(found, out, made))


def _branch(root: Path) -> git.Remote:
    """The branch of reviews, on the remote that the current branch follows.

    Jobs of GitLab check out a commit and no branch; their remote is `origin`.
    """
    from reconciler.edges import git
    from reconciler.pipeline.reviews import BRANCH

    name, _ = git.upstream(root)
    return git.Remote(name or "origin", BRANCH, os.environ.get("RECONCILE_PUSH_TOKEN", ""))


def _lines(found: Collected, out: Path, made: str) -> Iterator[str]:
    from reconciler.core.review.phrases import plural

    yield f"{plural(len(found.reviews), 'review')} in {out}, {len(found.added):,} newly accepted."
    for one in found.reviews:
        yield f"  #{one.pull}  {one.digest}"
    if made:
        yield f"Pushed to reconcile/reviews: commit {made[:12]}."


def _notes(found: Collected) -> Iterator[str]:
    for one in found.refused:
        yield f"{one}"
    if found.refused:
        yield "What they change stays unreviewed, so `apply --reviewed` leaves it alone."
    for old in found.expired:
        yield (
            f"pull request #{old.pull}: its review has expired. For a fresh one, run the plan of a "
            "pull request that contains its manifests."
        )


def _document(found: Collected, made: str) -> Json:
    return {
        "reviews": [
            {
                "pullRequest": one.pull,
                "file": one.name,
                "digest": one.digest,
                "isNew": one.name in found.added,
            }
            for one in found.reviews
        ],
        "expired": [{"pullRequest": one.pull, "digest": one.digest} for one in found.expired],
        "refused": [{"what": one.what, "reason": one.reason} for one in found.refused],
        "commit": made,
    }
