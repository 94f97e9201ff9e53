"""Cases with a data store of their own: large documents, study-wide calls, and one selector."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.fleet.bench import CHANGES, Bench
from benchmarks.fleet.image_sets import document, image_set_id
from benchmarks.fleet.make import git
from benchmarks.fleet.measure import RECONCILE, Cost, run
from benchmarks.fleet.rows import Goal, NotThere, Row, judged, numbers
from benchmarks.fleet.store import Loaded, fill

INSTANCES = 500
FEW, MANY = 200, 2_000
# The share of image sets of which a cold plan changes something.
_CHANGED_IN = 100
_MEMBERS = 8
MOST_OF_STUDIES = 10_000
MOST_SELECTED = 1_000_000
_EARLIER_SECONDS = 2 * 86_400.0


def cold_plans(bench: Bench) -> Iterator[Row]:
    """Plans that read every document: their memory must not follow the number of documents."""
    many = min(MANY, max(2 * FEW, bench.fleet.size // 50))
    goal = "≤ 500 MB, the peaks differ by ≤ 10%"
    costs = [_cold_plan(bench, count) for count in (FEW, many)]
    (few, more) = costs
    apart = abs(more.peak - few.peak) / few.peak
    yield Row(
        "cold",
        f"cold plan of {FEW:,} and of {many:,} image sets of {INSTANCES} instances",
        f"{few.peak:,.0f} MB and {more.peak:,.0f} MB ({apart:.0%} apart), {more.cpu:.1f} s CPU",
        goal,
        max(few.peak, more.peak) <= 500 and apart <= 0.1 if many == MANY else None,
        {str(FEW): numbers(few), str(many): numbers(more)},
    )


def _cold_plan(bench: Bench, count: int) -> Cost:
    begin = time.time() - _EARLIER_SECONDS
    image_sets = (
        Loaded(image_set_id(number), [(begin, _large(number))]) for number in range(count)
    )
    ask: dict[str, Any] = {
        "imageSetIds": [image_set_id(number) for number in range(count)],
        "present": {"Study": {"DICOM": {"StudyDescription": "CT CHEST"}}},
    }
    with _other(bench, f"cold-{count}", image_sets, [ask]) as other, other.service() as service:
        return other.plan(service, exit_code=CHANGES)


def _large(number: int) -> dict[str, Any]:
    """The document of an image set of many instances, with about as much as real ones hold."""
    made = document(number, is_applied=False)
    if number % _CHANGED_IN == 0:
        made["Study"]["DICOM"]["StudyDescription"] = "CT HEAD"
    ((uid, series),) = made["Study"]["Series"].items()
    series["Instances"] = {
        f"{uid}.{position}": {
            "DICOM": {
                "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
                "SOPInstanceUID": f"{uid}.{position}",
                "InstanceNumber": f"{position} ",
                "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
                "Rows": 512,
                "Columns": 512,
                "KVP": "120 ",
                "ImagePositionPatient": ["-250.0", "-250.0", f"{position * 1.25}"],
                "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
                "PixelSpacing": ["0.976562", "0.976562"],
                "SliceLocation": f"{position * 1.25}",
                "WindowCenter": ["40 "],
                "WindowWidth": ["400 "],
                "AcquisitionTime": f"1015{position % 60:02d}",
                "00091001": "GE_GENESIS_FF",
            },
            "DICOMVRs": {"00091001": "LO"},
            "StoredTransferSyntaxUID": "1.2.840.10008.1.2.4.202",
            "ImageFrames": [{"ID": f"{position:032x}", "FrameSizeInBytes": 524288}],
        }
        for position in range(INSTANCES)
    }
    return made


def study_wide(bench: Bench) -> Iterator[Row]:
    """A correction of the studies of many primary image sets, applied: one call a study."""
    count = min(MOST_OF_STUDIES, bench.fleet.size // 10) // _MEMBERS * _MEMBERS
    studies, begin = count // _MEMBERS, time.time() - _EARLIER_SECONDS
    image_sets = (
        Loaded(image_set_id(number), [(begin, _in_study(number))], is_primary=True)
        for number in range(count)
    )
    asks = [
        {
            "imageSetIds": [image_set_id(number) for number in range(start, start + _MEMBERS)],
            "present": {"Study": {"DICOM": {"StudyDescription": "CT CHEST CORRECTED"}}},
        }
        for start in range(0, count, _MEMBERS)
    ]
    with _other(bench, "study", image_sets, asks) as other, other.service() as service:
        before = service.calls()
        command = [*RECONCILE, "apply", "--auto-approve", "--record", "files"]
        cost = service.counted(before, run(command, other.fleet.root))
    updates = cost.calls.get("UpdateImageSetMetadata", 0)
    yield Row(
        "study",
        f"a study-level correction over {count:,} primary image sets in {studies:,} studies",
        f"{updates:,} update calls, {cost.cpu:.1f} s CPU",
        f"{studies:,} update calls",
        updates == studies,
        numbers(cost),
    )


def _in_study(number: int) -> dict[str, Any]:
    """An image set with the patient and the study of seven others, and a series of its own."""
    made = document(number // _MEMBERS, is_applied=False)
    own = document(number, is_applied=False)
    made["Study"]["Series"] = own["Study"]["Series"]
    return {**made, "ImageSetID": image_set_id(number)}


def selector(bench: Bench) -> Iterator[Row | NotThere]:
    """All image sets of the data store behind one selector, recorded; then a full scan."""
    size = bench.fleet.size
    if bench.is_goal_size:
        return  # its goal is for ten times as many, whose documents are read once, to record them
    case = f"{size:,} recorded image sets behind one selector, full scan"
    if not (bench.has_selectors and bench.has_refresh):
        yield NotThere("selector", case)
        return
    ask = {
        "kind": "ImageSets",
        "name": "all",
        "select": {"createdAt": "2000-01-01..2100-01-01"},
        "expect": size,
        "present": {"Study": {"DICOM": {"StudyDescription": "CT CHEST"}}},
    }
    begin = time.time() - _EARLIER_SECONDS
    image_sets = (
        Loaded(image_set_id(number), [(begin + number * 0.05, document(number, is_applied=False))])
        for number in range(size)
    )
    with _other(bench, "selector", image_sets, [ask]) as other, other.service() as service:
        other.record(service)
        cost = other.plan(service, "--refresh", "full")
        goal = Goal(calls=size // 50 + 100, cpu=60, peak=500)
        yield judged("selector", case, cost, goal, is_for_size=size == MOST_SELECTED)


@contextmanager
def _other(
    bench: Bench, name: str, image_sets: Iterator[Loaded], asks: list[dict[str, Any]]
) -> Iterator[Bench]:
    """Another repository with a data store of its own, on the address of the fleet."""
    folder = bench.folder / name
    root = folder / "repository"
    (root / "manifests").mkdir(parents=True)
    settings = bench.fleet.settings_file.read_text(encoding="utf-8")
    (root / "reconciler.yaml").write_text(settings, encoding="utf-8")
    (root / ".gitignore").write_text(".reconcile/\n", encoding="utf-8")
    for number, ask in enumerate(asks):
        _write(root / "manifests" / f"{number:06}.yaml", ask)
    git(root, "init", "-q", "-b", "main")
    for setting in ("user.name", "user.email"):
        git(root, "config", setting, "benchmark@example.org")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Make the repository")
    fill(folder / "data", image_sets)
    fleet = replace(bench.fleet, root=root, data=folder / "data")
    yield Bench(fleet, bench.folder, bench.tools)


def _write(path: Path, ask: dict[str, Any]) -> None:
    head = {"apiVersion": "reconciler/v1", "kind": "ImageSet", "datastore": "research"}
    path.write_text(json.dumps({**head, **ask}), encoding="utf-8")
