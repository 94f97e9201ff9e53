"""Which hazards of an action are consented to, and the very line that would consent.

Consent is a reviewed line of the manifest that asks for the change, or a default in
reconciler.yaml; never a flag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto

from reconciler.errors import Place
from reconciler.model.ask import Source
from reconciler.model.diff import Diff, Granted
from reconciler.model.hazard import Consent, Hazard
from reconciler.model.plan import Action, HazardUse


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
    changes: Iterable[Granted],
    version_of: Mapping[str, str],
    diffs: Iterable[Diff],
    defaults: Sequence[Consent],
) -> list[HazardUse]:
    """The hazards that single changes carry, each once per image set and answer.

    Primary image sets of a study often stand at one version number, so consent to overwrite what
    drifted counts only in a manifest that names the very image set.
    """
    naming = {diff.image_set_id: diff.ask.sources for diff in diffs}
    uses: dict[HazardUse, None] = {}
    for granted in changes:
        name = granted.change.image_set_id
        for hazard in granted.change.hazards:
            sources = granted.sources
            if CONSENT[hazard] is By.NAME_AND_VERSION:
                sources = tuple(source for source in sources if source in naming[name])
            uses[judge(hazard, name, version_of[name], sources, defaults)] = None
    return sorted(uses, key=lambda use: (use.image_set_id, use.hazard, str(use.place or "")))


def with_whole_lines(actions: Iterable[Action], diffs: Iterable[Diff]) -> list[Action]:
    """Make every missing consent print the whole `allow:` line of its manifest.

    A manifest has one `allow:` line for all its image sets, so what still holds of it and all
    that is missing belong on it together: the line can be pasted as it is.
    """
    actions = list(actions)
    missing: dict[Place, set[Consent]] = {}
    for action in actions:
        version_of = {member.image_set_id: member.pin for member in action.members}
        for use in action.hazards:
            if _lacks_name(use) and use.place is not None:
                missing.setdefault(use.place, set()).add(_wanted(use, version_of))
    lines = {
        place: f"allow: [{', '.join(map(str, (*_holding(place, diffs), *sorted(wanted))))}]"
        for place, wanted in missing.items()
    }
    return [
        replace(
            action,
            hazards=tuple(
                replace(use, consent=lines[use.place])
                if _lacks_name(use) and use.place is not None
                else use
                for use in action.hazards
            ),
        )
        for action in actions
    ]


def _lacks_name(use: HazardUse) -> bool:
    return not use.consented and CONSENT[use.hazard] in (By.NAME, By.NAME_AND_VERSION)


def _wanted(use: HazardUse, version_of: Mapping[str, str]) -> Consent:
    by_version = CONSENT[use.hazard] is By.NAME_AND_VERSION
    return Consent(use.hazard, version_of[use.image_set_id] if by_version else "")


def _holding(place: Place, diffs: Iterable[Diff]) -> tuple[Consent, ...]:
    """The consents of a manifest that have not lapsed: OVERWRITES_DRIFT@N only while N is live."""
    found: dict[Consent, None] = {}
    for diff in diffs:
        properties = diff.reading.properties
        for source in diff.ask.sources:
            if source.place == place:
                for consent in source.allow:
                    if not consent.version_id or (
                        properties is not None and consent.version_id == properties.version_id
                    ):
                        found[consent] = None
    return tuple(found)
