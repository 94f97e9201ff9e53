"""What was read from the service."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.model.value import Document


@dataclass(frozen=True, slots=True)
class Properties:
    """One version of an image set, as GetImageSet or ListImageSetVersions tells it.

    `is_primary` is None where the service does not say. `message` is the service's own text: it may
    echo DICOM values, so it is printed only where values may be seen. `updated_at` and `created_at`
    are epoch seconds to the millisecond, None where the service gave none. `created_at` is that of
    the image set: all its versions have the same.
    """

    image_set_id: str
    version_id: str
    state: str
    workflow_status: str = ""
    is_primary: bool | None = False
    message: str = field(default="", repr=False)
    updated_at: float | None = None
    created_at: float | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of SearchImageSets. Search is never the truth for apply (decision 0002, U14).

    `is_primary` is None where the row does not say.
    """

    image_set_id: str
    version_id: str
    is_primary: bool | None
    updated_at: float | None
    tags: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Summary({self.image_set_id}, {self.version_id})"


@dataclass(frozen=True, slots=True)
class Unread:
    """Why something could not be read, and what to do next. Holds no DICOM value."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Observed:
    """An image set and its document at that version; None where the document was not read.

    `origin` is the version before an apply that was killed when it had made this one. `unread`
    says why a document is missing. `good_version` is the version whose document stands for that
    of a failed one that has none; else "".
    """

    properties: Properties
    document: Document | None
    origin: str = ""
    unread: Unread | None = None
    good_version: str = ""
