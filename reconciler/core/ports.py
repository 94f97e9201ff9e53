"""The protocols of the edges. Pipelines depend on them, and tests replace them with fakes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from reconciler.core.model.observed import Properties, SearchPage, Summary
from reconciler.core.model.plan import Step
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.value import Document

# The longest wait in seconds before a loop checks again whether to stop.
SLICE_SECONDS = 0.2


class ImageSets(Protocol):
    """The image sets of one data store. Errors: `reconciler.core.errors.ServiceError` and below."""

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet, of the latest version by default. It does not change the storage tier."""
        ...

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata at a version. It moves the image set to Frequent Access."""
        ...

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions, all pages, oldest first by number."""
        ...

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """SearchImageSets, page by page, the oldest image sets first; at least one page.

        After a ThrottledError, `next` asks for the same page again. Use at most one filter: the
        service model states this maximum (decision 0002, U26). AWS does not document whether a span
        of `createdAt` or `updatedAt` includes its bounds.
        """
        ...

    def search(self, filters: Filters = ()) -> Iterator[Summary]:
        """SearchImageSets: the rows of all pages."""
        for page in self.pages(filters):
            yield from page.rows

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata, sent exactly once. Returns the versionId that it creates."""
        ...


class PacedImageSets(ImageSets, Protocol):
    """Image sets whose reads wait for the account's quotas.

    An update does not wait: between its turn and the call, `apply` checks again whether to send it.
    """

    def turn(self, patience: Patience) -> bool:
        """Wait until the quota allows one more update; return False if `patience` ends first."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Calls so far by AWS operation. Each page and each retry counts as a call."""
        ...


class Patience(Protocol):
    """Decides how long to wait."""

    def is_over(self) -> bool:
        """Whether to stop waiting."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait; return early when the patience is over."""
        ...


class Stop(Protocol):
    """Requests to end an apply early, such as signals."""

    def requested(self) -> bool:
        """Whether to send nothing new."""
        ...

    def abandoned(self) -> bool:
        """Whether to stop waiting even for calls in flight."""
        ...


class Clock(Protocol):
    """The clock, in seconds; `now` never goes back."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def utc(self) -> float:
        """Seconds since 1970, in UTC, as the machine has it. It may go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. It may return early after a request to stop."""
        ...


class Files(Protocol):
    """The system calls for writing files. Each may raise OSError."""

    def make_folder(self, path: Path) -> None:
        """Create a folder and its parents, if they do not exist."""
        ...

    def create(self, path: Path, mode: int) -> int:
        """Create a file for writing; return its handle."""
        ...

    def open_end(self, path: Path, mode: int) -> int:
        """Open a file for appending, or create it; return its handle."""
        ...

    def write(self, handle: int, content: bytes) -> int:
        """Write the beginning of the content; return the number of bytes written."""
        ...

    def sync(self, handle: int) -> None:
        """Return when the content is on the disk."""
        ...

    def close(self, handle: int) -> None:
        """Close the file."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Rename `old` to `new` atomically; an existing `new` is replaced."""
        ...

    def link(self, old: Path, new: Path) -> None:
        """Make `new` another name of `old` atomically; FileExistsError if `new` exists."""
        ...

    def remove(self, path: Path) -> None:
        """Remove the file; no error if it does not exist."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Return when the names in a folder are on the disk."""
        ...
