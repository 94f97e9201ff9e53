"""`reconcile show`: show a saved plan."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import options


def show(
    file: Annotated[Path, typer.Argument(metavar="PLAN", hidden=True)],
    json: options.AsJson = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Show a saved plan.

    PLAN is a file that `plan --out` saved. Nothing is read from the service.
    """
    from reconciler.cli import screen, workspace
    from reconciler.core.model.settings import Redact
    from reconciler.core.review import review
    from reconciler.render import text
    from reconciler.render.plan_json import plan_json

    found = workspace.settings_if_any(config)
    plan, warning = workspace.load_plan(file, Path(found.root) if found else None)
    redact = found.redact if found else Redact.IDENTIFYING
    shown = review(plan, screen.mask(redact, show_values))
    if json:
        screen.say_json(plan_json(shown))
    else:
        screen.say(text.plan_lines(shown, screen.look()))
    screen.not_read(plan)
    screen.note(*([warning] if warning else []))
