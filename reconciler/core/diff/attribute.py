"""One attribute: what the claims ask against what stands in the document."""

from __future__ import annotations

from reconciler.core.dicom.agreement import typed
from reconciler.core.dicom.canonical import same
from reconciler.core.dicom.constraints import force_reasons
from reconciler.core.dicom.content import Block as DocumentBlock
from reconciler.core.dicom.content import block_at, key_vr, live_keys, section
from reconciler.core.dicom.dictionary import by_tag, document_key
from reconciler.core.diff.paths import claim_path
from reconciler.core.model.address import Address
from reconciler.core.model.ask import Claim, ClaimKind
from reconciler.core.model.change import Block, Change, Op
from reconciler.core.model.settings import Rules
from reconciler.core.model.value import Document, Json, Value


def compare(
    image_set_id: str, document: Document, place: Address, claims: list[Claim], rules: Rules
) -> Change | Block | None:
    """The change that one attribute needs; None where it is as asked; why it cannot be made."""
    claim = claims[0]
    block = block_at(document, place)
    if block is None or not block:
        return _no_module(image_set_id, place, claim)
    assert claim.tag is not None
    keys = live_keys(block, claim.tag)
    if len(keys) > 1:
        return _twice(image_set_id, claim, keys)
    key = keys[0] if keys else None
    if claim.kind is ClaimKind.ABSENT:
        return _absent(image_set_id, place, claims, block, key, rules)
    return _present(image_set_id, place, _stated(claims), block, key)


def _stated(claims: list[Claim]) -> Claim:
    """Of equal claims the one that states a VR."""
    return next((claim for claim in claims if claim.vr), claims[0])


def _no_module(image_set_id: str, place: Address, claim: Claim) -> Block:
    return Block(
        image_set_id,
        f"the document has no {place.shown()} to update (constraint 9)",
        "An update cannot create a module: correct the level or the UID.",
        claim.place,
        claim_path(claim),
    )


def _twice(image_set_id: str, claim: Claim, keys: tuple[str, ...]) -> Block:
    return Block(
        image_set_id,
        f"the document holds this attribute more than once, as {' and '.join(keys)}",
        "What an update of one of them does is not documented: ask AWS support to mend it.",
        claim.place,
        claim_path(claim),
    )


def _unexpected(image_set_id: str, claim: Claim, vr: str, key: str, live: Json) -> Block | None:
    """A removal that states a value is meant for that value alone."""
    if claim.value is None:
        return None
    expected = typed(claim, vr)
    if isinstance(expected, Value) and same(vr, expected.raw, live):
        return None
    return Block(
        image_set_id,
        f"{key} holds another value than the one that the manifest expects to remove",
        "Look at the live value, then correct the expected one, or list the keyword alone.",
        claim.place,
        claim_path(claim),
    )


def _absent(
    image_set_id: str,
    place: Address,
    claims: list[Claim],
    block: DocumentBlock,
    key: str | None,
    rules: Rules,
) -> Change | Block | None:
    claim = claims[0]
    if key is None or claim.tag is None:
        return None
    vr = key_vr(block, key)
    live = section(block, "DICOM")[key]
    for one in claims:
        if unexpected := _unexpected(image_set_id, one, vr, key, live):
            return unexpected
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
    image_set_id: str, place: Address, claim: Claim, block: DocumentBlock, key: str | None
) -> Change | Block | None:
    assert claim.tag is not None
    attribute = by_tag(claim.tag)
    live_vr = key_vr(block, key) if key else ""
    vr = claim.vr or live_vr or attribute.vr
    if attribute.is_private and not (claim.vr or live_vr):
        return _unknown_vr(image_set_id, claim)
    desired = typed(claim, vr)
    if isinstance(desired, str):
        return Block(image_set_id, desired, _TYPE_HINT, claim.place, claim_path(claim))
    live = section(block, "DICOM")[key] if key else None
    if key and live_vr == vr and same(vr, live, desired.raw):
        return None
    return Change(
        image_set_id=image_set_id,
        op=Op.UPDATE if key else Op.ADD,
        address=place,
        key=key or document_key(claim.tag),
        tag=claim.tag,
        vr=vr,
        before=Value(live) if key else None,
        after=desired,
        place=claim.place,
        # DICOMVRs is needed where the service cannot know the VR: a new private element.
        send_vr=attribute.is_private and vr != live_vr,
        force_reasons=force_reasons(
            attribute, vr, desired.raw, removal=False, removals_need_force=False
        ),
    )


_TYPE_HINT = "The VR is the one the document states; write the value in its form."


def _unknown_vr(image_set_id: str, claim: Claim) -> Block:
    key = document_key(claim.tag or 0)
    return Block(
        image_set_id,
        f"{key} is private and not there yet, so its VR must be stated",
        f'Add `DICOMVRs: {{"{key}": …}}` beside its DICOM block.',
        claim.place,
        claim_path(claim),
    )
