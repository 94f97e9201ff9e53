"""Which hazards of an action are consented to, and the very line that would consent.

Consent is a reviewed line of the manifest that asks for the change, or a default in
reconciler.yaml; never a flag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto

from reconciler.model.ask import Source
from reconciler.model.diff import Granted
from reconciler.model.hazard import Consent, Hazard
from reconciler.model.plan import HazardUse


class By(Enum):
    """How a hazard is consented to."""

    LINE = auto()  # the line that asks for the change is the consent
    NOTHING = auto()  # none needed, always shown
    FORCE = auto()  # `force: true`
    NAME = auto()  # `allow: [NAME]`
    NAME_AND_VERSION = auto()  # `allow: [NAME@N]`, so that consent lapses by itself


CONSENT: Mapping[Hazard, By] = {
    Hazard.REMOVES_ATTRIBUTE: By.LINE,
    Hazard.REVERTS_VERSION: By.LINE,
    Hazard.FORCE: By.FORCE,
    Hazard.CHANGES_GROUPING: By.NOTHING,
    Hazard.STUDY_WIDE: By.NAME,
    Hazard.REMOVES_INSTANCE: By.NAME,
    Hazard.REMOVES_SERIES: By.NAME,
    Hazard.CHANGES_UID: By.NAME,
    Hazard.CHANGES_PATIENT_IDENTITY: By.NAME,
    Hazard.SPLIT_UPDATE: By.NAME,
    Hazard.OVERWRITES_DRIFT: By.NAME_AND_VERSION,
}


def judge(
    hazard: Hazard,
    image_set_id: str,
    version_id: str,
    sources: Sequence[Source],
    defaults: Sequence[Consent],
) -> HazardUse:
    """Whether one of the manifests behind a hazard consents to it, or reconciler.yaml does."""
    place = sources[0].place if sources else None
    match CONSENT[hazard]:
        case By.LINE | By.NOTHING:
            return HazardUse(hazard, image_set_id, True)
        case By.FORCE:
            forced = any(source.force for source in sources)
            line = "" if forced else "force: true"
            return HazardUse(hazard, image_set_id, forced, line, place)
        case By.NAME:
            wanted = Consent(hazard)
        case By.NAME_AND_VERSION:
            wanted = Consent(hazard, version_id)
    given = wanted in defaults or any(wanted in source.allow for source in sources)
    line = "" if given else f"allow: [{wanted}]"
    return HazardUse(hazard, image_set_id, given, line, place)


def change_hazards(
    changes: Iterable[Granted], version_of: Mapping[str, str], defaults: Sequence[Consent]
) -> list[HazardUse]:
    """The hazards that single changes carry, each once per image set and answer."""
    uses: dict[HazardUse, None] = {}
    for granted in changes:
        change = granted.change
        for hazard in change.hazards:
            version = version_of[change.image_set_id]
            uses[judge(hazard, change.image_set_id, version, granted.sources, defaults)] = None
    return sorted(uses, key=lambda use: (use.image_set_id, use.hazard, str(use.place or "")))


def with_whole_lines(uses: Sequence[HazardUse], sources: Iterable[Source]) -> list[HazardUse]:
    """Make every missing consent print the whole `allow:` line of its manifest.

    A manifest has one `allow:` line, so what is there already and all that is missing belong
    on it together: the line can be pasted as it is.
    """
    by_place = {source.place: source for source in sources}
    missing: dict[object, list[str]] = {}
    for use in uses:
        if use.consent.startswith("allow:"):
            missing.setdefault(use.place, []).append(use.consent[len("allow: [") : -1])
    result = []
    for use in uses:
        if use.consent.startswith("allow:") and use.place is not None:
            already = [str(consent) for consent in by_place[use.place].allow]
            names = list(dict.fromkeys([*already, *sorted(set(missing[use.place]))]))
            use = replace(use, consent=f"allow: [{', '.join(names)}]")
        result.append(use)
    return result
