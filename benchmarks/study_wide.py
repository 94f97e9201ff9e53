"""How many update calls a correction of studies takes, by the plan and by the service.

python -m benchmarks.study_wide [IMAGE_SETS [STUDIES]]

The service is in memory, without quotas. Two manifests ask for a StudyDescription, each of every
other primary image set. The exit code is 1 unless there is one call a study.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reconciler import pipeline
from reconciler.apply.run import Run
from reconciler.core.model.observed import Summary
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Plan
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.plan import eta_seconds, without_study_wide
from reconciler.core.review.phrases import duration
from tests.documents import document, instance, series
from tests.fakes import FakeClock, FakeImageSets

DATASTORE = Datastore("research", "1" * 32, "us-east-1", endpoint="emulator")
ON_AWS = Datastore("research", "1" * 32, "us-east-1")
UID = "1.2.826.0.1.3680043.8.498.2"


class Service(FakeImageSets):
    """Image sets in memory, which a search for a study finds at once."""

    def __init__(self) -> None:
        super().__init__(FakeClock(), datastore_id=DATASTORE.datastore_id, update_seconds=0.0)
        self._by_study: dict[str, list[str]] = defaultdict(list)

    def put(self, document: dict[str, Any], *, primary: bool | None = True) -> str:
        """Add a primary image set."""
        name = super().put(document, primary=primary)
        self._by_study[document["Study"]["DICOM"]["StudyInstanceUID"]].append(name)
        return name

    def search(self, filters: Filters = ()) -> Iterator[Summary]:
        """SearchImageSets, for the members of a study."""
        ((_, uid),) = filters
        for name in self._by_study[str(uid)]:
            yield self._summary(self._sets[name])


def loaded(service: Service, image_sets: int, studies: int) -> list[str]:
    """Load primary image sets, spread over the studies."""
    for number in range(image_sets):
        study = f"{UID}.{number % studies}"
        uid = f"{study}.{number // studies + 1}"
        service.put(
            document(
                series(uid, [instance(f"{uid}.1")]),
                image_set_id=f"{number:032d}",
                study={"StudyInstanceUID": study},
            )
        )
    return [f"{number:032d}" for number in range(image_sets)]


def ask(root: Path, name: str, image_sets: Sequence[str]) -> None:
    """Write a manifest."""
    (root / "manifests" / name).write_text(
        json.dumps(
            {
                "apiVersion": "reconciler/v1",
                "kind": "ImageSet",
                "datastore": DATASTORE.name,
                "imageSetIds": image_sets,
                "present": {"Study": {"DICOM": {"StudyDescription": "CT CHEST"}}},
            }
        )
    )


def applied(root: Path, service: Service, names: Sequence[str]) -> Plan:
    """Plan and apply what two manifests ask. Raises RuntimeError unless all of it converges."""
    (root / "manifests").mkdir()
    ask(root, "odd.yaml", names[1::2])
    ask(root, "even.yaml", names[::2])
    settings = Settings(root, "manifests", (DATASTORE,))
    edges = pipeline.Edges(lambda _: service, service.clock)
    plan = pipeline.plan(settings, pipeline.check(settings), edges).plan
    ended = pipeline.apply(settings, plan, edges, Run(service.clock))
    if {one.result for one in ended.outcomes} != {Result.CONVERGED} or ended.problems:
        raise RuntimeError("not everything converged")
    return plan


def main() -> int:
    """One plan and its apply; what it took, and what it would take on AWS."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("image_sets", type=int, nargs="?", default=10_000)
    options.add_argument("studies", type=int, nargs="?", default=1_250)
    chosen = options.parse_args()
    service = Service()
    names = loaded(service, chosen.image_sets, chosen.studies)
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        plan = applied(Path(folder), service, names)
    on_aws = Settings(Path(), "manifests", (ON_AWS,))
    alone = without_study_wide(plan.actions, on_aws)
    eta = duration(eta_seconds(plan.actions, on_aws))
    print(
        f"{chosen.image_sets:,} primary image sets in {chosen.studies:,} studies: "
        f"{len(plan.steps):,} calls planned, {len(service.sent):,} sent, {eta} at AWS's quota; "
        f"{time.process_time() - begin:.0f} s of CPU"
    )
    if alone is not None:
        print(f"without study-wide calls: {alone.calls:,}, {duration(alone.eta_seconds)}")
    return 0 if len(service.sent) == chosen.studies else 1


if __name__ == "__main__":
    sys.exit(main())
