"""`reconcile import`: print a manifest of live values."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import complete, options
from reconciler.core.errors import ReconcilerError
from reconciler.core.model.settings import Redact

if TYPE_CHECKING:
    from reconciler.core.model.value import Document

_ID = re.compile("[0-9a-z]{32}")
_FIND = "Find it with `reconcile search`, then run: reconcile import --image-set ID"


class Depth(StrEnum):
    """The deepest level of a printed manifest."""

    PATIENT = "patient"
    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


def import_(
    datastore: options.Datastore = None,
    image_set: Annotated[
        str | None,
        typer.Option(
            "--image-set",
            metavar="ID",
            help="The image set to print.",
            autocompletion=complete.image_sets,
            show_default=False,
        ),
    ] = None,
    level: Annotated[
        Depth, typer.Option("--level", help="The deepest level to print.")
    ] = Depth.SERIES,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            metavar="KEYWORD=VALUE",
            help="Write a manifest for every image set that `reconcile search` finds by this. "
            "Repeat it for more criteria.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FOLDER", help="Where --select writes manifests.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Write at most N manifests.")
    ] = 100,
    json: options.AsJson = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Print a manifest of live values, or write many.

    Find the image set with `reconcile search`. The plan of the unchanged manifest is empty. Keep
    the lines that you want to manage, and edit them. The manifest always shows live values, also in
    a pipe or a file. So the command refuses --mask-values.
    """
    from reconciler.cli import connect, screen, workspace

    if select or out:
        _refuse_other_options(select, out, image_set, as_json=json)
        _import_all(select or [], out or Path(), limit, datastore, level, show_values, config)
        return
    if image_set is None:
        raise ReconcilerError("no image set was given", _FIND)
    if not _ID.fullmatch(image_set):
        hint = f"An imageSetId has 32 characters, each 0-9 or a-z. {_FIND}"
        raise ReconcilerError("the value of --image-set is not an imageSetId", hint)
    settings = workspace.settings(config)
    _refuse_to_mask(settings.redact, show_values)
    if show_values:
        screen.view(settings, show_values)  # refuses it in a CI job, and makes a file private
    store = workspace.datastore(settings, datastore)
    with (
        screen.service_messages(settings, show_values),
        connect.edges(settings) as edges,
    ):
        port = edges.ports(store)
        version = port.get(image_set).version_id
        document = port.metadata(image_set, version)
    if json:
        screen.say_json(document.raw)
        return
    screen.say(manifest(store.name, image_set, version, document, level))


def _refuse_other_options(
    select: list[str] | None, out: Path | None, image_set: str | None, *, as_json: bool
) -> None:
    if not (select and out):
        raise ReconcilerError(
            "--select and --out go together",
            "Write for example: reconcile import --select PatientID=00123 --out manifests",
        )
    if image_set is not None or as_json:
        other = "--image-set" if image_set is not None else "--json"
        raise ReconcilerError(f"--select does not go with {other}", f"Remove {other} or --select.")


def _import_all(
    select: list[str],
    out: Path,
    limit: int,
    datastore: str | None,
    level: Depth,
    show_values: bool | None,
    config: Path | None,
) -> None:
    from functools import partial

    from reconciler.cli import connect, screen, workspace
    from reconciler.core.errors import EXIT_ERROR, EXIT_OK
    from reconciler.core.review.phrases import moved, plural
    from reconciler.core.search import Query, criteria
    from reconciler.pipeline.imports import import_found

    query = Query(criteria(select))
    settings = workspace.settings(config)
    _refuse_to_mask(settings.redact, show_values)
    if show_values:
        screen.view(settings, show_values)  # refuses it in a CI job
    workspace.refuse_links(settings, out)
    store = workspace.datastore(settings, datastore)
    with (
        screen.service_messages(settings, show_values),
        connect.edges(settings) as edges,
    ):
        lines = partial(manifest, store.name, level=level)
        done = import_found(edges.ports(store), query, limit, out, lines)
    kept = f"; {done.kept:,} were there already" if done.kept else ""
    screen.say([f"Wrote {plural(len(done.written), 'manifest')} to {out}{kept}."])
    for problem in done.problems:
        screen.error(problem.message, problem.hint)
    if done.is_cut:
        screen.note(f"There are more than {limit:,}: narrow --select, or add --limit.")
    screen.note(*([line] if (line := moved(done.retiered)) else []))
    raise typer.Exit(EXIT_ERROR if done.problems else EXIT_OK)


def manifest(
    datastore: str, image_set: str, version: str, document: Document, level: Depth
) -> list[str]:
    """Return the lines of a manifest; raise ReconcilerError if no manifest is possible."""
    from reconciler.core.dicom.shape import misshapen
    from reconciler.core.model.address import Level
    from reconciler.render.manifest import manifest_lines

    if odd := misshapen(document):
        raise ReconcilerError(
            f"image set {image_set}: the document does not have the documented structure at {odd}",
            "No manifest can change it. Print it with --json, and ask AWS support about it.",
        )
    lines = manifest_lines(datastore, image_set, version, document, Level[level.name])
    if not lines:
        raise ReconcilerError(
            f"image set {image_set} has no attribute that a manifest can manage at level {level} "
            "or above",
            "Print deeper levels with --level instance.",
        )
    if limit := _exceeded(lines):
        raise ReconcilerError(
            f"the manifest would be larger than the limit of {limit}",
            "Print fewer levels, such as --level series.",
        )
    return lines


def _exceeded(lines: list[str]) -> str:
    """The limit of manifest files that these lines exceed; "" if they exceed none."""
    from reconciler.core.model.node import MAX_NODES
    from reconciler.edges.manifests import MAX_BYTES, parse

    size = sum(len(line.encode()) + 1 for line in lines)
    if size > MAX_BYTES:
        return f"{MAX_BYTES:,} bytes"
    is_short = size <= MAX_NODES  # every key and every value takes a byte
    return "" if is_short or not parse("\n".join(lines), "").problems else f"{MAX_NODES:,} values"


def _refuse_to_mask(redact: Redact, show_values: bool | None) -> None:
    """Raise ReconcilerError if values would be masked: the manifest would ask for the masks."""
    if show_values is False:
        raise ReconcilerError(
            "`reconcile import` prints live values and cannot mask them",
            "Remove --mask-values. `reconcile search` lists image sets without values.",
        )
    if redact is Redact.ALL and show_values is None:
        raise ReconcilerError(
            "`reconcile import` prints live values, and reconciler.yaml says `redact: all`",
            "Add --show-values if this output may contain patient data.",
        )
