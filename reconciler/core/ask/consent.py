"""`allow:` entries -> consents."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.core.ask.explain import near_miss
from reconciler.core.errors import Diagnostic
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.node import Scalar, shown

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
_ID_CHARACTERS = _DIGITS.union("abcdefghijklmnopqrstuvwxyz")
_ID_LENGTH = 32
_OTHER_ID = (
    "Write one that this manifest names, or take it out: `reconcile plan` prints the line to add."
)


def parse(node: Scalar, image_set_ids: Collection[str]) -> Consent | Diagnostic:
    """One entry: a hazard's name, or OVERWRITES_DRIFT@N with the version it may overwrite.

    `image_set_ids` are those that the manifest names; where it names several, the entry has to say
    which one: OVERWRITES_DRIFT@N:<imageSetId>.
    """
    name, at, rest = node.text.partition("@")
    if name not in Hazard.__members__:
        return _unknown(node, name)
    hazard = Hazard(name)
    if hazard in _IMPLIED:
        hint = f"Remove it from `allow`: {_IMPLIED[hazard]}."
        return Diagnostic(node.place, f"{name} is not consented to by name", hint)
    if hazard is Hazard.OVERWRITES_DRIFT:
        return _drift(node, rest, image_set_ids)
    if at:
        return Diagnostic(node.place, f"{name} takes no version", f"Write {name}.")
    return Consent(hazard)


def parse_default(node: Scalar) -> Consent | Diagnostic:
    """One entry of the defaults in reconciler.yaml: no consent that belongs to one version."""
    if node.text.partition("@")[0] != Hazard.OVERWRITES_DRIFT:
        return parse(node, ())
    return Diagnostic(
        node.place,
        "OVERWRITES_DRIFT cannot be a default: it is consent to one version of one image set",
        "Write it under `allow` of the manifest.",
    )


def _drift(node: Scalar, rest: str, image_set_ids: Collection[str]) -> Consent | Diagnostic:
    version, colon, image_set_id = rest.partition(":")
    if not _is_version(version):
        return _no_version(node, len(image_set_ids) > 1)
    if not colon:
        if len(image_set_ids) > 1:
            return _of_nobody(node, version, len(image_set_ids))
        image_set_id = next(iter(image_set_ids), "")
    elif not _is_image_set_id(image_set_id):
        message = f"{shown(image_set_id)} is not an imageSetId: 32 characters, each 0-9 or a-z"
        return Diagnostic(node.place, message, _OTHER_ID)
    elif image_set_ids and image_set_id not in image_set_ids:
        message = f"this manifest does not name the image set {image_set_id}"
        return Diagnostic(node.place, message, _OTHER_ID)
    return Consent(Hazard.OVERWRITES_DRIFT, version, image_set_id)


def _of_nobody(node: Scalar, version: str, count: int) -> Diagnostic:
    return Diagnostic(
        node.place,
        f"OVERWRITES_DRIFT@{version} does not say which of the {count} image sets of this manifest "
        "may be overwritten",
        f"Write OVERWRITES_DRIFT@{version}:<imageSetId>, or take it out: `reconcile plan` prints "
        "the line to add.",
    )


def _is_image_set_id(text: str) -> bool:
    return len(text) == _ID_LENGTH and _ID_CHARACTERS.issuperset(text)


def _is_version(text: str) -> bool:
    return 0 < len(text) <= _MAX_DIGITS and text[0] != "0" and _DIGITS.issuperset(text)


def _no_version(node: Scalar, several: bool) -> Diagnostic:
    example = "OVERWRITES_DRIFT@5:<imageSetId>" if several else "OVERWRITES_DRIFT@5"
    return Diagnostic(
        node.place,
        "OVERWRITES_DRIFT names the version whose values may be overwritten",
        f"Write it with the version that `reconcile plan` prints, such as {example}.",
    )


def _unknown(node: Scalar, name: str) -> Diagnostic:
    names = [hazard.value for hazard in (*BY_NAME, Hazard.OVERWRITES_DRIFT)]
    meant = near_miss(name, names)
    hint = f"Did you mean {meant}?" if meant else f"Known: {', '.join(names)}."
    return Diagnostic(node.place, f"{shown(name)} is not a hazard", hint)
