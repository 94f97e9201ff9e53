"""The review of a plan: one frozen value for all renderers, grouped, explained and masked."""

from reconciler.core.review.applied import AppliedReview
from reconciler.core.review.build import review
from reconciler.core.review.fingerprint import FingerprintKey
from reconciler.core.review.model import Review
from reconciler.core.review.outcomes import review_applied, reviewer
from reconciler.core.review.search import ShownImageSet, review_search

__all__ = [
    "AppliedReview",
    "FingerprintKey",
    "Review",
    "ShownImageSet",
    "review",
    "review_applied",
    "review_search",
    "reviewer",
]
