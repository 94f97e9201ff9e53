"""Options and arguments that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from reconciler.cli import complete
from reconciler.cli.formats import Format
from reconciler.core.model.scope import Refresh

Config: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The settings file [default: reconciler.yaml in this folder or a folder above].",
        show_default=False,
    ),
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of text.", show_default=False)
]
PlanFormat: TypeAlias = Annotated[
    Format | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="text, markdown (one comment of a pull request), html (a page for browsers), json, "
        "or github (annotations of a workflow) [default: text].",
        show_default=False,
    ),
]
RefreshMode: TypeAlias = Annotated[
    Refresh,
    typer.Option(
        "--refresh",
        metavar="WHAT",
        help="changed (what has moved since the last scan), full (every image set), or documents "
        "(every document, which moves archived image sets to another tier) [default: changed].",
        show_default=False,
    ),
]
Summary: TypeAlias = Annotated[
    bool,
    typer.Option("--summary", help="Print totals and dangers only.", show_default=False),
]
Fingerprints: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--fingerprints",
        help="Print a keyed fingerprint of each live value, to compare it with another plan. The "
        "key comes from the variable that `fingerprintKey` in reconciler.yaml names.",
        show_default=False,
    ),
]
OnlyImageSet: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--image-set",
        metavar="ID",
        autocompletion=complete.image_sets,
        help="Show only the action of this image set, one by one.",
        show_default=False,
    ),
]
OnlyDatastore: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--datastore",
        metavar="NAME",
        autocompletion=complete.datastores,
        help="Show only the image sets of this data store.",
        show_default=False,
    ),
]
Paths: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATHS", hidden=True),  # described in the help of each command
]
ShowValues: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--show-values/--mask-values",
        help="Show or mask values that identify a patient "
        "[default: show on a terminal, mask elsewhere].",
        show_default=False,
    ),
]
Datastore: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--datastore",
        metavar="NAME",
        autocompletion=complete.datastores,
        help="The name of a data store in reconciler.yaml [default: the only data store].",
        show_default=False,
    ),
]
