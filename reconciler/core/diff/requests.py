"""Compares what two commits ask of an image set."""

from __future__ import annotations

from collections.abc import Hashable

from reconciler.core.diff.paths import ask_digest, claim_path
from reconciler.core.model.ask import ImageSetAsk, Source


def is_same_request(one: ImageSetAsk, other: ImageSetAsk | None) -> bool:
    """Whether two asks for an image set ask, and consent to, the same.

    It does not matter in which line of which manifest, and for which reason.
    """
    return other is not None and (one == other or _request(one) == _request(other))


def _request(ask: ImageSetAsk) -> Hashable:
    carried, name = ask.carried, ask.image_set_id
    found = {(claim_path(one), _consents(one.source, name)) for one in carried.claims}
    if carried.revert is not None:
        found.add(("", _consents(carried.revert.source, name)))
    return ask_digest(carried), frozenset(found)


def _consents(source: Source, image_set_id: str) -> Hashable:
    """The consents of a manifest that apply to an image set.

    In a manifest that names several image sets, a consent to a version names one of them.
    """
    applying = frozenset(
        one.spelled(image_set_id)
        for one in source.allow
        if one.image_set_id == image_set_id
        or (not one.image_set_id and (not one.version_id or source.own == image_set_id))
    )
    return source.force, applying
