"""What a record keeps of an ask: its paths, and a digest over all of it."""

from __future__ import annotations

from typing import cast

from reconciler.dicom.canonical import canonical
from reconciler.dicom.content import digest
from reconciler.dicom.dictionary import by_tag, document_key
from reconciler.model.ask import Claim, ImageSetAsk
from reconciler.model.value import Json

REVERT_PATH = "revertToVersionId"


def claim_path(claim: Claim) -> str:
    """`Patient/PatientName`; the series or instance itself where a claim removes it."""
    if claim.tag is None:
        return claim.address.path()
    return f"{claim.address.path()}/{document_key(claim.tag)}"


def asked_paths(ask: ImageSetAsk) -> tuple[str, ...]:
    """Every path an ask names, sorted: no value."""
    paths = {claim_path(claim) for claim in ask.claims}
    if ask.revert:
        paths.add(REVERT_PATH)
    return tuple(sorted(paths))


def ask_digest(ask: ImageSetAsk) -> str:
    """`sha256:…` over what is asked; consent, reason and place do not count."""
    rows = sorted(
        {
            (
                claim_path(claim),
                str(claim.kind),
                claim.vr or "",
                digest(_value(claim)),
            )
            for claim in ask.claims
        }
    )
    revert = ask.revert.version_id if ask.revert else None
    return digest({"claims": cast(Json, [list(row) for row in rows]), "revert": revert})


def _value(claim: Claim) -> Json:
    if claim.value is None:
        return None
    vr = claim.vr or by_tag(claim.tag or 0).vr
    return [canonical(vr, claim.value.raw)]
