"""The switches that no other test sets, and their list."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from reconciler.emulator.behaviours import Behaviours, describe

SERIES = "1.2.840.99.5.1"


def test_every_switch_tells_its_source() -> None:
    described = describe()
    names = [field.name for field in dataclasses.fields(Behaviours)]
    assert [name for name, _, _ in described] == names
    for name, default, source in described:
        assert getattr(Behaviours(), name) == default
        assert len(source) > 40


@pytest.mark.parametrize(
    "name",
    [
        "constraint_errors",
        "missing_datastore_code",
        "unversioned_read_while_updating",
        "same_key_twice",
    ],
)
def test_an_unknown_choice_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Behaviours(**{name: "sometimes"})


def test_the_update_may_win(world_with: Any, document: dict[str, Any]) -> None:
    world = world_with(same_key_twice="update-wins")
    image_set = world.load(document, primary=False)
    after = world.updated(
        image_set,
        {"Patient": {"DICOM": {"PatientName": "X"}}},
        {"Patient": {"DICOM": {"PatientName": "Doe^Jane"}}},
    )
    assert after["Patient"]["DICOM"]["PatientName"] == "X"
    gone = {"Study": {"Series": {SERIES: {"Instances": {"1.2.840.99.7.1": {}}}}}}
    changed = {
        "Study": {"Series": {SERIES: {"Instances": {"1.2.840.99.7.1": {"DICOM": {"Rows": 5}}}}}}
    }
    assert "removed by the same request" in world.refused(image_set, changed, gone)


def test_the_payload_limit(world_with: Any, document: dict[str, Any], error_of: Any) -> None:
    world = world_with(payload_limit_bytes=100)
    image_set = world.load(document, primary=False)
    text = json.dumps({"Patient": {"DICOM": {"PatientName": "X"}}})
    assert error_of(world.call, image_set, text.ljust(76))[0] == 402
    assert world.updated(image_set, text.ljust(75))


def test_removals_without_force(world_with: Any, document: dict[str, Any]) -> None:
    world = world_with(removals_need_force=False)
    image_set = world.load(document, primary=False)
    removal = {"Patient": {"DICOM": {"OtherPatientNames": ["Roe^Jane"]}}}
    assert "OtherPatientNames" not in world.updated(image_set, None, removal)["Patient"]["DICOM"]


def test_other_levels_study_wide(world_with: Any, document: dict[str, Any]) -> None:
    world = world_with(study_wide_levels=("Study",))
    image_set = world.load(document)
    name = {"Patient": {"DICOM": {"PatientName": "X"}}}
    assert "Study level only" in world.refused(image_set, name, includeStudyImageSets=True)
