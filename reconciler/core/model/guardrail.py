"""Guardrails: the most that one apply may change in a data store, and what exceeds them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.errors import Place


class Amount(StrEnum):
    """What a guardrail limits, by its name in reconciler.yaml."""

    IMAGE_SETS = "imageSets"
    PERCENT = "percent"
    REMOVED_INSTANCES = "removedInstances"
    REMOVED_SERIES = "removedSeries"
    PATIENTS = "patients"
    FORCED_STEPS = "forcedSteps"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """The most of one amount, as the line of reconciler.yaml at `place` states it."""

    amount: Amount
    most: float
    place: Place

    @property
    def stated(self) -> str:
        """`guardrails: {imageSets: 500}`."""
        most = int(self.most) if self.most == int(self.most) else self.most
        return f"guardrails: {{{self.amount}: {most}}}"


@dataclass(frozen=True, slots=True)
class Stop:
    """A guardrail that an apply would exceed: the whole apply stops before it sends anything.

    `found` is the amount that the apply would change. For `percent` it counts image sets, of
    `recorded` ones; for another guardrail, `recorded` is 0.
    """

    datastore: str
    datastore_id: str
    guardrail: Guardrail
    found: int
    recorded: int = 0
