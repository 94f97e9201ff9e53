"""A plan -> outcomes, which are recorded as they arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from reconciler import apply as executor
from reconciler.apply.confirm import unconfirmed
from reconciler.apply.decide import TABLES, Tables
from reconciler.apply.recover import ends
from reconciler.apply.reporter import SILENT, Reporter
from reconciler.apply.run import Run
from reconciler.apply.step import Options
from reconciler.core.errors import PlanFileError
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.outcome import Landed, Outcome, Started
from reconciler.core.model.plan import Action, Plan, Status
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Permission, RecordMode, Settings
from reconciler.core.ports import Files
from reconciler.core.reviewed import Judgement, Made
from reconciler.edges import attempts
from reconciler.pipeline.at_rest import BUSY_PATIENCE
from reconciler.pipeline.branch import Branch
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.guarded import refuse_stopped, stops_of, stops_of_reviews
from reconciler.pipeline.judge_plan import (
    Holding,
    as_reviewed,
    judged_again,
    without,
    without_datastores,
)
from reconciler.pipeline.known import key_to_record_with
from reconciler.pipeline.local_files import tracked_files
from reconciler.pipeline.record_branch import branch_entries
from reconciler.pipeline.scan import Scanning, record_scans
from reconciler.record.publication import Destination
from reconciler.record.recorder import Recorder


def apply(
    settings: Settings,
    plan: Plan,
    edges: Edges,
    run: Run,
    *,
    reporter: Reporter = SILENT,
    saved: bool = False,
    tables: Tables = TABLES,
    scanning: Scanning | None = None,
) -> Applied:
    """Execute exactly this plan and record every image set that is seen converged.

    If a record cannot be written, nothing new is sent; the reason is in `Applied.problems`. A plan
    that was `saved` may already be partly applied, and it is judged again. Actions that today's
    manifests, consent or rules no longer allow end as stale. Steps of a data store that
    cannot be connected to end as not attempted; the other data stores go on. `tables` are the
    decisions of a step; tests replace them by flawed tables. With `scanning`, the plan was just
    made, and what it saw is recorded for the next plan. Raises PlanFileError for data stores that
    reconciler.yaml does not have, for an edited plan file, and for invalid manifests; raises
    GuardrailError for an apply of more than today's guardrails allow, and ServiceError if no data
    store can be connected to.
    """
    _check_datastores(settings, plan)
    holding = judged_again(settings, plan) if saved else Holding(plan)
    refuse_stopped(stops_of(settings, holding.plan, run.bounds.limit, saved=saved))
    options = _options(settings, saved, tables, Branch(settings, plan, edges.branch, edges.clock))
    return _execute(_Part(settings, plan, holding, scanning), edges, run, reporter, options)


def apply_reviewed(
    settings: Settings,
    plan: Plan,
    judgement: Judgement,
    edges: Edges,
    run: Run,
    *,
    reporter: Reporter = SILENT,
    made: Sequence[Made] = (),
    scanning: Scanning | None = None,
) -> Applied:
    """Like `apply`, of a plan that was just made, but execute only what was reviewed.

    The other actions end as unreviewed. That is an error where merged commits ask for them. `made`
    are versions that lost runs made by these reviews: they are recorded first. Raises
    GuardrailError if the reviews hold more than the guardrails allow.
    """
    refuse_stopped(stops_of_reviews(settings, plan, judgement, made), reviewed=True)
    branch = Branch(settings, plan, edges.branch, edges.clock, is_reviewed=True)
    options = _options(settings, False, TABLES, branch)
    holding = as_reviewed(plan, judgement, made)
    part = _Part(settings, plan, holding, scanning)
    applied = _execute(part, edges, run, reporter, options)
    return replace(applied, aside=judgement.aside, left_over=len(judgement.left_over))


def _options(settings: Settings, saved: bool, tables: Tables, branch: Branch) -> Options:
    return Options(
        settings.lock_timeout_seconds,
        saved,
        partial(_message_hint, settings),
        tables,
        settings.rules.service_fields == Permission.ALLOW,
        branch.overtaken,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The part of a plan that may run, and what was seen for it; None if it was made before."""

    settings: Settings
    plan: Plan
    holding: Holding
    scanning: Scanning | None

    def record_scans(self, outcomes: Sequence[Outcome], files: Files) -> Sequence[Path]:
        """Record what was seen, if all of it was seen now. Returns the files that changed."""
        if self.scanning is None:
            return ()
        return record_scans(self.settings, self.scanning, outcomes, files)


