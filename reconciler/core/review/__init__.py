"""The review of a plan: one frozen value for all renderers, grouped, explained and masked.

Its parts are imported when they are first used: a command that only counts needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
_MODULES = {
    "AppliedReview": "applied",
    "FingerprintKey": "fingerprint",
    "Review": "model",
    "ShownImageSet": "search",
    "review": "build",
    "review_applied": "outcomes",
    "review_search": "search",
    "reviewer": "outcomes",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
