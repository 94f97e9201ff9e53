"""The fleet of `make bench`: its data store, its page and its picture."""

from __future__ import annotations

import gzip
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.fleet.image_sets import ABSENT_IN, EDITED, STORE, document, image_set_id, manifest
from benchmarks.fleet.measure import CommandFailed, Cost, run
from benchmarks.fleet.page import BEGIN, END, measured, panels, replaced, table
from benchmarks.fleet.picture import Curve, Panel, picture
from benchmarks.fleet.rows import Goal, Row, judged
from benchmarks.fleet.store import Loaded, fill
from reconciler.core.model.settings import Datastore, Settings
from reconciler.emulator.operations.service import Service
from reconciler.emulator.wire import exact_json
from reconciler.pipeline.check import check_contents

IMPORTED, UPDATED = 1_700_000_000.0, 1_700_000_500.0
NUMBERS = range(2 * ABSENT_IN)


class Clock:
    """Shows the moment that it is set to."""

    def __init__(self) -> None:
        self.at = IMPORTED

    def __call__(self) -> float:
        return self.at


def answers(service: Service) -> Any:
    """All that the service says of the fleet."""
    said: dict[str, Any] = {"search": service.call("SearchImageSets", {"datastoreId": STORE})}
    for number in NUMBERS:
        address = {"datastoreId": STORE, "imageSetId": image_set_id(number)}
        for operation in ("GetImageSet", "ListImageSetVersions"):
            said[f"{operation} {number}"] = service.call(operation, address)
        for version in ("1", "2"):
            answer = service.call("GetImageSetMetadata", {**address, "versionId": version})
            said[f"{number} {version}"] = answer["imageSetMetadataBlob"]
    return said


def updated(folder: Path) -> Any:
    """The answers after imports and updates, as an apply makes them."""
    clock = Clock()
    service = Service(folder, now=clock, update_seconds=0.0)
    service.ensure_datastore(STORE)
    for number in NUMBERS:
        before = document(number, is_applied=False)
        service.load(STORE, before, image_set_id=image_set_id(number), primary=False)
    clock.at = UPDATED
    for number in NUMBERS:
        service.call("UpdateImageSetMetadata", request(number))
    said = answers(service)
    service.close()
    return said


def request(number: int) -> dict[str, Any]:
    """The update that brings an image set to its manifest."""
    after = document(number, is_applied=True)
    ((uid, series),) = after["Study"]["Series"].items()
    ((instance_uid, instance),) = series["Instances"].items()
    asked: dict[str, Any] = {
        "SchemaVersion": 1.1,
        "Patient": {"DICOM": {"PatientName": after["Patient"]["DICOM"]["PatientName"]}},
        "Study": {
            "DICOM": {"StudyDescription": after["Study"]["DICOM"]["StudyDescription"]},
            "Series": {
                uid: {
                    "DICOM": {"SeriesDescription": series["DICOM"]["SeriesDescription"]},
                    "Instances": {
                        instance_uid: {
                            "DICOM": {"ImageComments": instance["DICOM"]["ImageComments"]}
                        }
                    },
                }
            },
        },
    }
    blobs = {"updatableAttributes": exact_json.dumps(asked)}
    if number % ABSENT_IN:
        asked["Patient"]["DICOM"]["PatientSex"] = after["Patient"]["DICOM"]["PatientSex"]
        blobs["updatableAttributes"] = exact_json.dumps(asked)
    else:
        before = document(number, is_applied=False)["Study"]["DICOM"]
        gone = {"ReferringPhysicianName": before["ReferringPhysicianName"]}
        removed = {"SchemaVersion": 1.1, "Study": {"DICOM": gone}}
        blobs["removableAttributes"] = exact_json.dumps(removed)
    return {
        "datastoreId": STORE,
        "imageSetId": image_set_id(number),
        "latestVersionId": "1",
        "updateImageSetMetadataUpdates": {"DICOMUpdates": blobs},
    }


def contents(said: Any) -> Any:
    """The answers with documents in the place of their bytes: the order of keys has no meaning."""
    return {
        name: json.loads(gzip.decompress(value)) if isinstance(value, bytes) else value
        for name, value in said.items()
    }


