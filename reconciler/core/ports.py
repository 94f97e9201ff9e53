"""The protocols of the edges. Pipelines are written against these, tests bring fakes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from reconciler.core.model.observed import Properties, Summary
from reconciler.core.model.plan import Step
from reconciler.core.model.value import Document

# The longest that anything blocks, in seconds, before it looks again whether to go on.
SLICE_SECONDS = 0.2


class ImageSets(Protocol):
    """The image sets of one data store. Errors: `reconciler.core.errors.ServiceError` and below."""

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet: the latest version unless told otherwise. Not an access (no re-tiering)."""
        ...

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata at a version. An access: moves it to Frequent Access."""
        ...

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions, all pages, oldest first by number."""
        ...

    def search(self, filters: tuple[tuple[str, str], ...] = ()) -> Iterator[Summary]:
        """SearchImageSets, all pages; `filters` are (attribute, value) pairs compared EQUAL.

        Give one at most: that is the maximum of the model's text (decision 0002, U26).
        """
        ...

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata, sent exactly once. Returns the versionId it produces."""
        ...


class PacedImageSets(ImageSets, Protocol):
    """Image sets whose reads wait for the account's quotas by themselves.

    An update does not: between the turn and the send, `apply` still looks whether it may send.
    """

    def turn(self, patience: Patience) -> bool:
        """Wait until the account may take one more update; False when `patience` ended first."""
        ...

    def counts(self) -> Mapping[str, int]:
        """Calls so far by AWS operation. A page is a call, and so is one that is tried again."""
        ...


class Patience(Protocol):
    """How long something is worth waiting for."""

    def is_over(self) -> bool:
        """Whether waiting any longer is pointless."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait; ends early once it is over."""
        ...


class Stop(Protocol):
    """Requests to end an apply early, such as signals."""

    def requested(self) -> bool:
        """Whether nothing new is to be sent."""
        ...

    def abandoned(self) -> bool:
        """Whether not even what is in flight is to be awaited."""
        ...


class Clock(Protocol):
    """Time, injected. Seconds; `now` never goes back."""

    def now(self) -> float:
        """Monotonic seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait. May return early when somebody asked to stop."""
        ...


class Files(Protocol):
    """The system calls that files are written with, one by one: each may fail (OSError)."""

    def make_folder(self, path: Path) -> None:
        """A folder and those above it, where they are not there yet."""
        ...

    def create(self, path: Path, mode: int) -> int:
        """A new file, for writing; returns its handle."""
        ...

    def open_end(self, path: Path, mode: int) -> int:
        """A file, made where there is none, for writing after what is there; its handle."""
        ...

    def write(self, handle: int, content: bytes) -> int:
        """Write from the front; returns how many bytes were taken."""
        ...

    def sync(self, handle: int) -> None:
        """Returns once the content is on the disk."""
        ...

    def close(self, handle: int) -> None:
        """No more writing."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """At one stroke `new` is what `old` was."""
        ...

    def link(self, old: Path, new: Path) -> None:
        """At one stroke `new` is what `old` is; FileExistsError where `new` is there already."""
        ...

    def remove(self, path: Path) -> None:
        """Nothing has this name any more."""
        ...

    def sync_folder(self, path: Path) -> None:
        """Returns once the names in a folder are on the disk."""
        ...
