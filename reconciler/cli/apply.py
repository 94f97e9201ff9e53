"""`reconcile apply`: do exactly what a plan says."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import options
from reconciler.errors import EXIT_OK, ReconcilerError
from reconciler.model.settings import RecordMode

if TYPE_CHECKING:
    from reconciler.model.plan import Plan
    from reconciler.model.settings import Settings
    from reconciler.pipeline import Edges
    from reconciler.render.look import Look


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
    json: options.AsJson = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Do what a plan says, verify it, record it.

    Every write is pinned to the version that was read, verified by reading back, and recorded. PLAN
    is a file that `plan --out` saved and is executed exactly. Without one this plans (PATHS, or the
    manifests of the settings), shows the plan, and asks.
    """
    from reconciler import pipeline
    from reconciler.cli import connect, screen, workspace
    from reconciler.cli.progress import Progress
    from reconciler.cli.stop import Stop
    from reconciler.render import json as as_json
    from reconciler.render import outcomes

    saved = workspace.saved_plan(paths)
    if not saved and not auto_approve and not sys.stdin.isatty():
        raise ReconcilerError(
            "nobody is there to approve the plan",
            "Give --auto-approve, or apply a plan that was saved and reviewed:\n"
            "reconcile plan --out plan.json, then reconcile apply plan.json",
        )
    settings = workspace.settings(config)
    look = screen.look(settings.redact, show_values)
    with connect.edges(settings) as edges:
        plan = (
            workspace.load_plan(saved)
            if saved
            else _planned(settings, edges, paths, None if json else look)
        )
        if not saved and not auto_approve and plan.steps:
            _ask(plan)
        with Stop() as stop, Progress(len(plan.steps), None if json else look) as progress:
            applied = pipeline.apply(
                settings,
                plan,
                edges,
                mode=record or settings.record_mode,
                on_event=progress.on_event,
                stop=stop.requested,
            )
    if json:
        screen.say_json(
            as_json.applied(applied.outcomes, applied.held, applied.recorded, applied.commit)
        )
    else:
        for outcome in () if progress.told else applied.outcomes:
            screen.say(outcomes.outcome_lines(outcome, look))
        screen.say(
            outcomes.report_lines(
                applied.outcomes, applied.held, applied.recorded, applied.commit, look
            )
        )
    code = stop.exit_code or outcomes.exit_code(applied.outcomes, applied.held)
    if code != EXIT_OK:
        raise typer.Exit(code)


def _planned(settings: Settings, edges: Edges, paths: list[Path] | None, look: Look | None) -> Plan:
    """Plan now; shown, unless stdout is for JSON."""
    from reconciler import pipeline
    from reconciler.cli import screen
    from reconciler.render import text

    checked = pipeline.check(settings, paths or ())
    planned = pipeline.plan(settings, checked, edges)
    if look:
        screen.say(text.plan_lines(planned.plan, look, planned.calls))
        screen.say([""])
    return planned.plan


def _ask(plan: Plan) -> None:
    """Only the word `yes` is a yes, as in Terraform."""
    from reconciler.cli import screen
    from reconciler.render.values import plural

    screen.tell(f"This makes {plural(len(plan.steps), 'call')} of UpdateImageSetMetadata.")
    sys.stderr.write("Apply it? Only `yes` is taken: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != "yes":
        raise ReconcilerError("not approved: nothing was written")
