"""How long the quotas alone make an apply last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.model.plan import Action
from reconciler.model.settings import Quota, Settings, quotas_of

UPDATE = "UpdateImageSetMetadata"


def eta_seconds(actions: Iterable[Action], settings: Settings) -> float:
    """Seconds until the last update may be submitted, the slowest account and region deciding.

    UpdateImageSetMetadata is the scarce call: 0.25 a second, burst 1 (healthimaging §4). An
    emulator has no quota unless reconciler.yaml states one.
    """
    calls: Counter[tuple[str, str]] = Counter()
    quotas: dict[tuple[str, str], Quota] = {}
    for action in actions:
        datastore = settings.datastore(action.datastore)
        quota = quotas_of(datastore, settings).get(UPDATE)
        if quota and action.steps:
            domain = (datastore.account_id, datastore.region)
            calls[domain] += len(action.steps)
            quotas[domain] = quota
    return max(
        (max(0.0, calls[key] - quota.burst) / quota.rate for key, quota in quotas.items()),
        default=0.0,
    )
