"""`reconcile demo`: run the whole workflow on this machine, without AWS."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Keep the folder of the demo.", show_default=False),
    ] = False,
    json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object per command instead of text."),
    ] = False,
) -> None:
    """Run the whole workflow on this machine, without AWS.

    The demo shows plan, consent, apply, records, drift and revert on real DICOM data. It uses a
    temporary clone and the embedded emulator, and changes none of your files.
    """
    from reconciler import demo as tour
    from reconciler.cli import screen

    tty = screen.is_terminal()
    output = tour.Output(screen.say, is_terminal=tty, color=screen.colored(tty), as_json=json)
    raise typer.Exit(tour.run(output, keep=keep))
