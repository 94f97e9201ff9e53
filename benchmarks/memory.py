"""How much memory a plan takes: image sets of many instances, of which few change.

python benchmarks/memory.py [IMAGE_SETS [INSTANCES]] [--one-in N] [--primary] [--study-size N]

The service is in memory and makes each document when it is asked for, by parsing its JSON text as
an answer is parsed. One image set in N changes, by default one in a hundred. The peak is that of
the whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler import pipeline
from reconciler.cli.clock import RealClock
from reconciler.core.errors import Place
from reconciler.core.model.address import STUDY
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk, Source
from reconciler.core.model.form import Asks
from reconciler.core.model.observed import Properties, SearchPage, Summary
from reconciler.core.model.plan import Step
from reconciler.core.model.results import Checked
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.model.value import Document, Value
from reconciler.core.ports import PacedImageSets, Patience

DATASTORE = Datastore("research", "1" * 32, "us-east-1", endpoint="emulator")
STUDY_DESCRIPTION = 0x00081030
UID = "1.2.826.0.1.3680043.8.498.1"


class Made(PacedImageSets):
    """`reconciler.core.ports.PacedImageSets`: every image set is at version 1."""

    def __init__(self, instances: int, *, primary: bool, study_size: int, one_in: int) -> None:
        self._text = json.dumps(_document(instances))
        self._primary = primary
        self._study_size = study_size
        self._one_in = one_in

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        """GetImageSet."""
        return Properties(
            image_set_id, "1", "ACTIVE", "CREATED", self._primary, updated_at=1.0, created_at=1.0
        )

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        """GetImageSetMetadata."""
        number = int(image_set_id)
        text = self._text.replace("ID-OF-IT", image_set_id).replace(
            "STUDY-OF-IT", self._study(number)
        )
        return Document(
            json.loads(text.replace("CHEST", "HEAD") if self._changes(number) else text)
        )

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        """ListImageSetVersions."""
        return (self.get(image_set_id),)

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """SearchImageSets, for the members of a study."""
        ((_, uid),) = filters
        first = int(str(uid).rsplit(".", 1)[1]) * self._study_size
        numbers = range(first, first + self._study_size)
        rows = (Summary(f"{number:032d}", "1", self._primary, 1.0) for number in numbers)
        yield SearchPage(tuple(rows), None, is_last=True)

    def update(self, step: Step) -> str:
        """UpdateImageSetMetadata."""
        raise AssertionError("planning writes nothing")

    def turn(self, patience: Patience) -> bool:
        """Unlimited."""
        return True

    def counts(self) -> Mapping[str, int]:
        """Not counted."""
        return {}

    def _study(self, number: int) -> str:
        return f"{UID}.{number // self._study_size}"

    def _changes(self, number: int) -> bool:
        """All primary image sets of a study change together."""
        if self._primary:
            number //= self._study_size
        return number % self._one_in == 0


def _document(instances: int) -> dict[str, Any]:
    blocks = {
        f"{UID}.{number}": _instance(f"{UID}.{number}", number) for number in range(instances)
    }
    study = {"StudyInstanceUID": "STUDY-OF-IT", "StudyDescription": "CHEST"}
    series = {"DICOM": {"SeriesInstanceUID": UID, "Modality": "CT"}, "Instances": blocks}
    return {
        "SchemaVersion": "1.1",
        "DatastoreID": DATASTORE.datastore_id,
        "ImageSetID": "ID-OF-IT",
        "Patient": {"DICOM": {"PatientID": "1", "PatientName": "Doe^Jane"}},
        "Study": {"DICOM": study, "Series": {UID: series}},
    }


def _instance(uid: str, number: int) -> dict[str, Any]:
    """About as much as an instance of an enhanced header holds."""
    return {
        "DICOM": {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
            "SOPInstanceUID": uid,
            "InstanceNumber": f"{number} ",
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "Rows": 512,
            "Columns": 512,
            "KVP": "120 ",
            "ImagePositionPatient": ["-250.0", "-250.0", f"{number * 1.25}"],
            "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
            "PixelSpacing": ["0.976562", "0.976562"],
            "SliceLocation": f"{number * 1.25}",
            "WindowCenter": ["40 "],
            "WindowWidth": ["400 "],
            "AcquisitionTime": f"1015{number % 60:02d}",
            "00091001": "GE_GENESIS_FF",
        },
        "DICOMVRs": {"00091001": "LO"},
        "StoredTransferSyntaxUID": "1.2.840.10008.1.2.4.202",
        "ImageFrames": [{"ID": f"{number:032x}", "FrameSizeInBytes": 524288}],
    }


def asked(number: int) -> ImageSetAsk:
    """The StudyDescription of an image set."""
    place = Place("manifests/benchmark.yaml", 1, 1)
    source = Source(place)
    claim = Claim(ClaimKind.PRESENT, STUDY, STUDY_DESCRIPTION, Value("CHEST"), None, place, source)
    return ImageSetAsk(DATASTORE.name, f"{number:032d}", (source,), (claim,))


def peak_mib() -> float:
    """The most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> None:
    """One plan, one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("image_sets", type=int, nargs="?", default=2_000)
    options.add_argument("instances", type=int, nargs="?", default=500)
    options.add_argument("--primary", action="store_true")
    options.add_argument("--study-size", type=int, default=1)
    options.add_argument("--one-in", type=int, default=100)
    chosen = options.parse_args()
    port = Made(
        chosen.instances,
        primary=chosen.primary,
        study_size=chosen.study_size,
        one_in=chosen.one_in,
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(root=Path(folder), manifests="manifests", datastores=(DATASTORE,))
        checked = Checked(Asks([asked(one) for one in range(chosen.image_sets)]), 1)
        edges = pipeline.Edges(lambda _: port, RealClock())
        before, begin = peak_mib(), time.process_time()
        plan = pipeline.plan(settings, checked, edges).plan
    moved = sum(bool(action.changes) for action in plan.actions)
    print(
        f"{chosen.image_sets} image sets of {chosen.instances} instances, {moved} with changes: "
        f"peak {peak_mib():,.0f} MiB ({before:,.0f} MiB before the plan), "
        f"{time.process_time() - begin:.0f} s of CPU"
    )


if __name__ == "__main__":
    main()
