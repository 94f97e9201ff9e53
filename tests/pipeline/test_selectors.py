"""Manifests that select image sets by a search, over several runs, through real HTTP."""

from __future__ import annotations

import copy
import shutil
from dataclasses import replace
from typing import Any

import pytest

from reconciler import pipeline
from reconciler.core.errors import InputError, NoAnswerError
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Plan, Selection, Status
from reconciler.core.plan.file import dumps, loads
from reconciler.edges import attempts
from reconciler.pipeline.known import key_of
from tests.documents import IMAGE_SET_ID, OTHER_ID, document
from tests.pipeline.repository import Repository

WRONG, RIGHT = "00123", "00321"
CORRECTS = f"present: {{Patient: {{DICOM: {{PatientID: '{RIGHT}'}}}}}}\n"
ALLOWS = "allow: [CHANGES_PATIENT_IDENTITY]\n"
THIRD_ID = "0" * 31 + "3"


def of_patient(image_set_id: str, patient_id: str = WRONG, **study: Any) -> dict[str, Any]:
    made = copy.deepcopy(document())
    made["ImageSetID"] = image_set_id
    made["Patient"]["DICOM"]["PatientID"] = patient_id
    made["Study"]["DICOM"] |= {"StudyInstanceUID": f"1.2.{int(image_set_id[-6:], 16)}"} | study
    return made


def selector(
    repository: Repository,
    body: str = CORRECTS + ALLOWS,
    *,
    name: str = "wrong-id",
    select: str = f"{{PatientID: '{WRONG}'}}",
    more: str = "",
) -> None:
    (repository.root / "manifests" / f"{name}.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: ImageSets\ndatastore: research\n"
        f"name: {name}\nselect: {select}\n{more}{body}",
        encoding="utf-8",
    )


def selection(plan: Plan) -> Selection:
    (found,) = plan.selections
    return found


def members(plan: Plan) -> list[str]:
    return sorted(one.image_set_id for action in plan.actions for one in action.members)


def is_empty(plan: Plan) -> bool:
    return not plan.actions and not plan.released and not any(s.problem for s in plan.selections)


@pytest.fixture
def wrong_id(repository: Repository) -> Repository:
    """Two image sets with the wrong PatientID, and one with another."""
    repository.load(of_patient(IMAGE_SET_ID))
    repository.load(of_patient(OTHER_ID))
    repository.load(of_patient(THIRD_ID, "00999"))
    return repository


def test_a_correction_of_what_was_searched_for_plans_to_nothing_afterwards(
    wrong_id: Repository,
) -> None:
    selector(wrong_id, more="expect: 2\n")
    planned = wrong_id.converge()
    assert members(planned) == sorted([IMAGE_SET_ID, OTHER_ID])
    assert selection(planned).image_sets == 2
    again = wrong_id.plan()
    assert is_empty(again)
    assert (selection(again).image_sets, [one.image_sets for one in again.unchanged]) == (2, [2])

    # One more attribute changes the same image sets, which the search does not find any more.
    more = CORRECTS.replace("PatientID", "PatientComments: corrected, PatientID")
    selector(wrong_id, more + ALLOWS, more="expect: 2\n")
    assert members(wrong_id.converge()) == sorted([IMAGE_SET_ID, OTHER_ID])
    assert is_empty(wrong_id.plan())
    assert wrong_id.version(THIRD_ID) == "1"


def test_what_a_changed_selection_leaves_is_listed_and_released(wrong_id: Repository) -> None:
    selector(wrong_id)
    wrong_id.converge()
    # `where` is checked on what the search finds today: no image set has the wrong PatientID.
    selector(wrong_id, select="{PatientID: '00999'}", more="where: {PatientSex: '*'}\n")
    planned = wrong_id.plan()
    leaving = tuple(sorted([IMAGE_SET_ID, OTHER_ID]))
    assert (selection(planned).leaving, selection(planned).image_sets) == (leaving, 1)
    assert tuple(one.image_set_id for one in planned.released) == leaving
    assert members(planned) == [THIRD_ID]

    wrong_id.apply(planned)
    assert dict(wrong_id.entry(IMAGE_SET_ID).asked) == {}
    assert wrong_id.entry(IMAGE_SET_ID).selected_by == ()
    assert wrong_id.document(IMAGE_SET_ID)["Patient"]["DICOM"]["PatientID"] == RIGHT
    assert is_empty(wrong_id.plan())


