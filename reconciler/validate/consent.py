"""`allow:` entries -> consents."""

from __future__ import annotations

from reconciler.errors import Diagnostic
from reconciler.model.hazard import Consent, Hazard
from reconciler.model.node import Scalar, shown
from reconciler.validate.words import near_miss

BY_NAME = (
    Hazard.STUDY_WIDE,
    Hazard.REMOVES_INSTANCE,
    Hazard.REMOVES_SERIES,
    Hazard.CHANGES_UID,
    Hazard.CHANGES_PATIENT_IDENTITY,
    Hazard.SPLIT_UPDATE,
)
_IMPLIED = {
    Hazard.FORCE: "`force: true` is the consent to it",
    Hazard.REMOVES_ATTRIBUTE: "the line under `absent` is the consent to it",
    Hazard.REVERTS_VERSION: "the line `revertToVersionId` is the consent to it",
    Hazard.CHANGES_GROUPING: "it needs no consent",
}
_DIGITS = frozenset("0123456789")
_MAX_DIGITS = 19


def parse(node: Scalar) -> Consent | Diagnostic:
    """One entry: a hazard's name, or OVERWRITES_DRIFT@N with the version it may overwrite."""
    name, at, version = node.text.partition("@")
    if name not in Hazard.__members__:
        return _unknown(node, name)
    hazard = Hazard(name)
    if hazard in _IMPLIED:
        hint = f"Remove it from `allow`: {_IMPLIED[hazard]}."
        return Diagnostic(node.place, f"{name} is not consented to by name", hint)
    if hazard is Hazard.OVERWRITES_DRIFT:
        return Consent(hazard, version) if _is_version(version) else _no_version(node)
    if at:
        return Diagnostic(node.place, f"{name} takes no version", f"Write {name}.")
    return Consent(hazard)


def parse_default(node: Scalar) -> Consent | Diagnostic:
    """One entry of the defaults in reconciler.yaml: no consent that belongs to one version."""
    found = parse(node)
    if node.text.partition("@")[0] != Hazard.OVERWRITES_DRIFT:
        return found
    return Diagnostic(
        node.place,
        "OVERWRITES_DRIFT cannot be a default: it is consent to one version of one image set",
        "Write it under `allow` of the manifest.",
    )


def _is_version(text: str) -> bool:
    return 0 < len(text) <= _MAX_DIGITS and text[0] != "0" and _DIGITS.issuperset(text)


def _no_version(node: Scalar) -> Diagnostic:
    return Diagnostic(
        node.place,
        "OVERWRITES_DRIFT names the version whose values may be overwritten",
        "Write it with the version that `reconcile plan` prints, such as OVERWRITES_DRIFT@5.",
    )


def _unknown(node: Scalar, name: str) -> Diagnostic:
    names = [hazard.value for hazard in (*BY_NAME, Hazard.OVERWRITES_DRIFT)]
    meant = near_miss(name, names)
    hint = f"Did you mean {meant}?" if meant else f"Known: {', '.join(names)}."
    return Diagnostic(node.place, f"{shown(name)} is not a hazard", hint)
