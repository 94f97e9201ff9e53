"""`reconcile import`: start from what is there."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli import options
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.settings import Redact

_ID = re.compile("[0-9a-z]{32}")


class Depth(StrEnum):
    """How far down a manifest goes."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


def import_(
    datastore: options.Datastore = None,
    image_set: Annotated[
        str | None,
        typer.Option(
            "--image-set", metavar="ID", help="The image set to print.", show_default=False
        ),
    ] = None,
    level: Annotated[
        Depth, typer.Option("--level", help="The deepest level to print.")
    ] = Depth.SERIES,
    search: Annotated[
        bool,
        typer.Option("--search", help="List image sets instead.", show_default=False),
    ] = False,
    json: options.AsJson = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Print a manifest of live values, or find image sets.

    The manifest plans to nothing as it is: keep the lines that you want to own, and edit them.
    It holds live values, also in a pipe or a file, so --image-set refuses --mask-values.
    """
    from reconciler.cli import connect, screen, workspace
    from reconciler.core.model.address import Level
    from reconciler.render import json as as_json
    from reconciler.render.manifest import manifest_lines
    from reconciler.render.table import image_set_table, in_order

    if (image_set is None) is not search:
        hint = "Find the ID with --search, or give it with --image-set ID."
        raise ReconcilerError("give either --image-set or --search", hint)
    if image_set is not None and not _ID.fullmatch(image_set):
        hint = "It is 32 characters, each 0-9 or a-z: find it with --search."
        raise ReconcilerError("--image-set takes an imageSetId", hint)
    settings = workspace.settings(config)
    if image_set is not None:
        _refuse_to_mask(settings.redact, show_values)
    store = workspace.datastore(settings, datastore)
    look = screen.look(settings.redact, show_values)
    with (
        screen.service_messages(settings.redact, show_values),
        connect.edges(settings) as edges,
    ):
        port = edges.ports(store)
        if image_set is None:
            found = in_order(port.search())
            if json:
                screen.say_json(as_json.image_sets(found, look))
            else:
                screen.say(image_set_table(found, look))
            return
        version = port.get(image_set).version_id
        document = port.metadata(image_set, version)
    if json:
        screen.say_json(document.raw)
        return
    lines = manifest_lines(store.name, image_set, version, document, Level[level.name])
    if not lines:
        raise ReconcilerError(
            f"image set {image_set} has no attribute that a manifest could ask for down to {level}",
            "Go deeper: --level instance.",
        )
    screen.say(lines)


def _refuse_to_mask(redact: Redact, show_values: bool | None) -> None:
    """A manifest of masks would ask for the masks, so it is the whole manifest or none."""
    if show_values is False:
        raise ReconcilerError(
            "`reconcile import --image-set` prints live values: it cannot mask them",
            "Leave out --mask-values. To list image sets without values, use --search.",
        )
    if redact is Redact.ALL and show_values is None:
        raise ReconcilerError(
            "`reconcile import --image-set` prints live values, and reconciler.yaml says "
            "`redact: all`",
            "Add --show-values if the values may be seen where this output goes.",
        )
