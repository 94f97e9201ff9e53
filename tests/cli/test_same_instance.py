"""One SOPInstanceUID in two series of an image set: every line says which of the two it means."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command, expect
from tests.cli.outside import imported, manifest, world
from tests.documents import SERIES_UID, document, instance, series

OTHER = "1.3.6.1.4.1.5962.99.1.201"
TWICE, ONCE = f"{SERIES_UID}.1", f"{SERIES_UID}.2"


def planned(folder: Path, reconcile: Command, body: str) -> str:
    with world(folder, reconcile) as here:
        imported(
            here.emulator,
            document(
                series(SERIES_UID, [instance(TWICE), instance(ONCE)]),
                series(OTHER, [instance(TWICE, number="2 "), instance(f"{OTHER}.2")]),
            ),
        )
        manifest(here.root, "a.yaml", body)
        ran = reconcile("plan", "--show-values")
        assert ran.code == 0, ran.err
        return ran.out


def test_attributes(tmp_path: Path, reconcile: Command) -> None:
    body = f"""\
present:
  Study:
    Series:
      "*":
        DICOM: {{SeriesDescription: Neck}}
        Instances:
          "{TWICE}":
            DICOM: {{InstanceNumber: 5}}
      "{SERIES_UID}":
        Instances:
          "{ONCE}":
            DICOM: {{InstanceNumber: 6}}
"""
    expect("plan-same-instance.txt", planned(tmp_path, reconcile, body))


def test_removals(tmp_path: Path, reconcile: Command) -> None:
    body = f"""\
absent:
  Study:
    Series:
      "{SERIES_UID}": {{Instances: ["{TWICE}"]}}
      "{OTHER}": {{Instances: ["{TWICE}"]}}
allow: [REMOVES_INSTANCE]
"""
    expect("plan-same-instance-removed.txt", planned(tmp_path, reconcile, body))


def test_only_one_of_the_two(tmp_path: Path, reconcile: Command) -> None:
    body = f"""\
absent:
  Study:
    Series:
      "{OTHER}": {{Instances: ["{TWICE}"]}}
allow: [REMOVES_INSTANCE]
"""
    expect("plan-same-instance-one.txt", planned(tmp_path, reconcile, body))
