"""`reconcile emulator`: start an emulator of AWS HealthImaging, load image sets into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="An emulator of AWS HealthImaging on this machine: no account, no network, no costs.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


Endpoint = Annotated[
    str,
    typer.Option(metavar="URL", help="The URL that `emulator start` printed.", show_default=False),
]
DatastoreId = Annotated[
    str,
    typer.Option(
        metavar="ID",
        help="32 lower-case letters and digits. A new data store is created.",
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
            help="Accept this host name too, for example of a container. May be repeated.",
            show_default=False,
        ),
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-origin",
            metavar="ORIGIN",
            help="Answer web pages of this origin, like http://localhost:3000. May be repeated.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="The port to listen on; 0 chooses a free port."
        ),
    ] = 0,
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="The folder of the data. `endpoint: emulator` uses the default.",
        ),
    ] = Path(".reconcile/emulator"),
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write endpoint and process ID to FILE, as JSON, once the emulator is ready.",
            show_default=False,
        ),
    ] = None,
    update_seconds: Annotated[
        float,
        typer.Option(metavar="S", min=0.0, help="Seconds that an update takes, for example 0.5."),
    ] = 0.2,
    s3_root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder that replaces S3 in import jobs: s3://bucket is DIR/bucket.",
            show_default=False,
        ),
    ] = None,
    switches: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Set a switch that `emulator behaviours` lists. May be repeated.",
            show_default=False,
        ),
    ] = None,
    quotas: Annotated[
        str,
        typer.Option(
            metavar="documented|off|FILE", help="The throttling rates and concurrency to enforce."
        ),
    ] = "off",
    quota_factor: Annotated[
        float, typer.Option(metavar="F", help="Multiply the throttling rates and bursts by F.")
    ] = 1.0,
    faults_file: Annotated[
        Path | None,
        typer.Option(
            "--faults", metavar="FILE", help="A file of faults, as JSON.", show_default=False
        ),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="KIND[,NAME=VALUE...]",
            help="Add a fault, for example throttle,probability=0.1. May be repeated.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start an emulator and serve until SIGTERM or Ctrl-C. The data is kept."""
    from reconciler.cli.emulator import server
    from reconciler.cli.emulator.settings import Given
    from reconciler.emulator.http.options import Listener

    given = Given(
        update_seconds, s3_root, switches or (), quotas, quota_factor, faults_file, faults or ()
    )
    listener = Listener(
        host=host, port=port, names=tuple(host_names or ()), origins=tuple(origins or ())
    )
    server.serve(data, given, listener, ready_file=ready_file)


@app.command("load")
def load_(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...",
            help="DICOM files, folders of DICOM files, HealthImaging metadata documents (JSON).",
            show_default=False,
        ),
    ],
    endpoint: Endpoint,
    datastore: DatastoreId,
    non_primary: Annotated[
        bool,
        typer.Option(
            "--non-primary",
            help="Load as non-primary image sets [default: as the service decides].",
            show_default=False,
        ),
    ] = False,
    show_values: Annotated[
        bool | None,
        typer.Option(
            "--show-values/--mask-values",
            help="Show or mask the names of files that give no image set "
            "[default: show on a terminal, mask elsewhere].",
            show_default=False,
        ),
    ] = None,
) -> int:
    """Load image sets, and print one line of JSON for each image set."""
    from reconciler.cli.emulator import load

    return load.run(
        endpoint,
        datastore,
        paths,
        primary=False if non_primary else None,
        show_values=show_values,
    )


@app.command("seed")
def seed(
    endpoint: Endpoint,
    datastore: DatastoreId,
    image_sets: Annotated[
        int, typer.Option(metavar="N", min=1, help="The number of image sets.")
    ] = 100,
    studies: Annotated[
        int | None,
        typer.Option(metavar="M", min=1, help="The number of studies [default: N / 3]."),
    ] = None,
    instances: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, max=1000, help="The number of instances of each image set."
        ),
    ] = 2,
    non_primary: Annotated[
        int,
        typer.Option(
            metavar="PERCENT", min=0, max=100, help="How many image sets are non-primary."
        ),
    ] = 0,
    random_seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="The random seed of the image sets.")
    ] = 0,
) -> int:
    """Fill a data store with synthetic image sets. Existing image sets are kept."""
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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """List the switches for undocumented behaviour of AWS, with default and source."""
    import textwrap
    from dataclasses import asdict

    from reconciler.cli import screen
    from reconciler.emulator.rules.behaviours import describe

    switches = describe()
    if as_json:
        screen.say_json(
            [{**asdict(switch), "choices": list(switch.choices)} for switch in switches]
        )
        return
    for switch in switches:
        others = f"  (one of: {', '.join(switch.choices)})" if switch.choices else ""
        source = textwrap.wrap(switch.source, 96, initial_indent="    ", subsequent_indent="    ")
        screen.say([f"{switch.name}={switch.default}{others}", *source])
