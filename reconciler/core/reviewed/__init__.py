"""What a review approved, and whether a plan at the merged commit stays within it. Pure."""

from reconciler.core.reviewed.changes import reviewed_changes
from reconciler.core.reviewed.file import dumps, loads
from reconciler.core.reviewed.judge import Evidence, Judgement, Moved, Unreviewed, judge, moved_pins
from reconciler.core.reviewed.made import Gap, Made, gaps, made

__all__ = [
    "Evidence",
    "Gap",
    "Judgement",
    "Made",
    "Moved",
    "Unreviewed",
    "dumps",
    "gaps",
    "judge",
    "loads",
    "made",
    "moved_pins",
    "reviewed_changes",
]
