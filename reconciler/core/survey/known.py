"""What the repository knows of a data store before anything is read."""

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
    """What this repository knows of a data store: records, and what killed applies have left."""

    entries: Mapping[str, Entry]
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)

    def origin(self, properties: Properties, document: Document) -> str:
        """The version before an apply of ours that was killed when it had made this one, or "".

        Its content proves it. What is recorded at this version was not left unfinished, and an
        image set of another history was not changed by us.
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

    def meant_since(self, entry: Entry, latest: str) -> Sequence[tuple[str, str]]:
        """Versions after the recorded one that killed applies meant to make, the last one first."""
        meant = {
            (version, digest)
            for attempt in self.attempts.get(entry.image_set_id, ())
            for version, digest in attempt.versions
            if int(entry.version_id) < int(version) <= int(latest)
        }
        return sorted(meant, key=lambda one: int(one[0]), reverse=True)
