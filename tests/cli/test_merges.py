"""Patients that become one, as a steward and her reviewers see it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import World, imported, manifest, write
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

THIRD_ID = "c" * 32
ASKED = "present: {Patient: {DICOM: {PatientID: '00500'}}}\n"
BOTH = (IMAGE_SET_ID, OTHER_ID)
NOT_LISTED = "SearchImageSets lists no other image set with the new PatientID."


@pytest.fixture
def world(tmp_path: Path, reconcile_at_once: Command) -> Iterator[World]:
    """Two image sets of different patients."""
    with outside.world(tmp_path, reconcile_at_once) as found:
        put(found, IMAGE_SET_ID, PatientID="00122")
        put(found, OTHER_ID, PatientID="00123", PatientName="Roe^Jane")
        yield found


def put(world: World, image_set_id: str, **patient: Any) -> None:
    """An image set of a study of its own."""
    study = {"StudyInstanceUID": f"2.25.{int(image_set_id, 36)}"[:64]}
    imported(world.emulator, document(image_set_id=image_set_id, patient=patient, study=study))


def ask(world: World, *image_set_ids: str, allow: str = "") -> None:
    consents = ", ".join(filter(None, ["CHANGES_PATIENT_IDENTITY", allow]))
    manifest(world.root, "a.yaml", f"{ASKED}allow: [{consents}]\n", *image_set_ids)


def hazards(world: World) -> set[str]:
    ran = world.reconcile("plan", "--json")
    assert ran.code == 0, ran.err
    actions = json.loads(ran.out)["actions"]
    return {use["name"] for action in actions for use in action["hazards"]}


def test_two_patients_become_one_with_consent_to_their_number(world: World) -> None:
    ask(world, *BOTH)
    line = "allow: [CHANGES_PATIENT_IDENTITY, MERGES_PATIENTS@2]"
    assert line in world.apply(code=1)
    assert [world.version(name) for name in BOTH] == ["1", "1"]
    ask(world, *BOTH, allow="MERGES_PATIENTS@2")
    world.apply()
    assert [world.version(name) for name in BOTH] == ["2", "2"]
    assert hazards(world) == set()
    world.apply()


def test_a_run_on_a_part_of_the_list_keeps_its_consent(world: World) -> None:
    """The first image set has the ID already; its name is not that of the second."""
    write(world.emulator, IMAGE_SET_ID, {"Patient": {"DICOM": {"PatientID": "00500"}}})
    ask(world, *BOTH)
    assert "MERGES_PATIENTS@1" in world.apply(code=1)
    ask(world, *BOTH, allow="MERGES_PATIENTS@2")
    world.apply()
    assert hazards(world) == set()


def test_the_id_of_another_patient_needs_consent_and_the_plan_names_an_image_set(
    world: World,
) -> None:
    put(world, THIRD_ID, PatientID="00500", PatientBirthDate="19800101")
    ask(world, IMAGE_SET_ID)
    assert f"in use with another name or birth date, in image set {THIRD_ID}" in world.apply(code=1)
    ask(world, IMAGE_SET_ID, allow="MERGES_PATIENTS@1")
    world.apply()
    assert hazards(world) == set()


def test_the_same_patient_needs_no_consent(world: World) -> None:
    put(world, THIRD_ID, PatientID="00500")
    ask(world, IMAGE_SET_ID)
    assert NOT_LISTED not in world.apply()


def test_what_search_does_not_list_is_no_proof(tmp_path: Path, reconcile_at_once: Command) -> None:
    with outside.world(tmp_path, reconcile_at_once, search_lag_seconds=3600.0) as world:
        put(world, IMAGE_SET_ID)
        put(world, THIRD_ID, PatientName="Roe^Jane")
        write(world.emulator, THIRD_ID, {"Patient": {"DICOM": {"PatientID": "00500"}}})
        ask(world, IMAGE_SET_ID)
        assert NOT_LISTED in world.reconcile("plan").out
        world.apply()


def test_a_saved_plan_is_judged_by_the_consent_of_today(world: World) -> None:
    ask(world, *BOTH, allow="MERGES_PATIENTS@2")
    assert world.reconcile("plan", "--out", "plan.json").code == 0
    ask(world, *BOTH, allow="MERGES_PATIENTS@1")
    ran = world.reconcile("apply", "plan.json")
    assert ran.code == 1
    assert "consent withdrawn: MERGES_PATIENTS needs consent: allow: [MERGES_PATIENTS@2]" in ran.out
    assert [world.version(name) for name in BOTH] == ["1", "1"]
    ask(world, *BOTH, allow="MERGES_PATIENTS@3")
    assert world.reconcile("apply", "plan.json").code == 0


def test_it_cannot_be_a_default(world: World) -> None:
    path = world.root / "reconciler.yaml"
    path.write_text(path.read_text() + "allow: [MERGES_PATIENTS@2]\n")
    ran = world.reconcile("validate")
    assert ran.code == 1
    assert "MERGES_PATIENTS cannot be a default: it applies to the image sets of one" in ran.err


@pytest.mark.parametrize("consent", ["MERGES_PATIENTS", "MERGES_PATIENTS@0", "MERGES_PATIENTS@x"])
def test_it_needs_a_number(world: World, consent: str) -> None:
    ask(world, *BOTH, allow=consent)
    ran = world.reconcile("validate")
    assert ran.code == 1
    assert "MERGES_PATIENTS needs the number of PatientIDs that may become one" in ran.err
