"""What a study-wide call would move, looked up right before it is sent and again after it.

The plan knows the primary image sets of the study as they were. The service checks the pin of the
image set that is called, and no pin of the others (decision 0002, U12).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.core.dicom.content import study_instance_uid
from reconciler.core.errors import NotFoundError, ServiceError, about_one
from reconciler.core.model.plan import Step
from reconciler.core.model.workflow_status import State
from reconciler.core.plan import members_filters
from reconciler.core.ports import ImageSets


@dataclass(frozen=True, slots=True)
class Members:
    """What search shows beside the plan.

    `strangers` are image sets that the call may move and the plan does not know. `unlisted` are
    those that the plan knows and search does not show: where it is behind for one, strangers may
    be missing, too.
    """

    strangers: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def unplanned(self) -> str:
        """The strangers in a sentence."""
        names = ", ".join(self.strangers)
        return f"the study has another primary image set that the plan does not know, {names}"

    @property
    def behind(self) -> str:
        """The unlisted in a sentence."""
        names = ", ".join(self.unlisted)
        return f"SearchImageSets does not list image set {names} of the study"


def members(port: ImageSets, step: Step, pins: Mapping[str, str]) -> Members:
    """Search the study of a step. Search is not said to be consistent (decision 0002, U14)."""
    if not step.study_wide:
        return Members()
    uid = step.study_instance_uid
    rows = {row.image_set_id: row.is_primary for row in port.search(members_filters(uid))}
    strangers = (
        name
        for name in sorted(rows.keys() - pins.keys())
        if rows[name] is not False and _may_be_moved(port, name, rows[name], uid)
    )
    return Members(tuple(strangers), tuple(sorted(pins.keys() - rows.keys())))


def _may_be_moved(port: ImageSets, name: str, is_primary: bool | None, uid: str) -> bool:
    """Whether it is a primary image set of the study, as far as can be told.

    Also where the service does not say, or does not let it be read: then only the call would tell.
    """
    try:
        seen = port.get(name)
    except NotFoundError:
        return False
    except ServiceError as error:
        return _unless_about_all(error)
    if (
        seen.state == State.DELETED
        or (is_primary if seen.is_primary is None else seen.is_primary) is False
    ):
        return False
    try:
        document = port.metadata(name, seen.version_id)
    except ServiceError as error:
        return _unless_about_all(error)
    return study_instance_uid(document) in (uid, "")


def _unless_about_all(error: ServiceError) -> bool:
    if not about_one(error):
        raise error
    return True
