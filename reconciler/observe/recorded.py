"""Answers from records, where a full scan lists an image set as it is recorded."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.core.model.record import Entry
from reconciler.core.survey.needs import Answer, Need, PropertiesOf
from reconciler.observe.sweep import Swept


class Recorded:
    """The image sets of a data store that a full scan lists as recorded.

    A search states no ARN and no state. The ARN is that of the record: a GetImageSet of one of them
    proved the data store. An image set that is being changed has another `updatedAt`.
    """

    def __init__(self, swept: Swept, entries: Mapping[str, Entry]) -> None:
        self._swept = swept
        self._entries = entries

    def to(self, need: Need) -> Answer | None:
        """Answer a need; None where the service must be asked."""
        match need:
            case PropertiesOf(name, "", False) if name in self._swept.as_recorded:
                return self._entries[name].properties(is_primary=self._swept.as_recorded[name])
            case _:
                return None
