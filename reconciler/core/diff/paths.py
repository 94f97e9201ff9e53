"""What a record keeps of an ask: its paths, and a digest over all of it."""

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
    """`sha256:…` over what is asked; consent, reason and place do not count.

    Not keyed: it stays in plan files and attempts. Records hold what `sealed` makes of it.
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
    """The entry as a record holds it: with the keyed digest of its ask.

    Data store and image set are covered, so that equal asks do not show.
    """
    if not entry.ask_digest:
        return entry
    about: Json = [entry.datastore_id, entry.image_set_id, entry.ask_digest]
    return replace(entry, ask_digest=key.digest(Use.ASK, about))


def opened(
    entries: Mapping[str, Entry], asks: Iterable[ImageSetAsk], key: Key | None
) -> dict[str, Entry]:
    """Entries of records by image set, each with the `ask_digest` of its ask if that is its own.

    Any other ask digest becomes "", which is that of no ask: of another ask, under another key, of
    before there were keys.
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
