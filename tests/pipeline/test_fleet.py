"""A plan after a scan looks at what has moved, and is the plan that reading everything gives."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.errors import InputError
from reconciler.core.model.scope import Refresh
from reconciler.core.plan.file import to_json
from reconciler.core.review.phrases import observed
from reconciler.edges.records import scans
from reconciler.emulator.http.server import Emulator
from tests.documents import KEY
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


MANY = 120


@pytest.fixture
def large(tmp_path: Path, emulator: Emulator) -> Fleet:
    """Enough image sets for a search to take fewer calls: some are primary, some are unmanaged."""
    made = Fleet(tmp_path, emulator)
    names = [made.add(number) for number in range(MANY)]
    made.manifest("many.yaml", DESCRIBED.format("CT CHEST"), *names)
    study = [made.add(number, primary=True) for number in range(MANY, MANY + 3)]
    body = DESCRIBED.format("CT CHEST") + "allow: [STUDY_WIDE]\n"
    made.manifest("study.yaml", body, study[0])
    made.add(MANY + 3)
    made.commit()
    made.run()
    return made


def test_a_full_scan_searches_and_reads_no_document(large: Fleet) -> None:
    for planned in (large.whole(), large.gated(refresh=Refresh.FULL)):
        assert planned.plan.actions == ()
        assert planned.calls["SearchImageSets"] <= 20
        assert planned.calls["GetImageSet"] <= 4
        assert "GetImageSetMetadata" not in planned.calls


def test_a_full_scan_finds_what_moved_and_what_is_gone(large: Fleet) -> None:
    large.somebody_writes(f"{7:032x}", "ABDOMEN")
    large.somebody_writes(f"{MANY + 1:032x}", "ABDOMEN", study_wide=True)
    large.delete(f"{9:032x}")
    whole, gated = large.whole().plan, large.gated(refresh=Refresh.FULL)
    assert to_json(gated.plan) == to_json(whole)
    assert [(one.image_set_id, one.status) for one in whole.actions] == [
        (f"{7:032x}", "drifted"),
        (f"{9:032x}", "blocked"),
        (f"{MANY:032x}", "drifted"),
    ]
    watermark = large.gated()
    assert [one.image_set_id for one in watermark.plan.actions] == [f"{7:032x}", f"{MANY:032x}"]
    assert "deletions as of the last full scan" in observed(watermark.observed)[0]
    large.record()
    assert to_json(large.gated().plan) == to_json(large.whole().plan)


def _edit_records(fleet: Fleet) -> None:
    for path in (fleet.root / "records").glob("*/*.json"):
        if path.name not in ("scan.json", "layout.json"):
            path.write_bytes(path.read_bytes() + b"\n")


def _edit_settings(fleet: Fleet) -> None:
    fleet.settings = replace(fleet.settings, digest="other settings")


def _edit_scan(fleet: Fleet, **changes: Any) -> None:
    """Write another scan, as `reconcile` would."""
    scan = scans.read(fleet.root, fleet.datastore.datastore_id, KEY)
    assert scan is not None
    scans.write(fleet.root, replace(scan, **changes), KEY)


def _from_the_future(fleet: Fleet) -> None:
    _edit_scan(fleet, since=4_000_000_000)


def _of_another_program(fleet: Fleet) -> None:
    scan = scans.read(fleet.root, fleet.datastore.datastore_id, KEY)
    assert scan is not None
    _edit_scan(fleet, basis=replace(scan.basis, tool="9.9.9"))


def _of_another_store(fleet: Fleet) -> None:
    _edit_scan(fleet, witness=f"{99:032x}")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_edit_records, "the records changed since the last scan"),
        (_edit_settings, "reconciler.yaml changed since the last scan"),
        (_from_the_future, "the time of the last scan is in the future"),
        (_of_another_program, "the last scan is of another version of reconcile"),
        (_of_another_store, "the service did not answer GetImageSet as expected"),
    ],
)
def test_a_scan_that_does_not_hold_is_not_used(
    fleet: Fleet, change: Callable[[Fleet], None], why: str
) -> None:
    change(fleet)
    observed = fleet.observed()
    assert observed.why.startswith(why)
    assert observed.as_recorded == 0


SELECTS = """\
apiVersion: reconciler/v1
kind: ImageSets
datastore: research
name: chest
select: {PatientID: NO-ONE}
allowEmpty: true
present: {Study: {DICOM: {StudyDescription: CT NECK}}}
"""


def test_a_manifest_that_selects_image_sets_shuts_the_gate(fleet: Fleet) -> None:
    base = fleet.git("rev-parse", "HEAD").strip()
    path = fleet.root / "manifests" / "selects.yaml"
    path.write_text(SELECTS)
    assert fleet.observed().why == "manifests select image sets by a search"
    fleet.commit()
    assert to_json(fleet.gated(base).plan) == to_json(fleet.whole(base).plan)
    path.unlink()
    assert fleet.observed().why == ""
    planned = fleet.gated("HEAD")
    assert planned.observed[0].why == "manifests select image sets by a search"
    assert to_json(planned.plan) == to_json(fleet.whole("HEAD").plan)


def test_no_scan_is_recorded_of_manifests_that_select_image_sets(
    tmp_path: Path, emulator: Emulator
) -> None:
    fleet = Fleet(tmp_path, emulator)
    fleet.manifest("0.yaml", DESCRIBED.format("CT CHEST"), fleet.add(0))
    path = fleet.root / "manifests" / "selects.yaml"
    path.write_text(SELECTS)
    fleet.commit()
    fleet.run()
    assert scans.read(fleet.root, fleet.datastore.datastore_id, KEY) is None
    path.unlink()
    fleet.commit()
    fleet.run()
    assert fleet.observed().as_recorded == 1


def test_a_changed_manifest_that_names_no_image_set_is_checked(fleet: Fleet) -> None:
    (fleet.root / "manifests" / "wrong.yaml").write_text("kind: ImageSet\n")
    with pytest.raises(InputError):
        fleet.gated()


def test_a_file_that_git_is_silent_about_is_looked_at(fleet: Fleet) -> None:
    (fleet.root / ".git" / "info" / "exclude").write_text("ignored.yaml\n")
    fleet.manifest("ignored.yaml", DESCRIBED.format("CT NECK"), fleet.add(7))
    for number, flag in ((1, "--skip-worktree"), (2, "--assume-unchanged")):
        fleet.git("update-index", flag, f"manifests/{number}.yaml")
        fleet.manifest(f"{number}.yaml", DESCRIBED.format("CT HEAD"), f"{number:032x}")
    assert fleet.git("status", "--porcelain") == ""
    planned = fleet.gated()
    changing = [one.image_set_id for one in planned.plan.actions]
    assert changing == [f"{1:032x}", f"{2:032x}", f"{7:032x}"]
    assert fleet.observed().as_recorded == 3


def test_a_file_with_the_size_and_time_of_the_old_one_is_looked_at(fleet: Fleet) -> None:
    path = fleet.root / "manifests" / "1.yaml"
    before = path.stat()
    path.write_text(path.read_text().replace("CHEST", "SPINE"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [one.image_set_id for one in fleet.gated().plan.actions] == [f"{1:032x}"]


def test_a_linked_manifest_is_never_taken_for_unchanged(fleet: Fleet) -> None:
    target = fleet.root / "shared.txt"
    path = fleet.root / "manifests" / "1.yaml"
    target.write_text(path.read_text())
    path.unlink()
    path.symlink_to(target)
    fleet.commit()
    fleet.run()
    target.write_text(target.read_text().replace("CHEST", "HEAD"))
    assert [one.image_set_id for one in fleet.gated().plan.actions] == [f"{1:032x}"]


def test_an_apply_that_changes_nothing_leaves_the_scan(fleet: Fleet) -> None:
    before = fleet.git("rev-parse", "HEAD")
    fleet.run()
    assert fleet.git("rev-parse", "HEAD") == before


def test_a_scan_of_a_commit_alone_says_so(fleet: Fleet) -> None:
    _edit_scan(fleet, since=1)
    fleet.commit()
    fleet.record()
    assert fleet.git("log", "-1", "--format=%s") == "Record a scan of the image sets\n"
