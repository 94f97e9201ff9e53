"""Narrow a plan to what a reviewer asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.plan import Action, Basis, Plan, Released


def narrowed(plan: Plan, datastore: str | None, image_set_id: str | None) -> Plan:
    """The actions of a data store, or of an image set with all others of its study.

    Raises ReconcilerError if the plan has none. The saved plan stays whole.
    """
    if datastore is None and image_set_id is None:
        return plan
    kept = [one for one in plan.actions if _is_asked(one, datastore, image_set_id)]
    unchanged = tuple(
        one for one in plan.unchanged if image_set_id is None and one.datastore == datastore
    )
    if not kept and not unchanged:
        where = f" of data store {datastore}" if datastore else ""
        what = f"image set {image_set_id}{where}" if image_set_id else f"image set{where}"
        raise ReconcilerError(
            f"the plan has no {what}",
            "Check the ID and the name. A plan counts the image sets that already hold what the "
            "manifests ask, and are recorded so.",
        )
    unread = tuple(one for one in plan.unread if datastore == one.datastore)
    return replace(
        plan,
        basis=_basis(plan.basis, datastore, image_set_id),
        actions=tuple(kept),
        released=_released(plan.released, datastore, image_set_id),
        unread=unread,
        unchanged=unchanged,
        selections=tuple(
            one for one in plan.selections if image_set_id is None and one.datastore == datastore
        ),
        eta_seconds=0.0,
        without_study_wide=None,
    )


def _basis(basis: Basis, datastore: str | None, image_set_id: str | None) -> Basis:
    since = basis.since
    if since is None or not since.released:
        return basis
    released = _released(since.released, datastore, image_set_id)
    return replace(basis, since=replace(since, released=released))


def _released(
    found: Iterable[Released], datastore: str | None, image_set_id: str | None
) -> tuple[Released, ...]:
    return tuple(
        one
        for one in found
        if datastore in (None, one.datastore) and image_set_id in (None, one.image_set_id)
    )


def _is_asked(action: Action, datastore: str | None, image_set_id: str | None) -> bool:
    is_member = image_set_id is None or any(
        member.image_set_id == image_set_id for member in action.members
    )
    return is_member and datastore in (None, action.datastore)
