"""`reconcile show`: show a saved plan, or the report of an apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import options
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.cli.formats import Output
    from reconciler.core.model.settings import Settings


def show(
    file: Annotated[Path, typer.Argument(metavar="PLAN | REPORT", hidden=True)],
    format: options.PlanFormat = None,
    json: options.AsJson = False,
    summary: options.Summary = False,
    image_set: options.OnlyImageSet = None,
    datastore: options.OnlyDatastore = None,
    fingerprints: options.Fingerprints = False,
    show_values: options.ShowValues = None,
    config: options.Config = None,
) -> None:
    """Show a saved plan, or the report of an apply.

    PLAN is a file that `plan --out` saved, REPORT a file that `apply --report` wrote: the content
    of the file decides. Nothing is read from the service. A report holds no DICOM value.
    """
    from reconciler.cli import formats, workspace

    wanted = formats.output(format, as_json=json, summary=summary, fingerprints=fingerprints)
    found = workspace.settings_if_any(config)
    if not workspace.is_report(file):
        _show_plan(file, wanted, found, datastore, image_set, show_values, fingerprints)
    elif fingerprints:
        raise ReconcilerError(
            "a report holds no DICOM value, so it has no fingerprints",
            "Remove --fingerprints, or show the plan.",
        )
    else:
        _show_report(file, wanted, found, datastore, image_set)


def _show_report(
    file: Path,
    wanted: Output,
    settings: Settings | None,
    datastore: str | None,
    image_set: str | None,
) -> None:
    from reconciler.cli import formats
    from reconciler.cli.report import load_report
    from reconciler.core.report.narrow import narrowed

    formats.print_report(narrowed(load_report(file), datastore, image_set), wanted, settings)


def _show_plan(
    file: Path,
    wanted: Output,
    settings: Settings | None,
    datastore: str | None,
    image_set: str | None,
    show_values: bool | None,
    fingerprints: bool,
) -> None:
    from reconciler.cli import debug, formats, screen, workspace
    from reconciler.core.review import review
    from reconciler.core.review.narrow import narrowed
    from reconciler.edges import fingerprint_key

    key = fingerprint_key.read(settings) if fingerprints else None
    plan, warning = workspace.load_plan(file, Path(settings.root) if settings else None)
    debug.planned(plan)
    view = screen.view(settings, show_values)
    shown = review(
        narrowed(plan, datastore, image_set),
        view.redact,
        shows_stated=view.shows_stated,
        fingerprints=key,
    )
    formats.print_review(shown, wanted, settings, {})
    screen.not_read(plan)
    screen.note(*([warning] if warning else []))
