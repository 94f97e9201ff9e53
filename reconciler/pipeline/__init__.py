"""Runs the stages in order: check, plan, apply. Only this floor imports all of them.

load -> validate -> resolve -> observe -> diff -> plan -> apply -> record
"""

from reconciler.pipeline.apply import apply, apply_reviewed
from reconciler.pipeline.at_rest import plan_at_rest
from reconciler.pipeline.basis import check_committable, refuse_uncommitted
from reconciler.pipeline.check import are_committed, check, notes, warnings
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.fleet import Opening
from reconciler.pipeline.plan import plan
from reconciler.pipeline.record import record
from reconciler.pipeline.scan import Scanning
from reconciler.pipeline.trusted import trusted, unplanned

__all__ = [
    "Edges",
    "Opening",
    "Scanning",
    "apply",
    "apply_reviewed",
    "are_committed",
    "check",
    "check_committable",
    "notes",
    "plan",
    "plan_at_rest",
    "record",
    "refuse_uncommitted",
    "trusted",
    "unplanned",
    "warnings",
]
