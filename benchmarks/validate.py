"""How much a first `validate` of a fleet takes, beside libyaml parsing the same files.

python -m benchmarks.validate [MANIFESTS]

The fleet has one manifest of about 1 KB per file, in folders of 100: five attributes over four
levels, every fourth with `absent`. CPU counts start-up and child processes, the peak of memory is
that of the largest process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

IN_FOLDER = 100
ABSENT_IN = 4
SETTINGS = """\
datastores:
  research:
    datastoreId: "0123456789abcdef0123456789abcdef"
    region: us-east-1
    endpoint: emulator
"""
MANIFEST = """\
# Registered with the data of another examination; corrected by the department of radiology after
# the request of the referring physician. The values below were checked against the order, and
# against the report that the department keeps. Ask the department before a line is changed.
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {number:032x}
reason: Name misspelt at registration, corrected by the department of radiology
present:
  Patient:
    DICOM:
      PatientName: Garcia^Gloria
      PatientID: "{number:08d}"
  Study:
    DICOM:
      StudyDescription: CT CHEST WITH CONTRAST
    Series:
      "1.2.826.0.1.3680043.8.498.{number}":
        DICOM:
          SeriesDescription: Axial 1.25 mm
        Instances:
          "1.2.826.0.1.3680043.8.498.{number}.1":
            DICOM:
              ImageComments: checked by the department
allow: [CHANGES_PATIENT_IDENTITY]
"""
ABSENT = """\
absent:
  Study:
    DICOM: [ReferringPhysicianName]
"""
# libyaml alone: it walks the folder, reads each file and drains the events of its parser.
PARSE = """\
import os, sys, yaml
for where, _, files in os.walk(sys.argv[1]):
    for name in files:
        with open(os.path.join(where, name), "rb") as file:
                    events = yaml.CSafeLoader(file.read())
        while events.get_event() is not None:
            pass
"""
RECONCILE = "from reconciler.__main__ import main; main()"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall and CPU of a command with its children, and the peak of one process in MB."""

    wall: float
    cpu: float
    peak: float


def write_fleet(root: Path, count: int) -> None:
    """Write reconciler.yaml and a number of manifests."""
    (root / "reconciler.yaml").write_text(SETTINGS, encoding="utf-8")
    for number in range(count):
        folder = root / "manifests" / f"{number // IN_FOLDER:05d}"
        if number % IN_FOLDER == 0:
            folder.mkdir(parents=True)
        text = MANIFEST.format(number=number) + (ABSENT if number % ABSENT_IN == 0 else "")
        (folder / f"{number:07d}.yaml").write_text(text, encoding="utf-8")


def cost(command: Sequence[str], folder: Path) -> Cost:
    """Run a command in a folder and measure it. Raises CalledProcessError if it fails."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> None:
    """Measure both and print them side by side."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_fleet(root, count)
        theirs = cost([sys.executable, "-c", PARSE, "manifests"], root)
        ours = cost([sys.executable, "-P", "-c", RECONCILE, "validate"], root)
    print(f"{count:,} manifests on {os.cpu_count()} cores")
    print(f"{'':20}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}")
    for label, one in (("reconcile validate", ours), ("libyaml alone", theirs)):
        print(f"{label:20}{one.wall:10.2f}{one.cpu:10.2f}{one.peak:10.0f}")
    print(f"{'ratio':20}{ours.wall / theirs.wall:10.2f}{ours.cpu / theirs.cpu:10.2f}")


if __name__ == "__main__":
    main()
