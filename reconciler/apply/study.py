"""The image sets that a study-wide call changes, searched right before the call and after it.

The plan has the primary image sets that the study had when it was planned. The service checks the
version of the requested image set, but not the versions of its siblings (decision 0002, U12).
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
    """How the search result differs from the plan.

    `strangers` are image sets that the call may change and that are not in the plan. `unlisted` are
    image sets of the plan that search does not list: then it may also miss strangers.
    """

    strangers: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def unplanned(self) -> str:
        """A clause that names the strangers."""
        names = ", ".join(self.strangers)
        return f"the study has another primary image set that is not in the plan, {names}"

    @property
    def behind(self) -> str:
        """A clause that names the unlisted image sets."""
        names = ", ".join(self.unlisted)
        return f"SearchImageSets does not list image set {names} of the study"


def members(port: ImageSets, step: Step, pins: Mapping[str, str]) -> Members:
    """Search the study of a step. Search may lag behind (decision 0002, U14)."""
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
    """Whether an image set may be a primary image set of the study.

    True also if the service does not state it, or if the image set cannot be read.
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
