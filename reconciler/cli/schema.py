"""`reconcile schema`: print the published JSON Schemas."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import complete, options


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", hidden=True, autocompletion=complete.schemas),
    ] = None,
    json: options.AsJson = False,
) -> None:
    """Print a JSON Schema, for editors and programs.

    NAME is the name of a schema. Without NAME, the names are listed.
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
        raise ReconcilerError(f"there is no schema {name!r}", f"Use one of: {', '.join(names)}.")
    screen.say(schemas.text(name).rstrip().split("\n"))
