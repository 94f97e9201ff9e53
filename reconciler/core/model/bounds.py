"""The limits of one apply."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reconciler.core.model.settings import CONCURRENT_UPDATES


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits beyond which nothing new is sent. Calls in flight are always finished.

    `limit` is the maximum number of actions (an image set or a whole study); actions that are
    already converged do not count. `deadline` is a time of the clock. `stop_on_error` stops after
    the first step that did not converge; actions that the plan holds back do not count.
    `concurrency` is the maximum number of actions in flight in each data store, as is the quota.
    """

    limit: int | None = None
    deadline: float = math.inf
    stop_on_error: bool = False
    concurrency: int = CONCURRENT_UPDATES
