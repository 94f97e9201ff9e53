"""A plan after a scan looks at what has moved, and is the plan that reading everything gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.errors import InputError
from reconciler.core.plan.file import to_json
from reconciler.emulator.http.server import Emulator
from tests.pipeline.fleet import Fleet

DESCRIBED = "present: {{Study: {{DICOM: {{StudyDescription: {}}}}}}}\n"


@pytest.fixture
def fleet(tmp_path: Path, emulator: Emulator) -> Fleet:
    """Five converged image sets with a manifest each."""
    made = Fleet(tmp_path, emulator)
    for number in range(5):
        made.manifest(f"{number}.yaml", DESCRIBED.format("CT CHEST"), made.add(number))
    made.commit()
    made.run()
    return made


def test_what_has_not_moved_is_a_count(fleet: Fleet) -> None:
    observed = fleet.observed()
    assert (observed.why, observed.as_recorded) == ("", 5)
    planned = fleet.gated()
    assert planned.plan.actions == ()
    assert dict(planned.calls) == {"GetImageSet": 1, "SearchImageSets": 2}


def test_what_moved_is_read_again(fleet: Fleet) -> None:
    fleet.somebody_writes(f"{3:032x}", "ABDOMEN")
    assert fleet.observed().as_recorded == 4
    (action,) = fleet.gated().plan.actions
    assert (action.image_set_id, action.status) == (f"{3:032x}", "drifted")


def test_what_changed_manifests_ask_is_looked_at(fleet: Fleet) -> None:
    fleet.manifest("1.yaml", DESCRIBED.format("CT HEAD"), f"{1:032x}")
    (fleet.root / "manifests" / "2.yaml").unlink()
    fleet.manifest("new.yaml", DESCRIBED.format("CT NECK"), fleet.add(7))
    assert fleet.observed().as_recorded == 3
    fleet.commit()
    assert fleet.observed().as_recorded == 3
    fleet.run()
    assert fleet.observed().as_recorded == 5


def test_what_is_not_settled_is_read_by_every_plan(fleet: Fleet) -> None:
    fleet.manifest("gone.yaml", DESCRIBED.format("CT NECK"), f"{9:032x}")
    fleet.somebody_writes(f"{3:032x}", "ABDOMEN")
    fleet.commit()
    fleet.run()
    assert fleet.observed().as_recorded == 4
    planned = fleet.gated()
    assert [(one.image_set_id, one.status) for one in planned.plan.actions] == [
        (f"{3:032x}", "drifted"),
        (f"{9:032x}", "blocked"),
    ]


def test_the_base_of_a_pull_request_is_compared(fleet: Fleet) -> None:
    base = fleet.git("rev-parse", "HEAD").strip()
    fleet.manifest("1.yaml", DESCRIBED.format("CT HEAD"), f"{1:032x}")
    fleet.manifest("new.yaml", DESCRIBED.format("CT NECK"), fleet.add(7))
    (fleet.root / "manifests" / "2.yaml").unlink()
    fleet.commit()
    planned = fleet.gated(base)
    assert planned.observed[0].as_recorded == 3
    assert to_json(planned.plan) == to_json(fleet.whole(base).plan)


def test_a_contradiction_with_an_unchanged_manifest_is_found(fleet: Fleet) -> None:
    fleet.manifest("new.yaml", DESCRIBED.format("CT HEAD"), f"{1:032x}")
    with pytest.raises(InputError) as found:
        fleet.gated()
    places = {str(one.place.file) for one in found.value.diagnostics}
    assert places <= {"manifests/1.yaml", "manifests/new.yaml"}


def test_studies_are_looked_at_as_a_whole(tmp_path: Path, emulator: Emulator) -> None:
    fleet = Fleet(tmp_path, emulator)
    names = [fleet.add(number, primary=True) for number in range(3)]
    wide = "allow: [STUDY_WIDE]\n"
    fleet.manifest("0.yaml", DESCRIBED.format("CT CHEST") + wide, names[0])
    fleet.manifest(
        "1.yaml", f'present: {{Study: {{DICOM: {{PatientSize: "1.8"}}}}}}\n{wide}', names[1]
    )
    fleet.manifest("other.yaml", DESCRIBED.format("CT CHEST"), fleet.add(9))
    fleet.commit()
    fleet.run()
    assert fleet.observed().as_recorded == 3
    fleet.somebody_writes(names[2], "ABDOMEN", study_wide=True)
    assert fleet.observed().as_recorded == 1
