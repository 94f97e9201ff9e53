"""What the recorded version held: the third side of the three-way comparison."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.dicom.canonical import same
from reconciler.dicom.content import block_at, live_key, section
from reconciler.diff.locate import Renames, locate, renames
from reconciler.model.address import Address
from reconciler.model.ask import ImageSetAsk
from reconciler.model.change import Change, Op
from reconciler.model.record import Entry
from reconciler.model.value import Document, Json


@dataclass(frozen=True, slots=True)
class Baseline:
    """The recorded document. `known` is False where nothing is recorded, or nothing has moved."""

    known: bool
    document: Document | None
    alias: Renames

    @classmethod
    def of(
        cls, ask: ImageSetAsk, entry: Entry | None, recorded: Document | None, version_id: str
    ) -> Baseline:
        """The baseline of an image set whose latest version is `version_id`."""
        moved = entry is not None and entry.version_id != version_id
        return cls(moved, recorded, renames(ask.claims))

    def differs(self, change: Change) -> bool:
        """Whether somebody else changed this attribute (or block) since it was recorded.

        True as well where the recorded version can no longer be read: then nobody knows.
        """
        if not self.known:
            return False
        if self.document is None:
            return True
        places = locate(self.document, change.address, self.alias)
        if change.op in (Op.REMOVE_INSTANCE, Op.REMOVE_SERIES):
            return not places  # it is there now, and was not when it was recorded
        if change.op in (Op.RESTORE_INSTANCE, Op.RESTORE_SERIES):
            return bool(places)
        live = (change.before is not None, change.before.raw if change.before else None)
        return not any(self._held(place, change, live) for place in places)

    def _held(self, address: Address, change: Change, live: tuple[bool, Json]) -> bool:
        """Whether the recorded document held there what the live one holds now."""
        assert self.document is not None
        block = block_at(self.document, address) or {}
        key = live_key(block, change.tag) if change.tag is not None else None
        if (key is not None) != live[0]:
            return False
        return key is None or same(change.vr, section(block, "DICOM")[key], live[1])
