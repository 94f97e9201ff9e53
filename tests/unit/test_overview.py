"""The overview of a plan: rows, labels, odd ones out, dangers, refusals and the verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Status
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json, Value
from reconciler.core.review import Review, review, wording
from reconciler.core.review.letters import Letters
from reconciler.core.review.names import changed_components
from reconciler.core.review.parts import MOST, parts_of
from reconciler.core.review.severity import SEVERITY, rank
from tests.reviews import plans


def shown(name: str, redact: Redact = Redact.IDENTIFYING, *, stated: bool = True) -> Review:
    return review(plans.PLANS[name](), redact, shows_stated=stated)


def test_identical_edits_are_one_row_with_counts() -> None:
    (row,) = shown("many").overview.rows
    assert (wording.name_of(row), wording.after_text(row)) == ("PatientSex", '"F"')
    assert (row.reach.image_sets, row.reach.studies, row.places) == (400, 87, 1)


def test_equal_live_values_have_equal_labels() -> None:
    (row,) = shown("many").overview.rows
    assert wording.before_texts(row) == ("<A: CS>", "<B: CS>")
    assert [one.reach.image_sets for one in row.before] == [399, 1]


def test_the_odd_one_out_is_named() -> None:
    (row,) = shown("many").overview.rows
    assert [one.reach.first for one in row.odd] == [(f"{77:032x}",)]


def test_many_new_values_are_one_row() -> None:
    (row,) = shown("identifiers").overview.rows
    assert wording.after_text(row) == "100 different values"
    assert (row.places, row.reach.image_sets, row.odd) == (100, 100, ())


def test_drift_stands_apart_from_what_is_asked() -> None:
    found = shown("drift").overview
    assert found.rows == ()
    assert [(row.runs, row.drift) for row in found.drift] == [
        (True, "since version 1 was recorded"),
        (False, "since version 1 was recorded"),
    ]


def test_a_refusal_of_many_image_sets_is_stated_once_with_the_line_to_add() -> None:
    found = shown("refused").overview
    assert [(one.lines, one.reach.image_sets) for one in found.refusals] == [
        (("allow: [CHANGES_PATIENT_IDENTITY]",), 4),
        ((), 1),
    ]


def test_dangers_come_by_their_severity() -> None:
    found = shown("removals").overview.dangers
    assert [rank(one.hazard) for one in found] == sorted(rank(one.hazard) for one in found)
    assert found[0].hazard is Hazard.REMOVES_INSTANCE
    assert len(SEVERITY) == len(set(SEVERITY)) == len(Hazard)


def test_the_verdict_says_what_happens_and_what_stays() -> None:
    assert shown("refused").overview.verdict == (
        "1 image set changes (1 call).",
        "Left as they are: 5 blocked.",
    )
    assert shown("many").overview.verdict == (
        "400 image sets of 87 studies change (400 calls, about 27 min).",
    )


def test_a_plan_without_changes_says_so() -> None:
    plan = plans.one()
    (action,) = plan.actions
    rest = replace(action, status=Status.CONVERGED, changes=(), steps=(), hazards=())
    found = review(replace(plan, actions=(rest,)), Redact.NONE).overview
    assert found.verdict == ("Nothing changes.", "1 image set already holds what is asked.")


# --- what may stand in clear ------------------------------------------------------------------


def test_only_what_stands_on_the_manifest_line_is_shown() -> None:
    rows = {wording.name_of(row): row for row in shown("removals").overview.rows}
    assert wording.has_place_instead(rows["OtherPatientIDsSequence"])
    (row,) = shown("many").overview.rows
    assert not wording.has_place_instead(row)


@pytest.mark.parametrize("redact", [Redact.IDENTIFYING, Redact.ALL])
def test_without_permission_the_place_stands_for_the_value(redact: Redact) -> None:
    (row,) = shown("many", redact, stated=False).overview.rows
    assert wording.has_place_instead(row)


def test_redact_all_has_no_exception() -> None:
    (row,) = shown("many", Redact.ALL).overview.rows
    assert wording.has_place_instead(row)


@pytest.mark.parametrize("is_clean", [False, None])
def test_a_commit_without_the_manifests_shows_nothing_of_them(is_clean: bool | None) -> None:
    plan = plans.many()
    plan = replace(plan, basis=replace(plan.basis, is_clean=is_clean))
    (row,) = review(plan, Redact.IDENTIFYING, shows_stated=True).overview.rows
    assert wording.has_place_instead(row)


def test_a_change_has_the_label_that_the_overview_gives_its_live_value() -> None:
    found = shown("many", Redact.IDENTIFYING)
    (row,) = found.overview.rows
    changes = [change for action in found.actions for change in action.changes]
    assert [one.label for one in row.before] == ["A", "B"]
    (odd,) = row.before[1].reach.first
    assert {one.image_set_id for one in changes if one.label == "B"} == {odd}
    assert sum(one.label == "A" for one in changes) == 399


def test_actions_can_be_read_again_and_print_no_value() -> None:
    found = shown("many", Redact.NONE)
    first, second = tuple(found.actions), tuple(found.actions)
    assert first == second
    assert first[0] is not second[0]
    assert repr(found.actions) == "ShownActions(400)"


def test_studies_are_numbered_in_plan_order_and_masked() -> None:
    members = [one for action in shown("many").actions for one in action.members]
    assert [one.study for one in members[85:89]] == [86, 87, 1, 2]
    assert all(one.study_instance_uid and one.study_instance_uid.is_masked for one in members)
    (member,) = next(iter(shown("one", Redact.NONE).actions)).members
    assert member.study_instance_uid and member.study_instance_uid.plain == "1.2.840.99.1"


# --- the pieces -------------------------------------------------------------------------------


def test_labels_go_on_after_z() -> None:
    letters = Letters()
    ((change,),) = [action.changes for action in plans.many().actions[:1]]
    changes = [replace(change, before=Value(str(number))) for number in range(28)]
    found = [letters.give(change) for change in changes]
    assert (found[0], found[25], found[26], found[27]) == ("A", "Z", "AA", "AB")
    assert letters.give(changes[3]) == "D"
    assert [letters.of(changes[3]), letters.of(replace(change, before=Value("new")))] == ["D", ""]
    assert letters.of(replace(changes[3], key="PatientID")) == ""


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("Doe^Peter", "Doe^Pieter", ("given name",)),
        ("Doe^Peter", "Roe^Peter^X", ("family name", "middle name")),
        ("Doe^Peter^^^", "Doe^Peter", ()),
        ("Doe^Peter", "Roe^Anna", ()),
        ("Yamada^Tarou=山田^太郎", "Yamada^Tarou=山田^次郎", ("ideographic given name",)),
        ("a=b=c=d", "a", ()),
        (["Doe^Peter"], "Doe^Pieter", ()),
        (None, "Doe^Pieter", ()),
    ],
)
def test_the_components_of_a_name(before: Json, after: Json, found: tuple[str, ...]) -> None:
    assert changed_components(before, after) == found


def test_the_elements_inside_of_a_sequence() -> None:
    before: Json = [
        {"PatientID": "1", "Inner": [{"CodeValue": "A"}], "Zyxwood^Quillon": "1"},
        {"PatientID": "2"},
    ]
    after: Json = [{"PatientID": "1", "Inner": [{"CodeValue": "B"}], "Zyxwood^Quillon": "2"}]
    found = parts_of(before, after, Redact.IDENTIFYING)
    assert [one.path for one in found] == [
        "[1].<unknown element>[1].CodeValue",
        "[1].<unknown element>",
        "[2]",
    ]
    assert [wording.part_text(one)[1:] for one in found] == [
        ("<text(1-8)>", "<text(1-8)>"),
        ("<text(1-8)>", "<text(1-8)>"),
        ("<item(1)>", "(absent)"),
    ]


def test_a_long_sequence_shows_its_first_differences() -> None:
    before: Json = [{"PatientID": str(number)} for number in range(500)]
    after: Json = [{"PatientID": f"{number}x"} for number in range(500)]
    assert len(parts_of(before, after, Redact.NONE)) == MOST
