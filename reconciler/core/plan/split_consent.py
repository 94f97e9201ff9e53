"""Consent to changes that go out in more than one call: the versions in between are visible.

Each manifest consents if its own changes at one level go out in more than one call. The calls of
one image set count apart from the study-wide calls. Any other image set whose version rises more
than once shows the hazard without a need for consent, such as after a study-wide call: AWS has no
call that makes both kinds of changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from reconciler.core.model.address import Address, Level
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
    *,
    earlier: int = 0,
) -> list[HazardUse]:
    """The consent of each manifest whose changes at one level go out in more than one of the calls.

    Of a change that several manifests ask for, the consent of one of them is enough. If no manifest
    has to consent, the hazard is shown where the image set gets more than one version; `earlier` is
    the number of study-wide calls that come before.
    """
    sources_of = {_target(one.change): one.sources for one in sourced}
    asking = _asking(
        [[(one.address.level, sources_of[_target(one)]) for one in call] for call in calls]
    )
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
    if not uses and calls and earlier + len(calls) > 1:
        return [HazardUse(Hazard.SPLIT_UPDATE, image_set_id, True)]
    return list(uses)


def once_each(uses: Iterable[HazardUse]) -> list[HazardUse]:
    """Drop what only shows the split of an image set if a manifest consents to it, or must."""
    found = list(uses)
    asked = {use.image_set_id for use in found if use.place is not None}
    return [use for use in found if use.place is not None or use.image_set_id not in asked]


def _asking(
    calls: Iterable[Iterable[tuple[Level, tuple[Source, ...]]]],
) -> dict[Source, dict[tuple[Source, ...], None]]:
    """By manifest with a level that is in several calls, all manifests of each change there."""
    numbers: dict[tuple[Source, Level], set[int]] = defaultdict(set)
    together: dict[tuple[Source, Level], dict[tuple[Source, ...], None]] = defaultdict(dict)
    for number, call in enumerate(calls):
        for level, sources in call:
            for source in sources:
                numbers[source, level].add(number)
                together[source, level][sources] = None
    split: dict[Source, dict[tuple[Source, ...], None]] = defaultdict(dict)
    for (source, level), sources_of_each in together.items():
        if len(numbers[source, level]) > 1:
            split[source] |= sources_of_each
    return split


def _target(change: Change) -> _Target:
    return change.address, change.tag
