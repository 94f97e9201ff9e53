"""An ask × what was recorded × what was observed -> changes, blocks and what was released. Pure."""

from reconciler.core.diff.compare import diff, is_recorded

__all__ = ["diff", "is_recorded"]
