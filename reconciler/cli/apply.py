"""`reconcile apply`: execute a plan."""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import destination, options
from reconciler.core.errors import EXIT_OK, ReconcilerError, gravest
from reconciler.core.model.duration import in_seconds
from reconciler.core.model.settings import RecordMode, Redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.apply.progress import Tally
    from reconciler.core.model.bounds import Bounds
    from reconciler.core.model.plan import Plan
    from reconciler.core.model.results import Applied, Planned
    from reconciler.core.model.reviewed import Reviewed
    from reconciler.core.model.settings import Settings
    from reconciler.core.reviewed import Judgement, Made
    from reconciler.pipeline import Edges, Scanning
    from reconciler.render.style import Look


class OnError(StrEnum):
    """Whether the run goes on after a step that does not converge."""

    CONTINUE = "continue"
    STOP = "stop"


def apply(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PLAN | PATHS", hidden=True),
    ] = None,
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Do not ask for approval.", show_default=False)
    ] = False,
    reviewed: Annotated[
        list[Path] | None,
        typer.Option(
            "--reviewed",
            metavar="FILE|FOLDER",
            help="Execute only changes that this review holds; `plan --review` wrote it. Several "
            "reviews, or those in a folder, add up. Nothing is asked.",
            show_default=False,
        ),
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            "--expect",
            metavar="DIGEST",
            help="The digest (sha256:…) of a review that was approved. With it, other reviews are "
            "refused.",
            show_default=False,
        ),
    ] = None,
    record: Annotated[
        RecordMode | None,
        typer.Option(
            "--record",
            metavar="MODE",
            help="`files` writes the records, `commit` also commits them, `branch` and "
            "`pull-request` commit them to a branch of their own "
            "[default: `record.mode` in reconciler.yaml].",
            show_default=False,
        ),
    ] = None,
    push: Annotated[
        bool,
        typer.Option(
            "--push",
            help="Push the records to the branch that the current branch follows, or to their own "
            "branch, every 10 minutes and at the end. For CI jobs: nothing is committed to the "
            "current branch.",
            show_default=False,
        ),
    ] = False,
    on_error: Annotated[
        OnError,
        typer.Option(
            "--on-error",
            help="After a step that does not converge: go on with the other steps, or send nothing "
            "new.",
        ),
    ] = OnError.CONTINUE,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            help="Change at most N image sets or whole studies.",
            show_default=False,
        ),
    ] = None,
    max_duration: Annotated[
        str | None,
        typer.Option(
            "--max-duration",
            metavar="TIME",
            help="Send nothing new after this time, for example 90m, 5400s or 1.5h.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write the outcome of every step to FILE, as JSON.",
            show_default=False,
        ),
    ] = None,
    json: options.AsJson = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Execute a plan, verify every change and record it.

    Every update states the version that was planned; the service refuses it if there is a newer
    version. The result is read back and recorded. PLAN is a file that `plan --out` saved. It is
    executed exactly. Without PLAN the command makes a plan, shows it and asks for approval. PATHS
    are manifests or folders of manifests [default: all manifests].

    If the run ends early (limit, signal or error), it waits for the updates in flight and records
    them. The other steps are reported as not-attempted. Run the same command again to continue.
    """
    from reconciler import pipeline
    from reconciler.apply.run import Run
    from reconciler.cli import connect, debug, jobs, problems, screen, target, workspace
    from reconciler.cli.progress import Progress
    from reconciler.cli.report import check_report_file
    from reconciler.cli.reviewed import judged
    from reconciler.cli.stop import Stop
    from reconciler.core.model.bounds import Bounds
    from reconciler.core.review import reviewer
    from reconciler.pipeline import guarded
    from reconciler.pipeline.branch import refuse_overtaken
    from reconciler.pipeline.reviewed import read_reviews

    seconds = _deadline(max_duration)
    if report:
        check_report_file(report)
    saved = workspace.saved_plan(paths)
    if reviewed and paths:
        raise ReconcilerError(
            "--reviewed takes neither a saved plan nor manifests",
            "It plans all manifests of the commit, and executes what the reviews hold.",
        )
    if expect and not reviewed:
        raise ReconcilerError("--expect is for reviews", "Name them with --reviewed FILE.")
    auto_approve = auto_approve or bool(reviewed)
    if not saved and not auto_approve and not sys.stdin.isatty():
        raise ReconcilerError(
            "cannot ask for approval: standard input is not a terminal",
            "Use --auto-approve, or apply a plan that was saved and reviewed:\n"
            f"reconcile plan --out {workspace.PLAN_FILE}, then "
            f"reconcile apply {workspace.PLAN_FILE}",
        )
    settings = workspace.settings(config)
    settings = replace(settings, record_mode=record or settings.record_mode)
    destination.check(settings, push=push)
    workspace.refuse_links(settings, saved, report)
    reviews = read_reviews(Path(settings.root), reviewed, expect or ()) if reviewed else []
    made: tuple[Made, ...] = ()
    scanning: Scanning | None = None
    judgement: Judgement | None = None
    lines: list[str] = []
    look = None if json else screen.look()
    redact = screen.mask(settings, show_values)
    branch = destination.followed(settings) if push or reviewed else None
    remote = destination.pushed_to(settings, branch, push=push)
    if branch:
        refuse_overtaken(settings, branch)
    elif reviewed:
        destination.refuse_unfollowed()
    with (
        problems.reported(settings, show_values),
        screen.service_messages(settings, show_values),
        ExitStack() as until_reported,
    ):
        with connect.edges(settings) as edges:
            edges = replace(edges, remote=remote, branch=branch)
            bounds = Bounds(limit, edges.clock.now() + seconds, on_error is OnError.STOP)
            if saved:
                jobs.check("apply", settings)
                plan, warning = workspace.load_plan(saved, Path(settings.root))
                screen.note(*([warning] if warning else []))
            else:
                scanning, made = _planned(settings, edges, paths, reviews)
                planned = scanning.planned
                if reviewed:
                    judgement, lines = judged(settings, planned.plan, edges, reviews, made)
                    stops = guarded.stops_of_reviews(settings, planned.plan, judgement, made)
                else:
                    stops = guarded.stops_of(settings, planned.plan, limit, saved=False)
                planned = replace(planned, plan=replace(planned.plan, stops=stops))
                if look:
                    _show(planned, look, redact)
                for error in planned.errors:
                    screen.service_says(error, settings, show_values)
                plan = planned.plan
            debug.planned(plan)
            screen.not_read(plan)
            screen.note(*lines)
            if not saved and not auto_approve and plan.steps:
                guarded.refuse_stopped(plan.stops)
                _ask(plan)
            tally = _tally(settings, plan, bounds)
            # Until the outcomes are printed: a late signal must not suppress them.
            stop = until_reported.enter_context(Stop())
            with Progress(tally, edges.clock, look, reviewer(plan, redact)) as progress:
                run = Run(edges.clock, stop, bounds)
                if judgement is not None:
                    applied = pipeline.apply_reviewed(
                        settings,
                        plan,
                        judgement,
                        edges,
                        run,
                        reporter=progress,
                        made=made,
                        scanning=scanning,
                    )
                else:
                    applied = pipeline.apply(
                        settings,
                        plan,
                        edges,
                        run,
                        reporter=progress,
                        saved=saved is not None,
                        scanning=scanning,
                    )
        printed = progress.has_printed_outcomes
        code = _report(
            applied, stop.exit_code, report, look, redact, printed, target.mode(show_values)
        )
    if code != EXIT_OK:
        raise typer.Exit(code)


def _report(
    applied: Applied,
    stopped: int,
    report: Path | None,
    look: Look | None,
    redact: Redact,
    printed: bool,
    mode: int,
) -> int:
    """Print the outcomes and write the report; `look` is None for JSON. Returns the exit code."""
    from reconciler.cli import screen
    from reconciler.cli.report import append_summary, write_report
    from reconciler.core.report.file import to_json
    from reconciler.core.review import review_applied
    from reconciler.render import outcomes, step_summary

    stored = review_applied(applied, Redact.ALL)
    unwritten = append_summary(step_summary.step_summary(stored))
    code = stopped or stored.exit_code
    document = to_json(stored, code)
    failed = write_report(document, report, mode) if report else None
    if failed:
        code = stopped or gravest((code, failed.exit_code))
        document = {**document, "exitCode": code}
    if look is None:
        screen.say_json(document)
    else:
        shown = review_applied(applied, redact)
        for outcome in () if printed else shown.outcomes:
            screen.say(outcomes.outcome_lines(outcome, look))
        screen.say(outcomes.report_lines(shown, look))
    screen.note(*destination.copies(applied))
    if unwritten:
        screen.note(f"warning: {unwritten.message}")
    for problem in (*applied.problems, *([failed] if failed else [])):
        screen.error(problem.message, problem.hint)
    return code


def _tally(settings: Settings, plan: Plan, bounds: Bounds) -> Tally:
    """Progress, counted by lane: data stores that share their quotas share a lane."""
    from reconciler.apply.progress import Tally, lanes

    lane_of = {store.datastore_id: " ".join(store.quota_domain) for store in settings.datastores}
    return Tally(
        len(plan.steps),
        plan.eta_seconds,
        _most(plan, bounds.limit),
        bounds.deadline,
        lanes(plan.steps, lane_of),
        lane_of,
    )


def _most(plan: Plan, limit: int | None) -> int | None:
    """How many steps `--limit` allows, if every action counts; None without a limit."""
    return None if limit is None else sum(len(action.steps) for action in plan.runnable[:limit])


def _deadline(text: str | None) -> float:
    """Convert --max-duration to seconds; infinite without it."""
    if text is None:
        return math.inf
    try:
        return in_seconds(text)
    except ValueError:
        raise ReconcilerError(
            f"--max-duration takes a time above 0, not {text!r}", "Write it as 90m, 5400s or 1.5h."
        ) from None


def _planned(
    settings: Settings, edges: Edges, paths: list[Path] | None, reviews: Sequence[Reviewed]
) -> tuple[Scanning, tuple[Made, ...]]:
    """Make a plan. Return also the versions that lost runs made by these reviews."""
    from functools import partial

    from reconciler import pipeline
    from reconciler.cli import debug, jobs
    from reconciler.cli.progress import Waiting
    from reconciler.pipeline.gap import made_by_lost_runs

    opening = pipeline.Opening(
        settings, partial(pipeline.check, settings, paths or ()), is_whole=not paths
    )
    if opening.checked is not None:
        debug.checked(opening.checked)
    jobs.check("apply", settings, paths or ())
    checked, planned = pipeline.plan_at_rest(settings, opening, edges, reporter=Waiting())
    made = made_by_lost_runs(settings, planned.plan, edges, reviews) if reviews else ()
    if made:
        found = [one.attempt for one in made]
        checked, planned = pipeline.plan_at_rest(
            settings, opening, edges, reporter=Waiting(), found=found
        )
    return pipeline.Scanning(checked, planned), made


def _show(planned: Planned, look: Look, redact: Redact) -> None:
    from reconciler.cli import screen
    from reconciler.core.review import review
    from reconciler.render import text

    shown = review(planned.plan, redact, retiered=planned.retiered, observations=planned.observed)
    screen.say(text.plan_lines(shown, look, planned.calls))
    screen.say([""])


def _ask(plan: Plan) -> None:
    """Ask for approval. Only the word `yes` approves, as in Terraform."""
    from reconciler.cli import screen
    from reconciler.core.review.phrases import plural

    screen.note(f"This plan makes {plural(len(plan.steps), 'call')} of UpdateImageSetMetadata.")
    screen.ask("Apply this plan? Only `yes` is accepted:")
    if sys.stdin.readline().strip() != "yes":
        raise ReconcilerError("not approved: nothing was written")
