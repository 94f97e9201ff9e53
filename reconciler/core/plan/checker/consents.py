"""Check that the manifests of an action consent to its hazards, each to its own changes alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from reconciler.core.errors import Place
from reconciler.core.model.address import Level
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Status
from reconciler.core.plan.checker.calls import Calls, grouped_calls
from reconciler.core.plan.consent import CONSENT, By


def of_consents(action: Action) -> Iterator[str]:
    """No manifest consents to a change that only other manifests ask for."""
    shown = {(use.hazard, use.image_set_id) for use in action.hazards}
    given = {(use.hazard, use.image_set_id, use.place) for use in action.hazards}
    lacking = dict.fromkeys(
        (hazard, name)
        for hazard, name, manifests in _consents(action)
        if (hazard, name) not in shown
        or (manifests and not any((hazard, name, place) in given for place in manifests))
    )
    for hazard, name in lacking:
        if (hazard, name) in shown:
            yield f"consent to {hazard} of image set {name} is of another manifest"
        else:
            yield f"{hazard} of image set {name} is not shown"


def of_manifests(action: Action) -> Iterator[str]:
    """Either every change states the manifests that ask for it, or the action has one manifest."""
    several = any(change.manifests for change in action.changes)
    for change in action.changes:
        if bool(change.manifests) != several:
            yield (
                f"the manifests that ask for a change of image set {change.image_set_id} are not "
                "stated"
            )


def of_drift(action: Action) -> Iterator[str]:
    """Drift is stated by the status, and overwritten only by consent to a version that has it."""
    if action.status is Status.DRIFTED and not any(one.drifted for one in action.changes):
        yield "the status of the action states drift, but no value drifted"
    versions = {member.image_set_id: member.pin for member in action.members}
    for change in action.changes:
        pin = versions.get(change.image_set_id, "")
        if not all(_is_between(change.baseline, one, pin) for one in change.consent_versions):
            yield (
                f"consent to overwrite drift of a change of image set {change.image_set_id} is for "
                "a version without that drift"
            )


def _is_between(baseline: str, version: str, pin: str) -> bool:
    """Whether a version is after the baseline, and not after the version that was read."""
    after = not baseline.isdecimal() or int(baseline) < int(version)
    return after and pin.isdecimal() and int(version) <= int(pin)


def _consents(action: Action) -> Iterator[tuple[Hazard, str, tuple[Place, ...]]]:
    """Each hazard that needs consent, its image set, and the manifests that may consent.

    The manifests are () if the action has one manifest.
    """
    for change in action.changes:
        for hazard in change.hazards:
            if CONSENT[hazard] not in (By.LINE, By.NOTHING):
                yield hazard, change.image_set_id, change.manifests
    wide = [use for use in action.hazards if use.hazard is Hazard.STUDY_WIDE]
    wide_calls = sum(step.study_wide for step in action.steps)
    if len(action.steps) == 1 and not wide_calls:
        return  # Nothing is split. To read the call again takes a third of the check.
    for group in grouped_calls(action):
        earlier = 0 if group.study_wide else wide_calls
        if earlier + len(group.changes) > 1:  # the versions in between are visible
            yield Hazard.SPLIT_UPDATE, group.image_set_id, ()
        # If manifests name every image set of the study, its use names no manifest.
        for call in group.changes if group.study_wide and all(use.place for use in wide) else ():
            for change in call:
                yield Hazard.STUDY_WIDE, group.image_set_id, change.manifests
        for place in _split(group):
            yield Hazard.SPLIT_UPDATE, group.image_set_id, (place,) if place else ()


def _split(group: Calls) -> list[Place | None]:
    """The manifests whose changes at one level are in several calls.

    None stands for the manifest of the action.
    """
    found: dict[tuple[Place | None, Level], set[int]] = defaultdict(set)
    for number, call in enumerate(group.changes):
        for change in call:
            for place in change.manifests or (None,):
                found[place, change.address.level].add(number)
    return list(dict.fromkeys(place for (place, _), calls in found.items() if len(calls) > 1))
