"""A repository of manifests beside an emulator: the whole pipeline, through real HTTP."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler import pipeline
from reconciler.apply.run import Run
from reconciler.cli.clock import REAL
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Plan
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Datastore, Rules, Settings
from reconciler.core.plan import build
from reconciler.core.ports import Clock, PacedImageSets
from reconciler.edges import aws, quotas, records
from reconciler.emulator.http.server import Emulator
from reconciler.pipeline.held import Builder

# No update here takes that long. A test that waits in vain must fail soon.
LOCK_TIMEOUT = 60.0
HEAD = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"


class Repository:
    """One data store of its own, and a folder that stands for the repository."""

    def __init__(self, root: Path, emulator: Emulator, clock: Clock = REAL) -> None:
        self.root = root
        self.emulator = emulator
        self.datastore = Datastore(
            "research", uuid.uuid4().hex, "us-east-1", endpoint=emulator.endpoint
        )
        self.settings = Settings(
            root=root,
            manifests="manifests",
            datastores=(self.datastore,),
            lock_timeout_seconds=LOCK_TIMEOUT,
        )
        (root / "manifests").mkdir()
        emulator.service.ensure_datastore(self.datastore.datastore_id, "research")
        self.port = self._connected(clock)
        self.edges = pipeline.Edges(ports=lambda _: self.port, clock=clock)

    def _connected(self, clock: Clock) -> PacedImageSets:
        connected = aws.connect(self.datastore, endpoint=self.emulator.endpoint)
        return quotas.Paced(connected, quotas.Buckets({}, clock))

    def rules(self, **rules: Any) -> None:
        self.settings = replace(self.settings, rules=Rules(**rules))

    def load(self, document: dict[str, Any], *, primary: bool | None = False) -> str:
        """A document into the data store; returns its image set id."""
        loaded = self.emulator.service.load(
            self.datastore.datastore_id,
            json.loads(json.dumps(document)),
            image_set_id=document["ImageSetID"],
            primary=primary,
        )
        return loaded.imageSetId

    def manifest(self, name: str, body: str, *image_set_ids: str) -> None:
        """Write a manifest; replaces one of the same name."""
        ids = "".join(f"  - {one}\n" for one in image_set_ids)
        path = self.root / "manifests" / name
        path.write_text(f"{HEAD}imageSetIds:\n{ids}{body}", encoding="utf-8")

    def plan(self, builder: Builder = build) -> Plan:
        checked = pipeline.check(self.settings)
        return pipeline.plan(self.settings, checked, self.edges, builder=builder).plan

    def apply(self, plan: Plan | None = None) -> Applied:
        return pipeline.apply(
            self.settings,
            plan or self.plan(),
            self.edges,
            self.unbounded_run(),
        )

    def unbounded_run(self) -> Run:
        """A run without bounds."""
        return Run(self.edges.clock)

    def delete(self, image_set_id: str) -> None:
        """Delete an image set, as another program may; return when it is gone."""
        address = {"datastoreId": self.datastore.datastore_id, "imageSetId": image_set_id}
        self.emulator.service.call("DeleteImageSet", address)
        while self.port.get(image_set_id).state == "LOCKED":
            self.edges.clock.sleep(0.01)

    def converge(self) -> Plan:
        """Plan and apply; every step must be seen converged. Returns what was applied."""
        plan = self.plan()
        assert plan.steps, [action.blocks for action in plan.actions]
        applied = self.apply(plan)
        results = [(outcome.result, outcome.message) for outcome in applied.outcomes]
        assert results == [(Result.CONVERGED, "")] * len(plan.steps)
        return plan

    def document(self, image_set_id: str, version_id: str | None = None) -> dict[str, Any]:
        version = version_id or self.version(image_set_id)
        return self.port.metadata(image_set_id, version).raw

    def version(self, image_set_id: str) -> str:
        return self.port.get(image_set_id).version_id

    def entry(self, image_set_id: str) -> Entry:
        return records.read(self.root, self.datastore.datastore_id)[image_set_id]
