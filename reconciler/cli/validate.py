"""`reconcile validate`: check manifests and settings without the service."""

from __future__ import annotations

import typer

from reconciler.cli import options
from reconciler.core.errors import EXIT_ERROR, InputError


def validate(
    paths: options.Paths = None, json: options.AsJson = False, config: options.Config = None
) -> None:
    """Check manifests and settings without the service.

    Reports all problems of all files in one run. PATHS are manifests or folders of manifests
    [default: all manifests].
    """
    from reconciler import pipeline
    from reconciler.cli import screen, workspace
    from reconciler.core.review.phrases import plural
    from reconciler.render import json as as_json

    try:
        settings = workspace.settings(config)
        checked = pipeline.check(settings, paths or ())
    except InputError as error:
        if not json:
            raise
        screen.say_json(as_json.problems(error.diagnostics))
        raise typer.Exit(EXIT_ERROR) from None
    if json:
        screen.say_json(as_json.checked(checked.files, checked.asks))
        return
    image_sets = plural(len(checked.asks), "image set")
    screen.say([f"Valid: {plural(checked.files, 'file')} for {image_sets}."])
