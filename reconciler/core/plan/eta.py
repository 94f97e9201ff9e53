"""Estimate how long an apply takes at the quotas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.core.model.plan import Action
from reconciler.core.model.settings import Quota, Settings, quotas_by_domain

UPDATE = "UpdateImageSetMetadata"


def eta_seconds(actions: Iterable[Action], settings: Settings) -> float:
    """Seconds until the last update may be sent, at the slowest of the quotas.

    UpdateImageSetMetadata is the scarce call: 0.25 a second, burst 1. An emulator has no quota
    unless reconciler.yaml states one.

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/throttling-limits.html
    """
    calls: Counter[tuple[str, str]] = Counter()
    for action in actions:
        calls[settings.datastore(action.datastore).quota_domain] += len(action.steps)
    quotas = quotas_by_domain(settings)
    return max(
        (_seconds(count, quotas[domain].get(UPDATE)) for domain, count in calls.items()),
        default=0.0,
    )


def _seconds(calls: int, quota: Quota | None) -> float:
    return max(0.0, calls - quota.burst) / quota.rate if quota else 0.0
