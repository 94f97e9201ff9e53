"""Print the problems of manifests and settings, with their lines where these may be shown."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from reconciler.cli import screen
from reconciler.core.errors import InputError
from reconciler.core.escape import escape

if TYPE_CHECKING:
    from reconciler.core.model.settings import Settings

_COLUMNS = 80  # of a line where there is no terminal


@contextmanager
def reported(settings: Settings, show_values: bool | None) -> Iterator[None]:
    """Print the problems of manifests that are found inside, then end the command."""
    try:
        yield
    except InputError as found:
        say(found, shows_lines(found, settings, show_values))
        raise typer.Exit(found.exit_code) from None


def shows_lines(
    found: InputError,
    settings: Settings | None = None,
    show_values: bool | None = None,
    *,
    notes: bool = True,
) -> bool:
    """Whether lines of the files may be shown on stdout, or on stderr for `notes`.

    A job shows only what its commit holds: who reads its output can read that, too. `settings` is
    None for the problems of reconciler.yaml itself, which holds no patient data.
    """
    from reconciler.pipeline import are_committed

    view = screen.view(settings, show_values, notes=notes)
    if settings is None or not view.shows_stated:
        return view.shows_lines
    files = {one.place.file for one in found.diagnostics if one.place.line}
    return view.shows_lines and are_committed(settings, files)


def say(found: InputError, with_lines: bool, *, all_of_them: bool = False) -> None:
    """Print problems to stderr, then their number."""
    from reconciler.render.excerpt import excerpt

    columns = shutil.get_terminal_size((_COLUMNS, 40)).columns
    columns = columns if screen.shows_progress() else _COLUMNS
    shown = found.diagnostics if all_of_them else found.first
    for one in shown:
        screen.error(f"{escape(str(one.place))}: {one.message}", one.hint)
        if with_lines:
            screen.note(*excerpt(one, found.sources, columns))
    if len(found.diagnostics) > 1:
        screen.note(f"{found.counted}; nothing was read or written.")
    if not all_of_them:
        screen.note(*found.left_out)
    screen.word_to_explain(*(one.message for one in shown), *(one.hint for one in shown))
