"""Notes the lines that need `force: true` as soon as the live value differs.

Without the live document it is not known whether anything changes, so this is neither an error nor
a warning.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.dicom.constraints import force_reasons
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.errors import Diagnostic
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk
from reconciler.core.model.settings import Rules

_CHANGES = {ClaimKind.PRESENT: "a change", ClaimKind.ABSENT: "a removal"}


def force_notes(asks: Iterable[ImageSetAsk], rules: Rules) -> tuple[Diagnostic, ...]:
    """A note for each line of the manifests without `force: true` that will need it, sorted."""
    # A manifest of a thousand image sets makes the same claims on each of them.
    claims = {claim.place: claim for ask in asks for claim in ask.carried.claims}
    return tuple(
        sorted(
            Diagnostic(claim.place, _note(claim, reasons))
            for claim in claims.values()
            if not claim.source.force and (reasons := _reasons(claim, rules))
        )
    )


def _note(claim: Claim, reasons: Iterable[str]) -> str:
    what = f"{_CHANGES[claim.kind]} of {by_tag(claim.tag or 0).label}"
    return f"{what} needs `force: true` ({', '.join(reasons)})"


def _reasons(claim: Claim, rules: Rules) -> tuple[str, ...]:
    if claim.tag is None:
        return ()
    attribute = by_tag(claim.tag)
    return force_reasons(
        attribute,
        claim.vr or attribute.vr,
        claim.value.raw if claim.value is not None else None,
        removal=claim.kind is ClaimKind.ABSENT,
        removals_need_force=rules.removals_need_force,
    )
