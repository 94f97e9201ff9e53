"""Check with GetImageSet that the image sets are still those that a saved plan read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from reconciler.apply.run import Run
from reconciler.core.errors import NotFoundError, ServiceError
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Action, Member
from reconciler.core.model.workflow_status import State
from reconciler.core.ports import ImageSets

_WORKERS = 16


def replaced(port: ImageSets, members: Iterable[Member]) -> str:
    """Why a member is not the image set that the plan read; "" if all members are.

    Another live version is not a reason: an earlier run of the same plan may have made it. The step
    decides about it when it is sent. Raises ServiceError if the service does not answer.
    """
    for member in members:
        try:
            seen = port.get(member.image_set_id)
        except NotFoundError:
            continue  # the step reports it
        if reason := unlike(member, seen):
            return reason
    return ""


def unconfirmed(
    actions: Sequence[Action], ports: Mapping[str, ImageSets], run: Run
) -> list[tuple[Action, str]]:
    """The converged actions that GetImageSet does not confirm, each with the reason.

    The reason is "" if the run stops before the check; the next run checks it. `ports` are by data
    store name.
    """

    def look(action: Action) -> tuple[Action, str] | None:
        if run.reason():
            return action, ""
        port = ports[action.datastore]
        members = (*action.members, *action.siblings)
        reasons = (_unconfirmed(port, member) for member in members if not member.recorded)
        reason = next(filter(None, reasons), "")
        return (action, reason) if reason else None

    with ThreadPoolExecutor(_WORKERS) as pool:
        return [found for found in pool.map(look, actions) if found is not None]


def _unconfirmed(port: ImageSets, member: Member) -> str:
    try:
        return _unlike_converged(port, member)
    except ServiceError as error:
        return error.message


def _unlike_converged(port: ImageSets, member: Member) -> str:
    try:
        seen = port.get(member.image_set_id)
    except NotFoundError:
        return f"image set {member.image_set_id} no longer exists"
    if seen.state == State.DELETED:
        return f"image set {member.image_set_id} is DELETED"
    if seen.version_id != member.pin:
        return (
            f"image set {member.image_set_id} is at version {seen.version_id}, but the plan was "
            f"made for version {member.pin}"
        )
    return unlike(member, seen)


def unlike(member: Member, seen: Properties) -> str:
    """Why an image set is not the image set at the version of a member; "" if it is.

    Another version is not a reason.
    """
    name = member.image_set_id
    if not _equal(member.created_at, seen.created_at):
        return f"image set {name} is not the image set that the plan read: its createdAt differs"
    if member.pin != seen.version_id:
        return ""
    if not _equal(member.updated_at, seen.updated_at):
        return (
            f"version {member.pin} of image set {name} is not the version that the plan read: its "
            "updatedAt differs"
        )
    # isPrimary decides which rules hold and whether a call is study-wide.
    if seen.is_primary is not None and seen.is_primary is not member.is_primary:
        now, planned = ("", " not") if seen.is_primary else (" not", "")
        return f"image set {name} is{now} primary, but the plan states that it is{planned}"
    return ""


def _equal(planned: float | None, live: float | None) -> bool:
    """Compare times to the millisecond. Two missing times are equal."""
    if planned is None or live is None:
        return planned is live
    return round(planned * 1000) == round(live * 1000)
