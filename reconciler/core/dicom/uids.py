"""The UIDs that the standard registers: SOP classes, transfer syntaxes and others (PS3.6 A)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from reconciler.core.dicom.tables import UIDS, table


@dataclass(frozen=True, slots=True)
class RegisteredUid:
    """One row of PS3.6 table A-1. `type` is `SOP Class`, `Transfer Syntax` or another."""

    uid: str
    name: str
    type: str
    retired: bool
    keyword: str


def registered_uid(text: str) -> RegisteredUid | None:
    """Return the registered UID, by the UID itself or by its keyword in any case; else None."""
    return _rows().get(text.strip().casefold())


@cache
def _rows() -> dict[str, RegisteredUid]:
    rows = [
        RegisteredUid(uid, name, kind, bool(retired), keyword)
        for uid, (name, kind, _info, retired, keyword) in table(UIDS).UID_dictionary.items()
    ]
    by_keyword = {row.keyword.casefold(): row for row in rows if row.keyword}
    return {**by_keyword, **{row.uid: row for row in rows}}
