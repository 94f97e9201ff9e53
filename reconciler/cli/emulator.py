"""`reconcile emulator`: start an emulator of AWS HealthImaging, and put image sets into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.errors import EXIT_ERROR, EXIT_OK

app = typer.Typer(
    help="An emulator of AWS HealthImaging on this machine: no account, no network, no costs.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command("start")
def start(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="0 takes a free one.")
    ] = 0,
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Where the image sets are kept. The default is what `endpoint: emulator` uses.",
        ),
    ] = Path(".reconcile/emulator"),
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write endpoint and pid to it as JSON, once the emulator answers.",
            show_default=False,
        ),
    ] = None,
    update_seconds: Annotated[
        float,
        typer.Option(metavar="S", min=0.0, help="How long an update takes, fractions too."),
    ] = 0.2,
) -> None:
    """Start an emulator and serve until SIGTERM or Ctrl-C. The data stays."""
    from reconciler.cli import emulator_server

    emulator_server.serve(
        data, host=host, port=port, ready_file=ready_file, update_seconds=update_seconds
    )


@app.command("load")
def load(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="DICOM files, folders of them, HealthImaging metadata documents (JSON).",
            show_default=False,
        ),
    ],
    endpoint: Annotated[
        str,
        typer.Option(metavar="URL", help="What `emulator start` printed.", show_default=False),
    ],
    datastore: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="32 lower-case letters and digits; the data store is made where there is none.",
            show_default=False,
        ),
    ],
    non_primary: Annotated[
        bool,
        typer.Option(
            "--non-primary",
            help="Load as if the import had conflicted [default: as the service decides].",
            show_default=False,
        ),
    ] = False,
) -> int:
    """Load image sets, and print one line of JSON for each of them."""
    from reconciler.cli import emulator_client, screen
    from reconciler.emulator.ingest import ingest

    loader = emulator_client.connect(endpoint, datastore)
    ingested = ingest(paths, loader.keep)
    screen.tell(*map(str, (*ingested.refused, *ingested.repeated)))
    complete = not ingested.refused
    for image_set in ingested.image_sets:
        answer = loader.load(image_set, primary=False if non_primary else None)
        if answer.problem:
            complete = False
            screen.tell(f"{image_set.image_set_id}: {answer.problem}")
        else:
            screen.say([answer.line])
    if not (ingested.image_sets or ingested.refused):
        screen.tell("nothing found: give DICOM files, folders of them, or metadata documents")
    return EXIT_OK if complete and ingested.image_sets else EXIT_ERROR
