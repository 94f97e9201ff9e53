"""`reconcile datastores`: list the configured data stores."""

from __future__ import annotations

from reconciler.cli import options


def datastores(json: options.AsJson = False, config: options.Config = None) -> None:
    """List the data stores in reconciler.yaml."""
    from reconciler.cli import screen, workspace
    from reconciler.render import json as as_json
    from reconciler.render.table import datastore_table

    settings = workspace.settings(config)
    if json:
        screen.say_json(as_json.datastores(settings.datastores))
    else:
        screen.say(datastore_table(settings.datastores, screen.look()))
