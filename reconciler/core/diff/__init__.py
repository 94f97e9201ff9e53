"""Ask × observed -> changes, blocks, released paths; with the baseline -> drift. Pure."""

from reconciler.core.diff.compare import consents_of, diff, is_recorded, with_drift
from reconciler.core.diff.drift import History

__all__ = ["History", "consents_of", "diff", "is_recorded", "with_drift"]
