"""The knowledge of the repository about a data store before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.dicom.content import content_digest
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.observed import Properties
from reconciler.core.model.record import Entry
from reconciler.core.model.value import Document


@dataclass(frozen=True, slots=True)
class Known:
    """The records of a data store, and the attempts that killed applies left."""

    entries: Mapping[str, Entry]
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)

    def origin(self, properties: Properties, document: Document) -> str:
        """Return the version before a killed apply of ours that made this version, or "".

        The content proves it. A recorded version was finished by its run, and an image set of
        another history was not changed by us.
        """
        entry = self.entries.get(properties.image_set_id)
        if entry is not None and (entry.is_at(properties) or not entry.is_of(properties)):
            return ""
        name, version = properties.image_set_id, properties.version_id
        found = [
            (one.before, dict(one.versions).get(version)) for one in self.attempts.get(name, ())
        ]
        held = content_digest(document) if any(digest for _, digest in found) else None
        return next((before for before, digest in found if digest and digest == held), "")

    def intended_since(self, entry: Entry, latest: str) -> Sequence[tuple[str, str]]:
        """Return versions after the record that killed applies intended, newest first."""
        intended = {
            (version, digest)
            for attempt in self.attempts.get(entry.image_set_id, ())
            for version, digest in attempt.versions
            if int(entry.version_id) < int(version) <= int(latest)
        }
        return sorted(intended, key=lambda version: int(version[0]), reverse=True)
