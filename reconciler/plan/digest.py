"""The digest of an action: what a reviewer approved.

Covered: data store, members with pins, hazards and, per change, path, operation, the value after
and the VR where one is sent. Not covered: commit, file, reason, statistics, live values (the pin
stands for them).
"""

from __future__ import annotations

from typing import cast

from reconciler.dicom.content import digest
from reconciler.model.plan import Action
from reconciler.model.value import Json


def action_digest(action: Action) -> str:
    """`sha256:…` of one action."""
    members = [[member.image_set_id, member.pin] for member in action.members]
    hazards = sorted({(str(use.hazard), use.image_set_id) for use in action.hazards})
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
    return digest(
        {
            "datastoreId": action.datastore_id,
            "members": cast(Json, members),
            "hazards": cast(Json, [list(hazard) for hazard in hazards]),
            "changes": cast(Json, changes),
        }
    )
