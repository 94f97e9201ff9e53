"""The review of a plan: one frozen value for all renderers, grouped, explained and masked."""

from reconciler.core.review.build import review
from reconciler.core.review.model import Review

__all__ = ["Review", "review"]
