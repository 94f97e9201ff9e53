"""`reconcile apply`: do exactly what a plan says."""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import options
from reconciler.core.errors import EXIT_BUG, EXIT_ERROR, EXIT_OK, ReconcilerError
from reconciler.core.model.duration import in_seconds
from reconciler.core.model.settings import RecordMode

if TYPE_CHECKING:
    from reconciler.apply.progress import Tally
    from reconciler.core.model.bounds import Bounds
    from reconciler.core.model.plan import Plan
    from reconciler.core.model.results import Applied
    from reconciler.core.model.settings import Settings
    from reconciler.pipeline import Edges
    from reconciler.render.style import Look


class OnError(StrEnum):
    """What a step that does not converge means for the others."""

    CONTINUE = "continue"
    STOP = "stop"


def apply(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PLAN | PATHS", hidden=True),
    ] = None,
    auto_approve: Annotated[
        bool, typer.Option("--auto-approve", help="Do not ask.", show_default=False)
    ] = False,
    record: Annotated[
        RecordMode | None,
        typer.Option(
            "--record",
            metavar="MODE",
            help="What to do with the records: files, or commit [default: that of the settings].",
            show_default=False,
        ),
    ] = None,
    on_error: Annotated[
        OnError,
        typer.Option(
            "--on-error",
            help="After a step that does not converge: go on with the others, or send nothing new.",
        ),
    ] = OnError.CONTINUE,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            metavar="N",
            min=1,
            help="Change N image sets, or whole studies, at most.",
            show_default=False,
        ),
    ] = None,
    max_duration: Annotated[
        str | None,
        typer.Option(
            "--max-duration",
            metavar="TIME",
            help="Send nothing new after so long: 90m, 5400s, 1.5h.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="Write what became of every step, as JSON.",
            show_default=False,
        ),
    ] = None,
    json: options.AsJson = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Do what a plan says, verify it, record it.

    Every write is pinned to the version that was read, verified by reading back, and recorded. PLAN
    is a file that `plan --out` saved and is executed exactly. Without one this plans (PATHS, or the
    manifests of the settings), shows the plan, and asks.

    However it ends early, by a limit, a signal or an error, what is in flight is awaited and
    recorded, the rest is told as not-attempted, and the same command goes on from there.
    """
    from reconciler import pipeline
    from reconciler.apply.run import Run
    from reconciler.cli import connect, screen, workspace
    from reconciler.cli.progress import Progress
    from reconciler.cli.report import check_report_file
    from reconciler.cli.stop import Stop
    from reconciler.core.model.bounds import Bounds

    seconds = _deadline(max_duration)
    if report:
        check_report_file(report)
    saved = workspace.saved_plan(paths)
    if not saved and not auto_approve and not sys.stdin.isatty():
        raise ReconcilerError(
            "nobody is there to approve the plan",
            "Give --auto-approve, or apply a plan that was saved and reviewed:\n"
            f"reconcile plan --out {workspace.PLAN_FILE}, then "
            f"reconcile apply {workspace.PLAN_FILE}",
        )
    settings = workspace.settings(config)
    settings = replace(settings, record_mode=record or settings.record_mode)
    workspace.refuse_links(settings, saved, report)
    look = screen.look(settings.redact, show_values)
    with (
        screen.service_messages(settings.redact, show_values),
        ExitStack() as until_told,
    ):
        with connect.edges(settings) as edges:
            bounds = Bounds(limit, edges.clock.now() + seconds, on_error is OnError.STOP)
            plan = (
                workspace.load_plan(saved)
                if saved
                else _planned(settings, edges, paths, None if json else look)
            )
            if not saved and not auto_approve and plan.steps:
                _ask(plan)
            tally = _tally(settings, plan, bounds)
            # Beyond the work: a signal that comes late must not keep the outcomes from being told.
            stop = until_told.enter_context(Stop())
            with Progress(tally, edges.clock, None if json else look) as progress:
                applied = pipeline.apply(
                    settings,
                    plan,
                    edges,
                    Run(edges.clock, stop, bounds),
                    reporter=progress,
                    saved=saved is not None,
                )
        told = progress.told
        code = _tell(applied, stop.exit_code, report, None if json else look, told)
    if code != EXIT_OK:
        raise typer.Exit(code)


def _tell(
    applied: Applied, stopped: int, report: Path | None, look: Look | None, told: bool
) -> int:
    """Tell whoever wants to know; `look` is None for JSON. Returns the exit code."""
    from reconciler.cli import screen
    from reconciler.cli.report import append_summary, write_report
    from reconciler.render import json as as_json
    from reconciler.render import outcomes, step_summary

    unwritten = append_summary(step_summary.step_summary(applied))
    code = stopped or applied.exit_code
    document = as_json.applied(applied, code)
    failed = write_report(document, report) if report else None
    if failed:
        code = stopped or (code if code == EXIT_BUG else EXIT_ERROR)
        document = {**document, "exitCode": code}
    if look is None:
        screen.say_json(document)
    else:
        for outcome in () if told else applied.outcomes:
            screen.say(outcomes.outcome_lines(outcome, look))
        screen.say(outcomes.report_lines(applied, look))
    if unwritten:
        screen.tell(f"warning: {unwritten.message}")
    problems = [*applied.problems, *([failed] if failed else [])]
    for problem in problems:
        screen.tell(
            f"error: {problem.message}", *(f"    {one}" for one in problem.hint.splitlines())
        )
    return code


def _tally(settings: Settings, plan: Plan, bounds: Bounds) -> Tally:
    """Data stores that share their quotas are one lane."""
    from reconciler.apply.progress import Tally, lanes

    lane_of = {one.datastore_id: " ".join(one.quota_domain) for one in settings.datastores}
    return Tally(
        len(plan.steps),
        plan.eta_seconds,
        _most(plan, bounds.limit),
        bounds.deadline,
        lanes(plan.steps, lane_of),
        lane_of,
    )


def _most(plan: Plan, limit: int | None) -> int | None:
    """The steps of so many actions, as far as anybody knows before they are tried."""
    return None if limit is None else sum(len(action.steps) for action in plan.runnable[:limit])


def _deadline(text: str | None) -> float:
    """The seconds of --max-duration; endless without it."""
    if text is None:
        return math.inf
    try:
        return in_seconds(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no duration: write 90m, 5400s or 1.5h", param_hint="--max-duration"
        ) from None


def _planned(settings: Settings, edges: Edges, paths: list[Path] | None, look: Look | None) -> Plan:
    """Plan now; shown, unless stdout is for JSON."""
    from reconciler import pipeline
    from reconciler.cli import screen
    from reconciler.cli.progress import Waiting
    from reconciler.core.review import review
    from reconciler.render import text

    checked = pipeline.check(settings, paths or ())
    planned = pipeline.plan_at_rest(settings, checked, edges, reporter=Waiting())
    if look:
        screen.say(text.plan_lines(review(planned.plan, look.redact), look, planned.calls))
        screen.say([""])
    return planned.plan


def _ask(plan: Plan) -> None:
    """Only the word `yes` is a yes, as in Terraform."""
    from reconciler.cli import screen
    from reconciler.core.review.phrases import plural

    screen.tell(f"This makes {plural(len(plan.steps), 'call')} of UpdateImageSetMetadata.")
    sys.stderr.write("Apply it? Only `yes` is taken: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise ReconcilerError("not approved: nothing was written")
