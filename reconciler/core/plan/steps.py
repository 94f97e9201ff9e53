"""Make steps from changes: exact requests, each pinned to the version of the step before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.core.dicom.content import ContentDigests, content_digest, study_instance_uid
from reconciler.core.dicom.updates import encode, simulate
from reconciler.core.model.ask import Revert
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Step, next_version
from reconciler.core.model.value import Document


def own_steps(
    datastore_id: str,
    image_set_id: str,
    pin: str,
    document: Document,
    calls: Sequence[Sequence[Change]],
    digests: ContentDigests,
) -> tuple[Step, ...]:
    """The steps for one image set's own changes, as they were split into calls."""
    steps = []
    for call in calls:
        document = simulate(document, call)
        blobs = encode(call)
        steps.append(
            Step(
                datastore_id=datastore_id,
                image_set_id=image_set_id,
                pin=pin,
                expected=((image_set_id, digests.of(document)),),
                updatable=blobs.updatable,
                removable=blobs.removable,
                force=any(change.force_reasons for change in call),
            )
        )
        pin = next_version(pin)
    return tuple(steps)


def revert_step(
    datastore_id: str, image_set_id: str, pin: str, revert: Revert, target: Document
) -> Step:
    """The call that restores an earlier version. It needs no force.

    Source: example 4 of https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
    """
    return Step(
        datastore_id=datastore_id,
        image_set_id=image_set_id,
        pin=pin,
        expected=((image_set_id, content_digest(target)),),
        revert_to=revert.version_id,
    )


def study_steps(
    datastore_id: str,
    anchor: str,
    pins: Mapping[str, str],
    documents: Mapping[str, Document],
    calls: Sequence[Sequence[Change]],
    digests: ContentDigests,
) -> tuple[tuple[Step, ...], Mapping[str, Document]]:
    """The steps of the study-wide calls, and every member's document after them."""
    steps = []
    after = dict(documents)
    for number, call in enumerate(calls):
        study = study_instance_uid(after[anchor])
        after = {member: simulate(document, call) for member, document in after.items()}
        blobs = encode(call)
        steps.append(
            Step(
                datastore_id=datastore_id,
                image_set_id=anchor,
                pin=str(int(pins[anchor]) + number),
                expected=tuple(
                    (member, digests.of(document)) for member, document in sorted(after.items())
                ),
                updatable=blobs.updatable,
                removable=blobs.removable,
                force=any(change.force_reasons for change in call),
                study_wide=True,
                study_instance_uid=study,
            )
        )
    return tuple(steps), after
