"""What people see of a plan: one frozen value, grouped and explained, its values masked."""

from reconciler.core.review.build import review
from reconciler.core.review.model import Review

__all__ = ["Review", "review"]
