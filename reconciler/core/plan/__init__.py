"""Diffs -> the plan: actions, hazards with their consent, steps with exact requests. Pure."""

from reconciler.core.plan.build import build
from reconciler.core.plan.calls import calls_of, calls_of_study, outline
from reconciler.core.plan.digest import action_digest, with_digests
from reconciler.core.plan.eta import eta_seconds, without_study_wide
from reconciler.core.plan.patients import (
    MOST_ROWS,
    PatientRows,
    patient_filters,
    patient_id_of,
)
from reconciler.core.plan.study import Found, Study, is_study_level, members_filters
from reconciler.core.plan.study_blocks import (
    asks_study,
    moves_study,
    needs_study,
    not_all_known,
    unready,
)

__all__ = [
    "MOST_ROWS",
    "Found",
    "PatientRows",
    "Study",
    "action_digest",
    "asks_study",
    "build",
    "calls_of",
    "calls_of_study",
    "eta_seconds",
    "is_study_level",
    "members_filters",
    "moves_study",
    "needs_study",
    "not_all_known",
    "outline",
    "patient_filters",
    "patient_id_of",
    "unready",
    "with_digests",
    "without_study_wide",
]
