"""A fleet in git beside an emulator, planned by what has moved or by reading everything."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

from reconciler import pipeline
from reconciler.apply.run import Run
from reconciler.core.model.plan import Step
from reconciler.core.model.results import Applied, Planned
from reconciler.core.model.scope import Observation, Refresh
from reconciler.core.model.settings import RecordMode
from reconciler.core.plan.file import to_json
from reconciler.edges.aws.client import clients
from reconciler.emulator.http.server import Emulator
from tests.documents import KEY, document
from tests.pipeline.repository import Repository

_SETTINGS = """\
datastores:
  research: {{datastoreId: "{id}", region: us-east-1, endpoint: "{endpoint}"}}
record: {{mode: commit}}
"""


class Fleet(Repository):
    """A repository whose records are committed."""

    def __init__(self, root: Path, emulator: Emulator) -> None:
        super().__init__(root, emulator)
        self.settings = replace(self.settings, record_mode=RecordMode.COMMIT, digest="settings")
        (root / "reconciler.yaml").write_text(
            _SETTINGS.format(id=self.datastore.datastore_id, endpoint=emulator.endpoint)
        )
        (root / "reconciler.key").write_text(KEY.secret.hex() + "\n")
        (root / ".gitignore").write_text(".reconcile/\n")
        self.git("init", "-q")
        self.loaded: set[str] = set()
        self.deleted: set[str] = set()

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
        return subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.root,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def commit(self) -> None:
        """Commit everything, if anything differs."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "Ask for something")

    def add(self, number: int, *, primary: bool = False) -> str:
        """Load one more image set; the primary ones are of one study."""
        name = f"{number:032x}"
        self.loaded.add(name)
        self.load(document(image_set_id=name), primary=primary)
        return name

    def opening(self, refresh: Refresh = Refresh.CHANGED) -> pipeline.Opening:
        return pipeline.Opening(
            self.settings, lambda: pipeline.check(self.settings), refresh=refresh
        )

    def gated(self, base: str | None = None, refresh: Refresh = Refresh.CHANGED) -> Planned:
        """The plan by what has moved since the last scan, if there is one."""
        return self.opening(refresh).plan(self.edges, base=base)[1]

    def whole(self, base: str | None = None) -> Planned:
        """The plan that reads every image set."""
        return pipeline.plan(self.settings, pipeline.check(self.settings), self.edges, base=base)

    def run(self) -> Applied:
        """`reconcile apply` of what is committed."""
        checked, planned = pipeline.plan_at_rest(self.settings, self.opening(), self.edges)
        scanning = pipeline.Scanning(checked, planned)
        applied = pipeline.apply(
            self.settings, planned.plan, self.edges, Run(self.edges.clock), scanning=scanning
        )
        assert not applied.problems, applied.problems
        return applied

    def record(self) -> Planned:
        """`reconcile record`."""
        opening = self.opening(Refresh.FULL)
        return pipeline.record(self.settings, opening, self.edges, Run(self.edges.clock))[0]

    def observed(self) -> Observation:
        """How a plan observes now. It must be the plan that reading everything gives."""
        planned = self.gated()
        assert to_json(planned.plan) == to_json(self.whole().plan)
        return planned.observed[0]

    def delete(self, image_set_id: str) -> None:
        """Another process deletes an image set."""
        self.deleted.add(image_set_id)
        client, _ = clients("us-east-1", self.emulator.endpoint, 1)
        client.delete_image_set(datastoreId=self.datastore.datastore_id, imageSetId=image_set_id)

    def somebody_writes(
        self, image_set_id: str, description: str, *, study_wide: bool = False
    ) -> None:
        """Another process changes an attribute."""
        part = {"Study": {"DICOM": {"StudyDescription": description}}}
        step = Step(
            datastore_id=self.datastore.datastore_id,
            image_set_id=image_set_id,
            pin=self.version(image_set_id),
            expected=(),
            updatable=json.dumps({"SchemaVersion": 1.1, **part}),
            study_wide=study_wide,
        )
        self.port.update(step)
        while self.port.get(image_set_id).state != "ACTIVE":
            self.edges.clock.sleep(0.01)
