"""A plan from manifests as text and documents in memory: no disk, no network.

`Stage` is what unit tests of `diff` and `plan` stand on: manifests are read by the real loader, so
that a test says what a person would write.
"""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.resolve import Resolved, resolve
from reconciler.core.diff.paths import ask_digest, asked_paths
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.diff import Diff
from reconciler.core.model.hazard import Consent
from reconciler.core.model.plan import Action
from reconciler.core.model.record import Entry, as_baselines
from reconciler.core.model.settings import Datastore, Rules, Settings
from reconciler.core.plan import Found, Study, build, with_digests
from reconciler.core.survey import Known, Surveyed
from reconciler.edges import schemas
from reconciler.edges.manifests import parse
from reconciler.observe.driver import Store, observe
from reconciler.pipeline.held import Builder
from tests.documents import DATASTORE_ID, KEY
from tests.fakes import FakeClock, FakeImageSets

DATASTORE = Datastore("research", DATASTORE_ID, "us-east-1")
A, B, C = (letter * 32 for letter in "abc")
_HEAD = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
_CHECKER = manifest_checker(schemas.load("manifest"))


class Stage:
    """One data store, manifests a.yaml, b.yaml … in the order they are given."""

    def __init__(self, *, allow: tuple[Consent, ...] = (), **rules: Any) -> None:
        self.settings = Settings(
            root=PurePath("/nowhere"),
            manifests="manifests",
            datastores=(DATASTORE,),
            allow=allow,
            rules=Rules(**rules),
        )
        self.service = FakeImageSets(FakeClock(), datastore_id=DATASTORE_ID, update_seconds=0.0)
        self.entries: dict[str, Entry] = {}

    def put(self, document: dict[str, Any], *, primary: bool = False) -> str:
        return self.service.put(document, primary=primary)

    def resolved(self, *manifests: str) -> Resolved:
        asks: list[ImageSetAsk] = []
        for name, text in zip("abcdefgh", manifests, strict=False):
            loaded = parse(_HEAD + textwrap.dedent(text), f"{name}.yaml")
            validated = validate(loaded.documents, self.settings, _CHECKER)
            assert (*loaded.problems, *validated.problems) == ()
            asks += validated.asks
        return resolve(asks)

    def asks(self, *manifests: str) -> tuple[ImageSetAsk, ...]:
        resolved = self.resolved(*manifests)
        assert resolved.problems == ()
        return tuple(resolved.asks)

    def observed(self, *manifests: str) -> tuple[tuple[Diff, ...], tuple[Study, ...]]:
        seen = self.surveyed(*manifests)
        return seen.diffs, seen.studies

    def surveyed(self, *manifests: str) -> Surveyed:
        store = Store(self.service, self.asks(*manifests), Known(self.entries))
        (seen,) = observe([store], self.settings.rules)
        if not isinstance(seen, Surveyed):
            raise seen
        return seen

    def diff(self, *manifests: str) -> Diff:
        ((found,), _) = self.observed(*manifests)
        return found

    def plan(self, *manifests: str) -> tuple[Action, ...]:
        seen = self.surveyed(*manifests)
        asks = {ask.image_set_id: ask for ask in self.asks(*manifests)}
        found = Found(DATASTORE, seen.diffs, seen.studies, asks, seen.patients)
        return with_digests(build(found, self.settings), KEY)

    def action(self, *manifests: str) -> Action:
        (action,) = self.plan(*manifests)
        return action

    def record(self, *manifests: str) -> None:
        """Everything that these manifests ask is recorded at the version that is live now."""
        for ask in self.asks(*manifests):
            name = ask.image_set_id
            seen = self.service.get(name)
            self.entries[name] = Entry(
                datastore_id=DATASTORE_ID,
                image_set_id=name,
                version_id=self.service.version(name),
                previous_version_id="",
                updated_at=seen.updated_at,
                created_at=seen.created_at,
                asked=as_baselines(dict.fromkeys(asked_paths(ask), seen.version_id)),
                ask_digest=ask_digest(ask),
            )

    def run(self, action: Action) -> None:
        """Send every step; the result must be what each step expects."""
        from reconciler.core.dicom.content import content_digest

        for step in action.steps:
            self.service.update(step)
            for image_set_id, expected in step.expected:
                version = self.service.version(image_set_id)
                document = self.service.metadata(image_set_id, version)
                assert content_digest(document) == expected, image_set_id


def messages(action: Action | Diff) -> list[str]:
    return [block.message for block in action.blocks]


def flawed_builder(image_set_id: str, old: str, new: str) -> Builder:
    """A builder with a bug: the requests to one image set do not send what the action shows."""

    def flawed(found: Found, settings: Settings) -> tuple[Action, ...]:
        actions = build(found, settings)
        return tuple(
            with_requests(action, old, new) if action.image_set_id == image_set_id else action
            for action in actions
        )

    return flawed


def with_requests(action: Action, old: str, new: str) -> Action:
    """The action with another text in its requests, and nothing else changed."""
    steps = [
        replace(step, updatable=step.updatable.replace(old, new)) if step.updatable else step
        for step in action.steps
    ]
    assert steps != list(action.steps)
    return replace(action, steps=tuple(steps))
