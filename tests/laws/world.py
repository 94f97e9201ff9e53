"""The world of the state machine: a repository, its data stores, and runs of the real pipeline.

The rules are in the files beside this one, by subject. `ApplyMachine` puts them together.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine

from reconciler import pipeline
from reconciler.apply.reporter import Reporter
from reconciler.apply.run import Run
from reconciler.core.errors import PlanFileError, ReconcilerError, StaleError
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.outcome import Outcome
from reconciler.core.model.plan import Plan, pins
from reconciler.core.model.record import Entry
from reconciler.core.model.results import Applied, Checked, Planned
from reconciler.core.model.settings import Rules, Settings
from reconciler.core.plan.file import dumps, loads
from reconciler.edges import key as keys
from reconciler.edges.files import RealFiles
from reconciler.pipeline.record_branch import entries_of
from tests.documents import KEY
from tests.laws.baselines import Attribute, Baselines
from tests.laws.data_store import DataStore
from tests.laws.in_memory import InMemory
from tests.laws.manifests import Commit, Manifests, attributes
from tests.laws.mutants import NONE, Mutant
from tests.laws.stage import THEIRS, Attributes, Request, Stage

Planner = Callable[[Settings, Checked, pipeline.Edges], Planned]

# A broken promise is counted here. Reads are made side by side, in any order, so the example may
# not break it when it is run again.
BROKEN = "broken"
# So long that two comments never fit into one call.
PAYLOAD_BYTES = 700


class KilledError(BaseException):
    """Stands for SIGKILL: none of our code catches it."""


def kill() -> None:
    raise KilledError


@dataclass(frozen=True)
class Reviewed:
    """A plan, and what is known of its making.

    `tree` are all manifests, `files` those that were selected, and `carried` is what they ask.
    `may` has the value of each attribute that its calls may overwrite.
    """

    plan: Plan
    store: DataStore
    tree: Commit
    files: frozenset[str]
    carried: Commit
    may: dict[Attribute, str | None]


@dataclass(frozen=True)
class Ran:
    """An apply, and the versions that were the latest before it; `applied` None: it was killed."""

    reviewed: Reviewed
    before: dict[str, int]
    applied: Applied | None


def at_rest(settings: Settings, checked: Checked, edges: pipeline.Edges) -> Planned:
    """As an apply plans: it waits for image sets that are LOCKED."""
    opening = pipeline.Opening(settings, lambda: checked, is_whole=False)
    return pipeline.plan_at_rest(settings, opening, edges)[1]


class World(RuleBasedStateMachine):
    """What all rules share.

    `mutant` replaces a part of the code: the proofs that the machine finds bugs give one.
    """

    mutant: Mutant = NONE
    concurrency = 1
    # How often each result occurred in all examples so far.
    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        # The same in every replay: the key is part of the names of attempts, and so of their order.
        keys.path(self.root).write_text(f"{KEY.secret.hex()}\n")
        self.manifests = Manifests(self.root)
        self.store = DataStore(self.make_stage())
        self.elsewhere: DataStore | None = None
        self.baselines = Baselines()
        self.files: RealFiles = RealFiles()
        self.digests: dict[str, dict[str, str]] = {}
        self.saved: Reviewed | None = None
        self.looks_first = False
        # The requests in the plans so far, with the versions before them.
        self.planned: dict[Request, list[dict[str, str]]] = {}
        # Whether records or attempts were lost in this example.
        self.lost = False
        self.written = 0

    def make_stage(self) -> Stage:
        """A new data store."""
        return InMemory()

    def teardown(self) -> None:
        self._folder.cleanup()
        if isinstance(sys.exception(), AssertionError):
            self.reached[BROKEN] += 1

    @property
    def stage(self) -> Stage:
        """The data store that reconciler.yaml names."""
        return self.store.stage

    @property
    def settings(self) -> Settings:
        return Settings(
            root=self.root,
            manifests="manifests",
            datastores=(replace(self.stage.datastore, name=self.manifests.datastore),),
            rules=Rules(payload_bytes=PAYLOAD_BYTES),
            lock_timeout_seconds=60.0,
        )

    def recorded(self) -> Mapping[str, Entry]:
        """The records that the next run reads."""
        (store,) = self.settings.datastores
        return entries_of(self.settings, [store])[store.name]

    # --- what others do ----------------------------------------------------------------------

    def theirs(self, name: str, key: str) -> Attributes:
        """The next update of another process."""
        return attributes(name, {key: self.their_value()})

    def their_value(self) -> str:
        self.written += 1
        return f"{THEIRS} {self.written}"

    def calm(self) -> None:
        """No more faults."""
        self.stage.calm()
        self.store.missed.clear()
        self.files = RealFiles()

    def kill_at(self, operation: str, name: str, when: str) -> None:
        """Kill the run before or after its next call of this kind."""
        self.stage.hooked.inject(operation, kill, name, when)

    # --- what we do --------------------------------------------------------------------------

    def save_plan(self, planner: Planner = pipeline.plan, files: Collection[str] = ()) -> None:
        """Make a plan of all manifests, or of some files."""
        try:
            reviewed = self.make_plan(planner, files)
        except KilledError:
            self.reached["killed"] += 1
            return
        except ReconcilerError:
            return
        self.saved = replace(reviewed, plan=loads(dumps(reviewed.plan)))

    def make_plan(self, planner: Planner = pipeline.plan, files: Collection[str] = ()) -> Reviewed:
        settings = self.settings
        checked = pipeline.check(settings, [self.manifests.path(file) for file in sorted(files)])
        port = self.mutant.port(self.stage.port(), None)
        edges = pipeline.Edges(lambda _: port, self.stage.clock, RealFiles())
        plan = self.mutant.plan(planner(settings, self.mutant.checked(checked), edges).plan)
        tree = self.manifests.commit()
        carried = tree.only(files)
        for action in plan.actions:
            assert not action.is_held_by_a_bug, action.blocks
            self.reached[action.status] += 1
            for member in action.members:
                if member.ask_digest:
                    self.digests[member.ask_digest] = carried.own(member.image_set_id)
            for step, before in zip(action.steps, pins(action), strict=True):
                self.planned.setdefault(Request.of(step), []).append(before)
                self.store.expected |= {(name, int(pin) + 1) for name, pin in before.items()}
        may = self.may_overwrite(plan, carried)
        return Reviewed(plan, self.store, tree, frozenset(files), carried, may)

    def may_overwrite(self, plan: Plan, carried: Commit) -> dict[Attribute, str | None]:
        """The values that a plan may overwrite."""
        raise NotImplementedError

    def run(self, reviewed: Reviewed, *, saved: bool | None = None) -> Applied | None:
        """Apply a plan; None if it was killed, or refused as a whole."""
        is_elsewhere = reviewed.store is not self.store
        saved = is_elsewhere or (self.looks_first if saved is None else saved)
        before, sent = self.store.numbers(), len(self.stage.sent())
        applied = None
        try:
            applied = self._apply(reviewed.plan, saved=saved and self.mutant.judges_again)
        except KilledError:
            self.reached["killed"] += 1
        except PlanFileError:
            assert saved, "a fresh plan is refused"
            assert len(self.stage.sent()) == sent, "a refused plan was sent"
            return None
        finally:
            self.files = RealFiles()
        if is_elsewhere:
            assert len(self.stage.sent()) == sent, "a plan of another data store was sent"
        self.has_run(Ran(reviewed, before, applied))
        return applied

    def _apply(self, plan: Plan, *, saved: bool) -> Applied:
        observed, store = self.observed, self.store

        class Observer(Reporter):
            def ended(self, outcome: Outcome) -> None:
                observed(outcome)

        port = self.mutant.port(self.stage.port(), plan)
        edges = pipeline.Edges(lambda _: port, self.stage.clock, self.files)
        stood = {name: store.latest(name).number for name in store.missed}
        try:
            applied = pipeline.apply(
                self.settings,
                plan,
                edges,
                Run(edges.clock, bounds=Bounds(concurrency=self.concurrency)),
                reporter=Observer(),
                saved=saved,
                tables=self.mutant.tables,
            )
            self.reached["recovered"] += len(applied.recovered)
            accounted = sorted(map(id, plan.steps))
            assert sorted(id(outcome.step) for outcome in applied.outcomes) == accounted
            for one in applied.problems:
                assert isinstance(one, StaleError) or "cannot be" in str(one), one
            return applied
        finally:
            # Search is called right before a study-wide call. An image set that it does not list
            # then is changed as well.
            store.overlooked |= {
                (name, number + 1)
                for name, number in stood.items()
                for number in range(number, store.latest(name).number)
            }

    def observed(self, outcome: Outcome) -> None:
        """A step has ended."""

    def has_run(self, ran: Ran) -> None:
        """An apply has ended, or was killed."""
