"""Values that were read from the service."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.model.value import Document


@dataclass(frozen=True, slots=True)
class Properties:
    """One version of an image set, from GetImageSet or ListImageSetVersions.

    `is_primary` is None if the service does not state it. `message` is the service's own text. It
    may contain DICOM values, so it is printed only where values may be shown. `updated_at` and
    `created_at` are epoch seconds to the millisecond, or None. `created_at` is the creation time of
    the image set, equal for all versions.
    """

    image_set_id: str
    version_id: str
    state: str
    workflow_status: str = ""
    is_primary: bool | None = False
    message: str = field(default="", repr=False)
    updated_at: float | None = None
    created_at: float | None = None
    # ListImageSetVersions does not state these.
    arn: str = field(default="", compare=False)
    storage_tier: str = field(default="", compare=False)

    @property
    def is_archived(self) -> bool:
        """Whether reading its document moves the image set to the Frequent Access tier.

        Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/cost-optimization.html
        """
        return self.storage_tier == "ARCHIVE_INSTANT_ACCESS"


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of SearchImageSets. Apply never relies on search alone (decision 0002, U14).

    `is_primary` is None if the row does not state it. Times are epoch seconds to the millisecond,
    or None.
    """

    image_set_id: str
    version_id: str
    is_primary: bool | None
    updated_at: float | None
    tags: tuple[tuple[str, str], ...] = ()
    created_at: float | None = None
    last_accessed_at: float | None = None
    storage_tier: str = ""

    @property
    def series_instance_uid(self) -> str:
        """The SeriesInstanceUID that the row states, "" if it states none."""
        return dict(self.tags).get("DICOMSeriesInstanceUID", "")

    @property
    def study_series(self) -> int | None:
        """The number of series in the whole study, None if the row does not state it."""
        stated = dict(self.tags).get("DICOMNumberOfStudyRelatedSeries", "")
        return int(stated) if stated.isdecimal() else None

    def __repr__(self) -> str:
        return f"Summary({self.image_set_id}, {self.version_id})"


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One answer of SearchImageSets. `date` is its Date header in epoch seconds, or None.

    `is_last` says that the answer has no nextToken. The clock of `date` is that of the service.
    """

    rows: tuple[Summary, ...]
    date: float | None
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Unread:
    """Why something could not be read, and what to do next. It contains no DICOM value."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Observed:
    """An image set and its document at that version; None if the document was not read.

    `origin` is the version before a killed apply that made this version, or "". `unread` says why
    the document is missing. `good_version` is the version whose document is used because the latest
    version failed and has no document, or "".
    """

    properties: Properties
    document: Document | None
    origin: str = ""
    unread: Unread | None = None
    good_version: str = ""
