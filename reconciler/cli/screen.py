"""The output of the commands: standard output and standard error, colours and masking."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from reconciler.core.errors import ServiceError
from reconciler.core.escape import escape
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json
from reconciler.render.style import Look

if TYPE_CHECKING:
    from reconciler.core.model.plan import Plan

_WIDE = 120  # columns where there is no terminal: lines for logs and diffs


def look() -> Look:
    """The look of stdout. A terminal gets colours, except with NO_COLOR (https://no-color.org)."""
    tty = sys.stdout.isatty()
    return Look(
        color=colored(tty),
        width=shutil.get_terminal_size((_WIDE, 40)).columns if tty else _WIDE,
    )


def mask(setting: Redact, show_values: bool | None, stream: TextIO | None = None) -> Redact:
    """Which values are masked on stdout or another stream."""
    from reconciler.core.review.mask import effective_redaction

    tty = (stream or sys.stdout).isatty()
    return effective_redaction(
        setting, tty=tty, show=show_values is True, mask=show_values is False
    )


def colored(tty: bool) -> bool:
    """Whether a stream gets colours; `tty` says that it is a terminal."""
    return tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(lines: Iterable[str]) -> None:
    """Print lines to stdout, each as soon as it is made."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_json(value: Json) -> None:
    """Print one JSON document to stdout."""
    say([json.dumps(value, ensure_ascii=False, indent=2)])


@contextmanager
def service_messages(setting: Redact, show_values: bool | None) -> Iterator[None]:
    """Print the service's own text of an error to stderr, if values may be shown there.

    The text may echo DICOM values, so the message of the error does not hold it.
    """
    try:
        yield
    except ServiceError as error:
        service_says(error, setting, show_values)
        raise


def service_says(error: ServiceError, setting: Redact, show_values: bool | None) -> None:
    """Print the service's own text of an error to stderr, if values may be shown there."""
    if error.said and mask(setting, show_values, sys.stderr) is Redact.NONE:
        note(f"the service says: {error.said}")


def error(message: str, hint: str) -> None:
    """Print an error that does not end the command to stderr, in the form of one that does."""
    note(f"error: {message}", *(f"    {line}" for line in hint.splitlines()))


def not_read(plan: Plan) -> None:
    """Print to stderr why data stores were not read."""
    from reconciler.core.review.phrases import not_read as sentence

    for one in plan.unread:
        error(sentence(one), one.hint)


def note(*lines: str) -> None:
    """Print lines to stderr: information that is not part of the result."""
    escaped = (escape(line) for text in lines for line in text.split("\n"))
    sys.stderr.write("".join(f"{line}\n" for line in escaped))
    sys.stderr.flush()
