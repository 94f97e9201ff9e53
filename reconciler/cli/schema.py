"""`reconcile schema`: the published JSON Schemas."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import options


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", hidden=True),
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Print a JSON Schema, for editors and programs.

    NAME is that of a schema; without one, the names are listed.
    """
    from reconciler.cli import screen
    from reconciler.core.errors import ReconcilerError
    from reconciler.edges import schemas

    names = schemas.names()
    if name is None:
        if json:
            screen.say_json(list(names))
        else:
            screen.say(names)
        return
    if name not in names:
        raise ReconcilerError(f"no schema is called {name!r}", f"There are: {', '.join(names)}.")
    screen.say([schemas.text(name).rstrip()])
