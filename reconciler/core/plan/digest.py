"""The digest of an action: it identifies what a reviewer approved.

Covered: the data store, the members with pins and the service's updatedAt, the hazards with their
consent. For each change: the path, the operation, the value after and the VR if it is sent. Not
covered: commit, file, reason, statistics and live values (the pin stands for them).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from reconciler.core.model.key import Key, Use
from reconciler.core.model.plan import Action, HazardUse
from reconciler.core.model.value import Json


def with_digests(actions: Iterable[Action], key: Key | None) -> tuple[Action, ...]:
    """Actions with their digests; unchanged if the repository has no key yet."""
    if key is None:
        return tuple(actions)
    return tuple(replace(action, digest=action_digest(action, key)) for action in actions)


def action_digest(action: Action, key: Key) -> str:
    """`hmac-sha256:…` of one action."""
    members = [[member.image_set_id, member.pin, member.updated_at] for member in action.members]
    hazards = sorted({(_hazard(use), use.image_set_id, use.consented) for use in action.hazards})
    changes = [
        [
            change.image_set_id,
            change.path(),
            str(change.op),
            change.after.raw if change.after else None,
            *([change.vr] if change.send_vr else []),
        ]
        for change in action.changes
    ]
    return key.digest(
        Use.ACTION,
        {
            "datastoreId": action.datastore_id,
            "members": cast(Json, members),
            "hazards": cast(Json, [list(hazard) for hazard in hazards]),
            "changes": cast(Json, changes),
        },
    )


def _hazard(use: HazardUse) -> str:
    return f"{use.hazard}@{use.number}" if use.number else str(use.hazard)
