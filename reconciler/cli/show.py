"""`reconcile show`: show a saved plan, or the report of an apply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import options

if TYPE_CHECKING:
    from reconciler.cli.formats import Output
    from reconciler.core.model.settings import Settings
    from reconciler.core.review.fingerprint import FingerprintKey


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
    from reconciler.core.errors import ReconcilerError
    from reconciler.edges import fingerprint_key

    wanted = formats.output(format, as_json=json, summary=summary, fingerprints=fingerprints)
    found = workspace.settings_if_any(config)
    if workspace.is_report(file):
        if fingerprints:
            raise ReconcilerError(
                f"{file} is the report of an apply: it has no live value, so no fingerprints",
                "Use --fingerprints with a saved plan.",
            )
        _show_report(file, wanted, found, datastore, image_set)
    else:
        key = fingerprint_key.read(found) if fingerprints else None
        _show_plan(file, wanted, found, datastore, image_set, show_values, key)


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
    key: FingerprintKey | None,
) -> None:
    from reconciler.cli import debug, formats, screen, workspace
    from reconciler.core.review import review
    from reconciler.core.review.narrow import narrowed

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
