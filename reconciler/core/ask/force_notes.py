"""Notes the lines that need `force: true` as soon as the live value differs.

Without the live document it is not known whether anything changes, so this is neither an error nor
a warning.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from reconciler.core.ask.findings import Findings
from reconciler.core.dicom.constraints import force_reasons
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.errors import Diagnostic
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk
from reconciler.core.model.form import Asked, asked_by, claims_of
from reconciler.core.model.settings import Rules

_CHANGES = {ClaimKind.PRESENT: "a change", ClaimKind.ABSENT: "a removal"}


def force_notes(asks: Iterable[ImageSetAsk], rules: Rules) -> tuple[Diagnostic, ...]:
    """A note for each line of the manifests without `force: true` that will need it, sorted."""
    reasons = Findings(partial(_reasons, rules))
    return tuple(
        sorted(
            Diagnostic(claim.place, _note(claim, reasons.of(asked_by(claim))))
            for claim in claims_of(asks, lambda asked: bool(reasons.of(asked)))
        )
    )


def _note(claim: Claim, reasons: Iterable[str]) -> str:
    what = f"{_CHANGES[claim.kind]} of {by_tag(claim.tag or 0).label}"
    return f"{what} needs `force: true` ({', '.join(reasons)})"


def _reasons(rules: Rules, asked: Asked) -> tuple[str, ...]:
    if asked.tag is None or asked.force:
        return ()
    attribute = by_tag(asked.tag)
    return force_reasons(
        attribute,
        asked.vr or attribute.vr,
        asked.raw,
        removal=asked.kind is ClaimKind.ABSENT,
        removals_need_force=rules.removals_need_force,
    )
