"""Compares the claims on one attribute with its value in the document."""

from __future__ import annotations

from reconciler.core.dicom.agreement import typed
from reconciler.core.dicom.canonical import same
from reconciler.core.dicom.constraints import force_reasons, holds_pixel_data
from reconciler.core.dicom.content import Section, key_vr, live_keys, section_at, section_of
from reconciler.core.dicom.creators import is_creator
from reconciler.core.dicom.dictionary import by_tag, document_key
from reconciler.core.dicom.live_form import LiveFormError, in_live_form
from reconciler.core.diff.paths import claim_path
from reconciler.core.model.address import Address
from reconciler.core.model.ask import Claim, ClaimKind
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.settings import Rules
from reconciler.core.model.value import Document, Json, Value


def compare(
    image_set_id: str, document: Document, place: Address, claims: list[Claim], rules: Rules
) -> Change | Block | None:
    """Return the change that one attribute needs, None if it needs no change, or a block."""
    claim = claims[0]
    section = section_at(document, place)
    if section is None or not section:
        return _no_module(image_set_id, place, claim)
    assert claim.tag is not None
    keys = live_keys(section, claim.tag)
    if len(keys) > 1:
        return _twice(image_set_id, claim, keys)
    key = keys[0] if keys else None
    if claim.kind is ClaimKind.ABSENT:
        return _absent(image_set_id, place, claims, section, key, rules)
    return _present(image_set_id, place, _stated(claims), section, key)


def _stated(claims: list[Claim]) -> Claim:
    """Return the claim that states a VR, from claims that are equal otherwise."""
    return next((claim for claim in claims if claim.vr), claims[0])


def _no_module(image_set_id: str, place: Address, claim: Claim) -> Block:
    return Block(
        image_set_id,
        f"the document has no {place.shown()} to update",
        "Correct the level or the UID. An update cannot create a level, a series or an instance.",
        claim.place,
        claim_path(claim),
    )


def _twice(image_set_id: str, claim: Claim, keys: tuple[str, ...]) -> Block:
    return Block(
        image_set_id,
        f"the document contains this attribute more than once, as {' and '.join(keys)}",
        "Ask AWS support to fix the document. AWS does not document what an update would do.",
        claim.place,
        claim_path(claim),
    )


def _pixels(image_set_id: str, claim: Claim) -> Block:
    return Block(
        image_set_id,
        "the sequence holds pixel data, which is never sent",
        "Remove the line. HealthImaging takes a sequence only as a whole, with its pixel data.",
        claim.place,
        claim_path(claim),
    )


def _unexpected(image_set_id: str, claim: Claim, vr: str, key: str, live: Json) -> Block | None:
    """Report a live value other than the value that the removal states."""
    if claim.value is None:
        return None
    expected = typed(claim, vr)
    if isinstance(expected, Value) and same(vr, expected.raw, live):
        return None
    return Block(
        image_set_id,
        f"the live value of {key} is not the value that the manifest expects to remove",
        "Check the live value. Then correct the value in the manifest, or list the keyword alone.",
        claim.place,
        claim_path(claim),
    )


def _absent(
    image_set_id: str,
    place: Address,
    claims: list[Claim],
    section: Section,
    key: str | None,
    rules: Rules,
) -> Change | Block | None:
    claim = claims[0]
    if key is None or claim.tag is None:
        return None
    vr = key_vr(section, key)
    live = section_of(section, "DICOM")[key]
    for rival in claims:
        if unexpected := _unexpected(image_set_id, rival, vr, key, live):
            return unexpected
    if holds_pixel_data(live):
        return _pixels(image_set_id, claim)
    reasons = force_reasons(
        by_tag(claim.tag),
        vr,
        live,
        removal=True,
        removals_need_force=rules.removals_need_force,
    )
    return Change(
        image_set_id=image_set_id,
        op=Op.REMOVE,
        address=place,
        key=key,
        tag=claim.tag,
        vr=vr,
        before=Value(live),
        after=None,
        place=claim.place,
        force_reasons=reasons,
    )


def _present(
    image_set_id: str, place: Address, claim: Claim, section: Section, key: str | None
) -> Change | Block | None:
    assert claim.tag is not None
    attribute = by_tag(claim.tag)
    live_vr = key_vr(section, key) if key else ""
    # A private creator is always LO (PS3.5 section 7.8.1).
    known = claim.vr or live_vr or ("LO" if is_creator(attribute.tag) else "")
    vr = known or attribute.vr
    if attribute.is_private and not known:
        return _unknown_vr(image_set_id, claim)
    desired = typed(claim, vr)
    if isinstance(desired, str):
        return Block(image_set_id, desired, _TYPE_HINT, claim.place, claim_path(claim))
    live = section_of(section, "DICOM")[key] if key else None
    if key and live_vr == vr and same(vr, live, desired.raw):
        return None
    if holds_pixel_data(live):
        return _pixels(image_set_id, claim)
    try:
        sent = Value(in_live_form(vr, desired.raw, live))
    except LiveFormError as error:
        return Block(image_set_id, error.message, error.hint, claim.place, claim_path(claim))
    return Change(
        image_set_id=image_set_id,
        op=Op.UPDATE if key else Op.ADD,
        address=place,
        key=key or document_key(claim.tag),
        tag=claim.tag,
        vr=vr,
        before=Value(live) if key else None,
        after=sent,
        place=claim.place,
        # What keeps its live form is a live value, although it is equal to the asked one.
        is_stated=claim.is_literal and sent == desired,
        # The service needs DICOMVRs for a new private element: it cannot know the VR.
        send_vr=attribute.is_private and vr != live_vr,
        force_reasons=force_reasons(
            attribute, vr, desired.raw, removal=False, removals_need_force=False
        ),
    )


_TYPE_HINT = "Write the value in the form of the VR that the live document states."


def _unknown_vr(image_set_id: str, claim: Claim) -> Block:
    key = document_key(claim.tag or 0)
    return Block(
        image_set_id,
        f"{key} is a new private element, so the manifest must state its VR",
        f'Add `DICOMVRs: {{"{key}": VR}}` next to its DICOM block, such as `"{key}": LO`.',
        claim.place,
        claim_path(claim),
    )
