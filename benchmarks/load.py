"""How fast manifests load, against PyYAML's own C loader on the same text in the same run.

python benchmarks/load.py [DOCUMENTS]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import yaml

from reconciler.edges.manifests import DEFAULT, parse

MANIFEST = """\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {number:032x}
reason: Name misspelt at registration, corrected by the department
present:
  Patient:
    DICOM:
      PatientName: Garcia^Gloria
      PatientID: "{number:08d}"
      PatientBirthDate: 19700101
      PatientSex: F
  Study:
    DICOM:
      StudyDescription: CT CHEST WITH CONTRAST
      AccessionNumber: A-{number:08d}
    Series:
      "1.2.826.0.1.3680043.8.498.{number}":
        DICOM:
          SeriesDescription: Axial 1.25 mm
          BodyPartExamined: CHEST
        Instances:
          "1.2.826.0.1.3680043.8.498.{number}.1":
            DICOM:
              ImageComments: checked by the department
              WindowCenter: ["40", "400"]
              WindowWidth: ["400", "1500"]
          "1.2.826.0.1.3680043.8.498.{number}.2":
            DICOM:
              ImageComments: checked by the department
absent:
  Study:
    DICOM: [ReferringPhysicianName]
allow: [CHANGES_PATIENT_IDENTITY]
"""


def per_second(work: Callable[[], int]) -> float:
    """Documents a second, the best of three runs."""
    rates = []
    for _ in range(3):
        begin = time.perf_counter()
        count = work()
        rates.append(count / (time.perf_counter() - begin))
    return max(rates)


def main() -> None:
    """Measure both and print the ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    texts = [MANIFEST.format(number=number) for number in range(count)]
    size = sum(map(len, texts)) / count
    ours = per_second(lambda: sum(len(parse(text, "a.yaml").documents) for text in texts))
    theirs = per_second(lambda: sum(1 for text in texts if yaml.load(text, yaml.CSafeLoader)))
    print(f"{count} documents of {size:.0f} bytes, parser {DEFAULT.__name__}")
    print(f"load.parse        {ours:8.0f} documents/s")
    print(f"yaml.CSafeLoader  {theirs:8.0f} documents/s")
    print(f"ratio             {ours / theirs:8.2f}")


if __name__ == "__main__":
    main()
