"""How far one apply goes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reconciler.core.model.settings import CONCURRENT_UPDATES


@dataclass(frozen=True, slots=True)
class Bounds:
    """Beyond any of these nothing new is sent; what is in flight is seen to its end all the same.

    `limit` counts actions (an image set, or a study as a whole, so that none stops half-way); one
    that turns out to be converged already takes none of it. `deadline` is a moment of the clock.
    `stop_on_error` ends the sending after the first step that did not converge; what the plan
    itself holds back is no such step. `concurrency` is the number of actions in flight in each data
    store, as the quota is of each.
    """

    limit: int | None = None
    deadline: float = math.inf
    stop_on_error: bool = False
    concurrency: int = CONCURRENT_UPDATES
