"""The review of a plan: one frozen value for all renderers, grouped, explained and masked."""

from reconciler.core.review.applied import AppliedReview
from reconciler.core.review.build import review
from reconciler.core.review.model import Review
from reconciler.core.review.outcomes import review_applied, shown_outcome

__all__ = ["AppliedReview", "Review", "review", "review_applied", "shown_outcome"]
