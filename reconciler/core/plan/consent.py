"""Judge which hazards of an action have consent, and print the line that would consent.

Consent is a reviewed line of the manifest that asks for the change, or a default in
reconciler.yaml; never a flag.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from enum import Enum, auto

from reconciler.core.errors import Place
from reconciler.core.model.ask import Source
from reconciler.core.model.diff import Diff, SourcedChange
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.plan import Action, HazardUse

# A list may name thousands of image sets. If all of them drift, every action prints a line. If each
# line named all of them, the size of the plan would grow with the square of their number.
MISSING_SHOWN = 20


class By(Enum):
    """How a hazard is consented to."""

    LINE = auto()  # the line that asks for the change is the consent
    NOTHING = auto()  # no consent needed, always shown
    FORCE = auto()  # `force: true`
    NAME = auto()  # `allow: [NAME]`
    NAME_AND_VERSION = auto()  # `allow: [NAME@N]` for one image set: ends with version N
    NAME_AND_NUMBER = auto()  # `allow: [NAME@N]`: at most N


CONSENT: Mapping[Hazard, By] = {
    Hazard.REMOVES_ATTRIBUTE: By.LINE,
    Hazard.REVERTS_VERSION: By.LINE,
    Hazard.RESTORES_INSTANCE: By.LINE,
    Hazard.FORCE: By.FORCE,
    Hazard.CHANGES_GROUPING: By.NOTHING,
    Hazard.HISTORY_KEEPS_VALUES: By.NOTHING,
    Hazard.STUDY_WIDE: By.NAME,
    Hazard.REMOVES_INSTANCE: By.NAME,
    Hazard.REMOVES_SERIES: By.NAME,
    Hazard.CHANGES_UID: By.NAME,
    Hazard.CHANGES_OBJECT: By.NAME,
    Hazard.CHANGES_PATIENT_IDENTITY: By.NAME,
    Hazard.SPLIT_UPDATE: By.NAME,
    Hazard.MERGES_PATIENTS: By.NAME_AND_NUMBER,
    Hazard.OVERWRITES_DRIFT: By.NAME_AND_VERSION,
    Hazard.ACCEPTS_UNVERIFIED: By.NAME_AND_VERSION,
}


def consent_to(hazard: Hazard, image_set_id: str, version_id: str) -> Consent:
    """The consent that a hazard of an image set at a version needs."""
    if CONSENT[hazard] is By.NAME_AND_VERSION:
        return Consent(hazard, version_id, image_set_id)
    return Consent(hazard)


def judge(
    hazard: Hazard,
    image_set_id: str,
    sources: Sequence[Source],
    defaults: Sequence[Consent],
    versions: Sequence[str] = (),
) -> HazardUse:
    """Whether one of the manifests behind a hazard consents to it, or reconciler.yaml does.

    A consent by version may name any of `versions`; the last one is the one to ask for.
    """
    place = sources[0].place if sources else None
    match CONSENT[hazard]:
        case By.LINE | By.NOTHING:
            return HazardUse(hazard, image_set_id, True)
        case By.FORCE:
            forced = any(source.force for source in sources)
            line = "" if forced else "force: true"
            return HazardUse(hazard, image_set_id, forced, line, place)
        case By.NAME_AND_NUMBER:
            return judge_number(hazard, image_set_id, dict.fromkeys(sources, 1))
        case By.NAME | By.NAME_AND_VERSION:
            accepted = [consent_to(hazard, image_set_id, one) for one in versions or ("",)]
    given = any(
        consent in defaults or any(consent in source.allow for source in sources)
        for consent in accepted
    )
    line = "" if given else _line([accepted[-1]], sources[0] if sources else None)
    return HazardUse(hazard, image_set_id, given, line, place, accepted[-1].version_id)


def judge_number(hazard: Hazard, image_set_id: str, needs: Mapping[Source, int]) -> HazardUse:
    """Whether one of the manifests behind a hazard consents to the number that it needs itself."""
    first, number = next(iter(needs.items()))
    given = any(
        consent.hazard is hazard and consent.number >= needed
        for source, needed in needs.items()
        for consent in source.allow
    )
    line = "" if given else _line([Consent(hazard, number=number)], first)
    return HazardUse(hazard, image_set_id, given, line, first.place, number=number)


def acceptance_hazards(diff: Diff) -> list[HazardUse]:
    """The hazards of versions that our updates made otherwise than planned."""
    return [
        judge(Hazard.ACCEPTS_UNVERIFIED, diff.image_set_id, one.sources, (), [one.version_id])
        for one in diff.acceptances
    ]


def change_hazards(
    changes: Iterable[SourcedChange],
    diffs: Iterable[Diff],
    defaults: Sequence[Consent],
) -> list[HazardUse]:
    """The hazards of single changes, each once per image set and answer.

    Consent to overwrite drift must stand in a manifest that names the image set itself. If none of
    these asks for the change, it must stand in the manifest that asks for it of the study.
    """
    naming = {diff.image_set_id: diff.ask.sources for diff in diffs}
    uses: dict[HazardUse, None] = {}
    for sourced in changes:
        change = sourced.change
        for hazard in change.hazards:
            sources, versions = sourced.sources, tuple[str, ...]()
            if CONSENT[hazard] is By.NAME_AND_VERSION:
                named = naming.get(change.image_set_id, ())
                own = tuple(source for source in sources if source in named)
                # A sibling that another manifest changes: that manifest has to consent.
                sources, versions = own or sources, change.consent_versions
            uses[judge(hazard, change.image_set_id, sources, defaults, versions)] = None
    return sorted(uses, key=lambda use: (use.image_set_id, use.hazard, str(use.place or "")))


def with_whole_lines(actions: Iterable[Action], diffs: Sequence[Diff]) -> list[Action]:
    """Make every missing consent print the whole `allow:` line of its manifest.

    A manifest has one `allow:` line for all its image sets. So the line has the consents that still
    apply and the missing consents, and can be pasted as it is. If many are missing, the line has
    the first of them, and always those of the action itself.
    """
    actions = list(actions)
    lacking = [_lacking(action) for action in actions]
    missing: dict[Place, set[Consent]] = defaultdict(set)
    for wanted in lacking:
        for place, consents in wanted.items():
            missing[place] |= consents
    sources = {source.place: source for diff in diffs for source in diff.ask.sources}
    needed = {consent for action in actions for consent in needed_by(action)}
    held = {place: _holding(sources[place], needed, missing[place]) for place in missing}
    first = {place: sorted(missing[place], key=_names_first)[:MISSING_SHOWN] for place in missing}
    return [
        _with_lines(
            action,
            {
                place: _line([*held[place], *sorted(own.union(first[place]))], sources[place])
                for place, own in wanted.items()
            },
        )
        for action, wanted in zip(actions, lacking, strict=True)
    ]


def _with_lines(action: Action, lines: Mapping[Place, str]) -> Action:
    hazards = tuple(
        replace(use, consent=lines[use.place])
        if _lacks_name(use) and use.place is not None
        else use
        for use in action.hazards
    )
    return replace(action, hazards=hazards)


def _line(consents: Iterable[Consent], source: Source | None) -> str:
    """The `allow:` line of a manifest. Without a manifest, consents are spelled in full."""
    own = source.own if source is not None else ""
    return f"allow: [{', '.join(consent.spelled(own) for consent in consents)}]"


def _names_first(consent: Consent) -> tuple[bool, Consent]:
    return bool(consent.version_id), consent


def _lacking(action: Action) -> dict[Place, set[Consent]]:
    """The consents that an action lacks, by the manifest that has to give them."""
    found: dict[Place, set[Consent]] = defaultdict(set)
    for use in action.hazards:
        if _lacks_name(use) and use.place is not None:
            found[use.place].add(_consent_of(use))
    return found


def _consent_of(use: HazardUse) -> Consent:
    if use.number:
        return Consent(use.hazard, number=use.number)
    return consent_to(use.hazard, use.image_set_id, use.version_id)


def needed_by(action: Action) -> set[Consent]:
    """What an action needs; to overwrite drift, each version that permits it.

    A hazard that is only shown names no manifest.
    """
    needed = {_consent_of(use) for use in action.hazards if use.place is not None}
    return needed | {
        consent_to(Hazard.OVERWRITES_DRIFT, change.image_set_id, version)
        for change in action.changes
        for version in change.consent_versions
    }


def _lacks_name(use: HazardUse) -> bool:
    return not use.consented and CONSENT[use.hazard] in _NAMED


_NAMED = (By.NAME, By.NAME_AND_VERSION, By.NAME_AND_NUMBER)


def _holding(source: Source, needed: Set[Consent], missing: Iterable[Consent]) -> list[Consent]:
    """The consents of a manifest that still hold.

    A consent by version holds only while it is needed, and one by number until a larger number is
    needed.
    """
    replaced = {consent.hazard for consent in missing if consent.number}
    return [
        consent
        for consent in source.allow
        if (not consent.version_id or consent in needed)
        and not (consent.number and consent.hazard in replaced)
    ]
