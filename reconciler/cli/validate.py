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
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit with code 1 if there is a warning.", show_default=False
        ),
    ] = False,
    json: options.AsJson = False,
    config: options.Config = None,
) -> None:
    """Check manifests and settings without the service.

    Warns of values that DICOM allows but that are hardly meant; they are valid.
    Checks all files in one run, and prints the first 20 problems; --json prints all. PATHS are
    manifests or folders of manifests [default: all manifests].
    """
    from reconciler import pipeline
    from reconciler.cli import debug, problems, screen, workspace
    from reconciler.cli.clock import today
    from reconciler.core.review.phrases import plural
    from reconciler.render import json as as_json
    from reconciler.render.notes import note_lines, warning_lines

    settings = None
    try:
        settings = workspace.settings(config)
        checked = pipeline.check(settings, paths or ())
    except InputError as error:
        if json:
            shows_values = problems.shows_lines(error, settings, notes=False)
            screen.say_json(as_json.problems(error.diagnostics, shows_values=shows_values))
        else:
            with_lines = problems.shows_lines(error, settings)
            problems.say(error, with_lines, all_of_them=everything)
        raise typer.Exit(EXIT_ERROR) from None
    debug.checked(checked)
    notes = pipeline.notes(settings, checked)
    warned = pipeline.warnings(checked, today())
    if json:
        screen.say_json(as_json.checked(checked.files, checked.asks, notes, warned))
    else:
        image_sets = plural(len(checked.asks), "image set")
        valid = f"Valid: {plural(checked.files, 'file')} for {image_sets}"
        counted = f", {plural(len(warned), 'warning')}" if warned else ""
        screen.say([f"{valid}{counted}.", *warning_lines(warned), *note_lines(notes)])
    if strict and warned:
        raise typer.Exit(EXIT_ERROR)
