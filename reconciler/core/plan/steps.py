"""Make steps from calls: exact requests, each pinned to the version of the step before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.core.dicom.updates import encode
from reconciler.core.model.ask import Revert
from reconciler.core.model.diff import Call
from reconciler.core.model.plan import Step, next_version
from reconciler.core.plan.study import WideCall


def own_steps(
    datastore_id: str, image_set_id: str, pin: str, calls: Sequence[Call]
) -> tuple[Step, ...]:
    """The steps for one image set's own changes."""
    steps = []
    for call in calls:
        blobs = encode(call.changes)
        steps.append(
            Step(
                datastore_id=datastore_id,
                image_set_id=image_set_id,
                pin=pin,
                expected=((image_set_id, call.expected),),
                updatable=blobs.updatable,
                removable=blobs.removable,
                force=any(change.force_reasons for change in call.changes),
            )
        )
        pin = next_version(pin)
    return tuple(steps)


def revert_step(datastore_id: str, image_set_id: str, pin: str, revert: Revert, call: Call) -> Step:
    """The call that restores an earlier version. It needs no force.

    Source: example 4 of https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
    """
    return Step(
        datastore_id=datastore_id,
        image_set_id=image_set_id,
        pin=pin,
        expected=((image_set_id, call.expected),),
        revert_to=revert.version_id,
    )


def study_steps(
    datastore_id: str, anchor: str, pins: Mapping[str, str], calls: Sequence[WideCall]
) -> tuple[Step, ...]:
    """The steps of the study-wide calls."""
    steps = []
    for number, call in enumerate(calls):
        blobs = encode(call.changes)
        steps.append(
            Step(
                datastore_id=datastore_id,
                image_set_id=anchor,
                pin=str(int(pins[anchor]) + number),
                expected=call.expected,
                updatable=blobs.updatable,
                removable=blobs.removable,
                force=any(change.force_reasons for change in call.changes),
                study_wide=True,
                study_instance_uid=call.study_instance_uid,
            )
        )
    return tuple(steps)
