"""`reconcile record`: record what is converged, without a change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import destination, options
from reconciler.core.errors import EXIT_OK
from reconciler.core.model.settings import RecordMode

if TYPE_CHECKING:
    from reconciler.core.model.plan import Plan
    from reconciler.core.model.results import Applied


def record(
    paths: options.Paths = None,
    mode: Annotated[
        RecordMode | None,
        typer.Option(
            "--record",
            metavar="MODE",
            help="Where the records go, as with `apply` [default: `record.mode` in "
            "reconciler.yaml].",
            show_default=False,
        ),
    ] = None,
    push: Annotated[
        bool,
        typer.Option(
            "--push", help="Push the records, as `apply --push` does.", show_default=False
        ),
    ] = False,
    json: options.AsJson = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Record the image sets that hold what is asked. Changes no image set.

    Another process may change an image set, and leave every attribute that the manifests ask for as
    it is. This command then records the new version, so that later plans need not read it again.
    Image sets that do not hold what is asked keep their records. PATHS are manifests or folders of
    manifests [default: all manifests].
    """
    from functools import partial

    from reconciler import pipeline
    from reconciler.apply.run import Run
    from reconciler.cli import connect, debug, jobs, problems, screen, workspace
    from reconciler.cli.progress import Waiting
    from reconciler.cli.stop import Stop
    from reconciler.core.model.scope import Refresh
    from reconciler.core.report.file import to_json
    from reconciler.core.review import review_applied

    settings = workspace.settings(config)
    settings = replace(settings, record_mode=mode or settings.record_mode)
    destination.check(settings, push=push)
    branch = destination.followed(settings) if push else None
    remote = destination.pushed_to(settings, branch, push=push)
    with (
        problems.reported(settings, show_values),
        screen.service_messages(settings, show_values),
        connect.edges(settings) as opened,
        Stop() as stop,
    ):
        edges = replace(opened, remote=remote)
        opening = pipeline.Opening(
            settings,
            partial(pipeline.check, settings, paths or ()),
            is_whole=not paths,
            refresh=Refresh.FULL,
        )
        if opening.checked is not None:
            debug.checked(opening.checked)
        jobs.check("record", settings, paths or ())
        run = Run(edges.clock, stop)
        planned, applied = pipeline.record(settings, opening, edges, run, reporter=Waiting())
        for error in planned.errors:
            screen.service_says(error, settings, show_values)
        debug.planned(planned.plan)
        screen.not_read(planned.plan)
        shown = review_applied(applied, screen.mask(settings, show_values))
        code = stop.exit_code or shown.exit_code
        if json:
            screen.say_json(to_json(shown, code))
        else:
            screen.say(_lines(planned.plan, applied))
        for problem in applied.problems:
            screen.error(problem.message, problem.hint)
    if code != EXIT_OK:
        raise typer.Exit(code)


def _lines(plan: Plan, applied: Applied) -> Iterator[str]:
    """What was recorded, and how many image sets were left as they are recorded."""
    from reconciler.core.model.settings import Redact
    from reconciler.core.report import recording
    from reconciler.core.review import review_applied
    from reconciler.core.review.phrases import plural

    seen = {
        member.image_set_id
        for action in applied.plan.actions
        for member in (*action.members, *action.siblings)
        if not member.recorded
    }
    seen |= {landed.image_set_id for landed in applied.recovered}
    new = len(seen.difference(applied.unrecorded))
    yield f"Recorded {plural(new, 'image set')}." if new else "Nothing to record."
    left = len(_image_sets(plan) - _image_sets(applied.plan))
    if left:
        verb, keep = ("does", "keeps its record") if left == 1 else ("do", "keep their records")
        yield (
            f"{plural(left, 'image set')} {verb} not hold what is asked and {keep}: see "
            "`reconcile plan`."
        )
    yield from recording(review_applied(applied, Redact.ALL).records)


def _image_sets(plan: Plan) -> set[str]:
    return {one for action in plan.actions for one in action.image_sets}
