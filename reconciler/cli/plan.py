"""`reconcile plan`: show what `apply` would change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli import options
from reconciler.core.model.scope import Refresh


def plan(
    paths: options.Paths = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Save the plan, for example as .reconcile/plan.json, which git ignores.",
            show_default=False,
        ),
    ] = None,
    format: options.PlanFormat = None,
    json: options.AsJson = False,
    summary: options.Summary = False,
    image_set: options.OnlyImageSet = None,
    datastore: options.OnlyDatastore = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="REF",
            help="Plan with the settings and the records of this commit, and state what changed "
            "since then [default: the base of a pull request that GitHub tests].",
            show_default=False,
        ),
    ] = None,
    review: Annotated[
        Path | None,
        typer.Option(
            "--review",
            metavar="FILE",
            help="Write what a review of this plan approves to FILE, for `apply --reviewed`. It "
            "holds digests and no DICOM value.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            "--check",
            metavar="FILE|FOLDER",
            help="Exit with code 1 unless these reviews hold every change.",
            show_default=False,
        ),
    ] = None,
    detailed_exitcode: Annotated[
        bool,
        typer.Option(
            "--detailed-exitcode",
            help="Exit with code 2 if anything is not converged.",
            show_default=False,
        ),
    ] = False,
    fail_if_held: Annotated[
        bool,
        typer.Option(
            "--fail-if-held",
            help="Exit with code 1 if an image set is blocked or drifted, and was not so at the "
            "base or is asked for something else than there, or if a guardrail would stop the "
            "apply. For the check of a pull request.",
            show_default=False,
        ),
    ] = False,
    refresh: options.RefreshMode = Refresh.CHANGED,
    fingerprints: options.Fingerprints = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Show what `apply` would change. Changes nothing.

    Reads the image sets that the manifests name and shows every change: the attribute, its value
    before and its value after. PATHS are manifests or folders of manifests [default: all
    manifests].
    """
    from functools import partial

    from reconciler import pipeline
    from reconciler.cli import (
        connect,
        debug,
        formats,
        jobs,
        problems,
        reviewed,
        screen,
        target,
        workspace,
    )
    from reconciler.core.errors import EXIT_ERROR, EXIT_OK, gravest
    from reconciler.core.review import review as shown_as
    from reconciler.core.review.merge_check import (
        held_by_merge,
        merge_check_lines,
        stopped_by_merge,
    )
    from reconciler.core.review.narrow import narrowed
    from reconciler.edges import fingerprint_key
    from reconciler.pipeline.known import key_of
    from reconciler.pipeline.reviewed import read_reviews
    from reconciler.render import text

    wanted = formats.output(format, as_json=json, summary=summary, fingerprints=fingerprints)
    if out:
        workspace.check_plan_file(out)
    if review:
        reviewed.check_review_file(review)
    trusted = pipeline.trusted(workspace.settings(config), base)
    settings = trusted.settings
    view, mode = screen.view(settings, show_values), target.mode(show_values)
    key = fingerprint_key.read(settings) if fingerprints else None
    workspace.refuse_links(settings, out, review)
    reviews = read_reviews(Path(settings.root), check, ()) if check else []
    with problems.reported(settings, show_values):
        opening = pipeline.Opening(
            settings,
            partial(pipeline.check, settings, paths or (), proposed=trusted.proposed),
            is_whole=not (paths or trusted.problem),
            refresh=refresh,
        )
    if opening.checked is not None:
        debug.checked(opening.checked)
    jobs.check("plan", settings, paths or (), base=trusted.base)
    digest, judgement, lines = "", None, []
    if trusted.problem:
        assert opening.checked is not None
        planned = pipeline.unplanned(trusted, opening.checked)
        lines = ["No review was written: there is no plan yet."] if review else []
    else:
        with (
            problems.reported(settings, show_values),
            screen.service_messages(settings, show_values),
            connect.edges(settings) as edges,
        ):
            planned = opening.plan(edges, base=trusted.base or None)[1]
            if review:
                digest = reviewed.write_review(settings, planned.plan, edges, review, mode)
            if check:
                judgement, lines = reviewed.judged(settings, planned.plan, edges, reviews)
    debug.planned(planned.plan)
    for error in planned.errors:
        screen.service_says(error, settings, show_values)
    if out:
        workspace.save_plan(planned.plan, out, key_of(Path(settings.root)))
        if warning := workspace.exposure(out):
            screen.note(warning)
    shown_here = partial(
        shown_as,
        redact=view.redact,
        shows_stated=view.shows_stated,
        retiered=planned.retiered,
        observations=planned.observed,
        fingerprints=key,
    )
    part = narrowed(planned.plan, datastore, image_set)
    is_whole = part is planned.plan
    whole = shown_here(planned.plan)
    shown = whole if is_whole else shown_here(part)
    formats.print_review(shown, wanted, settings, planned.calls)
    if is_whole and wanted == formats.Output(formats.Format.TEXT):
        named = [str(out)] if out else [str(path) for path in paths or ()]
        calls = 0 if whole.stops else whole.totals.calls
        screen.say(text.next_step(calls, named, screen.look(), saved=bool(out)))
    screen.not_read(planned.plan)
    if digest:
        screen.note(f"Review: {review} ({digest})")
    screen.note(*lines)
    held = held_by_merge(planned.plan) if fail_if_held else ()
    stops = stopped_by_merge(planned.plan) if fail_if_held else ()
    screen.note(*merge_check_lines(held, stops))
    if judgement is not None:
        code = reviewed.exit_code(judgement)
    else:
        code = whole.exit_code(detailed=detailed_exitcode)
    raise typer.Exit(gravest((code, EXIT_ERROR if held or stops else EXIT_OK)))
