"""`reconcile show`: show a saved plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import options


def show(
    file: Annotated[Path, typer.Argument(metavar="PLAN", hidden=True)],
    format: options.PlanFormat = None,
    json: options.AsJson = False,
    summary: options.Summary = False,
    image_set: options.OnlyImageSet = None,
    datastore: options.OnlyDatastore = None,
    fingerprints: options.Fingerprints = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Show a saved plan.

    PLAN is a file that `plan --out` saved. Nothing is read from the service.
    """
    from reconciler.cli import debug, formats, screen, workspace
    from reconciler.core.review import review
    from reconciler.core.review.narrow import narrowed
    from reconciler.edges import fingerprint_key

    wanted = formats.output(format, as_json=json, summary=summary, fingerprints=fingerprints)
    found = workspace.settings_if_any(config)
    key = fingerprint_key.read(found) if fingerprints else None
    plan, warning = workspace.load_plan(file, Path(found.root) if found else None)
    debug.planned(plan)
    view = screen.view(found, show_values)
    shown = review(
        narrowed(plan, datastore, image_set),
        view.redact,
        shows_stated=view.shows_stated,
        fingerprints=key,
    )
    formats.print_review(shown, wanted, found, {})
    screen.not_read(plan)
    screen.note(*([warning] if warning else []))