def test_a_filled_data_store_answers_as_one_that_was_updated(tmp_path: Path) -> None:
    image_sets = [
        Loaded(
            image_set_id(number),
            [
                (IMPORTED, document(number, is_applied=False)),
                (UPDATED, document(number, is_applied=True)),
            ],
        )
        for number in NUMBERS
    ]
    fill(tmp_path / "filled", image_sets)
    clock = Clock()
    clock.at = UPDATED
    service = Service(tmp_path / "filled", now=clock)
    filled = contents(answers(service))
    service.close()
    assert filled == contents(updated(tmp_path / "updated"))


def test_every_manifest_asks_for_five_attributes() -> None:
    settings = Settings(Path(), "manifests", (Datastore("research", STORE, "us-east-1"),))
    files = {f"manifests/{number}.yaml": manifest(number).encode() for number in NUMBERS}
    asks = check_contents(settings, files).asks
    assert {len(ask.claims) for ask in asks} == {5}
    assert all(850 < len(text) < 1024 for text in files.values())
    assert EDITED not in manifest(0) and EDITED in manifest(0, EDITED)


def test_a_command_is_measured_with_its_children_and_without_its_parent(tmp_path: Path) -> None:
    held = bytearray(b"x") * 200_000_000  # by this process: no command starts with that much
    small = run([sys.executable, "-I", "-S", "-c", "pass"], tmp_path)
    spin = "sum(range(5_000_000))"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', '{spin}'], check=True)"
    busy = run([sys.executable, "-c", nested], tmp_path)
    assert small.peak < 60 < len(held) / 1e6
    assert busy.cpu > small.cpu > 0 and busy.calibration > 0


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('no such fleet')"]
    with pytest.raises(CommandFailed, match="no such fleet"):
        run(failing, tmp_path)
    assert run(failing, tmp_path, expected=(1,)).wall > 0


def test_a_goal_is_met_only_within_every_limit() -> None:
    goal = Goal(calls=3, documents=0, cpu=1.5, peak=120)
    assert str(goal) == "≤ 3 calls, no document read, ≤ 1.5 s CPU, ≤ 120 MB"
    met = Cost(wall=9.0, cpu=1.5, peak=120.0, calls={"SearchImageSets": 2, "GetImageSet": 1})
    assert goal.is_met(met)
    over = (
        replace(met, cpu=1.6),
        replace(met, peak=121.0),
        replace(met, calls={"GetImageSet": 4}),
        replace(met, calls={"GetImageSetMetadata": 1}),
    )
    assert not any(map(goal.is_met, over))


def rows(cpu: float) -> list[Row]:
    cost = Cost(wall=2.0, cpu=cpu, peak=80.0, calls={"SearchImageSets": 2}, calibration=0.1)
    return [judged("watermark", "plan", cost, Goal(calls=3, cpu=1.5))]


def test_the_page_has_the_size_of_the_goals_between_the_markers() -> None:
    known = {"1000": measured(rows(0.5)), "100000": measured(rows(2.0))}
    page = replaced(f"# Benchmarks\n\n{BEGIN}\nearlier\n{END}\n\n## Apply\n", table(known))
    assert "100,000 image sets" in page and "earlier" not in page
    assert "| plan | 2.00 s CPU" in page and "**not reached**" in page
    assert page.startswith(f"# Benchmarks\n\n{BEGIN}\n") and page.endswith(f"{END}\n\n## Apply\n")


def test_a_page_without_markers_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="has no"):
        replaced("# Benchmarks\n", "text")


def test_the_picture_has_a_curve_for_each_case() -> None:
    known = {"1000": measured(rows(0.5)), "100000": measured(rows(2.0))}
    svg = picture(
        [*panels(known), Panel("a < b", (Curve("peer", "#000000", ((1e3, 0.01),), True),))]
    )
    root = ElementTree.fromstring(svg)
    lines = root.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert [line.get("stroke-dasharray") for line in lines] == [None, None, "5 4"]
    assert all(line.get("points") for line in lines)
