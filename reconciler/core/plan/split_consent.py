"""Consent to changes that go out in more than one call: the versions in between are visible.

Each manifest consents to the split of its own changes. The calls of one image set count apart from
the study-wide calls: a study-wide call and a call of an image set need no consent, because AWS has
no call that makes both kinds of changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from reconciler.core.model.address import Address
from reconciler.core.model.ask import Source
from reconciler.core.model.change import Change
from reconciler.core.model.diff import SourcedChange
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.plan import HazardUse
from reconciler.core.plan.consent import judge

# What a change is of, on any member of a study.
_Target: TypeAlias = tuple[Address, int | None]


def split_hazards(
    image_set_id: str,
    calls: Sequence[Sequence[Change]],
    sourced: Iterable[SourcedChange],
    defaults: Sequence[Consent],
) -> list[HazardUse]:
    """The consent of each manifest whose changes go out in more than one of the calls.

    Of a change that several manifests ask for, the consent of one of them is enough.
    """
    sources_of = {_target(one.change): one.sources for one in sourced}
    asking = _asking([[sources_of[_target(change)] for change in call] for call in calls])
    uses: dict[HazardUse, None] = {}
    refused: set[Source] = set()
    for source, together in asking.items():
        own = [
            judge(
                Hazard.SPLIT_UPDATE,
                image_set_id,
                (source, *(one for one in sources if one != source)),
                defaults,
            )
            for sources in together
            # A manifest that has to consent anyway consents to what it shares with this manifest.
            if refused.isdisjoint(sources)
        ]
        uses.update(dict.fromkeys(own))
        if not all(use.consented for use in own):
            refused.add(source)
    return list(uses)


def _asking(
    calls: Iterable[Iterable[tuple[Source, ...]]],
) -> dict[Source, dict[tuple[Source, ...], None]]:
    """By manifest whose changes are in several calls, all manifests of each of its changes."""
    numbers: dict[Source, set[int]] = defaultdict(set)
    together: dict[Source, dict[tuple[Source, ...], None]] = defaultdict(dict)
    for number, call in enumerate(calls):
        for sources in call:
            for source in sources:
                numbers[source].add(number)
                together[source][sources] = None
    return {source: together[source] for source in together if len(numbers[source]) > 1}


def _target(change: Change) -> _Target:
    return change.address, change.tag
