"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The settings [default: reconciler.yaml, found from any folder below it].",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of text.", show_default=False)
]
Paths: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATHS", hidden=True),  # told in the text of each command
]
ShowValues: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--show-values/--mask-values",
        help="Values that identify a patient [default: shown on a terminal, masked elsewhere].",
        show_default=False,
    ),
]
Datastore: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--datastore",
        metavar="NAME",
        help="A data store of the settings [default: the only one].",
        show_default=False,
    ),
]