def _execute(part: _Part, edges: Edges, run: Run, reporter: Reporter, options: Options) -> Applied:
    """Execute the part of a plan that may run."""
    settings, plan, holding = part.settings, part.plan, part.holding
    began, sent = run.clock.now(), 0
    unsure = _unrecorded(holding.plan) if options.look_first else ()
    called = {one.datastore for one in holding.plan.actions if one.steps} | {
        one.datastore for one in unsure
    }
    ports, errors = edges.connect(settings.datastore(name) for name in sorted(called))
    if errors and not ports:
        raise next(iter(errors.values()))
    holding = without_datastores(holding, errors)
    unsure = tuple(action for action in unsure if action.datastore in ports)
    root = Path(settings.root)
    recorder = Recorder(
        root,
        plan,
        key_to_record_with(root),
        edges.files,
        _destination(settings, edges),
        edges.clock,
        edges.run_id,
    )
    outcomes: list[Outcome] = []
    with attempts.under_way(root, tracked_files(root)) as left:
        for landed in _recover(left or (), settings, plan, edges, recorder, run):
            reporter.recovered(landed)
        for one in holding.made:
            recorder.made(one.attempt, one.landed)
            reporter.recovered(one.landed)
        holding = without(holding, unconfirmed(unsure, ports, run))
        recorder.converged(holding.plan)
        _hold_back(run, holding, recorder)
        try:
            for event in chain(
                holding.ended, executor.apply(holding.plan, ports, run, options, recorder.journal)
            ):
                if isinstance(event, Started):
                    reporter.started(event.step)
                    sent += 1
                    continue
                outcomes.append(event)
                recorder.step_ended(event)
                run.hold(recorder.behind)
                reporter.ended(event)
                recorder.push_if_due()
        finally:  # also after a bug: what has ended is recorded
            recorder.write()
        commit = recorder.finish(
            alone=left is not None,
            before_publishing=lambda: part.record_scans(outcomes, edges.files),
        )
    return Applied(
        plan,
        tuple(outcomes),
        recorder.paths,
        commit,
        (*holding.problems, *recorder.problems),
        recorder.recovered,
        recorder.plan_digest,
        unrecorded=recorder.unrecorded,
        sent=sent,
        seconds=run.clock.now() - began,
        published=recorder.published,
    )


def _destination(settings: Settings, edges: Edges) -> Destination:
    """Where the records go. Raises GitError if the record branch is not fetched."""
    mode = settings.record_mode or RecordMode.FILES
    branch = settings.record_branch if mode.is_apart else ""
    return Destination(mode, edges.remote, branch, branch_entries(settings))


def _message_hint(settings: Settings, datastore_id: str, image_set_id: str, version_id: str) -> str:
    found = next((one for one in settings.datastores if one.datastore_id == datastore_id), None)
    return found.message_hint(image_set_id, version_id) if found else ""


def _hold_back(run: Run, holding: Holding, recorder: Recorder) -> None:
    """Send nothing if records cannot be written, or if the first error stops the run."""
    run.hold(recorder.behind)
    first = next((one for one in holding.ended if one.result.stops_a_run), None)
    if run.bounds.stop_on_error and first is not None:
        run.halt(f"image set {first.step.image_set_id} ended as {first.result}")


def _unrecorded(plan: Plan) -> tuple[Action, ...]:
    """Return the actions that the plan shows as converged and that have no record."""
    return tuple(
        action
        for action in plan.actions
        if action.status is Status.CONVERGED
        and not all(member.recorded for member in (*action.members, *action.siblings))
    )


def _recover(
    left: Sequence[Attempt],
    settings: Settings,
    plan: Plan,
    edges: Edges,
    recorder: Recorder,
    run: Run,
) -> Iterator[Landed]:
    """Record changes that interrupted runs made outside this plan.

    Most of them are siblings of a study-wide call that no manifest names.
    """
    planned = {
        (action.datastore_id, member.image_set_id)
        for action in plan.actions
        for member in action.members
    }
    names = {datastore_id: name for name, datastore_id in plan.datastores}
    unplanned = (
        one
        for one in left
        if one.datastore_id in names and (one.datastore_id, one.image_set_id) not in planned
    )
    for attempt, landed in ends(
        unplanned,
        lambda one: edges.ports(settings.datastore(names[one.datastore_id])),
        run,
        patience=BUSY_PATIENCE,
    ):
        recorder.recover(attempt, landed)
        if landed is not None:
            yield landed


def _check_datastores(settings: Settings, plan: Plan) -> None:
    """Raise PlanFileError for a plan of a data store that reconciler.yaml does not have."""
    ours = {(one.name, one.datastore_id) for one in settings.datastores}
    for name, datastore_id in sorted(plan.datastores):
        if (name, datastore_id) not in ours:
            raise PlanFileError(
                f"the plan is for data store {name}, which reconciler.yaml does not have",
                "Run `reconcile plan` in this repository, or apply the plan where it was made.",
            )
