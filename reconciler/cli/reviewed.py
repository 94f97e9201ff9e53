"""Write, read and check reviews: what a pull request approved, for the apply after its merge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.cli import target
from reconciler.core.errors import EXIT_ERROR, EXIT_OK, ReconcilerError
from reconciler.core.model.file_kind import REVIEW
from reconciler.edges import files

if TYPE_CHECKING:
    from reconciler.core.model.plan import Plan
    from reconciler.core.model.reviewed import Reviewed
    from reconciler.core.model.settings import Settings
    from reconciler.core.reviewed import Judgement, Made
    from reconciler.pipeline import Edges


def check_review_file(path: Path) -> None:
    """Raise ReconcilerError if the path holds a file that is not a review."""
    target.check(path, REVIEW, f"the review cannot be written to {path}")


def write_review(settings: Settings, plan: Plan, edges: Edges, path: Path, mode: int) -> str:
    """Write what a review of this plan approves. Returns the digest of the file."""
    from reconciler.core.reviewed import dumps
    from reconciler.pipeline.reviewed import key_for_reviews, review_of

    check_review_file(path)
    data = dumps(review_of(settings, plan, edges), key_for_reviews(Path(settings.root)))
    files.sweep(path.parent, path.name)
    try:
        files.replace(path, data, mode=mode)
    except OSError as error:
        raise ReconcilerError(f"the review cannot be written to {path}: {error.strerror}") from None
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def judged(
    settings: Settings,
    plan: Plan,
    edges: Edges,
    reviews: Sequence[Reviewed],
    made: Sequence[Made] = (),
) -> tuple[Judgement, list[str]]:
    """The judgement of a plan by some reviews, and the lines that say so."""
    from reconciler.pipeline.reviewed import judge_by_reviews

    judgement = judge_by_reviews(settings, plan, edges, reviews, made)
    expired = [one for one in reviews if one.is_expired(edges.clock.utc())]
    lines = [*_lines(plan, judgement, expired, settings), *_other_settings(reviews, settings)]
    return judgement, lines


def exit_code(judgement: Judgement) -> int:
    """EXIT_ERROR if a change is not reviewed."""
    return EXIT_ERROR if judgement.unreviewed else EXIT_OK


def _other_settings(reviews: Sequence[Reviewed], settings: Settings) -> Iterator[str]:
    """State which reviews were made with other settings: their changes count all the same.

    Each change and each hazard is compared with the review, so that settings permit nothing that no
    reviewer saw.
    """
    for review in reviews:
        if review.settings_digest != settings.digest:
            yield (
                f"The review of commit {review.origin.head} was made before {settings.file} "
                "changed. What only the new settings permit is not reviewed."
            )


def _lines(
    plan: Plan, judgement: Judgement, expired: Sequence[Reviewed], settings: Settings
) -> Iterator[str]:
    from reconciler.core.review.phrases import plural

    all_of = len(judgement.reviewed) + len(judgement.unreviewed)
    yield f"Reviewed: {len(judgement.reviewed):,} of {plural(all_of, 'action')} with calls."
    for one in judgement.unreviewed:
        asked = "" if one.is_asked else " (no merged commit changed its manifests)"
        yield f"  unreviewed: image set {one.action.image_set_id}: {one.reason}{asked}"
    if judgement.left_over:
        yield (
            f"{plural(len(judgement.left_over), 'reviewed change')} not in the plan: the image "
            "sets hold them already, or no manifest asks for them any more."
        )
    for review in expired:
        yield (
            f"The review of commit {review.origin.head} has expired "
            f"(`reviewExpiresAfter` in {settings.file}). For a fresh one, run the plan of a pull "
            "request that contains its manifests."
        )
