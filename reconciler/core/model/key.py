"""The key of every digest that may leave this machine.

A DICOM value is one of few: an unkeyed digest over a birth date gives the date back in a tenth of a
second. With a key that only readers of the repository have, nobody else can try the values.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.model.value import Json, canonical_json

# At the root of the repository, committed: who can read it can read the manifests, too.
KEY_FILE = "reconciler.key"
KEY_BYTES = 32


class Use(StrEnum):
    """What a digest is over: digests of two uses are never equal."""

    ASK = "ask"
    ACTION = "action"
    PLAN = "plan"
    ATTEMPT = "attempt"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """The secret of one repository. It prints as `***`, and nothing but its file holds it."""

    secret: bytes

    def digest(self, use: Use, value: Json) -> str:
        """`hmac-sha256:…` (RFC 2104) over the use and the canonical JSON of the value."""
        text = f"reconciler/v1/{use}\0".encode() + canonical_json(value)
        return "hmac-sha256:" + hmac.new(self.secret, text, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return "Key(***)"

    __str__ = __repr__
