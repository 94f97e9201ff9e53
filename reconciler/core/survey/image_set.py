"""The survey of one image set: reads until its changes are known.

GetImageSetMetadata moves an image set to the Frequent Access tier for 30 days; GetImageSet and
SearchImageSets do not. So no document is read if the record states that exactly this ask converged
at exactly this version.

Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/cost-optimization.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.dicom.content import study_instance_uid
from reconciler.core.diff import diff, is_recorded
from reconciler.core.model.ask import ImageSetAsk, Revert
from reconciler.core.model.diff import Diff, Reading
from reconciler.core.model.settings import Rules
from reconciler.core.plan import asks_study, calls_of, moves_study, outline, patient_id_of
from reconciler.core.survey.baseline import judged
from reconciler.core.survey.known import Known
from reconciler.core.survey.latest import latest_document
from reconciler.core.survey.needs import (
    DocumentOf,
    Refusal,
    Survey,
    Why,
    document_of,
    properties_of,
)


def survey(ask: ImageSetAsk, known: Known, rules: Rules) -> Survey[Diff]:
    """Read one image set until its changes and their drift are known.

    A read that fails blocks the image set.
    """
    reading = Reading(None, entry=known.entries.get(ask.image_set_id))
    properties = yield from properties_of(ask.image_set_id)
    if isinstance(properties, Refusal):
        return diff(ask, _refused(reading, properties), rules)
    reading = replace(reading, properties=properties)
    if properties.state != "ACTIVE":
        return diff(ask, reading, rules)
    if not known.reads_all and is_recorded(ask, reading.entry, properties):
        return _with_recorded_study(diff(ask, reading, rules))
    found = yield from _compared(ask, reading, known, rules)
    if isinstance(found, Refusal):
        return diff(ask, _refused(reading, found), rules)
    return without_documents(found, rules)


def _with_recorded_study(found: Diff) -> Diff:
    """The study of an image set that is as recorded: its other members may not be."""
    entry = found.reading.entry
    if entry is None or entry.study is None or not asks_study(found):
        return found
    return replace(found, study_instance_uid=entry.study.study_instance_uid)


def _compared(
    ask: ImageSetAsk, reading: Reading, known: Known, rules: Rules
) -> Survey[Diff | Refusal]:
    assert reading.properties is not None
    seen = yield from latest_document(reading.properties, known)
    if isinstance(seen, Refusal):
        return seen
    reading = replace(
        reading,
        properties=seen.properties,
        document=seen.document,
        origin=seen.origin,
        unread=seen.unread,
        good_version=seen.good_version,
    )
    if ask.revert is not None and reading.document is not None:
        targeted = yield from _with_target(ask.revert, reading)
        if isinstance(targeted, Refusal):
            return targeted
        reading = targeted
    return (yield from judged(diff(ask, reading, rules), known))


def _with_target(revert: Revert, reading: Reading) -> Survey[Reading | Refusal]:
    """Read the version that a revert goes back to. A missing version blocks the revert."""
    current = reading.properties
    assert current is not None
    if int(revert.version_id) > int(current.version_id):
        return reading
    properties = yield from properties_of(current.image_set_id, revert.version_id)
    if isinstance(properties, Refusal):
        return reading if properties.why is Why.NOT_FOUND else properties
    reading = replace(reading, target_properties=properties)
    target = yield from document_of(current.image_set_id, revert.version_id)
    if isinstance(target, Refusal):
        return reading if target.why is Why.NOT_FOUND else target
    return replace(reading, target=target)


def _refused(reading: Reading, refusal: Refusal) -> Reading:
    if refusal.why is Why.NOT_FOUND:
        return replace(reading, properties=None)
    return replace(reading, unread=refusal.unread)


def without_documents(found: Diff, rules: Rules) -> Diff:
    """Make the calls of an image set from its document, and keep an outline of it at most.

    The documents of all image sets do not fit into memory. A study-wide call is made from the
    documents of the study.
    """
    reading = found.reading
    calls = bool(found.changes) and not found.blocks and not moves_study(found)
    reverts = found.ask.revert is not None
    slim = replace(
        reading,
        document=outline(reading.document) if calls and not reverts and reading.document else None,
        target=outline(reading.target) if calls and reverts and reading.target else None,
    )
    if reading.document is None:
        return replace(found, reading=slim)
    return replace(
        found,
        reading=slim,
        study_instance_uid=study_instance_uid(reading.document),
        patient_id=patient_id_of(reading.document),
        calls=calls_of(found, rules.payload_bytes) if calls else (),
    )


def read_again(found: Diff) -> DocumentOf | None:
    """Return the document that the survey of the study may need again after this diff."""
    properties = found.reading.properties
    if properties is None or not found.study_instance_uid or not found.may_be_primary:
        return None
    return DocumentOf(found.image_set_id, found.reading.good_version or properties.version_id)


def nothing_seen(diffs: Sequence[Diff]) -> bool:
    """Whether no image set could be read, so that the data store itself may be inaccessible.

    403 and 404 may concern an image set or the data store (decision 0002, U19).
    """
    return bool(diffs) and all(found.reading.properties is None for found in diffs)
