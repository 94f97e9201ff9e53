"""What was read from the service."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.value import Document


@dataclass(frozen=True, slots=True)
class Properties:
    """One version of an image set, as GetImageSet or ListImageSetVersions tells it.

    `updated_at` is epoch seconds as the service gave it, or None where it gave none.
    """

    image_set_id: str
    version_id: str
    state: str
    workflow_status: str = ""
    is_primary: bool = False
    message: str = ""
    updated_at: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of SearchImageSets. Search is never the truth for apply (healthimaging §10, U14)."""

    image_set_id: str
    version_id: str
    is_primary: bool
    updated_at: float | None
    tags: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Summary({self.image_set_id}, {self.version_id})"


@dataclass(frozen=True, slots=True)
class Observed:
    """An image set and its document at that version; None where the document was not read.

    `origin` is the version before an apply that was killed when it had made this one.
    """

    properties: Properties
    document: Document | None
    origin: str = ""
