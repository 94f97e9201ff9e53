"""Our runs, other processes and faults on one data store, at random; all promises are checked.

The real pipeline runs on a stage (the emulator over HTTP, or memory) whose clock moves when a
thread sleeps. The stage knows what is sent, what takes effect and what other processes write. So
every one of the six promises is checked from outside, also after a killed run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reconciler import pipeline
from reconciler.apply.reporter import Reporter
from reconciler.apply.run import Run
from reconciler.core.dicom.content import content_digest
from reconciler.core.diff.paths import sealed
from reconciler.core.errors import ReconcilerError, StaleError
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action, Plan, Status, pins
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Applied, Checked, Planned
from reconciler.core.model.settings import Rules, Settings
from reconciler.core.model.value import Document
from reconciler.core.plan.file import dumps, loads
from reconciler.edges import key as keys
from reconciler.edges import records
from reconciler.edges.files import RealFiles
from tests.documents import KEY
from tests.entries import evidence
from tests.faulty_files import ERRORS, FaultyFiles, failing
from tests.laws.in_memory import InMemory
from tests.laws.mutants import NONE, Mutant
from tests.laws.stage import (
    COMMENTS,
    DESCRIPTION,
    GET,
    IDS,
    METADATA,
    PRIMARY,
    THEIRS,
    UPDATE,
    VERSIONS,
    Attributes,
    Request,
    Sent,
    Stage,
    Version,
    series_of,
)

Planner = Callable[[Settings, Checked, pipeline.Edges], Planned]

# A broken promise is counted here. Reads are made side by side, in any order, so the example may
# not break it when it is run again.
BROKEN = "broken"
GOOD = (Result.CONVERGED, Result.ALREADY_CONVERGED)
WORDS = ("one", "two", "three")
# So long that two comments never fit into one call.
LONG = "x" * 200
PAYLOAD_BYTES = 700
# The longest time between the read of the siblings and the study-wide call: reads are paced.
LOOKED = 1.0
READS = (GET, METADATA, VERSIONS)

names = st.sampled_from(IDS)
READ_FAULTS = ("throttle", "error500", "reset-before", "reset-after")
UPDATE_FAULTS = (*READ_FAULTS, "unreachable")

reads = st.sampled_from(READS)
operations = st.sampled_from([UPDATE, *READS])
moments = st.sampled_from(["before", "after"])
# Once; as often as the SDK reads; and as often as a body is read, each time with the SDK's retries.
often = st.sampled_from([1, 4, 12])


class KilledError(BaseException):
    """Stands for SIGKILL: none of our code catches it."""


def kill() -> None:
    raise KilledError


class ApplyMachine(RuleBasedStateMachine):
    """The state machine.

    `mutant` replaces a part of apply: the proofs that the machine finds bugs give one.
    """

    mutant: Mutant = NONE
    concurrency = 1
    # How often each result occurred in all examples so far.
    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        (self.root / "manifests").mkdir()
        # The same in every replay: the key is part of the names of attempts, and so of their order.
        keys.path(self.root).write_text(f"{KEY.secret.hex()}\n")
        self.stage = self.make_stage()
        self.settings = Settings(
            root=self.root,
            manifests="manifests",
            datastores=(self.stage.datastore,),
            rules=Rules(payload_bytes=PAYLOAD_BYTES),
            lock_timeout_seconds=60.0,
        )
        self.files: RealFiles = RealFiles()
        self.asked: dict[str, dict[str, str]] = {}
        self.consents: dict[str, str] = {}
        self.digests: dict[str, dict[str, str]] = {}
        self.saved: Plan | None = None
        self.looks_first = False
        # The requests in the plans so far, with the versions before them and the versions that they
        # make.
        self.planned: dict[Request, list[dict[str, str]]] = {}
        self.expected: set[tuple[str, int]] = set()
        self.may_be_overwritten: set[str] = set()
        self.missed: set[str] = set()
        self.overlooked: set[tuple[str, int]] = set()
        self.written = 0
        self.seen_sent = self.seen_updates = 0

    def make_stage(self) -> Stage:
        """A new data store."""
        return InMemory()

    def teardown(self) -> None:
        self._folder.cleanup()
        if isinstance(sys.exception(), AssertionError):
            self.reached[BROKEN] += 1

    # --- what people ask ---------------------------------------------------------------------

    @initialize(asked=st.sets(names, min_size=1), split=st.booleans(), looks_first=st.booleans())
    def begin(self, asked: set[str], split: bool, looks_first: bool) -> None:
        """The first manifests. Without `looks_first`, only the sent requests show the plan."""
        self.looks_first = looks_first
        for name in sorted(asked):
            self.ask(name, "one", split)

    @rule(name=names, word=st.sampled_from(WORDS), split=st.booleans())
    def ask(self, name: str, word: str, split: bool) -> None:
        """Write or change a manifest; `split` makes it take several calls."""
        wanted = {DESCRIPTION: f"study {word}" if name in PRIMARY else f"own {word}"}
        wanted |= {"1": f"{word}{LONG}"}
        wanted |= {"2": f"{word}{LONG}"} if split else {}
        self.asked[name] = wanted
        self._write_manifest(name)
        for other in self.asked.keys() & set(PRIMARY) - {name}:
            if name in PRIMARY:
                # Two image sets of a study cannot ask for two descriptions.
                self.asked[other][DESCRIPTION] = wanted[DESCRIPTION]
                self._write_manifest(other)

    @rule(data=st.data())
    def consent(self, data: st.DataObject) -> None:
        """Consent to overwrite the current value, and no later value."""
        name = data.draw(st.sampled_from(sorted(self.asked)))
        self.consents[name] = str(self._latest(name).number)
        self._write_manifest(name)

    def _write_manifest(self, name: str) -> None:
        self.saved = None
        drift = [f"OVERWRITES_DRIFT@{self.consents[name]}"] if name in self.consents else []
        text = {
            "apiVersion": "reconciler/v1",
            "kind": "ImageSet",
            "datastore": "research",
            "imageSetId": name,
            "present": attributes(name, self.asked[name]),
            "allow": ["STUDY_WIDE", "SPLIT_UPDATE", *drift],
        }
        (self.root / "manifests" / f"{name}.yaml").write_text(json.dumps(text))

    # --- what others do ----------------------------------------------------------------------

    @rule(name=names, key=st.sampled_from([DESCRIPTION, *COMMENTS]))
    def somebody_writes(self, name: str, key: str) -> None:
        """Write an attribute that no manifest asks for, or one that a manifest asks for."""
        study_wide = key == DESCRIPTION and name in PRIMARY
        self.stage.write(name, self._theirs(name, key), study_wide=study_wide)

    @rule(
        name=names,
        whose=names,
        key=st.sampled_from(COMMENTS),
        operation=operations,
        moment=moments,
    )
    def somebody_writes_while_we_work(
        self, name: str, whose: str, key: str, operation: str, moment: str
    ) -> None:
        """At our call for `name`; to it, or to another one."""
        self.stage.write_at(operation, name, moment, whose, self._theirs(whose, key))

    def _theirs(self, name: str, key: str) -> Attributes:
        self.written += 1
        return attributes(name, {key: f"{THEIRS} {self.written}"})

    @rule(name=names, seconds=st.sampled_from([1.0, 20.0, 200.0]))
    def somebody_copies(self, name: str, seconds: float) -> None:
        self.stage.copy(name, seconds)

    # --- bad luck ----------------------------------------------------------------------------

    @rule(kind=st.sampled_from(UPDATE_FAULTS), name=names, times=st.sampled_from([1, 3]))
    def an_update_goes_wrong(self, kind: str, name: str, times: int) -> None:
        self.stage.befall(kind, UPDATE, name, times)

    @rule()
    def an_update_fails(self) -> None:
        self.stage.fail_update()
        self.plan_and_apply()

    @rule(name=names, word=st.sampled_from(WORDS), key=st.sampled_from(COMMENTS))
    def an_answer_is_lost_and_somebody_writes(self, name: str, word: str, key: str) -> None:
        """Another process writes first: our update has a stale pin, and its answer gets lost."""
        self.ask(name, word, split=False)
        self.plan()
        theirs = self._theirs(name, key)
        self.stage.hooked.inject(UPDATE, lambda: self.stage.write(name, theirs), name, "before")
        self.stage.befall("reset-before", UPDATE, name, 1)
        self.apply()

    @rule(kind=st.sampled_from(READ_FAULTS), name=names, operation=reads, times=often)
    def a_read_goes_wrong(self, kind: str, name: str, operation: str, times: int) -> None:
        self.stage.befall(kind, operation, name, times)

    @rule(name=st.sampled_from([*PRIMARY, ""]))
    def search_is_behind(self, name: str) -> None:
        """The search does not list anything written from now on, or does not list one image set."""
        if name:
            self.missed.add(name)
            self.stage.search_misses(name)
        else:
            self.stage.search_lags()

    @rule(name=st.sampled_from(PRIMARY), word=st.sampled_from(WORDS))
    def the_study_is_larger_than_the_plan_knew(self, name: str, word: str) -> None:
        """Search does not list one of its image sets at the review, and lists it at the apply."""
        self._calm()
        other = next(one for one in PRIMARY if one != name)
        if name in self.asked and other not in self.asked:
            name, other = other, name  # what is asked for is known without a search
        self.ask(other, word, split=False)
        self.missed.add(name)
        self.stage.search_misses(name)
        self.plan()
        self._calm()
        self.apply()

    @rule(seconds=st.sampled_from([0.0, 2.0, 70.0]))
    def updates_take(self, seconds: float) -> None:
        self.stage.updates_take(seconds)

    @rule(
        what=st.sampled_from(["kill", *sorted(ERRORS)]),
        first=st.integers(1, 20),
        times=st.sampled_from([1, 99]),
    )
    def a_file_cannot_be_written(self, what: str, first: int, times: int) -> None:
        """At the next apply the disk fails, or the run is killed."""
        act = kill if what == "kill" else failing(ERRORS[what])
        self.files = FaultyFiles(first, act, times)

    @rule(name=names, operation=operations, when=moments)
    def we_will_be_killed(self, name: str, operation: str, when: str) -> None:
        self.stage.hooked.inject(operation, kill, name, when)

    @rule(name=names, word=st.sampled_from(WORDS), when=moments, anew=st.booleans())
    def we_are_killed_sending(self, name: str, word: str, when: str, anew: bool) -> None:
        """Run again, with the same plan or `anew`, without one."""
        self.ask(name, word, split=True)
        self.we_will_be_killed(name, UPDATE, when)
        self.plan()
        self.apply()
        if anew:
            self._calm()
            self._save(pipeline.plan_at_rest)
        self.everything_calms_down_and_we_run_again()

    # --- what we do --------------------------------------------------------------------------

    @rule()
    def plan(self) -> None:
        """Make a plan that is reviewed now and applied later."""
        self._save(pipeline.plan)

    def _save(self, planner: Planner) -> None:
        try:
            planned = self._plan(planner)
        except KilledError:
            self.reached["killed"] += 1
            return
        except ReconcilerError:
            return
        self.saved = loads(dumps(planned))

    # No rule has a precondition: what a plan came to may depend on the order of parallel reads,
    # and what Hypothesis draws next must not.

    @rule()
    def apply(self) -> None:
        """Also again, and when its time is over."""
        if self.saved:
            self._apply(self.saved)

    @rule(name=names, word=st.sampled_from(WORDS), key=st.sampled_from(COMMENTS))
    def somebody_is_faster(self, name: str, word: str, key: str) -> None:
        """Between the review and the apply."""
        self.ask(name, word, split=False)
        self.plan()
        self.stage.write(name, self._theirs(name, key))
        self.apply()

    @rule()
    def plan_and_apply(self) -> None:
        """An apply without a plan makes its own, once nothing is LOCKED."""
        self._save(pipeline.plan_at_rest)
        self.apply()

    @rule()
    def everything_calms_down_and_we_run_again(self) -> None:
        """Promises 2 and 5: after the same command again, at most conflicts are left."""
        self._calm()
        if self.saved is None:
            return
        interfered = self._interfered(self.saved)
        applied = self._apply(self.saved)
        assert applied is not None
        # An image set that was converged and has changed since is not recorded, and that is
        # reported.
        assert all(isinstance(one, StaleError) for one in applied.problems)
        assert interfered or not applied.problems
        for outcome in applied.outcomes:
            if not interfered:
                assert outcome.result in GOOD, f"{outcome.result}: {outcome.message}"
        again = self._plan()
        if all(outcome.result in GOOD for outcome in applied.outcomes) and not applied.held:
            assert not again.steps, "the next plan is not empty"
            self._all_is_recorded()
        for action in again.held:
            assert action.status is Status.DRIFTED, action.blocks
            assert self._has_drifted(action), "held back without a reason"

    def _all_is_recorded(self) -> None:
        """Every version of ours is recorded, also of killed runs and of unnamed siblings."""
        entries = records.read(self.root, self.stage.datastore.datastore_id)
        for name in IDS:
            latest = self._latest(name)
            made = [one for _, one in self._ours(name)]
            unseen = self._moved_unseen(name, entries)
            if not made or made[-1] is not latest or latest.status != "UPDATED" or unseen:
                continue
            assert name in entries, f"nothing is recorded of {name}"
            assert entries[name].version_id == str(latest.number), f"not recorded: {name}"

    def _has_drifted(self, action: Action) -> bool:
        """Whether the drift is real.

        Another process wrote what is asked for, or our call changed an image set that search did
        not list.
        """
        entries = records.read(self.root, self.stage.datastore.datastore_id)
        return any(
            self._latest(one.image_set_id).theirs.keys() & self._asked(one.image_set_id)
            or self._moved_unseen(one.image_set_id, entries)
            for one in action.members
        )

    def _moved_unseen(self, name: str, entries: Mapping[str, Entry]) -> bool:
        """Since it was recorded, if ever."""
        recorded = int(entries[name].version_id) if name in entries else 0
        return any(one == name and number > recorded for one, number in self.overlooked)

    def _asked(self, name: str) -> set[str]:
        return set(self.asked.get(name, {}))

    def _interfered(self, plan: Plan) -> bool:
        """Whether a step of the plan cannot have landed, or must not land any more."""
        for action in plan.actions:
            known = {member.image_set_id for member in action.members}
            if any(step.study_wide for step in action.steps) and not known.issuperset(PRIMARY):
                return True  # search did not list one of them when this was planned
            # What could not be read has no pin, and no step.
            ours = {one.image_set_id: int(one.pin) for one in action.members if one.pin}
            for step in action.steps:
                for name, digest in step.expected:
                    ours[name] += 1
                    if self._latest(name).number < ours[name]:
                        continue
                    made = self._version(name, ours[name])
                    if made.status != "UPDATED":
                        return True
                    if content_digest(Document(made.document)) != digest:
                        return True
            for name, version in ours.items():
                if self._latest(name).number > version:
                    return True  # harmless after the last step, but other checks decide that
        return False

    def _calm(self) -> None:
        self.stage.calm()
        self.missed.clear()
        self.files = RealFiles()

    def _edges(self) -> pipeline.Edges:
        """Those of a process that has just started."""
        port = self.stage.port()
        return pipeline.Edges(lambda _: port, self.stage.clock, self.files)

    def _plan(self, planner: Planner = pipeline.plan) -> Plan:
        checked = pipeline.check(self.settings)
        edges = replace(self._edges(), files=RealFiles())
        plan = planner(self.settings, checked, edges).plan
        entries = records.read(self.root, self.stage.datastore.datastore_id)
        for action in plan.actions:
            assert not action.is_held_by_a_bug, action.blocks
            self.reached[action.status] += 1
            for member in action.members:
                if member.ask_digest:
                    self.digests[member.ask_digest] = dict(self.asked[member.image_set_id])
            for step, before in zip(action.steps, pins(action), strict=True):
                self.planned.setdefault(Request.of(step), []).append(before)
                self.expected |= {(name, int(pin) + 1) for name, pin in before.items()}
            if action.steps:
                self.may_be_overwritten |= self._reviewed(action, entries)
        return plan

    def _reviewed(self, action: Action, entries: Mapping[str, Entry]) -> set[str]:
        """The versions of other processes that this action may overwrite.

        Nothing was recorded, or the version existed when it was recorded, or a manifest consented.
        """
        may: set[str] = set()
        must_not: set[str] = set()
        for member in action.members:
            name, entry = member.image_set_id, entries.get(member.image_set_id)
            for key, value in self._version(name, int(member.pin)).theirs.items():
                if key not in self.asked.get(name, {}):
                    continue
                known = (
                    entry is None
                    or self._version(name, self._last_known(entry, member.pin)).theirs.get(key)
                    == value
                )
                self.reached["consented"] += not known and self.consents.get(name) == member.pin
                allowed = known or self.consents.get(name) == member.pin
                (may if allowed else must_not).add(value)
        return may - must_not

    def _last_known(self, entry: Entry, pin: str) -> int:
        """The recorded version, or a later one that a killed run of ours has made."""
        made = (one.number for _, one in self._ours(entry.image_set_id) if one.status == "UPDATED")
        return max([int(entry.version_id), *(number for number in made if number <= int(pin))])

    def _apply(self, plan: Plan) -> Applied | None:
        observed = self._observed

        class Observer(Reporter):
            def ended(self, outcome: Outcome) -> None:
                observed(outcome)

        edges = self._edges()
        port = self.mutant.port(self.stage.port(), plan)
        stood = {name: self._latest(name).number for name in self.missed}
        applied = None
        try:
            applied = pipeline.apply(
                self.settings,
                plan,
                replace(edges, ports=lambda _: port),
                Run(edges.clock, bounds=Bounds(concurrency=self.concurrency)),
                reporter=Observer(),
                saved=self.looks_first,
                tables=self.mutant.tables,
            )
        except KilledError:
            self.reached["killed"] += 1
        else:
            self.reached["recovered"] += len(applied.recovered)
            accounted = sorted(map(id, plan.steps))
            assert sorted(id(outcome.step) for outcome in applied.outcomes) == accounted
            if applied.problems:
                assert all(
                    isinstance(one, StaleError) or "cannot be" in str(one)
                    for one in applied.problems
                )
        finally:
            self.files = RealFiles()
            # Search is called right before a study-wide call. An image set that it does not list
            # then is changed as well.
            self.overlooked |= {
                (name, number + 1)
                for name, before in stood.items()
                for number in range(before, self._latest(name).number)
            }
        return applied

    # --- the promises ------------------------------------------------------------------------

    def _observed(self, outcome: Outcome) -> None:
        """6. `converged` means that the service holds the content."""
        self.reached[outcome.result] += 1
        if outcome.result not in GOOD:
            return
        assert {one.image_set_id for one in outcome.landed} == dict(outcome.step.expected).keys()
        for landed in outcome.landed:
            made = self._version(landed.image_set_id, int(landed.version_id))
            expected = dict(outcome.step.expected)[landed.image_set_id]
            assert content_digest(Document(made.document)) == expected, (
                "reported as converged, and it is not"
            )
            assert made.status == "UPDATED"

    @invariant()
    def only_what_was_planned_is_sent(self) -> None:
        """1. The bytes and the pin of the plan."""
        sent = self.stage.sent()
        for request in sent[self.seen_sent :]:
            assert request in self.planned, "sent what was not planned"
        self.seen_sent = len(sent)

    @invariant()
    def only_what_was_planned_takes_effect(self) -> None:
        """1 and 2. Each version of ours is one of a plan, and changes something.

        So no call takes effect twice, and no image set is changed that no plan names.
        """
        # A study-wide call to another image set may give a sibling a version with equal content,
        # whatever was planned for that version and not sent.
        targets = {(one.image_set_id, int(one.pin) + 1) for one in self.stage.sent()}
        for name in IDS:
            for before, made in self._ours(name):
                planned = (name, made.number) in self.expected
                # Another process wrote to a sibling after we read it, or search did not list the
                # sibling.
                overlooked = (name, made.number) in self.overlooked
                unseen = is_theirs(self._before(name, before), before) or overlooked
                assert planned or (name in PRIMARY and unseen), "no plan has said so"
                if made.status == "UPDATED" and planned and (name, made.number) in targets:
                    assert made.document != before.document, "a version for nothing"

    @invariant()
    def siblings_were_looked_at(self) -> None:
        """4.

        Apply reads the siblings right before a study-wide call, since the service checks none.
        """
        updates = self.stage.hooked.updates
        for sent in updates[self.seen_updates :]:
            # Plans of which one did not know a sibling have the same request.
            plans = self.planned.get(Request.of(sent.step), [{}])
            assert any(self._looked_at(sent, before) for before in plans), (
                "a sibling was not looked at, or long ago"
            )
        self.seen_updates = len(updates)

    def _looked_at(self, sent: Sent, before: dict[str, str]) -> bool:
        siblings = before.keys() - {sent.step.image_set_id}
        looks = [(before[name], *sent.looks.get(name, ("", 0.0))) for name in siblings]
        return all(
            seen == pin and (self.concurrency > 1 or sent.at - at <= LOOKED)
            for pin, seen, at in looks
        )

    @invariant()
    def records_are_whole_and_true(self) -> None:
        """3 and 6. Every record can be read, and what it claims is what the service has."""
        for name, entry in records.read(self.root, self.stage.datastore.datastore_id).items():
            version = self._version(name, int(entry.version_id))
            assert version.status in ("UPDATED", "CREATED", "UPDATE_FAILED")
            if entry.ask_digest:
                wanted = self._asked_in(entry)
                assert version.held.items() >= wanted.items(), "a record that lies"

    def _asked_in(self, entry: Entry) -> dict[str, str]:
        """What the ask of an entry was: its digest is keyed with the key of the repository."""
        key = keys.read(self.root)
        assert key is not None
        (wanted,) = (
            asked
            for digest, asked in self.digests.items()
            if sealed(evidence(entry, digest), key).ask_digest == entry.ask_digest
        )
        return wanted

    @invariant()
    def what_others_wrote_is_there(self) -> None:
        """4. No lost update: a foreign version is overwritten only where that was reviewed."""
        for name in IDS:
            for before, made in self._ours(name):
                gone = set(before.theirs.values()) - set(made.theirs.values())
                assert gone <= self.may_be_overwritten, "a lost update"

    # --- the truth ---------------------------------------------------------------------------

    def _ours(self, name: str) -> Iterator[tuple[Version, Version]]:
        """The versions that no other process made, each with the version before."""
        history = self.stage.history(name)
        for before, made in pairwise(history):
            if not is_theirs(before, made):
                yield before, made

    def _before(self, name: str, version: Version) -> Version:
        return self._version(name, max(1, version.number - 1))

    def _latest(self, name: str) -> Version:
        return self.stage.history(name)[-1]

    def _version(self, name: str, number: int) -> Version:
        history = self.stage.history(name)
        assert 0 < number <= len(history), "there is no such version"
        return history[number - 1]


def attributes(name: str, values: dict[str, str]) -> Attributes:
    """These values where a manifest and an update have them."""
    own = series_of(name)
    instances = {
        f"{own}.{key}": {"DICOM": {"ImageComments": value}}
        for key, value in values.items()
        if key in COMMENTS
    }
    study: Attributes = {"Series": {own: {"Instances": instances}}} if instances else {}
    if DESCRIPTION in values:
        study["DICOM"] = {"StudyDescription": values[DESCRIPTION]}
    return {"Study": study}


def is_theirs(before: Version, made: Version) -> bool:
    """Whether another process made a version: other processes never write the same value twice."""
    return bool(set(made.theirs.values()) - set(before.theirs.values()))
