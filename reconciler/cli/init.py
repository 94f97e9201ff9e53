"""`reconcile init`: make a folder a repository of manifests, or check one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli import options

if TYPE_CHECKING:
    from reconciler.core.model.settings import Settings
    from reconciler.core.model.value import Json
    from reconciler.init.answers import Answers, Given
    from reconciler.init.check import Lack
    from reconciler.init.folder import Written
    from reconciler.init.github.finding import Finding


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", hidden=True)] = Path(),
    github: Annotated[
        bool,
        typer.Option("--github", help="The repository is on GitHub.", show_default=False),
    ] = False,
    gitlab: Annotated[
        bool,
        typer.Option("--gitlab", help="The repository is on GitLab.", show_default=False),
    ] = False,
    repository: Annotated[
        str,
        typer.Option(
            "--repository",
            metavar="OWNER/NAME",
            help="The repository on the host. OWNER@ID/NAME@ID states the numbers that GitHub gave "
            "it: the trust policies need them.",
            show_default=False,
        ),
    ] = "",
    default_branch: Annotated[
        str,
        typer.Option("--default-branch", metavar="BRANCH", help="The branch that is applied."),
    ] = "main",
    aws_account: Annotated[
        str,
        typer.Option(
            "--aws-account",
            metavar="ID",
            help="The account of the data stores.",
            show_default=False,
        ),
    ] = "",
    region: Annotated[
        str,
        typer.Option(
            "--region", metavar="REGION", help="The region of the data stores.", show_default=False
        ),
    ] = "",
    datastore: Annotated[
        list[str] | None,
        typer.Option(
            "--datastore",
            metavar="NAME=ID",
            help="A data store: a name of your choice, and its datastoreId. Repeat it for others.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing. Print what the repository lacks, file by file, and exit with 1 if "
            "it lacks anything. With --github, also read its settings there, with gh.",
            show_default=False,
        ),
    ] = False,
    json: options.AsJson = False,
) -> None:
    """Make a folder a repository of manifests.

    FOLDER is a new folder or the root of a repository [default: this folder]. The command writes
    settings, a first manifest, schemas and snippets for editors, IAM policies, the key of digests,
    and the workflows of the host. It overwrites no file: what an existing file lacks is printed.
    On a terminal it asks for what no option states.
    """
    from reconciler.cli import screen
    from reconciler.cli.questions import ask_what_is_missing
    from reconciler.core.errors import ReconcilerError
    from reconciler.init import answers
    from reconciler.init import folder as place
    from reconciler.init.scaffold import scaffold, values
    from reconciler.init.steps import next_steps
    from reconciler.init.templates import templates

    if github and gitlab:
        raise ReconcilerError(
            "a repository is on GitHub or on GitLab, not on both", "Use --github or --gitlab."
        )
    forge = answers.Forge.GITHUB if github else answers.Forge.GITLAB if gitlab else None
    stores = tuple(datastore or ())
    given = answers.Given(forge, aws_account, region, stores, repository, default_branch)
    if check:
        raise typer.Exit(_check(folder, given, json))
    place.check_folder(folder, ())
    settings = _settings(folder)
    if sys.stdin.isatty() and screen.shows_progress():
        given = ask_what_is_missing(given, settings)
    found = answers.read(given, settings)
    if found.forge:
        place.check_is_root(folder)
    written = place.write(folder, scaffold(found))
    kept = [one for one in templates(found.forge) if one.path not in written.written]
    lacks = tuple(place.lacking(folder, kept, values(found), absent=False))
    if json:
        screen.say_json(_document(written, lacks))
    else:
        screen.say(_report(written, lacks, next_steps(found, folder)))


def _check(folder: Path, given: Given, json: bool) -> int:
    """Print what a repository lacks, with --github also on GitHub. Returns the exit code."""
    from reconciler.cli import screen
    from reconciler.core.errors import EXIT_ERROR, EXIT_OK, ReconcilerError
    from reconciler.init import folder as place
    from reconciler.init.answers import Forge, read_for_check
    from reconciler.init.github.finding import is_complete

    if given.account or given.region or given.datastores:
        raise ReconcilerError(
            "--check takes no account, region or data store: it reads reconciler.yaml",
            "Leave out --aws-account, --region and --datastore.",
        )
    if not folder.is_dir():
        raise ReconcilerError(f"{folder} is not a folder", "Name the root of a repository.")
    settings = _settings(folder)
    hosted = given.forge is Forge.GITHUB
    given = replace(given, forge=given.forge or place.forge_in(folder))
    known = read_for_check(given, settings, hosted=hosted)
    known, findings = _on_github(known, settings) if hosted else (known, ())
    lacks = sorted(place.all_lacking(folder, settings, known), key=lambda one: one.path)
    if json:
        screen.say_json({"lacks": _rows(lacks), "github": [asdict(one) for one in findings]})
    else:
        screen.say((*_checked(lacks), *_settings_of_github(known, findings)))
    return EXIT_OK if not lacks and is_complete(findings) else EXIT_ERROR


def _on_github(known: Answers, settings: Settings | None) -> tuple[Answers, tuple[Finding, ...]]:
    """The numbers of the repository on GitHub, and what its settings there lack."""
    from reconciler.core.model.reviewed import REVIEW_SECONDS
    from reconciler.edges.github import GitHub
    from reconciler.init.github import findings, numbered, read_about
    from reconciler.init.github.reading import Reader

    assert known.repository  # `read_for_check` asks for it
    reader = Reader(GitHub(), known.repository, known.branch)
    about = read_about(reader)
    seconds = settings.review_seconds if settings else REVIEW_SECONDS
    found = tuple(findings(reader, about, seconds))
    return replace(known, repository=numbered(about) or known.repository), found


def _settings_of_github(known: Answers, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield f"Settings of {known.repository} on GitHub:"
    for one in findings:
        yield f"  {one.state:<11}  {one.subject}: {one.message}"
        yield from (f"      {line}" for line in one.fix)


def _checked(lacks: Sequence[Lack]) -> Iterator[str]:
    from reconciler import __version__

    if not lacks:
        yield f"Complete: the repository has all that reconcile {__version__} writes."
        return
    yield from _lacks(lacks)
    yield "`reconcile init` writes the files that are missing. To renew a file, delete it first."


def _settings(folder: Path) -> Settings | None:
    """The settings of an existing repository. Raises InputError if they are wrong."""
    from reconciler.edges.places import SETTINGS_FILE
    from reconciler.edges.settings import read_settings

    file = folder / SETTINGS_FILE
    return read_settings(file) if file.is_file() else None


def _document(written: Written, lacks: Sequence[Lack]) -> Json:
    return {
        "written": list(written.written),
        "kept": list(written.kept),
        "lacks": _rows(lacks),
    }


def _rows(lacks: Sequence[Lack]) -> list[Json]:
    return [{"path": one.path, "message": one.message, "lines": list(one.lines)} for one in lacks]


def _report(written: Written, lacks: Sequence[Lack], steps: Iterable[str]) -> Iterator[str]:
    from reconciler.cli import screen
    from reconciler.render.values import wrapped

    if written.written:
        yield "Written:"
        yield from (f"  {path}" for path in written.written)
    if written.kept:
        yield "Kept as they are:"
        yield from (f"  {path}" for path in written.kept)
    yield from _lacks(lacks)
    yield "Next:"
    for number, step in enumerate(steps, start=1):
        sentences, *rest = step.split("\n")  # the rest are commands, which are not wrapped
        first, *more = wrapped(sentences, screen.look().width - 5)
        yield f"  {number}. {first}"
        yield from (f"     {line}" for line in (*more, *rest))


def _lacks(lacks: Sequence[Lack]) -> Iterator[str]:
    for one in lacks:
        yield f"{one.path} {one.message}{':' if one.lines else '.'}"
        yield from (f"  {line}" for line in one.lines)
