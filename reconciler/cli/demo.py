"""`reconcile demo`: the whole cycle on this machine, without AWS."""

from __future__ import annotations

import sys
from typing import Annotated

import typer


def demo(
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the demo's folder to play with.", show_default=False),
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a step instead of the tour."),
    ] = False,
) -> None:
    """Watch the whole cycle, without AWS.

    Plan, refusal, apply, record, drift and revert on real DICOM data: in a temporary clone, with
    the embedded emulator. Nothing of yours is touched.
    """
    from reconciler import demo as tour
    from reconciler.cli import screen

    raise typer.Exit(tour.run(keep=keep, json=json, color=screen.colored(sys.stdout.isatty())))
