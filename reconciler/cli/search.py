"""`reconcile search`: list image sets by what SearchImageSets returns."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli import complete, options
from reconciler.core.errors import ReconcilerError, gravest


def search(
    criteria: Annotated[
        list[str] | None, typer.Argument(metavar="KEYWORD=VALUE", hidden=True)
    ] = None,
    created: Annotated[
        str | None,
        typer.Option(
            "--created",
            metavar="RANGE",
            help="Only image sets created then: a day or a range in UTC, such as 2026-01-01.. or "
            "2026-01-01..2026-01-31.",
            show_default=False,
        ),
    ] = None,
    updated: Annotated[
        str | None,
        typer.Option(
            "--updated",
            metavar="RANGE",
            help="Only image sets last updated then, in the same forms.",
            show_default=False,
        ),
    ] = None,
    datastore: Annotated[
        str | None,
        typer.Option(
            "--datastore",
            metavar="NAME",
            autocompletion=complete.datastores,
            help="Search only this data store [default: all data stores in reconciler.yaml].",
            show_default=False,
        ),
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            "--fields",
            metavar="NAMES",
            autocompletion=complete.fields,
            help="The columns, with commas between them: DICOM keywords, or imageSetId, datastore "
            "and others of the service. With one field, prints its values without a heading.",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="List at most N image sets.")
    ] = 100,
    json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print JSON, with every field of the summaries.", show_default=False
        ),
    ] = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """List image sets, by attributes and times.

    Lists the image sets that meet all criteria, or all image sets: `reconcile search Modality=OT
    PatientID=12345 --created 2026-01-01..`. `*` and `?` stand for any characters; `StudyDate=` also
    takes a range. Reads no metadata document, so it moves no image set to another storage tier.
    """
    from reconciler.cli import connect, jobs, screen, workspace
    from reconciler.core import search as asked
    from reconciler.core.review import review_search
    from reconciler.core.review.phrases import search_notes
    from reconciler.pipeline.search import search as find
    from reconciler.render import json as as_json
    from reconciler.render import search as render

    if json and fields is not None:
        raise ReconcilerError("--json prints every field", "Remove --fields or --json.")
    names = asked.fields(fields) if fields is not None else ()
    query = asked.Query((*asked.criteria(criteria or ()), *asked.time_criteria(created, updated)))
    settings = workspace.settings(config)
    stores = [workspace.datastore(settings, datastore)] if datastore else settings.datastores
    redact = screen.mask(settings, show_values)
    jobs.check("search", settings)
    with connect.edges(settings) as edges:
        result = find(stores, query, edges, limit)
    found = review_search(result.found, redact)
    if json:
        screen.say_json(as_json.image_sets(found))
    elif names:
        screen.say(render.chosen_lines(found, screen.look(), names))
    elif found:
        screen.say(render.usual_lines(found, screen.look(), names_datastore=len(stores) > 1))
    shown = asked.FIELDS if json else names or render.USUAL
    screen.note(*search_notes(found, shown, is_cut=result.is_cut, has_failed=bool(result.errors)))
    for name, error in result.errors.items():
        screen.error(f"data store {name}: {error.message}", error.hint)
        screen.service_says(error, settings, show_values)
    raise typer.Exit(gravest(error.exit_code for error in result.errors.values()))
