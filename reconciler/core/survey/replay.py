"""Runs a survey on answers that are there already. Pure: nothing is read for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from reconciler.core.survey.needs import Answer, Need, Survey, Together

T = TypeVar("T")

# The answer to a need, None if there is none yet.
Given: TypeAlias = Callable[[Need], Answer | None]


def replayed(survey: Survey[T], given: Given) -> T | None:
    """Return the result of a survey; None if it needs an answer that is not there."""
    try:
        need = next(survey)
        while True:
            together = isinstance(need, Together)
            answers = _answers(need, given)
            if answers is None:
                survey.close()
                return None
            need = survey.send(answers if together else answers[0])
    except StopIteration as done:
        result: T = done.value
        return result


def _answers(need: Need | Together, given: Given) -> tuple[Answer, ...] | None:
    needs = need.needs if isinstance(need, Together) else (need,)
    found = tuple(answer for one in needs if (answer := given(one)) is not None)
    return found if len(found) == len(needs) else None
