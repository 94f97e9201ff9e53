"""PatientIDs of different patients that become one, over all image sets of a data store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.errors import AccessDeniedError
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.observed import SearchPage, Summary
from reconciler.core.model.plan import Action, Basis, Plan, Status
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.value import Document
from reconciler.core.plan import MOST_ROWS, PatientRows
from reconciler.core.plan.checker import contradictions_of_all
from reconciler.core.plan.file import dumps, loads
from reconciler.core.plan.patients import unproven
from reconciler.core.stale_plan import Today, stale
from reconciler.core.survey.needs import PatientOf
from reconciler.observe.answers import read
from tests.documents import document
from tests.fakes import FakeImageSets
from tests.planning import A, B, C, Stage

IDENTITY = "CHANGES_PATIENT_IDENTITY"
MERGES = Hazard.MERGES_PATIENTS
NOT_LISTED = (
    "SearchImageSets lists no other image set with the new PatientID. This is no proof that no "
    "other patient has it"
)
IN_USE = "the new PatientID is in use with another name or birth date, in image set "


def put(stage: Stage, name: str, *, primary: bool = False, **patient: Any) -> None:
    study = {} if primary else {"StudyInstanceUID": f"1.2.{ord(name[0])}"}
    stage.put(document(image_set_id=name, patient=patient, study=study), primary=primary)


def staged(**ids: str | None) -> Stage:
    """The image sets a, b and c, each with its PatientID."""
    stage = Stage()
    for letter, patient_id in ids.items():
        put(stage, letter * 32, PatientID=patient_id)
    return stage


def ask(*names: str, patient: str = "PatientID: '9'", allow: str = "") -> str:
    consents = ", ".join(filter(None, [IDENTITY, allow]))
    listed = ", ".join(names)
    return (
        f"imageSetIds: [{listed}]\npresent: {{Patient: {{DICOM: {{{patient}}}}}}}\n"
        f"allow: [{consents}]\n"
    )


def uses(*actions: Action) -> list[tuple[str, bool, int, str]]:
    """Image set, whether it has consent, the number, and the file that has to consent."""
    return [
        (use.image_set_id[0], use.consented, use.number, use.place.file if use.place else "")
        for action in actions
        for use in action.hazards
        if use.hazard is MERGES
    ]


def notes(action: Action) -> list[str]:
    return [note.message for note in action.notes]


def searches(stage: Stage) -> int:
    return [operation for operation, _ in stage.service.calls].count("SearchImageSets")


# --- image sets of different PatientIDs ------------------------------------------------------


def test_different_patients_that_get_one_id_need_consent_with_their_number() -> None:
    stage = staged(a="1", b="2", c="2")
    refused = stage.plan(ask(A, B, C))
    assert [action.status for action in refused] == [Status.BLOCKED] * 3
    assert uses(*refused) == [(name, False, 2, "a.yaml") for name in "abc"]
    lines = {use.consent for action in refused for use in action.hazards if not use.consented}
    assert lines == {f"allow: [{IDENTITY}, MERGES_PATIENTS@2]"}


@pytest.mark.parametrize(("number", "given"), [(1, False), (2, True), (100, True)])
def test_the_number_is_how_many_at_most(number: int, given: bool) -> None:
    stage = staged(a="1", b="2")
    actions = stage.plan(ask(A, B, allow=f"MERGES_PATIENTS@{number}"))
    assert uses(*actions) == [(name, given, 2, "a.yaml") for name in "ab"]
    assert {bool(action.steps) for action in actions} == {given}
    lines = {use.consent for action in actions for use in action.hazards if not use.consented}
    assert lines == (set() if given else {f"allow: [{IDENTITY}, MERGES_PATIENTS@2]"})
    assert "not needed" not in "".join(note for action in actions for note in notes(action))


@pytest.mark.parametrize(
    "ids",
    [{"a": "1", "b": "1"}, {"a": "1", "b": "1 "}, {"a": "1", "b": None}, {"a": "", "b": None}],
)
def test_one_patient_is_not_merged_and_an_empty_id_never_differs(ids: dict[str, str]) -> None:
    actions = staged(**ids).plan(ask(A, B, allow="MERGES_PATIENTS@9"))
    assert uses(*actions) == []
    assert [bool(action.steps) for action in actions] == [True, True]
    assert "`allow: MERGES_PATIENTS@9` is not needed" in notes(actions[0])


def test_each_manifest_consents_with_its_own_number() -> None:
    stage = staged(a="1", b="2", c="3")
    actions = stage.plan(ask(A, B, allow="MERGES_PATIENTS@2"), ask(C))
    assert uses(*actions) == [
        ("a", True, 2, "a.yaml"),
        ("b", True, 2, "a.yaml"),
        ("c", False, 1, "b.yaml"),
    ]


def test_of_a_change_that_two_manifests_ask_for_either_consents() -> None:
    stage = staged(a="1", b="2")
    both = ask(A, B), ask(B, allow="MERGES_PATIENTS@1")
    assert uses(*stage.plan(*both)) == [("a", False, 2, "a.yaml"), ("b", True, 2, "a.yaml")]


def test_different_new_ids_merge_nothing() -> None:
    stage = staged(a="1", b="2")
    assert uses(*stage.plan(ask(A), ask(B, patient="PatientID: '8'"))) == []


@pytest.mark.parametrize("body", ["present: {Patient: {DICOM: {PatientID: ''}}}", "absent"])
def test_an_id_that_goes_merges_nothing_and_is_not_searched(body: str) -> None:
    stage = staged(a="1", b="2")
    body = "absent: {Patient: {DICOM: [PatientID]}}" if body == "absent" else body
    actions = stage.plan(f"imageSetIds: [{A}, {B}]\n{body}\nallow: [{IDENTITY}]\n")
    assert (uses(*actions), searches(stage)) == ([], 0)
    assert all(action.steps for action in actions)


def test_a_converged_ask_has_no_hazard_and_the_rest_of_a_merge_keeps_its_consent() -> None:
    stage = staged(a="1", b="2", c="3")
    manifest = ask(A, B, C, allow="MERGES_PATIENTS@3")
    stage.run(stage.plan(manifest)[0])
    rest = stage.plan(manifest)
    assert [action.status for action in rest] == [Status.CONVERGED, Status.UPDATE, Status.UPDATE]
    assert uses(*rest) == [("b", True, 2, "a.yaml"), ("c", True, 2, "a.yaml")]
    for action in rest[1:]:
        stage.run(action)
    stage.service.calls.clear()
    done = stage.plan(manifest)
    assert [(action.status, action.hazards, action.notes) for action in done] == [
        (Status.CONVERGED, (), ())
    ] * 3
    assert searches(stage) == 0


def _with_id(patient_id: str) -> Callable[[dict[str, Any]], object]:
    return lambda raw: raw["Patient"]["DICOM"].update(PatientID=patient_id)


def test_a_revert_that_brings_back_one_id_merges_too() -> None:
    stage = staged(a="9", b="9")
    for name, now in ((A, "1"), (B, "2")):
        stage.service.foreign(name, _with_id(now))
    manifest = (
        f'imageSetIds: [{A}, {B}]\nrevertToVersionId: "1"\nallow: [{IDENTITY}, MERGES_PATIENTS@1]\n'
    )
    assert uses(*stage.plan(manifest)) == [("a", False, 2, "a.yaml"), ("b", False, 2, "a.yaml")]


# --- an ID that exists -----------------------------------------------------------------------

SAME = {"PatientName": "Garcia^Gloria", "PatientBirthDate": "19700101"}


@pytest.mark.parametrize(
    "other",
    [
        {"PatientName": "Roe^Jane"},
        {"PatientBirthDate": "19700102"},
        {"PatientName": None, "PatientBirthDate": "19700102"},
    ],
)
def test_an_id_in_use_with_another_name_or_birth_date_needs_consent(other: dict[str, Any]) -> None:
    stage = staged(a="1")
    put(stage, B, PatientID="9", **other)
    (refused,) = stage.plan(ask(A))
    assert uses(refused) == [("a", False, 1, "a.yaml")]
    assert notes(refused) == [IN_USE + B]
    assert refused.patient_unproven == (A,)
    (action,) = stage.plan(ask(A, allow="MERGES_PATIENTS@1"))
    assert action.steps


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"PatientName": "Garcia^Gloria^^ "},
        {"PatientName": None},
        {"PatientName": "", "PatientBirthDate": None},
        {"PatientBirthDate": "1970.01.01"},
    ],
)
def test_the_same_name_and_birth_date_are_the_same_patient(other: dict[str, Any]) -> None:
    stage = staged(a="1")
    put(stage, B, PatientID="9", **other)
    (action,) = stage.plan(ask(A))
    assert (uses(action), notes(action), bool(action.steps)) == ([], [], True)


@pytest.mark.parametrize(
    ("name", "merges"), [("Roe^Jane", False), ("Doe^John", True), ('""', False)]
)
def test_the_name_after_the_change_is_compared(name: str, merges: bool) -> None:
    stage = staged(a="1")
    put(stage, B, PatientID="9", PatientName="Roe^Jane")
    (action,) = stage.plan(ask(A, patient=f"PatientID: '9', PatientName: {name}"))
    assert bool(uses(action)) is merges


def test_a_name_that_is_removed_never_differs() -> None:
    stage = staged(a="1")
    put(stage, B, PatientID="9", PatientName="Roe^Jane")
    removed = ask(A) + "absent: {Patient: {DICOM: [PatientName]}}\n"
    assert uses(*stage.plan(removed)) == []


def test_one_search_for_each_new_id() -> None:
    stage = staged(a="1", b="1", c="1")
    stage.plan(ask(A, B), ask(C, patient="PatientID: '8'"))
    assert searches(stage) == 2


def test_a_list_that_is_not_proof_is_noted() -> None:
    stage = staged(a="1")
    put(stage, B, PatientID="9", PatientName="Roe^Jane")
    stage.service.search_misses.add(B)
    (action,) = stage.plan(ask(A))
    assert (uses(action), notes(action), bool(action.steps)) == ([], [NOT_LISTED], True)


def test_a_search_that_fails_counts_as_an_id_in_use() -> None:
    stage = staged(a="1")
    denied = AccessDeniedError("no", code="AccessDeniedException", operation="SearchImageSets")
    stage.service.fail("SearchImageSets", denied)
    (action,) = stage.plan(ask(A))
    assert uses(action) == [("a", False, 1, "a.yaml")]
    (note,) = notes(action)
    assert note.startswith("it is unknown whether another patient has the new PatientID: the cred")


def test_more_rows_than_are_compared_count_as_an_id_in_use() -> None:
    stage = staged(a="1")
    row = Summary(B, "1", False, None, (("DICOMPatientId", "9"),))
    changes = [one.change for one in stage.diff(ask(A)).changes]
    documents = {A: Document(document(image_set_id=A))}
    for count, hazards in ((MOST_ROWS, []), (MOST_ROWS + 1, [True])):
        found = unproven(changes, documents, {"9": PatientRows((row,) * count)})
        assert [one.is_hazard for one in found] == hazards


def test_no_more_rows_are_read_than_are_compared() -> None:
    port = _Many()
    rows = read(port, PatientOf("9"))
    assert isinstance(rows, tuple)
    assert (len(rows), port.read, port.filters) == (
        MOST_ROWS + 1,
        MOST_ROWS + 1,
        (("DICOMPatientId", "9"),),
    )


class _Many(FakeImageSets):
    """A search that lists image sets for ever."""

    read = 0
    filters: Filters = ()

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        self.filters = filters
        while True:
            self.read += 1
            yield SearchPage((Summary(B, "1", False, None),), None)


def test_all_members_of_a_study_are_judged_and_a_sentence_is_noted_once() -> None:
    stage = Stage()
    for name in (A, B):
        put(stage, name, primary=True, PatientID="1")
    put(stage, C, PatientID="9", PatientName="Roe^Jane")
    (action,) = stage.plan(ask(A, allow="STUDY_WIDE"))
    assert uses(action) == [("a", False, 1, "a.yaml"), ("b", False, 1, "a.yaml")]
    assert (notes(action), action.patient_unproven) == ([IN_USE + C], (A, B))
    (action,) = stage.plan(ask(A, allow="STUDY_WIDE, MERGES_PATIENTS@1"))
    stage.run(action)
    assert stage.plan(ask(A))[0].hazards == ()


# --- a saved plan, and the independent check ---------------------------------------------------


def saved(stage: Stage, *manifests: str) -> Plan:
    plan = Plan(Basis("", 1), stage.plan(*manifests))
    assert loads(dumps(plan)) == plan
    assert contradictions_of_all(plan.actions) == ((),) * len(plan.actions)
    return plan


def reasons(stage: Stage, plan: Plan, *manifests: str) -> set[str]:
    asks = {(one.datastore, one.image_set_id): one for one in stage.asks(*manifests)}
    return set(stale(plan, Today(stage.settings, asks)).values())


@pytest.mark.parametrize(
    ("ids", "needed"), [({"a": "1", "b": "2"}, 2), ({"a": "1"}, 1)], ids=["list", "in-use"]
)
def test_a_saved_plan_is_judged_by_the_consent_of_today(ids: dict[str, Any], needed: int) -> None:
    stage = staged(**ids)
    put(stage, C, PatientID="9", PatientName="Roe^Jane")
    names = [letter * 32 for letter in ids]
    plan = saved(stage, ask(*names, allow="MERGES_PATIENTS@5"))
    assert reasons(stage, plan, ask(*names, allow=f"MERGES_PATIENTS@{needed}")) == set()
    for allow in ("", f"MERGES_PATIENTS@{needed - 1}" if needed > 1 else ""):
        assert reasons(stage, plan, ask(*names, allow=allow)) == {
            f"consent withdrawn: MERGES_PATIENTS needs consent: allow: [MERGES_PATIENTS@{needed}]"
        }


def merged() -> tuple[Action, ...]:
    stage = staged(a="1", b="2")
    return saved(stage, ask(A, B, allow="MERGES_PATIENTS@2")).actions


def found(*actions: Action) -> set[str]:
    return {one for some in contradictions_of_all(actions) for one in some}


def test_a_merge_that_is_not_shown_is_found() -> None:
    first, second = merged()
    hidden = tuple(use for use in first.hazards if use.hazard is not MERGES)
    assert found(replace(first, hazards=hidden), second) == {
        f"MERGES_PATIENTS of image set {A} is not shown"
    }
    assert found(replace(first, hazards=hidden)) == set(), "alone, it merges nothing"


def test_an_id_of_another_patient_that_is_not_shown_is_found() -> None:
    first, _ = merged()
    alone = replace(
        first,
        hazards=tuple(use for use in first.hazards if use.hazard is not MERGES),
        patient_unproven=(A,),
    )
    assert found(alone) == {f"MERGES_PATIENTS of image set {A} is not shown"}


def test_a_number_that_is_too_small_is_found() -> None:
    fewer = [
        replace(
            action,
            hazards=tuple(
                replace(use, number=1) if use.hazard is MERGES else use for use in action.hazards
            ),
        )
        for action in merged()
    ]
    assert found(*fewer) == {
        f"consent to MERGES_PATIENTS of image set {name} is for fewer patients" for name in (A, B)
    }


def test_consent_of_another_manifest_is_found() -> None:
    stage = staged(a="1", b="2")
    name = f"imageSetId: {A}\npresent: {{Patient: {{DICOM: {{PatientComments: x}}}}}}\n"
    first, second = saved(stage, ask(A, B, allow="MERGES_PATIENTS@2"), name).actions
    (other,) = {
        place for change in first.changes for place in change.manifests if place.file == "b.yaml"
    }
    moved = tuple(
        replace(use, place=other) if use.hazard is MERGES else use for use in first.hazards
    )
    assert found(replace(first, hazards=moved), second) == {
        f"consent to MERGES_PATIENTS of image set {A} is of another manifest"
    }


def test_the_digest_of_an_action_covers_the_number() -> None:
    stage = staged(a="1", b="2", c="3")
    two = stage.plan(ask(A, B, allow="MERGES_PATIENTS@9"))[0]
    three = stage.plan(ask(A, B, C, allow="MERGES_PATIENTS@9"))[0]
    assert two.digest != three.digest