def test_what_leaves_a_selector_is_kept_by_another_manifest(wrong_id: Repository) -> None:
    selector(wrong_id)
    wrong_id.manifest("named.yaml", CORRECTS + ALLOWS, IMAGE_SET_ID)
    wrong_id.converge()
    selector(wrong_id, select="{PatientID: nobody}", more="allowEmpty: true\n")
    planned = wrong_id.plan()
    assert [one.image_set_id for one in planned.released] == [OTHER_ID]
    wrong_id.apply(planned)
    assert wrong_id.entry(IMAGE_SET_ID).selected_by == ()
    assert dict(wrong_id.entry(IMAGE_SET_ID).asked) == {"Patient/PatientID": "2"}
    assert is_empty(wrong_id.plan())


def test_a_new_name_is_a_new_selection(wrong_id: Repository) -> None:
    selector(wrong_id, name="first")
    wrong_id.converge()
    (wrong_id.root / "manifests/first.yaml").unlink()
    selector(wrong_id, name="second", more="allowEmpty: true\n")
    planned = wrong_id.plan()
    assert (selection(planned).image_sets, selection(planned).leaving) == (0, ())
    assert len(planned.released) == 2


def test_an_image_set_that_comes_later_is_selected_too(wrong_id: Repository) -> None:
    selector(wrong_id)
    wrong_id.converge()
    new = "0" * 31 + "4"
    wrong_id.load(of_patient(new))
    planned = wrong_id.converge()
    assert members(planned) == [new]
    assert selection(planned).image_sets == 3


@pytest.mark.parametrize(
    ("select", "more", "problem"),
    [
        ("{PatientID: nobody}", "", "it selects no image set"),
        ("{PatientID: nobody}", "expect: 2\n", "it selects no image set"),
        ("{PatientID: '00123'}", "expect: 3\n", "it selects 2 of 3 expected image sets"),
        ("{PatientID: '00123'}", "expect: 1\n", "it selects more than 1 image set"),
        ("{PatientID: '00123'}", "expect: {atMost: 1}\n", "it selects more than 1 image set"),
    ],
)
def test_a_selector_that_selects_otherwise_than_expected_changes_nothing_and_stops_nothing(
    wrong_id: Repository, select: str, more: str, problem: str
) -> None:
    selector(wrong_id, select=select, more=more)
    wrong_id.manifest("named.yaml", "present: {Study: {DICOM: {StudyDescription: X}}}\n", THIRD_ID)
    planned = wrong_id.plan()
    assert selection(planned).problem == problem
    assert [step.image_set_id for step in planned.steps] == [THIRD_ID]
    applied = wrong_id.apply(planned)
    assert [one.result.is_good for one in applied.outcomes] == [True]
    assert wrong_id.version(IMAGE_SET_ID) == wrong_id.version(OTHER_ID) == "1"


def test_a_wrong_number_releases_nothing_that_was_selected_before(wrong_id: Repository) -> None:
    selector(wrong_id)
    wrong_id.converge()
    before = wrong_id.entry(IMAGE_SET_ID)
    # The search of another `where` ends with a wrong number: who leaves is not known.
    selector(wrong_id, more="where: {PatientSex: X}\nexpect: 7\n")
    planned = wrong_id.plan()
    assert selection(planned).problem and not selection(planned).leaving
    assert planned.released == ()
    wrong_id.apply(planned)
    assert wrong_id.entry(IMAGE_SET_ID) == before


def test_none_may_be_selected_where_the_manifest_says_so(wrong_id: Repository) -> None:
    selector(wrong_id, select="{PatientID: nobody}", more="allowEmpty: true\n")
    assert is_empty(wrong_id.plan())


def test_a_contradiction_is_found_after_the_search_and_names_both_places(
    wrong_id: Repository,
) -> None:
    selector(wrong_id)
    other = CORRECTS.replace(RIGHT, "00444")
    wrong_id.manifest("named.yaml", other + ALLOWS, IMAGE_SET_ID)
    planned = wrong_id.plan()
    by_id = {action.image_set_id: action for action in planned.actions}
    (block,) = by_id[IMAGE_SET_ID].blocks
    assert block.message == "Patient/PatientID contradicts manifests/named.yaml:6:29"
    assert str(block.place) == "manifests/wrong-id.yaml:6:29"
    assert by_id[IMAGE_SET_ID].status is Status.BLOCKED
    # The other image set is changed all the same.
    assert by_id[OTHER_ID].steps


