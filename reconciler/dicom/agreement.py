"""Whether two claims on one attribute agree."""

from __future__ import annotations

from reconciler.dicom.canonical import same
from reconciler.dicom.dictionary import by_tag
from reconciler.model.ask import Claim, ClaimKind


def agree(first: Claim, second: Claim) -> bool:
    """Whether two claims on the same attribute ask the same of it."""
    if first.kind is not second.kind:
        return False
    if first.kind is not ClaimKind.PRESENT:
        return True
    vr = first.vr or second.vr or by_tag(first.tag or 0).vr
    if first.vr and second.vr and first.vr != second.vr:
        return False
    return (
        first.value is not None
        and second.value is not None
        and same(vr, first.value.raw, second.value.raw)
    )
