"""Diffs -> the plan: actions, hazards with their consent, steps with exact requests. Pure."""

from reconciler.plan.build import build, needs_study
from reconciler.plan.digest import action_digest, with_digests
from reconciler.plan.eta import eta_seconds
from reconciler.plan.study import Study, members_filters

__all__ = [
    "Study",
    "action_digest",
    "build",
    "eta_seconds",
    "members_filters",
    "needs_study",
    "with_digests",
]
