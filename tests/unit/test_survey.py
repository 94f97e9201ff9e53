"""survey: what is asked of the service, in which order, and what comes of each answer."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from reconciler.core.dicom.content import (
    SERIES_INSTANCE_UID,
    content_digest,
    instances,
    section_of,
    series,
    uid_value,
)
from reconciler.core.dicom.updates import simulate
from reconciler.core.diff.paths import ask_digest, asked_paths
from reconciler.core.errors import (
    AccessDeniedError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    RejectedError,
    ServiceError,
    UnreadableError,
)
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.diff import Diff
from reconciler.core.model.observed import Properties, Summary
from reconciler.core.model.plan import Status
from reconciler.core.model.record import Entry, StudyMembers, as_baselines
from reconciler.core.model.settings import Rules
from reconciler.core.model.value import Document
from reconciler.core.plan import outline
from reconciler.core.survey import Known, nothing_seen, read_again, survey
from reconciler.core.survey.needs import (
    DocumentOf,
    MembersOf,
    Need,
    PropertiesOf,
    Refusal,
    Together,
    VersionsOf,
    Why,
)
from reconciler.core.survey.study import Studied, studies_of, survey_study
from tests.documents import DATASTORE_ID, SERIES_UID, STUDY_UID, document
from tests.planning import A, B, C, Stage

T = TypeVar("T")
RULES = Rules()
NOTHING = Known({})
NOT_FOUND = Refusal(Why.NOT_FOUND, "GetImageSetMetadata", "ResourceNotFoundException")
DENIED = Refusal(Why.DENIED, "GetImageSet", "AccessDeniedException")


def converse(survey: Generator[Need | Together, Any, T], *turns: tuple[Need | Together, Any]) -> T:
    """Each turn is a need that must come and the answer to it; then the survey must return."""
    answer: Any = None
    for need, reply in turns:
        assert survey.send(answer) == need
        answer = reply
    with pytest.raises(StopIteration) as ended:
        survey.send(answer)
    result: T = ended.value.value
    return result


def described(value: str, image_set_id: str = A) -> ImageSetAsk:
    """Asks for a StudyDescription."""
    present = f"present: {{Study: {{DICOM: {{StudyDescription: {value}}}}}}}"
    (ask,) = Stage().asks(f"imageSetId: {image_set_id}\n{present}\n")
    return ask


def live(value: str, image_set_id: str = A, *, study: str = STUDY_UID) -> Document:
    """Has that StudyDescription."""
    stated = {"StudyDescription": value, "StudyInstanceUID": study}
    return Document(document(image_set_id=image_set_id, study=stated))


def at(version: str, image_set_id: str = A, **more: Any) -> Properties:
    """Properties of an image set, by default ACTIVE."""
    times = {"updated_at": 100.0 + int(version), "created_at": 100.0}
    stated = {"state": "ACTIVE", "workflow_status": "UPDATED", **times, **more}
    return Properties(image_set_id, version, **stated)


def entry(version: str, ask: ImageSetAsk) -> Entry:
    """Records that the ask was seen converged at a version."""
    seen = at(version, ask.image_set_id)
    return Entry(
        datastore_id=DATASTORE_ID,
        image_set_id=ask.image_set_id,
        version_id=version,
        previous_version_id="",
        updated_at=seen.updated_at,
        created_at=seen.created_at,
        asked=as_baselines(dict.fromkeys(asked_paths(ask), version)),
        ask_digest=ask_digest(ask),
    )


def recorded(version: str, ask: ImageSetAsk, study: StudyMembers | None = None) -> Known:
    return Known({ask.image_set_id: replace(entry(version, ask), study=study)})


def study_at(versions: dict[str, str]) -> StudyMembers:
    return StudyMembers(STUDY_UID, tuple(sorted(versions.items())))


CHEST = described("CHEST")

# --- one image set ---------------------------------------------------------------------------


def test_what_is_unchanged_since_its_record_costs_one_look() -> None:
    known = recorded("2", CHEST)
    found = converse(survey(CHEST, known, RULES), (PropertiesOf(A), at("2")))
    assert (found.status, found.study_instance_uid) == (Status.CONVERGED, "")


def test_what_is_converged_keeps_no_document() -> None:
    found = converse(
        survey(CHEST, NOTHING, RULES),
        (PropertiesOf(A), at("1")),
        (DocumentOf(A, "1"), live("CHEST")),
    )
    assert (found.status, found.reading.document) == (Status.CONVERGED, None)


def test_what_changes_keeps_an_outline_and_the_calls_that_its_document_made() -> None:
    now = live("HEAD")
    found = converse(
        survey(CHEST, NOTHING, RULES), (PropertiesOf(A), at("1")), (DocumentOf(A, "1"), now)
    )
    assert (found.status, found.reading.document) == (Status.UPDATE, outline(now))
    after = simulate(now, [one.change for one in found.changes])
    assert [one.expected for one in found.calls] == [content_digest(after)]


@pytest.mark.parametrize(("before", "status"), [("CHEST", Status.DRIFTED), ("HEAD", Status.UPDATE)])
def test_a_changed_version_with_changes_needs_its_baseline(before: str, status: Status) -> None:
    found = converse(
        survey(CHEST, recorded("2", CHEST), RULES),
        (PropertiesOf(A), at("3")),
        (DocumentOf(A, "3"), live("HEAD")),
        (PropertiesOf(A, "2"), at("2")),
        (DocumentOf(A, "2"), live(before)),
    )
    assert found.status is status


def test_a_changed_version_without_changes_needs_no_baseline() -> None:
    found = converse(
        survey(CHEST, recorded("2", CHEST), RULES),
        (PropertiesOf(A), at("3")),
        (DocumentOf(A, "3"), live("CHEST")),
    )
    assert found.status is Status.CONVERGED


@pytest.mark.parametrize(
    "answer",
    [
        NOT_FOUND,
        at("2", updated_at=999.0),  # of another history
    ],
    ids=["gone", "of another history"],
)
def test_a_recorded_version_that_cannot_be_believed_is_drift(answer: Any) -> None:
    found = converse(
        survey(CHEST, recorded("2", CHEST), RULES),
        (PropertiesOf(A), at("3")),
        (DocumentOf(A, "3"), live("HEAD")),
        (PropertiesOf(A, "2"), answer),
    )
    assert found.status is Status.DRIFTED


@pytest.mark.parametrize("why", [Why.NOT_FOUND, Why.REJECTED, Why.UNREADABLE])
def test_a_recorded_document_that_cannot_be_read_is_drift(why: Why) -> None:
    found = converse(
        survey(CHEST, recorded("2", CHEST), RULES),
        (PropertiesOf(A), at("3")),
        (DocumentOf(A, "3"), live("HEAD")),
        (PropertiesOf(A, "2"), at("2")),
        (DocumentOf(A, "2"), Refusal(why, "GetImageSetMetadata")),
    )
    assert found.status is Status.DRIFTED


def test_another_creation_time_is_another_image_set_and_nothing_is_read_of_it() -> None:
    found = converse(
        survey(CHEST, recorded("2", CHEST), RULES),
        (PropertiesOf(A), at("3", created_at=7.0)),
        (DocumentOf(A, "3"), live("HEAD")),
    )
    assert found.status is Status.DRIFTED


def test_what_is_locked_or_gone_is_not_read() -> None:
    locked = converse(survey(CHEST, NOTHING, RULES), (PropertiesOf(A), at("1", state="LOCKED")))
    assert locked.status is Status.BUSY
    gone = converse(survey(CHEST, NOTHING, RULES), (PropertiesOf(A), NOT_FOUND))
    assert (gone.status, gone.reading.properties) == (Status.BLOCKED, None)
    assert nothing_seen([gone])
    assert not nothing_seen([gone, locked])
    assert not nothing_seen([])


def test_a_refused_look_blocks_with_its_reason() -> None:
    found = converse(survey(CHEST, NOTHING, RULES), (PropertiesOf(A), DENIED))
    (block,) = found.blocks
    assert (
        block.message
        == "the credentials have no permission for GetImageSet (AccessDeniedException)"
    )


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NotFoundError, Why.NOT_FOUND),
        (AccessDeniedError, Why.DENIED),
        (ConflictError, Why.LOCKED),
        (RejectedError, Why.REJECTED),
        (UnreadableError, Why.UNREADABLE),
        (NoAnswerError, Why.NO_ANSWER),
        (ServiceError, Why.OTHER),
    ],
)
def test_a_refusal_says_why_and_keeps_the_services_text_out(
    error: type[ServiceError], why: Why
) -> None:
    refusal = Refusal.of(error("own text", operation="GetImageSet", code="X", said="Doe^John"))
    assert (refusal.why, refusal.operation, refusal.code) == (why, "GetImageSet", "X")
    assert "Doe" not in f"{refusal!r} {refusal.unread}"
    assert ("own text" in refusal.unread.message) is (why is Why.UNREADABLE)


# --- a latest version that has no document ---------------------------------------------------

FAILED = at("3", workflow_status="UPDATE_FAILED")


def test_a_failed_version_without_metadata_is_read_in_its_last_good_one() -> None:
    worse = at("2", workflow_status="UPDATE_FAILED")
    found = converse(
        survey(CHEST, NOTHING, RULES),
        (PropertiesOf(A), FAILED),
        (DocumentOf(A, "3"), NOT_FOUND),
        (PropertiesOf(A, again=True), FAILED),
        (VersionsOf(A), (at("1"), worse, FAILED)),
        (DocumentOf(A, "1"), live("HEAD")),
    )
    assert (found.status, found.reading.good_version) == (Status.UPDATE, "1")


def test_without_a_good_version_the_failed_one_is_blocked() -> None:
    found = converse(
        survey(CHEST, NOTHING, RULES),
        (PropertiesOf(A), FAILED),
        (DocumentOf(A, "3"), NOT_FOUND),
        (PropertiesOf(A, again=True), FAILED),
        (VersionsOf(A), (FAILED,)),
    )
    assert "GetImageSetMetadata failed for version 3" in found.blocks[0].message


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (NOT_FOUND, "no such image set"),
        (at("3", state="DELETED"), "the image set is DELETED"),
        (at("4"), "another process changed it"),
        (at("3"), "GetImageSetMetadata failed for version 3"),
        (DENIED, "no permission for GetImageSet"),
    ],
    ids=["gone", "deleted", "changed", "as before", "refused"],
)
def test_gone_or_changed_between_two_reads(second: Any, message: str) -> None:
    found = converse(
        survey(CHEST, NOTHING, RULES),
        (PropertiesOf(A), at("3")),
        (DocumentOf(A, "3"), NOT_FOUND),
        (PropertiesOf(A, again=True), second),
    )
    assert found.status is Status.BLOCKED
    assert message in found.blocks[0].message


def test_a_document_that_cannot_be_used_is_not_looked_at_again() -> None:
    unreadable = Refusal(Why.UNREADABLE, "GetImageSetMetadata", message="nested deeper than 100")
    found = converse(
        survey(CHEST, NOTHING, RULES), (PropertiesOf(A), at("3")), (DocumentOf(A, "3"), unreadable)
    )
    assert found.blocks[0].message == "nested deeper than 100"


# --- a revert --------------------------------------------------------------------------------

(REVERT,) = Stage().asks(f"imageSetId: {A}\nrevertToVersionId: '1'\n")


def test_an_outline_states_patient_study_and_series_and_no_instance() -> None:
    now = live("HEAD")
    kept = outline(now)
    assert kept.raw["Patient"] == now.raw["Patient"]
    assert section_of(kept.raw, "Study")["DICOM"] == section_of(now.raw, "Study")["DICOM"]
    assert {key: uid_value(one, SERIES_INSTANCE_UID, "") for key, one in series(kept).items()} == {
        SERIES_UID: SERIES_UID
    }
    assert [instances(one) for one in series(kept).values()] == [{}]


def test_a_revert_reads_its_target_and_keeps_its_outline_alone() -> None:
    target = live("CHEST")
    found = converse(
        survey(REVERT, NOTHING, RULES),
        (PropertiesOf(A), at("2")),
        (DocumentOf(A, "2"), live("HEAD")),
        (PropertiesOf(A, "1"), at("1")),
        (DocumentOf(A, "1"), target),
    )
    assert (found.status, found.reading.document, found.reading.target) == (
        Status.UPDATE,
        None,
        outline(target),
    )
    assert [one.expected for one in found.calls] == [content_digest(target)]


def test_a_revert_to_a_missing_or_future_version_is_blocked() -> None:
    missing = converse(
        survey(REVERT, NOTHING, RULES),
        (PropertiesOf(A), at("2")),
        (DocumentOf(A, "2"), live("HEAD")),
        (PropertiesOf(A, "1"), NOT_FOUND),
    )
    future = converse(
        survey(REVERT, NOTHING, RULES),
        (PropertiesOf(A), at("0")),
        (DocumentOf(A, "0"), live("HEAD")),
    )
    assert "no longer has version 1" in missing.blocks[0].message
    assert "does not exist yet" in future.blocks[0].message


# --- what killed runs have left --------------------------------------------------------------


def left(before: str, *versions: tuple[str, Document]) -> Attempt:
    made = tuple((version, content_digest(made)) for version, made in versions)
    return Attempt(DATASTORE_ID, A, before, made, asked_paths(CHEST))


def test_the_origin_of_a_version_that_a_killed_run_made_is_known_by_its_content() -> None:
    made = live("HEAD")
    known = Known({}, {A: [left("1", ("2", made))]})
    for content, origin in ((made, "1"), (live("NECK"), "")):
        found = converse(
            survey(CHEST, known, RULES), (PropertiesOf(A), at("2")), (DocumentOf(A, "2"), content)
        )
        assert found.reading.origin == origin


def test_what_a_killed_run_made_last_is_its_own_baseline() -> None:
    made = live("HEAD")
    known = replace(recorded("1", CHEST), attempts={A: [left("1", ("2", made))]})
    found = converse(
        survey(CHEST, known, RULES),
        (PropertiesOf(A), at("2")),
        (DocumentOf(A, "2"), made),
        (PropertiesOf(A, "1"), at("1")),
    )
    assert found.status is Status.UPDATE


def test_a_later_version_is_compared_with_what_a_killed_run_made() -> None:
    made = live("HEAD")
    known = replace(recorded("1", CHEST), attempts={A: [left("1", ("2", made))]})
    found = converse(
        survey(CHEST, known, RULES),
        (PropertiesOf(A), at("3")),
        (DocumentOf(A, "3"), live("HEAD")),
        (PropertiesOf(A, "1"), at("1")),
        (DocumentOf(A, "2"), made),  # is it what the attempt meant to make?
        (DocumentOf(A, "2"), made),  # the baseline; the driver reads it once
    )
    assert found.status is Status.UPDATE


# --- a study ---------------------------------------------------------------------------------


def row(image_set_id: str, is_primary: bool | None = True) -> Summary:
    return Summary(image_set_id, "1", is_primary, None)


def asked_primary(ask: ImageSetAsk, value: str, known: Known = NOTHING, **more: Any) -> Diff:
    """The diff of an asked primary image set at version 1."""
    name = ask.image_set_id
    more = {"is_primary": True, **more}
    return converse(
        survey(ask, known, RULES),
        (PropertiesOf(name), at("1", name, **more)),
        (DocumentOf(name, "1"), live(value, name)),
    )


def studied(*turns: tuple[Need | Together, Any], own: dict[str, Diff], known: Known) -> Studied:
    ((uid, asked),) = studies_of(own.values()).items()
    assert uid == STUDY_UID
    return converse(survey_study(uid, asked, own, known, RULES), *turns)


def test_only_primaries_with_asks_at_their_level_need_a_study() -> None:
    moves = asked_primary(CHEST, "HEAD")
    still = asked_primary(CHEST, "CHEST")
    alone = asked_primary(CHEST, "HEAD", is_primary=False)
    assert studies_of([moves]) == {STUDY_UID: [A]}
    assert studies_of([still]) == {STUDY_UID: [A]}
    assert studies_of([alone]) == {}
    assert [read_again(found) for found in (moves, still, alone)] == [
        DocumentOf(A, "1"),
        DocumentOf(A, "1"),
        None,
    ]
    # Its study-wide call is made from the documents of the study.
    assert moves.reading.document is None


def test_members_are_read_together_and_search_only_finds_them() -> None:
    own = {A: asked_primary(CHEST, "HEAD")}
    found = studied(
        (MembersOf(STUDY_UID), (row(A), row(B), row(C), row("d" * 32, False))),
        (
            Together((DocumentOf(A, "1"), PropertiesOf(B), PropertiesOf(C))),
            (live("HEAD"), at("1", B, is_primary=True), at("1", C, is_primary=False)),
        ),
        (Together((DocumentOf(B, "1"),)), (live("HEAD", B),)),
        own=own,
        known=NOTHING,
    )
    assert found.study is not None
    assert [one.properties.image_set_id for one in found.study.members] == [A, B]
    assert (found.study.unlisted, found.study.unread) == ((), None)
    assert [one.study for one in found.diffs] == [study_at({A: "1", B: "1"})]


def test_search_may_be_behind() -> None:
    own = {A: asked_primary(CHEST, "HEAD")}
    found = studied(
        (MembersOf(STUDY_UID), ()),
        (Together((DocumentOf(A, "1"),)), (live("HEAD"),)),
        own=own,
        known=NOTHING,
    )
    assert found.study is not None and found.study.unlisted == (A,)


def test_search_may_be_refused() -> None:
    own = {A: asked_primary(CHEST, "HEAD")}
    found = studied(
        (MembersOf(STUDY_UID), DENIED),
        (Together((DocumentOf(A, "1"),)), (live("HEAD"),)),
        own=own,
        known=NOTHING,
    )
    assert found.study is not None and found.study.unread == DENIED.unread
    assert found.study.unlisted == ()


@pytest.mark.parametrize(
    ("listed", "message"),
    [(None, "does not say whether this image set is primary"), (True, "")],
)
def test_a_sibling_that_may_be_primary_is_not_read(listed: bool | None, message: str) -> None:
    own = {A: asked_primary(CHEST, "HEAD")}
    turns: list[tuple[Need | Together, Any]] = [
        (MembersOf(STUDY_UID), (row(A), row(B, listed))),
        (
            Together((DocumentOf(A, "1"), PropertiesOf(B))),
            (live("HEAD"), at("1", B, is_primary=None)),
        ),
    ]
    if listed:
        turns.append((Together((DocumentOf(B, "1"),)), (live("HEAD", B),)))
    found = studied(*turns, own=own, known=NOTHING)
    assert found.study is not None
    unread = found.study.members[1].unread
    assert message in (unread.message if unread else "")
    assert (unread is None) is bool(listed)


@pytest.mark.parametrize(
    ("answer", "members"), [(NOT_FOUND, 1), (DENIED, 2)], ids=["gone", "refused"]
)
def test_a_sibling_that_cannot_be_seen(answer: Refusal, members: int) -> None:
    own = {A: asked_primary(CHEST, "HEAD")}
    found = studied(
        (MembersOf(STUDY_UID), (row(A), row(B))),
        (Together((DocumentOf(A, "1"), PropertiesOf(B))), (live("HEAD"), answer)),
        own=own,
        known=NOTHING,
    )
    assert found.study is not None and len(found.study.members) == members
    assert all(one.unread == DENIED.unread for one in found.study.members[1:])


def test_a_sibling_of_another_study_is_no_member() -> None:
    own = {A: asked_primary(CHEST, "HEAD")}
    found = studied(
        (MembersOf(STUDY_UID), (row(A), row(B))),
        (
            Together((DocumentOf(A, "1"), PropertiesOf(B))),
            (live("HEAD"), at("1", B, is_primary=True)),
        ),
        (Together((DocumentOf(B, "1"),)), (live("HEAD", B, study="1.2.3"),)),
        own=own,
        known=NOTHING,
    )
    assert found.study is not None
    assert [one.properties.image_set_id for one in found.study.members] == [A]


def test_a_member_that_its_record_had_cut_short_is_made_whole() -> None:
    neck = described("NECK", B)
    known = recorded("1", neck, study_at({A: "1", B: "1"}))
    cut = converse(survey(neck, known, RULES), (PropertiesOf(B), at("1", B, is_primary=True)))
    own = {A: asked_primary(CHEST, "HEAD"), B: cut}
    found = studied(
        (MembersOf(STUDY_UID), (row(A), row(B))),
        (
            Together((DocumentOf(A, "1"), DocumentOf(B, "1"))),
            (live("HEAD"), live("HEAD", B)),
        ),
        own=own,
        known=known,
    )
    whole = found.diffs[1]
    assert (whole.image_set_id, whole.status) == (B, Status.UPDATE)


def of_sibling(version: str, baseline: str = "1") -> Entry:
    """An entry of B, of which no manifest asks anything."""
    released = as_baselines({"Study/StudyDescription": baseline})
    return replace(
        entry(version, described("CHEST", B)), asked=(), ask_digest="", released=released
    )


def of_study(*turns: tuple[Need | Together, Any], known: Known) -> Studied:
    """A is as recorded, and the study is looked at."""
    found = converse(survey(CHEST, known, RULES), (PropertiesOf(A), at("1", is_primary=True)))
    assert found.status is Status.CONVERGED
    return studied(*turns, own={A: found}, known=known)


RECORDED = Known(
    {A: replace(entry("1", CHEST), study=study_at({A: "1", B: "1"})), B: of_sibling("1")}
)
LISTED: tuple[Need | Together, Any] = (MembersOf(STUDY_UID), (row(A), row(B)))


def test_a_study_as_recorded_is_not_read() -> None:
    found = of_study(
        LISTED,
        (Together((PropertiesOf(B),)), (at("1", B, is_primary=True),)),
        known=RECORDED,
    )
    assert found == Studied(None)


def test_a_sibling_that_was_changed_alone_is_found() -> None:
    """A equals the ask, B does not: nothing but its version shows it."""
    found = of_study(
        LISTED,
        (Together((PropertiesOf(B),)), (at("2", B, is_primary=True),)),
        (
            Together((DocumentOf(A, "1"), PropertiesOf(B))),
            (live("CHEST"), at("2", B, is_primary=True)),
        ),
        (Together((DocumentOf(B, "2"),)), (live("HEAD", B),)),
        (Together((PropertiesOf(B, "1"),)), (at("1", B, is_primary=True),)),
        (Together((DocumentOf(B, "1"),)), (live("CHEST", B),)),
        known=RECORDED,
    )
    assert found.study is not None
    (sibling,) = found.study.siblings
    (sourced,) = sibling.changes
    assert (sibling.image_set_id, sibling.status) == (B, Status.DRIFTED)
    assert sourced.change.baseline == "1"


def test_a_new_member_ends_the_shortcut() -> None:
    found = of_study(
        (MembersOf(STUDY_UID), (row(A), row(B), row(C))),
        (
            Together((PropertiesOf(B), PropertiesOf(C))),
            (at("1", B, is_primary=True), at("1", C, is_primary=True)),
        ),
        (
            Together((DocumentOf(A, "1"), PropertiesOf(B), PropertiesOf(C))),
            (live("CHEST"), at("1", B, is_primary=True), at("1", C, is_primary=True)),
        ),
        (
            Together((DocumentOf(B, "1"), DocumentOf(C, "1"))),
            (live("CHEST", B), live("HEAD", C)),
        ),
        known=RECORDED,
    )
    assert found.study is not None
    statuses = {one.image_set_id: one.status for one in found.study.siblings}
    assert statuses == {B: Status.CONVERGED, C: Status.UPDATE}


@pytest.mark.parametrize("known", [recorded("1", CHEST)], ids=["first form"])
def test_an_entry_without_a_study_is_read(known: Known) -> None:
    found = converse(
        survey(CHEST, known, RULES),
        (PropertiesOf(A), at("1", is_primary=True)),
        (DocumentOf(A, "1"), live("CHEST")),
    )
    assert (found.status, found.study_instance_uid) == (Status.CONVERGED, STUDY_UID)
