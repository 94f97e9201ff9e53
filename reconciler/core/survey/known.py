"""The knowledge of the repository about a data store before anything is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.dicom.content import content_digest
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.observed import Properties
from reconciler.core.model.record import Entry, ranked
from reconciler.core.model.value import Document


@dataclass(frozen=True, slots=True)
class Known:
    """The records of a data store, and the attempts that killed applies left.

    `of_studies` are the Patient and Study paths that any manifest asks for: on a primary image set,
    they are asked of its whole study. With `reads_all`, a record saves no read.
    """

    entries: Mapping[str, Entry]
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)
    of_studies: frozenset[str] = frozenset()
    reads_all: bool = False

    def origin(self, properties: Properties, document: Document) -> str:
        """Return the version before a killed apply of ours that made this version, or "".

        The content proves it. A run finished a version that is recorded with all its paths, and an
        image set of another history was not changed by us.
        """
        entry = self.entries.get(properties.image_set_id)
        if entry is not None and not entry.is_of(properties):
            return ""
        if entry is not None and entry.is_at(properties) and entry.is_level:
            return ""
        name, version = properties.image_set_id, properties.version_id
        found = [
            (one.before, dict(one.versions).get(version)) for one in self.attempts.get(name, ())
        ]
        held = content_digest(document) if any(digest for _, digest in found) else None
        return next((before for before, digest in found if digest and digest == held), "")

    def meant_since(
        self, image_set_id: str, latest: str
    ) -> Sequence[tuple[Attempt, Sequence[tuple[str, str]]]]:
        """Attempts on an image set, each with its versions after the lowest baseline, last first.

        A version is (versionId, digest of the content that it was meant to have).
        """
        entry = self.entries.get(image_set_id)
        recorded = min((ranked(version) for _, version in entry.asked), default=0) if entry else 0
        return [
            (
                attempt,
                [
                    (version, digest)
                    for version, digest in reversed(attempt.versions)
                    if recorded < int(version) <= int(latest)
                ],
            )
            for attempt in self.attempts.get(image_set_id, ())
        ]
