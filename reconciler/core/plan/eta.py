"""Estimate how long an apply takes at the quotas, also as it would be without study-wide calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from reconciler.core.model.address import Level
from reconciler.core.model.plan import Action, Estimate
from reconciler.core.model.settings import Quota, Settings, quotas_by_domain

UPDATE = "UpdateImageSetMetadata"


def eta_seconds(actions: Iterable[Action], settings: Settings) -> float:
    """Seconds until the last update may be sent, at the slowest of the quotas.

    UpdateImageSetMetadata is the scarce call: 0.25 a second, burst 1. An emulator has no quota
    unless reconciler.yaml states one.

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/throttling-limits.html
    """
    return _estimate(actions, settings, lambda action: len(action.steps)).eta_seconds


def without_study_wide(actions: Sequence[Action], settings: Settings) -> Estimate | None:
    """What the apply would take if each image set had calls of its own.

    None if that would be no more calls.
    """
    found = _estimate(actions, settings, _calls_alone)
    made = sum(len(action.steps) for action in actions)
    return found if found.calls > made else None


def _calls_alone(action: Action) -> int:
    """The calls of an action whose image sets do not share any, at the least.

    A call of its own would carry all changes of an image set, as far as they fit into it. An image
    set on which a study-wide call changes nothing would need none.
    """
    wide = sum(step.study_wide for step in action.steps)
    if not wide:
        return len(action.steps)
    own = Counter(step.image_set_id for step in action.steps if not step.study_wide)
    shared = {one.image_set_id for one in action.changes if one.address.level <= Level.STUDY}
    return sum(max(own[name], wide if name in shared else 0) for name in own.keys() | shared)


def _estimate(
    actions: Iterable[Action], settings: Settings, calls_of: Callable[[Action], int]
) -> Estimate:
    calls: Counter[tuple[str, str]] = Counter()
    for action in actions:
        calls[settings.datastore(action.datastore).quota_domain] += calls_of(action)
    quotas = quotas_by_domain(settings)
    seconds = (_seconds(count, quotas[domain].get(UPDATE)) for domain, count in calls.items())
    return Estimate(calls.total(), max(seconds, default=0.0))


def _seconds(calls: int, quota: Quota | None) -> float:
    return max(0.0, calls - quota.burst) / quota.rate if quota else 0.0
