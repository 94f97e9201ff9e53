"""Ask × observed -> changes, blocks, released paths; with the baseline -> drift. Pure."""

from reconciler.core.diff.compare import diff, is_recorded, with_drift

__all__ = ["diff", "is_recorded", "with_drift"]
