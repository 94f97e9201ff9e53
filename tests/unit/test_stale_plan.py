"""Actions of a saved plan that are stale by the manifests and settings of today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.plan import Basis, Plan, Status
from reconciler.core.model.settings import Permission, Rules
from reconciler.core.model.value import Value
from reconciler.core.stale_plan import Today, misjudged, stale
from tests.documents import DATASTORE_ID, SERIES_UID, document, instance, series
from tests.planning import A, B, Stage

ONE = f"imageSetId: {A}\n"
CONSENT = "allow: [CHANGES_PATIENT_IDENTITY]\n"
NAMED = ONE + "present: {Patient: {DICOM: {PatientName: Wrong^Name}}}\n"
DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"
NO_VERSIONS = f"absent: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: [SoftwareVersions]}}}}}}}}\n"
NO_INSTANCE = f"absent: {{Study: {{Series: {{{SERIES_UID}: {{Instances: [{SERIES_UID}.1]}}}}}}}}\n"
NO_SERIES = f"absent: {{Study: {{Series: [{SERIES_UID}]}}}}\n"


def in_series(uid: str, inside: str) -> str:
    return f"present: {{Study: {{Series: {{{uid}: {{{inside}}}}}}}}}\n"


def on_instance(uid: str, attributes: str) -> str:
    return in_series("'*'", f"Instances: {{{uid}: {{DICOM: {{{attributes}}}}}}}")


def staged(*names: str, primary: bool = False, **settings: Any) -> Stage:
    """Image sets of one study with different series."""
    stage = Stage(**settings)
    for number, name in enumerate(names or (A,)):
        uid = f"{SERIES_UID}.{number}" if number else SERIES_UID
        block = series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2")])
        stage.put(document(block, image_set_id=name), primary=primary)
    return stage


def instance_of(raw: dict[str, Any], uid: str) -> dict[str, Any]:
    found: dict[str, Any] = raw["Study"]["Series"][SERIES_UID]["Instances"][uid]["DICOM"]
    return found


def planned(stage: Stage, *manifests: str) -> Plan:
    plan = Plan(Basis("", 1, rules=stage.settings.rules.stated), stage.plan(*manifests))
    assert [action.blocks for action in plan.actions if action.blocks] == []
    return plan


def today(stage: Stage, *manifests: str, **settings: Any) -> Today:
    """The working tree with these manifests and these changes of the settings."""
    asks = {(ask.datastore, ask.image_set_id): ask for ask in stage.asks(*manifests)}
    return Today(replace(stage.settings, **settings), asks)


def reason(plan: Plan, now: Today) -> str:
    """The reason why the only action is stale; "" if it is not."""
    (action,) = plan.actions
    found = stale(plan, now)
    assert found.keys() <= {(DATASTORE_ID, action.image_set_id)}
    return "".join(found.values())


# --- the manifests -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked",
    [
        "present: {Patient: {DICOM: {PatientName: Wrong^Name}}}\n" + CONSENT,
        "absent: {Patient: {DICOM: [PatientName]}}\n" + CONSENT + "force: true\n",
        NO_VERSIONS + "force: true\n",
        NO_INSTANCE + "allow: [REMOVES_INSTANCE]\n",
        in_series("'*'", "DICOM: {Modality: MR}") + "allow: [CHANGES_OBJECT]\n",
        on_instance(f"{SERIES_UID}.1", "'00091001': OTHER") + "force: true\n",
        on_instance(
            f"{SERIES_UID}.1", "AnatomicRegionSequence: [{CodeMeaning: Head, '00091001': x}]"
        )
        + "force: true\n",
        on_instance(f"{SERIES_UID}.1", "ImageType: [DERIVED, PRIMARY, '', '0015']")
        + "force: true\n",
        on_instance(f"{SERIES_UID}.1", "SOPInstanceUID: 1.2.3")
        + "allow: [CHANGES_UID]\nforce: true\n",
    ],
    ids=[
        "update",
        "removal",
        "removal-below",
        "instance",
        "wildcard",
        "private",
        "sequence",
        "list",
        "uid",
    ],
)
def test_a_change_that_the_manifests_still_ask_for_is_not_stale(asked: str) -> None:
    stage = staged()
    plan = planned(stage, ONE + asked)
    assert plan.steps
    assert reason(plan, today(stage, ONE + asked)) == ""


def test_an_ask_is_found_by_its_line_where_the_document_keeps_an_old_uid_as_a_key() -> None:
    """Decision 0002, U7: the key of the instance and its SOPInstanceUID differ."""
    stage, key = Stage(), f"{SERIES_UID}.1"
    stage.put(document(series(SERIES_UID, [instance(key), instance(f"{key}2")]), image_set_id=A))
    stage.service.foreign(A, lambda raw: instance_of(raw, key).update(SOPInstanceUID="1.2.9"))
    manifest = ONE + on_instance("1.2.9", "InstanceNumber: 5")
    plan = planned(stage, manifest)
    assert [change.address.instance for change in plan.actions[0].changes] == [key]
    assert reason(plan, today(stage, manifest)) == ""


@pytest.mark.parametrize(
    ("other", "path"),
    [
        (NAMED.replace("Wrong", "Right"), ""),
        (ONE + DESCRIBED, ": Patient/PatientName"),
        (ONE + "absent: {Patient: {DICOM: [PatientName]}}\n", ""),
    ],
    ids=["another-value", "another-attribute", "removal"],
)
def test_an_ask_that_differs_from_the_plan_is_stale(other: str, path: str) -> None:
    stage = staged()
    plan = planned(stage, NAMED + CONSENT)
    assert reason(plan, today(stage, other + CONSENT)) == (
        f"manifest changed: the manifests and the plan differ for image set {A}{path}"
    )


def test_an_image_set_that_no_manifest_names_any_more_is_stale() -> None:
    stage = staged()
    plan = planned(stage, NAMED + CONSENT)
    assert reason(plan, today(stage)) == (
        f"manifest changed: no manifest asks for image set {A} any more"
    )


def test_a_sibling_that_a_manifest_names_now_makes_the_study_stale() -> None:
    stage = staged(A, B, primary=True)
    wide = ONE + DESCRIBED + "allow: [STUDY_WIDE]\n"
    plan = planned(stage, wide)
    assert reason(plan, today(stage, wide)) == ""
    sibling = f"imageSetId: {B}\npresent: {{Study: {{DICOM: {{StudyID: S2}}}}}}\n"
    assert reason(plan, today(stage, wide, sibling)) == (
        f"manifest changed: a manifest now asks for image set {B}, which the plan does not contain"
    )


def test_a_change_that_no_manifest_asks_for_is_stale() -> None:
    """The plan file was edited: only the change differs from the manifest."""
    stage = staged()
    plan = planned(stage, NAMED + CONSENT)
    (action,) = plan.actions
    (change,) = action.changes
    edited = replace(action, changes=(replace(change, after=Value("Other^Name")),))
    assert reason(replace(plan, actions=(edited,)), today(stage, NAMED + CONSENT)) == (
        f"manifest changed: no manifest asks for Patient/PatientName of image set {A} as in the "
        "plan"
    )


def test_only_the_stale_action_is_reported() -> None:
    stage = staged(A, B)
    other = f"imageSetId: {B}\n{DESCRIBED}"
    plan = planned(stage, NAMED + CONSENT, other)
    found = stale(plan, today(stage, NAMED, other))
    assert found.keys() == {(DATASTORE_ID, A)}


def reverted() -> tuple[Stage, str]:
    """An image set at version 2, and a manifest that reverts it to version 1."""
    stage = staged()
    stage.service.foreign(A, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="X"))
    return stage, ONE + 'revertToVersionId: "1"\n'


def test_a_revert_that_the_manifest_still_asks_for_is_not_stale() -> None:
    stage, manifest = reverted()
    plan = planned(stage, manifest)
    assert [step.revert_to for step in plan.steps] == ["1"]
    assert reason(plan, today(stage, manifest)) == ""


def test_a_revert_to_a_version_that_the_manifest_does_not_ask_for_is_stale() -> None:
    stage, manifest = reverted()
    plan = planned(stage, manifest)
    (action,) = plan.actions
    (step,) = action.steps
    edited = replace(action, steps=(replace(step, revert_to="3"),))
    found = reason(replace(plan, actions=(edited,)), today(stage, manifest))
    assert found.startswith("manifest changed: no manifest asks for Study/StudyDescription")


def test_a_converged_image_set_is_not_recorded_for_another_ask() -> None:
    stage = staged()
    ask = ONE + "present: {Study: {DICOM: {StudyDescription: CHEST}}}\n"
    plan = planned(stage, ask)
    assert [action.status for action in plan.actions] == [Status.CONVERGED]
    assert reason(plan, today(stage, ask)) == ""
    assert reason(plan, today(stage, ONE + DESCRIBED)).startswith("manifest changed: ")


# --- consent -------------------------------------------------------------------------------------


def test_consent_that_was_withdrawn_makes_a_change_stale() -> None:
    stage = staged()
    plan = planned(stage, NAMED + CONSENT)
    assert reason(plan, today(stage, NAMED)) == (
        "consent withdrawn: CHANGES_PATIENT_IDENTITY needs consent: "
        "allow: [CHANGES_PATIENT_IDENTITY]"
    )


def test_consent_that_moved_to_the_settings_still_holds() -> None:
    stage = staged()
    plan = planned(stage, NAMED + CONSENT)
    allow = (Consent(Hazard.CHANGES_PATIENT_IDENTITY),)
    assert reason(plan, today(stage, NAMED, allow=allow)) == ""


def test_force_that_was_withdrawn_makes_a_removal_stale() -> None:
    stage = staged()
    plan = planned(stage, ONE + NO_VERSIONS + "force: true\n")
    assert reason(plan, today(stage, ONE + NO_VERSIONS)) == (
        "consent withdrawn: FORCE needs consent: force: true"
    )


def test_consent_to_overwrite_drift_that_was_withdrawn_makes_a_change_stale() -> None:
    stage = staged()
    for action in stage.plan(ONE + DESCRIBED):
        stage.run(action)
    stage.record(ONE + DESCRIBED)
    stage.service.foreign(A, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="X"))
    consented = ONE + DESCRIBED + "allow: [OVERWRITES_DRIFT@3]\n"
    plan = planned(stage, consented)
    assert reason(plan, today(stage, consented)) == ""
    assert reason(plan, today(stage, ONE + DESCRIBED)).startswith(
        "consent withdrawn: OVERWRITES_DRIFT needs consent: "
    )


def test_consent_to_change_a_whole_study_is_needed_for_siblings_that_no_manifest_names() -> None:
    stage = staged(A, B, primary=True)
    wide = ONE + DESCRIBED
    plan = planned(stage, wide + "allow: [STUDY_WIDE]\n")
    assert reason(plan, today(stage, wide)).startswith("consent withdrawn: STUDY_WIDE ")


def test_no_consent_is_needed_where_manifests_name_the_whole_study() -> None:
    stage = staged(A, B, primary=True)
    both = (ONE + DESCRIBED, f"imageSetId: {B}\n{DESCRIBED}")
    plan = planned(stage, *both)
    assert all(step.study_wide for step in plan.steps)
    assert reason(plan, today(stage, *both)) == ""


# --- rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "asked", "primary", "refused"),
    [
        (
            {"series_on_primary": Permission.ALLOW},
            in_series("'*'", "DICOM: {SeriesDescription: X}"),
            True,
            "seriesOnPrimary: refuse",
        ),
        (
            {"uids_on_primary": Permission.ALLOW},
            on_instance(f"{SERIES_UID}.1", "SOPInstanceUID: 1.2.3")
            + "allow: [CHANGES_UID]\nforce: true\n",
            True,
            "uidsOnPrimary: refuse",
        ),
        (
            {"remove_last": Permission.ALLOW},
            NO_SERIES + "allow: [REMOVES_SERIES]\n",
            False,
            "removeLast: refuse",
        ),
        ({"removals_need_force": False}, NO_VERSIONS, False, "removalsNeedForce: true"),
    ],
)
def test_a_rule_that_was_tightened_refuses_the_change(
    before: Mapping[str, Any], asked: str, primary: bool, refused: str
) -> None:
    stage = staged(primary=primary, **before)
    plan = planned(stage, ONE + asked)
    assert reason(plan, today(stage, ONE + asked)) == ""
    found = reason(plan, today(stage, ONE + asked, rules=Rules()))
    assert found.startswith(f"rules changed: `rules: {{{refused}}}` does not allow Study/Series/")


def test_an_image_set_without_is_primary_may_be_primary() -> None:
    stage = staged()
    asked = ONE + in_series("'*'", "DICOM: {SeriesDescription: X}")
    plan = planned(stage, asked)
    (action,) = plan.actions
    unstated = tuple(replace(member, is_primary=None) for member in action.members)
    plan = replace(plan, actions=(replace(action, members=unstated),))
    assert reason(plan, today(stage, asked)).startswith("rules changed: ")


def test_a_revert_of_a_primary_image_set_is_refused_by_todays_rules() -> None:
    stage = staged(A, B, primary=True, revert_on_primary=Permission.ALLOW)
    (first,) = stage.plan(ONE + DESCRIBED + "allow: [STUDY_WIDE]\n")
    stage.run(first)
    manifest = ONE + 'revertToVersionId: "1"\n'
    plan = planned(stage, manifest)
    assert reason(plan, today(stage, manifest)) == ""
    assert reason(plan, today(stage, manifest, rules=Rules())) == (
        "rules changed: `rules: {revertOnPrimary: refuse}` does not allow Study/StudyDescription"
    )


def test_a_revert_at_series_level_is_refused_by_todays_rules() -> None:
    stage = staged(primary=True, series_on_primary=Permission.ALLOW)
    changed = in_series("'*'", "DICOM: {SeriesDescription: X}")
    stage.run(stage.action(ONE + changed))
    manifest = ONE + 'revertToVersionId: "1"\n'
    plan = planned(stage, manifest)
    assert reason(plan, today(stage, manifest)) == ""
    assert reason(plan, today(stage, manifest, rules=Rules())).startswith(
        "rules changed: `rules: {seriesOnPrimary: refuse}` does not allow Study/Series/"
    )


def test_a_revert_that_removes_an_instance_is_refused_by_todays_rules() -> None:
    stage = staged(remove_last=Permission.ALLOW)
    more = instance(f"{SERIES_UID}.3")
    stage.service.foreign(
        A, lambda raw: raw["Study"]["Series"][SERIES_UID]["Instances"].update({"1.2.3": more})
    )
    manifest = ONE + 'revertToVersionId: "1"\nallow: [REMOVES_INSTANCE]\n'
    plan = planned(stage, manifest)
    assert reason(plan, today(stage, manifest)) == ""
    assert reason(plan, today(stage, manifest, rules=Rules())).startswith(
        "rules changed: `rules: {removeLast: refuse}` does not allow Study/Series/"
    )


def test_a_call_that_exceeds_todays_payload_is_stale() -> None:
    stage = staged()
    plan = planned(stage, ONE + DESCRIBED)
    assert reason(plan, today(stage, ONE + DESCRIBED, rules=Rules(payload_bytes=50))).startswith(
        "rules changed: `rules: {payloadBytes: 50}` does not allow a call of "
    )


# --- hazards in the plan file --------------------------------------------------------------------


def test_hazards_that_a_plan_file_hides_are_found() -> None:
    (action,) = planned(staged(), NAMED + CONSENT).actions
    assert misjudged(action) == ""
    (change,) = action.changes
    hidden = replace(action, changes=(replace(change, hazards=()),))
    assert misjudged(hidden) == f"image set {A}: the hazards of Patient/PatientName are wrong"
    # An action without a call changes nothing.
    assert misjudged(replace(hidden, steps=())) == ""
