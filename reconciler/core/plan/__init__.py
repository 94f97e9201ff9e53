"""Diffs -> the plan: actions, hazards with their consent, steps with exact requests. Pure."""

from reconciler.core.plan.build import Found, build, moves_study, needs_study
from reconciler.core.plan.digest import action_digest, with_digests
from reconciler.core.plan.eta import eta_seconds
from reconciler.core.plan.study import Study, members_filters

__all__ = [
    "Found",
    "Study",
    "action_digest",
    "build",
    "eta_seconds",
    "members_filters",
    "moves_study",
    "needs_study",
    "with_digests",
]
