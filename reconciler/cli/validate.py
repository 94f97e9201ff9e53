"""`reconcile validate`: check manifests and settings without the service."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import options
from reconciler.core.errors import EXIT_ERROR, InputError


def validate(
    paths: options.Paths = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Print all problems, not only the first 20.", show_default=False
        ),
    ] = False,
    json: options.AsJson = False,
    config: options.Config = None,
) -> None:
    """Check manifests and settings without the service.

    Checks all files in one run, and prints the first 20 problems; --json prints all. PATHS are
    manifests or folders of manifests [default: all manifests].
    """
    from reconciler import pipeline
    from reconciler.cli import screen, workspace
    from reconciler.core.review.phrases import plural
    from reconciler.render import json as as_json
    from reconciler.render.notes import note_lines

    try:
        settings = workspace.settings(config)
        checked = pipeline.check(settings, paths or ())
    except InputError as error:
        if json:
            screen.say_json(as_json.problems(error.diagnostics))
        else:
            screen.problems(error, all_of_them=everything)
        raise typer.Exit(EXIT_ERROR) from None
    notes = pipeline.notes(settings, checked)
    if json:
        screen.say_json(as_json.checked(checked.files, checked.asks, notes))
        return
    image_sets = plural(len(checked.asks), "image set")
    screen.say([f"Valid: {plural(checked.files, 'file')} for {image_sets}.", *note_lines(notes)])
