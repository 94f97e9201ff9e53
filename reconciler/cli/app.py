"""The command tree of `reconcile`. Slow imports happen inside the commands."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler import __version__
from reconciler.cli import (
    apply,
    datastores,
    demo,
    explain,
    import_,
    init,
    jobs,
    plan,
    record,
    reviews,
    schema,
    search,
    show,
    validate,
)
from reconciler.cli.emulator.app import app as emulator

app = typer.Typer(
    name="reconcile",
    help="Manage the metadata of AWS HealthImaging image sets with manifests in git.",
    epilog="Start with `reconcile demo`: it runs the whole workflow on this machine, without AWS.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    from reconciler.cli import screen

    if wanted:
        screen.say([f"reconcile {__version__}"])
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Handle the options of `reconcile` itself."""


app.command("init")(init.init)
app.command("validate")(validate.validate)
app.command("plan")(plan.plan)
app.command("show")(show.show)
app.command("apply")(apply.apply)
app.command("record")(record.record)
app.command("reviews")(reviews.reviews)
app.command("search")(search.search)
app.command("import")(import_.import_)
app.command("datastores")(datastores.datastores)
app.command("explain")(explain.explain)
app.command("schema")(schema.schema)
app.command("demo")(demo.demo)
app.add_typer(emulator, name="emulator")
for command in app.registered_commands:
    if command.callback is not None:
        command.callback = jobs.guarded(str(command.name), command.callback)
