"""What a review of a plan holds: each change with a keyed digest, and no DICOM value.

`plan --review` writes it for a pull request, and `apply --reviewed` executes only what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.model.change import Op

# How long a review holds after the plan was made, in seconds.
REVIEW_SECONDS = 14 * 24 * 3600.0


@dataclass(frozen=True, slots=True, order=True)
class ReviewedChange:
    """One change as it was reviewed.

    `pin` is the version that was read. `hazards` are those of the change, and those of its action
    that no single change has; `consents` are those of them that a line or a default consents to.
    Where a consent names a version or a number, it stands after an `@`. `path` is for readers: it
    shows no key that may contain a name. `digest` is keyed and covers the data store, the ARN, the
    image set, the whole path, the operation, the VR and the value after. `instances` is how many
    instances a removed series has, 0 for any other change.
    """

    datastore_id: str
    image_set_id: str
    path: str
    op: Op
    pin: str
    hazards: tuple[str, ...]
    consents: tuple[str, ...]
    digest: str
    instances: int = 0


@dataclass(frozen=True, slots=True)
class Origin:
    """The commits of a review.

    `head` is the commit of the pull request, `base` that of its branch, and `tree` the ID of the
    tree that merges the two: it is what was planned.
    """

    head: str
    base: str
    tree: str


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The content of review.json. Times are whole seconds since 1970, in UTC.

    `nonce` is random: two reviews are never the same file, also of the same changes.
    """

    origin: Origin
    settings_digest: str
    made_at: int
    expires_at: int
    nonce: str
    changes: tuple[ReviewedChange, ...] = ()

    def is_expired(self, utc: float) -> bool:
        """Whether the review no longer holds at a time."""
        return utc >= self.expires_at
