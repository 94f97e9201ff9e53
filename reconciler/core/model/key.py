"""The key of every digest that may leave this machine.

A DICOM value has few possibilities: a birth date can be guessed from an unkeyed digest in 0.1 s.
With a keyed digest, only people who can read the repository can guess.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.model.value import Json, canonical_json

# Committed at the root of the repository. Its readers can read the manifests, too.
KEY_FILE = "reconciler.key"
KEY_BYTES = 32


class Use(StrEnum):
    """The use of a digest. Digests of different uses are never equal."""

    ASK = "ask"
    ACTION = "action"
    PLAN = "plan"
    SEAL = "seal"
    ATTEMPT = "attempt"
    CHANGE = "change"
    REVIEW = "review"
    SCAN = "scan"
    SELECTION = "selection"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """The secret of one repository. It prints as `***` and is stored in its file only."""

    secret: bytes

    def digest(self, use: Use, value: Json) -> str:
        """Return `hmac-sha256:…` (RFC 2104) over the use and the canonical JSON of the value."""
        text = f"reconciler/v1/{use}\0".encode() + canonical_json(value)
        return "hmac-sha256:" + hmac.new(self.secret, text, hashlib.sha256).hexdigest()

    def made(self, digest: object, use: Use, value: Json) -> bool:
        """Whether a digest is of this key, compared in constant time."""
        own = self.digest(use, value)
        return isinstance(digest, str) and hmac.compare_digest(digest.encode(), own.encode())

    def __repr__(self) -> str:
        return "Key(***)"

    __str__ = __repr__
