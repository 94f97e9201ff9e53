"""`reconcile plan`: show what `apply` would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import options

if TYPE_CHECKING:
    from reconciler.core.review import Review


def plan(
    paths: options.Paths = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Save the plan, for example as .reconcile/plan.json, which git ignores.",
            show_default=False,
        ),
    ] = None,
    json: options.AsJson = False,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            help="Exit with code 2 if anything is not converged.",
            show_default=False,
        ),
    ] = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Show what `apply` would change. Changes nothing.

    Reads the image sets that the manifests name and shows every change: the attribute, its value
    before and its value after. PATHS are manifests or folders of manifests [default: all
    manifests].
    """
    from reconciler import pipeline
    from reconciler.cli import connect, screen, workspace
    from reconciler.core.review import review
    from reconciler.pipeline.known import key_of

    if out:
        workspace.check_plan_file(out)
    settings = workspace.settings(config)
    workspace.refuse_links(settings, out)
    checked = pipeline.check(settings, paths or ())
    with (
        screen.service_messages(settings.redact, show_values),
        connect.edges(settings) as edges,
    ):
        planned = pipeline.plan(settings, checked, edges)
    for error in planned.errors:
        screen.service_says(error, settings.redact, show_values)
    if out:
        workspace.save_plan(planned.plan, out, key_of(Path(settings.root)))
        if warning := workspace.exposure(out):
            screen.note(warning)
    named = [str(out)] if out else [str(path) for path in paths or ()]
    shown = review(planned.plan, screen.mask(settings.redact, show_values))
    _print(shown, planned.calls, named, saved=bool(out), as_json=json)
    screen.not_read(planned.plan)
    raise typer.Exit(shown.exit_code(detailed=detailed_exitcode))


def _print(
    shown: Review, calls: Mapping[str, int], named: Sequence[str], *, saved: bool, as_json: bool
) -> None:
    """Print a plan. `named` are the saved plan or the manifests."""
    from reconciler.cli import screen
    from reconciler.render import text
    from reconciler.render.plan_json import plan_json

    if as_json:
        screen.say_json(plan_json(shown))
        screen.note(*text.reads(calls))
    else:
        look = screen.look()
        screen.say(text.plan_lines(shown, look, calls))
        screen.say(text.next_step(shown, named, look, saved=saved))
