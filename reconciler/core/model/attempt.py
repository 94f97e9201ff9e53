"""The versions of one image set that an apply intends to create, saved before its first call."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.model.record import SelectedBy


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """The versions that an apply intends to create. After a kill, their content identifies them.

    `before` is the version that the image set had before, `versions` what each call makes of it:
    (versionId, digest of the content), in order, and `sent` the paths that each call changes.
    `of_study` are the paths that manifests ask of the study, and not of this image set. `asked` and
    `ask_digest` are for its record; `ask_digest` is "" where the run did not carry all that was
    asked. `selected_by` is for its record, too; None for an attempt of before it was stored. Its
    digests are not keyed: they stay in its file, which only the owner may read.
    """

    datastore_id: str
    image_set_id: str
    before: str
    versions: tuple[tuple[str, str], ...] = field(repr=False)
    asked: tuple[str, ...] = ()
    ask_digest: str = field(default="", repr=False)
    sent: tuple[tuple[str, ...], ...] = ()
    of_study: tuple[str, ...] = ()
    selected_by: SelectedBy | None = field(default=None, repr=False)

    def converged_at(self, version_id: str) -> tuple[str, ...]:
        """The paths that hold what was asked once the version is there as planned."""
        if version_id == self.last[0]:
            return self.asked
        made = [version for version, _ in self.versions].index(version_id) + 1
        return tuple(sorted({path for paths in self.sent[:made] for path in paths}))

    @property
    def last(self) -> tuple[str, str]:
        """The final version of the attempt, and its digest."""
        return self.versions[-1]
