"""`reconcile emulator`: start an emulator of AWS HealthImaging, and put image sets into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.core.errors import EXIT_ERROR, EXIT_OK

app = typer.Typer(
    help="An emulator of AWS HealthImaging on this machine: no account, no network, no costs.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


Endpoint = Annotated[
    str,
    typer.Option(metavar="URL", help="What `emulator start` printed.", show_default=False),
]
DatastoreId = Annotated[
    str,
    typer.Option(
        metavar="ID",
        help="32 lower-case letters and digits; the data store is made where there is none.",
        show_default=False,
    ),
]


@app.command("start")
def start(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    host_names: Annotated[
        list[str] | None,
        typer.Option(
            "--host-name",
            metavar="NAME",
            help="Answer for this name too, as of a hosts file or a container. May be repeated.",
            show_default=False,
        ),
    ] = None,
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
    s3_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder that stands for S3 in import jobs: s3://bucket is DIR/bucket.",
            show_default=False,
        ),
    ] = None,
    switches: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A switch of `emulator behaviours`. May be repeated.",
            show_default=False,
        ),
    ] = None,
    quotas: Annotated[
        str,
        typer.Option(
            metavar="documented|off|FILE", help="Throttling rates and concurrency to enforce."
        ),
    ] = "off",
    quota_factor: Annotated[
        float, typer.Option(metavar="F", help="Multiplies the throttling rates and bursts.")
    ] = 1.0,
    faults_file: Annotated[
        Path | None,
        typer.Option("--faults", metavar="FILE", help="Faults, as JSON.", show_default=False),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="KIND[,NAME=VALUE...]",
            help="One fault, like throttle,probability=0.1. May be repeated.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start an emulator and serve until SIGTERM or Ctrl-C. The data stays."""
    from reconciler.cli.emulator import server
    from reconciler.cli.emulator.settings import Given

    given = Given(
        update_seconds, s3_root, switches or (), quotas, quota_factor, faults_file, faults or ()
    )
    address = server.Address(host, port, tuple(host_names or ()))
    server.serve(data, given, address, ready_file=ready_file)


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
    endpoint: Endpoint,
    datastore: DatastoreId,
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
    from reconciler.cli import screen
    from reconciler.cli.emulator import client
    from reconciler.emulator.files.ingest import ingest

    loader = client.connect(endpoint, datastore)
    kept: list[str] = []
    ingested = ingest(paths, lambda frame: kept.append(loader.keep(frame).problem))
    missing = [problem for problem in kept if problem]
    screen.tell(*map(str, (*ingested.refused, *ingested.repeated)))
    screen.tell(*(f"a frame is left out: {problem}" for problem in missing))
    complete = not ingested.refused and not missing
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


@app.command("seed")
def seed(
    endpoint: Endpoint,
    datastore: DatastoreId,
    image_sets: Annotated[int, typer.Option(metavar="N", min=1, help="How many image sets.")] = 100,
    studies: Annotated[
        int | None,
        typer.Option(metavar="M", min=1, help="Of how many studies [default: a third of them]."),
    ] = None,
    instances: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Instances of each image set.")
    ] = 2,
    non_primary: Annotated[
        int,
        typer.Option(metavar="PERCENT", min=0, max=100, help="As if their import had conflicted."),
    ] = 0,
    random_seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Another number, other image sets.")
    ] = 0,
) -> int:
    """Fill a data store with synthetic image sets of real shape; what is there already stays."""
    from reconciler.cli.emulator import seed

    return seed.run(
        endpoint,
        datastore,
        {
            "imageSets": image_sets,
            "studies": studies or -(-image_sets // 3),
            "instances": instances,
            "nonPrimaryPercent": non_primary,
            "seed": random_seed,
        },
    )


@app.command("behaviours")
def behaviours(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """List the switches for what AWS leaves open, with default and source."""
    import textwrap
    from dataclasses import asdict

    from reconciler.cli import screen
    from reconciler.emulator.rules.behaviours import describe

    switches = describe()
    if as_json:
        screen.say_json([{**asdict(one), "choices": list(one.choices)} for one in switches])
        return
    for one in switches:
        others = f"  (one of: {', '.join(one.choices)})" if one.choices else ""
        source = textwrap.wrap(one.source, 96, initial_indent="    ", subsequent_indent="    ")
        screen.say([f"{one.name}={one.default}{others}", *source])