def test_two_selectors_that_agree_ask_together(wrong_id: Repository) -> None:
    selector(wrong_id, name="first")
    selector(wrong_id, "present: {Patient: {DICOM: {PatientComments: X}}}\n", name="second")
    wrong_id.converge()
    assert [name for name, _ in wrong_id.entry(IMAGE_SET_ID).selected_by] == ["first", "second"]
    assert is_empty(wrong_id.plan())


def test_an_image_set_that_is_reverted_is_not_changed_by_a_selector(wrong_id: Repository) -> None:
    wrong_id.manifest("named.yaml", "present: {Study: {DICOM: {StudyDescription: X}}}\n", OTHER_ID)
    wrong_id.converge()
    wrong_id.manifest("named.yaml", 'revertToVersionId: "1"\n', OTHER_ID)
    selector(wrong_id)
    planned = wrong_id.plan()
    (action,) = [one for one in planned.actions if one.image_set_id == OTHER_ID]
    assert action.blocks[0].message == (
        "the image set has `revertToVersionId` at manifests/named.yaml:6:1"
    )
    assert not action.steps


def test_a_saved_plan_uses_what_was_selected_when_it_was_made(wrong_id: Repository) -> None:
    selector(wrong_id)
    planned = loads(dumps(wrong_id.plan()))
    wrong_id.load(of_patient("0" * 31 + "4"))  # found by the search from now on
    applied = pipeline.apply(
        wrong_id.settings, planned, wrong_id.edges, wrong_id.unbounded_run(), saved=True
    )
    assert {one.result.value for one in applied.outcomes} == {"converged"}
    assert wrong_id.version("0" * 31 + "4") == "1"
    assert members(wrong_id.plan()) == ["0" * 31 + "4"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"select": "{PatientID: '00123', isPrimary: false}"}, "no manifest asks for image set"),
        ({"body": CORRECTS.replace(RIGHT, "00444") + ALLOWS}, "the manifests and the plan differ"),
        ({"body": CORRECTS}, "consent withdrawn: CHANGES_PATIENT_IDENTITY"),
    ],
)
def test_a_saved_plan_is_stale_once_the_selector_selects_or_asks_otherwise(
    wrong_id: Repository, changed: dict[str, str], reason: str
) -> None:
    selector(wrong_id)
    planned = wrong_id.plan()
    selector(wrong_id, **changed)
    applied = pipeline.apply(
        wrong_id.settings, planned, wrong_id.edges, wrong_id.unbounded_run(), saved=True
    )
    assert {one.result.value for one in applied.outcomes} == {"stale"}
    assert all(reason in one.message for one in applied.outcomes)


def test_a_saved_plan_releases_nothing_once_a_selector_changed(wrong_id: Repository) -> None:
    selector(wrong_id)
    wrong_id.converge()
    before = wrong_id.entry(IMAGE_SET_ID)
    selector(wrong_id, select="{PatientID: nobody}", more="allowEmpty: true\n")
    planned = wrong_id.plan()
    assert planned.released
    selector(wrong_id)
    pipeline.apply(wrong_id.settings, planned, wrong_id.edges, wrong_id.unbounded_run(), saved=True)
    assert wrong_id.entry(IMAGE_SET_ID) == before


def test_a_run_that_was_killed_before_it_recorded_keeps_its_selection(
    wrong_id: Repository,
) -> None:
    selector(wrong_id, more="expect: 2\n")
    planned = wrong_id.plan()
    wrong_id.apply(planned)
    key = key_of(wrong_id.root)
    assert key is not None
    for action in planned.actions:
        attempts.begin(wrong_id.root, action, key)
    shutil.rmtree(wrong_id.root / "records")
    again = wrong_id.plan()
    assert (selection(again).problem, selection(again).image_sets) == ("", 2)
    wrong_id.apply(again)
    assert [name for name, _ in wrong_id.entry(IMAGE_SET_ID).selected_by] == ["wrong-id"]
    assert is_empty(wrong_id.plan())


def test_a_selected_image_set_that_was_deleted_is_released(wrong_id: Repository) -> None:
    selector(wrong_id)
    wrong_id.converge()
    wrong_id.delete(IMAGE_SET_ID)
    planned = wrong_id.plan()
    assert [one.image_set_id for one in planned.released] == [IMAGE_SET_ID]
    assert not planned.actions
    wrong_id.apply(planned)
    assert is_empty(wrong_id.plan())


