"""How long the quotas alone make an apply last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from reconciler.model.plan import Action
from reconciler.model.settings import DOCUMENTED_QUOTAS, Settings

UPDATE = "UpdateImageSetMetadata"


def eta_seconds(actions: Iterable[Action], settings: Settings) -> float:
    """Seconds until the last update may be submitted, the slowest account and region deciding.

    UpdateImageSetMetadata is the scarce call: 0.25 a second, burst 1 (healthimaging §4). An
    emulator has no quota unless reconciler.yaml states one.
    """
    calls: Counter[tuple[str, str]] = Counter()
    rates: dict[tuple[str, str], float] = {}
    for action in actions:
        datastore = settings.datastore(action.datastore)
        rate = _rate(settings, datastore.account_id, datastore.region, datastore.is_aws)
        if rate and action.steps:
            domain = (datastore.account_id, datastore.region)
            calls[domain] += len(action.steps)
            rates[domain] = rate
    burst = DOCUMENTED_QUOTAS[UPDATE].burst
    return max((max(0.0, calls[key] - burst) / rates[key] for key in calls), default=0.0)


def _rate(settings: Settings, account: str, region: str, is_aws: bool) -> float | None:
    own = dict(settings.account_quotas).get(f"{account}/{region}", ())
    stated = dict(own).get(UPDATE, dict(settings.quotas).get(UPDATE))
    return stated if stated or not is_aws else DOCUMENTED_QUOTAS[UPDATE].rate
