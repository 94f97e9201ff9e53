"""`reconcile validate`: check manifests and settings without the service."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli import options
from reconciler.core.errors import EXIT_ERROR, InputError, ReconcilerError


class Format(StrEnum):
    """The formats of `validate --format`."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


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
    format: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="text, json, or github (annotations of a workflow) [default: text].",
            show_default=False,
        ),
    ] = None,
    json: options.AsJson = False,
    config: options.Config = None,
) -> None:
    """Check manifests and settings without the service.

    Warns of values that DICOM allows but that are hardly meant; they are valid.
    Checks all files in one run, and prints the first 20 problems; --json prints all. PATHS are
    manifests or folders of manifests [default: all manifests]. `--format github` prints annotations
    for the first 10 problems or warnings, and the problems as text to standard error.
    """
    from reconciler import pipeline
    from reconciler.cli import debug, jobs, problems, screen, workspace
    from reconciler.cli.clock import today
    from reconciler.core.review.phrases import plural
    from reconciler.edges import worktree
    from reconciler.render import json as as_json
    from reconciler.render.notes import note_lines, warning_lines

    if json and format not in (None, Format.JSON):
        raise ReconcilerError(f"--json and --format {format} ask for different formats")
    wanted = Format.JSON if json else format or Format.TEXT
    folder = worktree.folder_in(workspace.folder(config)) if wanted is Format.GITHUB else ""
    settings = None
    try:
        settings = workspace.settings(config)
        checked = pipeline.check(settings, paths or ())
    except InputError as error:
        if wanted is Format.JSON:
            shows_values = problems.shows_lines(error, settings, notes=False)
            screen.say_json(as_json.problems(error.diagnostics, shows_values=shows_values))
        else:
            if wanted is Format.GITHUB:
                from reconciler.render.annotations import error_commands

                screen.say_commands(error_commands(error.diagnostics, folder))
            with_lines = problems.shows_lines(error, settings)
            problems.say(error, with_lines, all_of_them=everything)
        raise typer.Exit(EXIT_ERROR) from None
    debug.checked(checked)
    jobs.check("validate", settings, paths or ())
    notes = pipeline.notes(settings, checked)
    warned = pipeline.warnings(checked, today())
    if wanted is Format.GITHUB:
        from reconciler.render.annotations import warning_commands

        screen.say_commands(warning_commands(warned, folder))
    elif wanted is Format.JSON:
        screen.say_json(as_json.checked(checked, notes, warned))
    else:
        image_sets = plural(len(checked.asks), "image set")
        selections = plural(len(checked.selectors), "selection")
        more = f" and {selections}" if checked.selectors else ""
        valid = f"Valid: {plural(checked.files, 'file')} for {image_sets}{more}"
        counted = f", {plural(len(warned), 'warning')}" if warned else ""
        screen.say([f"{valid}{counted}.", *warning_lines(warned), *note_lines(notes)])
    if strict and warned:
        raise typer.Exit(EXIT_ERROR)
