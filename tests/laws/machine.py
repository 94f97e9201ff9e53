"""Ours, others and bad luck on one data store, at random; the six promises looked at all the time.

The real pipeline runs on an in-memory service whose clock moves when somebody sleeps. What is sent
to it, what takes effect and what others write is known there, so every promise can be checked from
outside, also after a run of ours that was killed.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler import pipeline, record
from reconciler.apply.step import StepRun
from reconciler.dicom.content import content_digest
from reconciler.errors import (
    ConflictError,
    NoAnswerError,
    ReconcilerError,
    ThrottledError,
    UnreachableError,
)
from reconciler.files import RealFiles
from reconciler.model.bounds import Bounds
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Plan, Step
from reconciler.model.settings import Datastore, RecordMode, Rules, Settings
from reconciler.model.value import Document
from reconciler.plan.file import dumps, loads
from tests.documents import DATASTORE_ID, document, instance, series
from tests.fakes import FakeClock, FakeImageSets
from tests.faulty_files import ERRORS, FaultyFiles, failing

FIRST, SECOND, OWN = IDS = tuple(letter * 32 for letter in "abc")
PRIMARY = (FIRST, SECOND)
UPDATE, GET, METADATA = "UpdateImageSetMetadata", "GetImageSet", "GetImageSetMetadata"
GOOD = (Result.CONVERGED, Result.ALREADY_CONVERGED)
WORDS = ("one", "two", "three")
# So much that two comments never fit into one call.
LONG = "x" * 200
PAYLOAD_BYTES = 700

Attributes = dict[str, str]


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def kill() -> None:
    raise KilledError


class ApplyMachine(RuleBasedStateMachine):
    """`life` is how a step is applied: the proofs that this finds bugs bring flawed ones."""

    life: type[StepRun] = StepRun

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        (self.root / "manifests").mkdir()
        self.service = FakeImageSets(FakeClock(), datastore_id=DATASTORE_ID)
        for number, name in enumerate(IDS):
            own = f"1.2.{number}"
            blocks = [instance(f"{own}.{part}", private=False) for part in (1, 2, 3)]
            content = document(series(own, blocks), image_set_id=name)
            self.service.put(content, primary=name in PRIMARY)
        self.datastore = Datastore("research", DATASTORE_ID, "us-east-1", endpoint="http://fake")
        self.settings = Settings(
            root=self.root,
            manifests="manifests",
            datastores=(self.datastore,),
            rules=Rules(payload_bytes=PAYLOAD_BYTES),
            lock_timeout_seconds=60.0,
        )
        self.files: RealFiles = RealFiles()
        self.edges = pipeline.Edges(lambda _: self.service, self.service.clock)
        self.asked: dict[str, Attributes] = {}
        self.digests: dict[str, tuple[str, Attributes]] = {}
        self.foreign: dict[str, str] = {}
        self.saved: Plan | None = None
        self.planned: list[Step] = []
        self.seen = 0

    def teardown(self) -> None:
        self._folder.cleanup()

    # --- what people ask ---------------------------------------------------------------------

    @rule(name=st.sampled_from(IDS), word=st.sampled_from(WORDS), split=st.booleans())
    def ask(self, name: str, word: str, split: bool) -> None:
        """A manifest, new or other than before; `split` makes it take several calls."""
        own = f"1.2.{IDS.index(name)}"
        wanted = {"": f"study {word}" if name in PRIMARY else f"own {word}"}
        wanted |= {f"{own}.1": f"{word}{LONG}"}
        wanted |= {f"{own}.2": f"{word}{LONG}"} if split else {}
        others = [asked for other, asked in self.asked.items() if other != name]
        if name in PRIMARY and any(asked[""].startswith("study") for asked in others):
            # Two image sets of a study cannot ask for two descriptions.
            wanted[""] = next(asked[""] for asked in others if asked[""].startswith("study"))
        self.asked[name] = wanted
        self.saved = None
        body = {
            "Study": {
                "DICOM": {"StudyDescription": wanted[""]},
                "Series": {
                    own: {
                        "Instances": {
                            key: {"DICOM": {"ImageComments": text}}
                            for key, text in wanted.items()
                            if key
                        }
                    }
                },
            }
        }
        text = {
            "apiVersion": "reconciler/v1",
            "kind": "ImageSet",
            "datastore": "research",
            "imageSetId": name,
            "present": body,
            "allow": ["STUDY_WIDE", "SPLIT_UPDATE"],
        }
        (self.root / "manifests" / f"{name}.yaml").write_text(json.dumps(text))

    # --- what others do ----------------------------------------------------------------------

    @rule(name=st.sampled_from(IDS), word=st.sampled_from(WORDS))
    def somebody_writes(self, name: str, word: str) -> None:
        """What nobody of us asks about: it must never get lost."""
        self._foreign(name, word)

    @rule(
        name=st.sampled_from(IDS),
        word=st.sampled_from(WORDS),
        operation=st.sampled_from([UPDATE, GET, METADATA]),
        when=st.sampled_from(["before", "after"]),
    )
    def somebody_writes_while_we_work(
        self, name: str, word: str, operation: str, when: str
    ) -> None:
        self.service.inject(
            operation, lambda: self._foreign(name, word), image_set_id=name, when=when
        )

    def _foreign(self, name: str, word: str) -> None:
        self.foreign[name] = word
        self.service.foreign(
            name, lambda content: content["Patient"]["DICOM"].update(PatientComments=word)
        )

    @rule(name=st.sampled_from(IDS), seconds=st.sampled_from([1.0, 50.0, 200.0]))
    def somebody_copies(self, name: str, seconds: float) -> None:
        self.service.lock(name, seconds)

    # --- bad luck ----------------------------------------------------------------------------

    @rule(
        error=st.sampled_from([ThrottledError, NoAnswerError, UnreachableError, ConflictError]),
        name=st.sampled_from(IDS),
    )
    def an_update_is_refused(self, error: type[Exception], name: str) -> None:
        self._fault(UPDATE, error, name, "before")

    @rule(name=st.sampled_from(IDS), operation=st.sampled_from([UPDATE, GET, METADATA]))
    def an_answer_is_lost(self, name: str, operation: str) -> None:
        self._fault(operation, NoAnswerError, name, "after")

    @rule(name=st.sampled_from(IDS))
    def an_answer_is_lost_and_somebody_writes(self, name: str) -> None:
        """They were faster: our update finds a stale pin, and that answer gets lost."""
        self.service.inject(UPDATE, lambda: self._theirs(name), image_set_id=name)

    def _theirs(self, name: str) -> None:
        self._foreign(name, "theirs")
        raise NoAnswerError("reset")

    def _fault(self, operation: str, error: type[Exception], name: str, when: str) -> None:
        def act() -> None:
            raise error("a fault")

        self.service.inject(operation, act, image_set_id=name, when=when)

    @rule()
    def an_update_fails(self) -> None:
        self.service.fail_update("It did not work out")

    @rule()
    def search_lags_behind(self) -> None:
        self.service.search_lag = 2

    @rule(seconds=st.sampled_from([0.0, 2.0, 70.0]))
    def updates_take(self, seconds: float) -> None:
        self.service.update_seconds = seconds

    @rule(
        error=st.sampled_from(sorted(ERRORS)),
        first=st.integers(1, 12),
        times=st.sampled_from([1, 99]),
    )
    def the_disk_fails(self, error: str, first: int, times: int) -> None:
        self.files = FaultyFiles(first, failing(ERRORS[error]), times)

    @rule(
        name=st.sampled_from(IDS),
        operation=st.sampled_from([UPDATE, GET, METADATA]),
        when=st.sampled_from(["before", "after"]),
    )
    def we_will_be_killed(self, name: str, operation: str, when: str) -> None:
        self.service.inject(operation, kill, image_set_id=name, when=when)

    @rule(first=st.integers(1, 12))
    def we_will_be_killed_writing(self, first: int) -> None:
        self.files = FaultyFiles(first, kill)

    # --- what we do --------------------------------------------------------------------------

    @precondition(lambda self: self.asked)
    @rule()
    def plan(self) -> None:
        """A plan that is reviewed, and applied some time later."""
        try:
            planned = self._plan()
        except (ReconcilerError, KilledError):
            return
        self.saved = loads(dumps(planned))

    @precondition(lambda self: self.saved)
    @rule()
    def apply(self) -> None:
        self._apply(self.saved)

    @precondition(lambda self: self.asked)
    @rule()
    def plan_and_apply(self) -> None:
        self.plan()
        if self.saved:
            self._apply(self.saved)

    @precondition(lambda self: self.saved)
    @rule()
    def everything_calms_down_and_we_run_again(self) -> None:
        """Promise 2 and 5: the same command again, and what is left is a conflict at most."""
        self._calm()
        interfered = self._interfered(self.saved)
        applied = self._apply(self.saved)
        assert applied is not None
        assert not applied.problems
        for outcome in applied.outcomes:
            if not interfered:
                assert outcome.result in GOOD, f"{outcome.result}: {outcome.message}"
        again = self._plan()
        if all(outcome.result in GOOD for outcome in applied.outcomes) and not applied.held:
            assert not again.steps, "the next plan is not empty"

    def _interfered(self, plan: Plan | None) -> bool:
        """Whether a step of the plan cannot have landed, or must not land any more."""
        assert plan is not None
        for action in plan.actions:
            ours = {}
            for member in action.members:
                ours[member.image_set_id] = int(member.pin)
            for step in action.steps:
                for name, digest in step.expected:
                    ours[name] += 1
                    if int(self.service.version(name)) < ours[name]:
                        continue
                    made = str(ours[name])
                    landed = any(
                        sent == step and moved.get(name) == made
                        for sent, moved in self.service.landed
                    )
                    if not landed or self.service.status(name, made) != "UPDATED":
                        return True
                    if content_digest(Document(self.service.document(name, made))) != digest:
                        return True
            for name, version in ours.items():
                if int(self.service.version(name)) > version:
                    return True  # harmless after the last step, but that is for others to tell
        return False

    def _calm(self) -> None:
        self.service.calm()
        self.service.update_seconds = 2.0
        self.files = RealFiles()

    def _plan(self) -> Plan:
        checked = pipeline.check(self.settings)
        plan = pipeline.plan(self.settings, checked, self.edges).plan
        for action in plan.actions:
            for member in action.members:
                if member.ask_digest:
                    wanted = self.asked[member.image_set_id]
                    self.digests[member.ask_digest] = (member.image_set_id, dict(wanted))
        return plan

    def _apply(self, plan: Plan | None) -> pipeline.Applied | None:
        assert plan is not None
        self.planned += plan.steps

        def on_event(event: object) -> None:
            if isinstance(event, Outcome):
                self._observed(event)

        edges = pipeline.Edges(self.edges.ports, self.edges.clock, self.files)
        applied = None
        try:
            applied = pipeline.apply(
                self.settings,
                plan,
                edges,
                mode=RecordMode.FILES,
                on_event=on_event,
                bounds=Bounds(concurrency=1),
                life=self.life,
            )
        except KilledError:
            self.files = RealFiles()
        else:
            accounted = sorted(map(id, plan.steps))
            assert sorted(id(outcome.step) for outcome in applied.outcomes) == accounted
            if applied.problems:
                assert any("cannot be" in str(problem) for problem in applied.problems)
        return applied

    # --- the promises ------------------------------------------------------------------------

    def _observed(self, outcome: Outcome) -> None:
        """6. Success is what the service holds."""
        if outcome.result not in GOOD:
            return
        assert {one.image_set_id for one in outcome.landed} == dict(outcome.step.expected).keys()
        for landed in outcome.landed:
            content = Document(self.service.document(landed.image_set_id, landed.version_id))
            expected = dict(outcome.step.expected)[landed.image_set_id]
            assert content_digest(content) == expected, "told as converged, and it is not"
            assert self.service.status(landed.image_set_id, landed.version_id) == "UPDATED"

    @invariant()
    def only_what_was_planned_is_sent(self) -> None:
        """1. The bytes and the pin of the plan."""
        for step in self.service.sent[self.seen :]:
            assert step in self.planned, "sent what was not planned"
        self.seen = len(self.service.sent)

    @invariant()
    def nothing_is_done_twice(self) -> None:
        """2. No step takes effect twice, and none makes a version that changes nothing."""
        steps = [step for step, _ in self.service.landed]
        assert len(steps) == len({(s.image_set_id, s.pin) for s in steps})
        for step, moved in self.service.landed:
            name, made = step.image_set_id, moved[step.image_set_id]
            if self.service.status(name, made) == "UPDATED":
                before = self.service.document(name, str(int(made) - 1))
                assert self.service.document(name, made) != before, "a version for nothing"

    @invariant()
    def records_are_whole_and_true(self) -> None:
        """3 and 6. Every record can be read, and what it claims is what the service has."""
        for name, entry in record.read(self.root, "research").items():
            content = self.service.document(name, entry.version_id)
            assert self.service.status(name, entry.version_id) in (
                "UPDATED",
                "CREATED",
                "UPDATE_FAILED",
            )
            if entry.ask_digest:
                _, wanted = self.digests[entry.ask_digest]
                assert {key: held(content, key) for key in wanted} == wanted, "a record that lies"

    @invariant()
    def what_others_wrote_is_there(self) -> None:
        """4. No lost update."""
        for name, word in self.foreign.items():
            patient = self.service.document(name)["Patient"]["DICOM"]
            assert patient.get("PatientComments") == word, "a lost update"


def held(content: dict[str, Any], key: str) -> str | None:
    """What a document has where a manifest asks: the study's description, a comment."""
    if not key:
        return content["Study"]["DICOM"].get("StudyDescription")
    (block,) = content["Study"]["Series"].values()
    return block["Instances"][key]["DICOM"].get("ImageComments")
