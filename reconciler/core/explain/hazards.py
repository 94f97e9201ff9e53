"""Explains every hazard: its danger, its consent, and what to do before consenting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core.dicom.description import OBJECT
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.dicom.identity import IDENTIFYING, PATIENT_IDENTITY
from reconciler.core.diff.hazards import GROUPING, UIDS
from reconciler.core.explain.hazard_texts import TEXTS
from reconciler.core.explain.model import Explanation
from reconciler.core.model.hazard import Hazard
from reconciler.core.plan.consent import CONSENT, By
from reconciler.core.review.explain import MEANING

# The attributes that a hazard is about.
_ATTRIBUTES: Mapping[Hazard, frozenset[int]] = {
    Hazard.CHANGES_GROUPING: GROUPING,
    Hazard.CHANGES_UID: UIDS,
    Hazard.CHANGES_OBJECT: OBJECT,
    Hazard.CHANGES_PATIENT_IDENTITY: PATIENT_IDENTITY,
    Hazard.HISTORY_KEEPS_VALUES: IDENTIFYING,
}
_LINES: Mapping[By, str] = {
    By.LINE: "",
    By.NOTHING: "",
    By.FORCE: "force: true",
    By.NAME: "allow: [{hazard}]",
    By.NAME_AND_VERSION: "allow: [{hazard}@5]",
    By.NAME_AND_NUMBER: "allow: [{hazard}@2]",
}
_HOW: Mapping[By, str] = {
    By.LINE: "The line that asks for the change is the consent. The plan still shows the hazard.",
    By.NOTHING: "None needed. The plan always shows the hazard.",
    By.FORCE: "Add this line to the manifest:",
    By.NAME: "Add this line to the manifest, or to reconciler.yaml for all manifests:",
    By.NAME_AND_VERSION: (
        "Add this line to the manifest, with the version that the plan prints. If the manifest "
        "names several image sets, write `{hazard}@5:<imageSetId>`."
    ),
    By.NAME_AND_NUMBER: (
        "Add this line to the manifest, with the number that the plan prints. It is a maximum."
    ),
}


def hazards() -> tuple[Explanation, ...]:
    """Return the explanations of all hazards."""
    return tuple(map(_explained, TEXTS))


def _explained(text: Explanation) -> Explanation:
    hazard = Hazard(text.word)
    by, tags = CONSENT[hazard], _ATTRIBUTES.get(hazard)
    return replace(
        text,
        summary=MEANING[hazard],
        facts=(("Attributes", _names(tags)),) if tags else (),
        consent=_HOW[by].format(hazard=hazard),
        consent_line=_LINES[by].format(hazard=hazard),
    )


def _names(tags: frozenset[int]) -> str:
    """The keywords, or the number of them if they are many."""
    names = [by_tag(tag).keyword for tag in sorted(tags)]
    if len(names) <= _SHOWN_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:_SHOWN_NAMES])} and {len(names) - _SHOWN_NAMES} others"


_SHOWN_NAMES = 16
