"""Keyed fingerprints of live values: they compare one live value between two plans.

A fingerprint states whether the live value of one attribute of one image set is the same in both
plans, and shows no value. It is separated by data store, image set, path and purpose, so it says
nothing about the values of other image sets.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action
from reconciler.core.model.value import canonical_json
from reconciler.core.review.model import ShownAction, ShownChange

KEY_BYTES = 32
# 64 bits. That any two of a million fingerprints are equal by chance has a probability of 1 in 37
# million.
_HEX_DIGITS = 16
_PURPOSE = "reconciler/v1/fingerprint of a live value"


@dataclass(frozen=True, slots=True, repr=False)
class FingerprintKey:
    """The secret of fingerprints, of at least 32 bytes. It prints as `***` and is never stored."""

    secret: bytes

    def fingerprint(self, datastore_id: str, change: Change) -> str:
        """The fingerprint of the live value that a change replaces or removes; "" without one.

        A whole series or instance has none. It is an HMAC-SHA256 (RFC 2104), cut to 64 bits. The
        keys of the change are those of the document, not labels: a label has another number in
        another plan.
        """
        if change.before is None or not change.key:
            return ""
        path = (change.address.path(), change.key)
        texts = (_PURPOSE, datastore_id, change.image_set_id, *path)
        parts = [text.encode("utf-8", "surrogatepass") for text in texts]
        framed = _framed([*parts, canonical_json(change.before.raw)])
        return hmac.new(self.secret, framed, hashlib.sha256).hexdigest()[:_HEX_DIGITS]

    def __repr__(self) -> str:
        return "FingerprintKey(***)"

    __str__ = __repr__


def _framed(parts: Iterable[bytes]) -> bytes:
    """The parts, each after its length: no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def with_fingerprints(shown: ShownAction, action: Action, key: FingerprintKey) -> ShownAction:
    """A shown action with the fingerprints of its live values. `action` has no labels."""
    pairs = zip(shown.changes, action.changes, strict=True)
    return shown._replace(changes=tuple(_with(*pair, key, action.datastore_id) for pair in pairs))


def _with(
    shown: ShownChange, change: Change, key: FingerprintKey, datastore_id: str
) -> ShownChange:
    return shown._replace(fingerprint=key.fingerprint(datastore_id, change))
