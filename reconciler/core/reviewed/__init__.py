"""What a review approved, and whether a plan at the merged commit stays within it. Pure."""

from reconciler.core.reviewed.changes import reviewed_changes
from reconciler.core.reviewed.file import dumps, loads
from reconciler.core.reviewed.judge import Evidence, Judgement, Moved, Unreviewed, judge, moved_pins

__all__ = [
    "Evidence",
    "Judgement",
    "Moved",
    "Unreviewed",
    "dumps",
    "judge",
    "loads",
    "moved_pins",
    "reviewed_changes",
]