def test_an_unchanged_image_set_costs_no_document_when_its_selector_changes(
    wrong_id: Repository,
) -> None:
    selector(wrong_id, "present: {Patient: {DICOM: {PatientComments: X}}}\n")
    wrong_id.converge()
    selector(
        wrong_id,
        "present: {Patient: {DICOM: {PatientComments: X}}}\n",
        more="expect: 2\nwhere: {PatientSex: F}\n",
    )
    before = wrong_id.port.counts().get("GetImageSetMetadata", 0)
    planned = wrong_id.plan()
    assert wrong_id.port.counts().get("GetImageSetMetadata", 0) == before
    assert {action.status for action in planned.actions} == {Status.CONVERGED}
    wrong_id.apply(planned)
    assert is_empty(wrong_id.plan())


def test_a_run_on_some_manifests_leaves_the_selected_ones_alone(wrong_id: Repository) -> None:
    selector(wrong_id)
    body = "present: {Study: {DICOM: {StudyDescription: X}}}\n"
    wrong_id.manifest("named.yaml", body, IMAGE_SET_ID)
    path = wrong_id.root / "manifests/named.yaml"
    checked = pipeline.check(wrong_id.settings, [path])
    planned = pipeline.plan(wrong_id.settings, checked, wrong_id.edges).plan
    assert [change.key for action in planned.actions for change in action.changes] == [
        "StudyDescription"
    ]
    wrong_id.apply(planned)
    assert [name for name, _ in wrong_id.entry(IMAGE_SET_ID).selected_by] == ["wrong-id"]


def test_a_study_is_changed_once_when_its_members_are_selected(repository: Repository) -> None:
    uid = {"StudyInstanceUID": "1.2.9"}
    repository.load(of_patient(IMAGE_SET_ID, **uid), primary=True)
    other = of_patient(OTHER_ID, **uid)
    repository.load(other, primary=True)
    selector(repository, select="{PatientID: '00123', isPrimary: true}")
    planned = repository.converge()
    (step,) = planned.steps
    assert step.study_wide
    assert not [
        use
        for use in planned.actions[0].hazards
        if use.hazard is Hazard.STUDY_WIDE and not use.consented
    ]
    assert is_empty(repository.plan())


class Recording:
    """A port that keeps the filters of searches, and whose search may break off."""

    def __init__(self, port: Any, breaks_after: int | None = None) -> None:
        self._port, self._breaks_after = port, breaks_after
        self.filters: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def search(self, filters: Any = ()) -> Any:
        self.filters.append(filters)
        for number, row in enumerate(self._port.search(filters)):
            if number == self._breaks_after:
                raise NoAnswerError("SearchImageSets: no answer", "Run the command again.")
            yield row


def test_one_filter_goes_to_the_service_and_the_others_are_checked_here(
    wrong_id: Repository,
) -> None:
    port = Recording(wrong_id.port)
    wrong_id.edges = replace(wrong_id.edges, ports=lambda _: port)
    selector(
        wrong_id,
        select="{isPrimary: false, createdAt: 2000-01-01.., PatientID: '00123', "
        f"StudyInstanceUID: 1.2.{int(IMAGE_SET_ID[-6:], 16)}}}",
    )
    planned = wrong_id.plan()
    uids = [[name for name, _ in filters] for filters in port.filters]
    assert uids[0] == ["DICOMStudyInstanceUID"]
    assert members(planned) == [IMAGE_SET_ID]


def test_a_search_that_breaks_off_changes_and_releases_nothing(wrong_id: Repository) -> None:
    selector(wrong_id)
    wrong_id.converge()
    wrong_id.load(of_patient("0" * 31 + "4"))
    wrong_id.load(of_patient("0" * 31 + "5"))
    port = Recording(wrong_id.port, breaks_after=1)
    wrong_id.edges = replace(wrong_id.edges, ports=lambda _: port)
    planned = wrong_id.plan()
    assert selection(planned).problem == (
        "its search failed after 1 image set: SearchImageSets: no answer"
    )
    assert not planned.steps and not planned.released


def test_a_repeated_name_is_an_error_that_names_both_places(wrong_id: Repository) -> None:
    selector(wrong_id)
    text = (wrong_id.root / "manifests/wrong-id.yaml").read_text()
    (wrong_id.root / "manifests/second.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        pipeline.check(wrong_id.settings)
    assert str(caught.value.diagnostics[0]).startswith(
        "manifests/wrong-id.yaml:4:7: the name wrong-id is a duplicate of manifests/second.yaml:4:7"
    )
