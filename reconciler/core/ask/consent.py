"""`allow:` entries -> consents."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.core.ask.explain import near_miss
from reconciler.core.ask.ids import is_image_set_id, not_verbatim
from reconciler.core.errors import Diagnostic
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.node import Scalar, shown

BY_NAME = (
    Hazard.STUDY_WIDE,
    Hazard.REMOVES_INSTANCE,
    Hazard.REMOVES_SERIES,
    Hazard.CHANGES_UID,
    Hazard.CHANGES_OBJECT,
    Hazard.CHANGES_PATIENT_IDENTITY,
    Hazard.SPLIT_UPDATE,
)
# These apply to one version of one image set; what the version is to its consent.
BY_VERSION = {
    Hazard.OVERWRITES_DRIFT: "whose values may be overwritten",
    Hazard.ACCEPTS_UNVERIFIED: "whose content is accepted",
}
# These apply to a number; what it is.
BY_NUMBER = {Hazard.MERGES_PATIENTS: "of PatientIDs that may become one"}
_IMPLIED = {
    Hazard.FORCE: "`force: true` is the consent",
    Hazard.REMOVES_ATTRIBUTE: "the line under `absent` is the consent",
    Hazard.REVERTS_VERSION: "the line `revertToVersionId` is the consent",
    Hazard.RESTORES_INSTANCE: "the line `revertToVersionId` is the consent",
    Hazard.CHANGES_GROUPING: "it needs no consent",
    Hazard.HISTORY_KEEPS_VALUES: "it needs no consent",
}
_DIGITS = frozenset("0123456789")
_MAX_DIGITS = 19
_OTHER_ID = (
    "Write the imageSetId of the image set, or remove the line. `reconcile plan` prints the line "
    "to add."
)


def parse(node: Scalar, image_set_ids: Collection[str] | None) -> Consent | Diagnostic:
    """Parse one entry: the name of a hazard, with a version (OVERWRITES_DRIFT@N) or a number
    (MERGES_PATIENTS@N) if it needs one.

    `image_set_ids` are the image sets of the manifest. If there are several, such an entry must
    name the image set: OVERWRITES_DRIFT@N:<imageSetId>. It may name another: a sibling of the
    study. They are None if the manifest selects them.
    """
    name, at, rest = node.text.partition("@")
    if name not in Hazard.__members__:
        return _unknown(node, name)
    hazard = Hazard(name)
    if hazard in _IMPLIED:
        hint = f"Remove it from `allow`: {_IMPLIED[hazard]}."
        return Diagnostic(node.place, f"{name} is not allowed under `allow`", hint)
    if hazard in BY_VERSION:
        return _by_version(node, hazard, rest, image_set_ids)
    if hazard in BY_NUMBER:
        return _by_number(node, hazard, rest)
    if at:
        without = node.replaced_by(name)
        return Diagnostic(node.place, f"{name} takes no version", f"Write `{name}`.", without)
    return Consent(hazard)


def parse_default(node: Scalar) -> Consent | Diagnostic:
    """Parse one default of reconciler.yaml. A consent with `@` cannot be a default."""
    name = node.text.partition("@")[0]
    if name in BY_VERSION:
        why = "it applies to one version of one image set"
    elif name in BY_NUMBER:
        why = "it applies to the image sets of one manifest"
    else:
        return parse(node, ())
    return Diagnostic(
        node.place,
        f"{name} cannot be a default: {why}",
        "Move it to `allow` of the manifest.",
    )


def _by_number(node: Scalar, hazard: Hazard, number: str) -> Consent | Diagnostic:
    if _is_number(number):
        return Consent(hazard, number=int(number))
    return Diagnostic(
        node.place,
        f"{hazard} needs the number {BY_NUMBER[hazard]}",
        f"Write it with the number that `reconcile plan` prints, such as `{hazard}@2`.",
    )


def _by_version(
    node: Scalar, hazard: Hazard, rest: str, image_set_ids: Collection[str] | None
) -> Consent | Diagnostic:
    version, colon, image_set_id = rest.partition(":")
    several = image_set_ids is None or len(image_set_ids) > 1
    if not _is_number(version):
        return _no_version(node, hazard, several)
    if not colon:
        if several:
            return _no_image_set(node, hazard, version, image_set_ids)
        image_set_id = next(iter(image_set_ids or ()), "")
    elif not is_image_set_id(image_set_id):
        message = (
            f"{shown(image_set_id)} is not an imageSetId: it needs 32 characters, each 0-9 or a-z"
        )
        return Diagnostic(node.place, message, _OTHER_ID)
    elif problem := not_verbatim(node):
        return problem
    return Consent(hazard, version, image_set_id)


def _no_image_set(
    node: Scalar, hazard: Hazard, version: str, image_set_ids: Collection[str] | None
) -> Diagnostic:
    those = "image sets" if image_set_ids is None else f"{len(image_set_ids)} image sets"
    return Diagnostic(
        node.place,
        f"{hazard}@{version} does not say which of the {those} of this manifest it applies to",
        f"Write `{hazard}@{version}:<imageSetId>`, or remove it. `reconcile plan` prints "
        "the line to add.",
    )


def _is_number(text: str) -> bool:
    return 0 < len(text) <= _MAX_DIGITS and text[0] != "0" and _DIGITS.issuperset(text)


def _no_version(node: Scalar, hazard: Hazard, several: bool) -> Diagnostic:
    example = f"{hazard}@5:<imageSetId>" if several else f"{hazard}@5"
    return Diagnostic(
        node.place,
        f"{hazard} needs the version {BY_VERSION[hazard]}",
        f"Write it with the version that `reconcile plan` prints, such as `{example}`.",
    )


def _unknown(node: Scalar, name: str) -> Diagnostic:
    names = [hazard.value for hazard in (*BY_NAME, *BY_NUMBER, *BY_VERSION)]
    meant = near_miss(name, names)
    hint = f"Did you mean {meant}?" if meant else f"Write one of: {', '.join(names)}."
    rest = node.text.removeprefix(name)
    right = node.replaced_by(f"{meant}{rest}", holds_value=bool(rest)) if meant else None
    return Diagnostic(node.place, f"{shown(name)} is not a hazard", hint, right)
