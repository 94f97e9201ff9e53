"""Print a review in the format that the options ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.core.model.plan import Basis
    from reconciler.core.model.settings import Settings
    from reconciler.core.review import AppliedReview, Review


class Format(StrEnum):
    """The formats of `--format`."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    GITHUB = "github"


@dataclass(frozen=True, slots=True)
class Output:
    """How a plan is printed. `summary` leaves out all but totals and dangers."""

    format: Format
    summary: bool = False


def output(
    chosen: Format | None, *, as_json: bool, summary: bool, fingerprints: bool = False
) -> Output:
    """The output that the options ask for. `--json` is `--format json`.

    Raises ReconcilerError for options that exclude each other.
    """
    if as_json and chosen not in (None, Format.JSON):
        raise ReconcilerError(f"--json and --format {chosen} ask for different formats")
    found = Format.JSON if as_json else chosen or Format.TEXT
    if summary and found in (Format.GITHUB, Format.HTML):
        raise ReconcilerError(
            f"--format {found} has no summary",
            "Use --summary with --format text, markdown or json.",
        )
    if fingerprints:
        _check_fingerprints(found, summary)
    return Output(found, summary)


def _check_fingerprints(format: Format, summary: bool) -> None:
    if format not in (Format.TEXT, Format.JSON):
        raise ReconcilerError(
            f"--format {format} has no fingerprints: its output is passed on to many readers",
            "Use --fingerprints with --format text or json.",
        )
    if summary:
        raise ReconcilerError(
            "--summary leaves out every value, so it has no fingerprints",
            "Remove --summary or --fingerprints.",
        )


def print_review(
    review: Review, wanted: Output, settings: Settings | None, calls: Mapping[str, int]
) -> None:
    """Print a review. `calls` are the reads that were made for it, by operation."""
    from reconciler.cli import screen
    from reconciler.core.review.phrases import moved
    from reconciler.render import text

    match wanted.format:
        case Format.TEXT if wanted.summary:
            screen.say(text.summary_lines(review, screen.look()))
        case Format.TEXT:
            screen.say(text.plan_lines(review, screen.look(), calls))
        case Format.JSON:
            from reconciler.render.plan_json import plan_json_lines, summary_json

            if wanted.summary:
                screen.say_json(summary_json(review))
            else:
                screen.say_json_lines(plan_json_lines(review))
            stated = (*review.observed, moved(review.retiered))
            screen.note(*text.reads(calls), *filter(None, stated))
        case Format.MARKDOWN:
            from reconciler.render.markdown import comment

            screen.say(
                _lines(comment(review, _link(review.basis, settings), summary=wanted.summary))
            )
        case Format.HTML:
            from reconciler.pipeline.collector import paused
            from reconciler.render.html import page

            with paused():  # it would visit the rows of the list again and again
                text_of_page = page(review, _link(review.basis, settings))
            screen.say_page(text_of_page)
        case Format.GITHUB:
            from reconciler.render.annotations import commands

            screen.say_commands(commands(review, _folder(settings)))


def print_report(report: AppliedReview, wanted: Output, settings: Settings | None) -> None:
    """Print the report of an apply."""
    from reconciler.cli import screen
    from reconciler.core.report import view_of
    from reconciler.render import report_text

    view = view_of(report)
    match wanted.format:
        case Format.TEXT:
            made = report_text.summary_text if wanted.summary else report_text.report_text
            screen.say(made(view, screen.look()))
        case Format.JSON:
            from reconciler.core.report import file

            screen.say_json(
                file.summary_json(report)
                if wanted.summary
                else file.to_json(report, report.exit_code)
            )
        case Format.MARKDOWN:
            from reconciler.render.report_markdown import report_comment

            link = _link(report.basis, settings)
            screen.say(_lines(report_comment(view, link, summary=wanted.summary)))
        case Format.HTML:
            from reconciler.render.html import report_page

            screen.say_page(report_page(view, _link(report.basis, settings)))
        case Format.GITHUB:
            from reconciler.render.annotations import report_commands

            screen.say_commands(report_commands(view, _folder(settings)))


def _lines(text: str) -> Iterable[str]:
    return text.removesuffix("\n").split("\n")


def _link(basis: Basis, settings: Settings | None) -> str:
    """The address of the manifests at the planned commit, "" outside a job that states it."""
    from reconciler.edges import ci

    return ci.job().link(basis.commit, _folder(settings)) if settings else ""


def _folder(settings: Settings | None) -> str:
    """The folder of reconciler.yaml, from the root of its repository; "" outside of one."""
    from reconciler.edges import worktree

    return worktree.folder_in(Path(settings.root)) if settings else ""
