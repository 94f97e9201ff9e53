"""Decides what must still be read. Surveys are generators that yield needs and do no I/O.

A survey looks like blocking code: it yields a need, receives the answer, and returns a result, like
a sans-I/O protocol (https://sans-io.readthedocs.io). `observe` drives it.
"""

from reconciler.core.survey.base import Base
from reconciler.core.survey.image_set import nothing_seen, read_again, survey
from reconciler.core.survey.known import Known
from reconciler.core.survey.study import Studied, studies_of, survey_study
from reconciler.core.survey.whole import Surveyed, completed

__all__ = [
    "Base",
    "Known",
    "Studied",
    "Surveyed",
    "completed",
    "nothing_seen",
    "read_again",
    "studies_of",
    "survey",
    "survey_study",
]
