"""The calls of image sets, made while their documents are held: what each must lead to is a digest.

So a plan holds no document. Of each it keeps an outline, which is small whatever the document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.core.dicom.content import (
    SERIES_INSTANCE_UID,
    ContentDigests,
    Section,
    content_digest,
    section_of,
    series,
    study_instance_uid,
    uid_value,
)
from reconciler.core.dicom.shape import misshapen
from reconciler.core.dicom.updates import simulate
from reconciler.core.model.change import Change
from reconciler.core.model.diff import Call, Diff
from reconciler.core.model.value import Document, Json
from reconciler.core.plan.split import TooLarge, split
from reconciler.core.plan.study import Study, StudyCalls, WideCall, is_study_level, sent_by


def calls_of(diff: Diff, payload_bytes: int) -> tuple[Call, ...]:
    """The calls for the changes of one image set; () if one change alone is too large.

    The documents of its reading are whole.
    """
    if diff.ask.revert is not None:
        target = diff.reading.target
        return () if target is None else (Call((), content_digest(target)),)
    assert diff.reading.document is not None
    changes = [one.change for one in diff.changes]
    try:
        return _own(diff.reading.document, split(changes, payload_bytes), ContentDigests())
    except TooLarge:
        return ()  # `build` blocks the action


def calls_of_study(study: Study, diffs: Sequence[Diff], payload_bytes: int) -> StudyCalls | None:
    """The calls for what the asked members and the study get; None if they cannot be made.

    The documents of the study are whole. `diffs` are those of the asked members.
    """
    if not study.is_known or any(map(misshapen, study.documents.values())):
        return None
    _, sent = sent_by(study, diffs)
    try:
        wide, after = _wide(study, diffs, split(sent, payload_bytes))
        own = {one.image_set_id: split(_own_changes(one), payload_bytes) for one in diffs}
    except TooLarge:
        return None  # `build` blocks the action
    digests = ContentDigests()
    return StudyCalls(
        wide, {name: _own(after[name], calls, digests) for name, calls in sorted(own.items())}
    )


def _own_changes(diff: Diff) -> list[Change]:
    return [one.change for one in diff.changes if not is_study_level(one.change)]


def _own(
    document: Document, calls: Sequence[tuple[Change, ...]], digests: ContentDigests
) -> tuple[Call, ...]:
    made = []
    for call in calls:
        document = simulate(document, call)
        made.append(Call(call, digests.of(document)))
    return tuple(made)


def _wide(
    study: Study, diffs: Sequence[Diff], calls: Sequence[tuple[Change, ...]]
) -> tuple[tuple[WideCall, ...], Mapping[str, Document]]:
    """The study-wide calls, and every member's document after them."""
    anchor, _ = sent_by(study, diffs)
    digests = ContentDigests()
    made = []
    after = dict(study.documents)
    for call in calls:
        uid = study_instance_uid(after[anchor])
        after = {member: simulate(document, call) for member, document in after.items()}
        expected = tuple((member, digests.of(one)) for member, one in sorted(after.items()))
        made.append(WideCall(call, expected, uid))
    return tuple(made), after


def outline(document: Document) -> Document:
    """What a plan needs of a document after its calls are made: it states no instance.

    That is Patient and Study, and which series there are. A document without the documented
    structure stays whole: its action is blocked for what is wrong in it.
    """
    if misshapen(document):
        return document
    study = section_of(document.raw, "Study")
    kept = {key: _uid_of(section, key) for key, section in series(document).items()}
    raw: dict[str, Json] = {"Patient": document.raw.get("Patient", {})}
    return Document({**raw, "Study": {**study, "Series": kept}})


def _uid_of(section: Section, key: str) -> Json:
    return {"DICOM": {"SeriesInstanceUID": uid_value(section, SERIES_INSTANCE_UID, key)}}
