"""The parts of an ask that a record keeps: its paths, and a digest over the whole ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from reconciler.core.dicom.canonical import canonical
from reconciler.core.dicom.content import digest
from reconciler.core.dicom.dictionary import by_tag, document_key
from reconciler.core.model.ask import Claim, ImageSetAsk
from reconciler.core.model.key import Key, Use
from reconciler.core.model.record import Entry
from reconciler.core.model.value import Json

REVERT_PATH = "revertToVersionId"


def claim_path(claim: Claim) -> str:
    """Return `Patient/PatientName`, or the path of a series or instance that a claim removes."""
    if claim.tag is None:
        return claim.address.path()
    return f"{claim.address.path()}/{document_key(claim.tag)}"


def asked_paths(ask: ImageSetAsk) -> tuple[str, ...]:
    """Return every path of an ask, sorted, without values."""
    paths = {claim_path(claim) for claim in ask.claims}
    if ask.revert:
        paths.add(REVERT_PATH)
    return tuple(sorted(paths))


def ask_digest(ask: ImageSetAsk) -> str:
    """Return `sha256:…` over an ask, without consent, reason and place.

    It is not keyed: it stays in plan files and attempts. Records contain the result of `sealed`.
    """
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


def sealed(entry: Entry, key: Key) -> Entry:
    """Return the entry for a record, with the keyed digest of its ask.

    The digest covers data store and image set, so that equal asks have different digests.
    """
    if not entry.ask_digest:
        return entry
    about: Json = [entry.datastore_id, entry.image_set_id, entry.ask_digest]
    return replace(entry, ask_digest=key.digest(Use.ASK, about))


def opened(
    entries: Mapping[str, Entry], asks: Iterable[ImageSetAsk], key: Key | None
) -> dict[str, Entry]:
    """Return entries of records by image set, with an `ask_digest` that can be compared with asks.

    If the keyed digest is that of the current ask, it is replaced by the digest of that ask.
    Otherwise (another ask, another key, no key) it becomes "", which matches no ask.
    """
    by_id = {ask.image_set_id: ask for ask in asks}
    return {name: _opened(entry, by_id.get(name), key) for name, entry in entries.items()}


def _opened(entry: Entry, ask: ImageSetAsk | None, key: Key | None) -> Entry:
    if ask is not None and key is not None and entry.ask_digest:
        asked = replace(entry, ask_digest=ask_digest(ask))
        if sealed(asked, key) == entry:
            return asked
    return replace(entry, ask_digest="")


def _value(claim: Claim) -> Json:
    if claim.value is None:
        return None
    vr = claim.vr or by_tag(claim.tag or 0).vr
    return [canonical(vr, claim.value.raw)]
