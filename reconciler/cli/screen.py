"""Where output goes and how it looks there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable

from reconciler.model.settings import Redact
from reconciler.model.value import Json
from reconciler.render.escape import escape
from reconciler.render.look import Look, effective_redaction

_WIDE = 120  # where nobody watches, lines are for logs and diffs


def look(setting: Redact, show_values: bool | None = None) -> Look:
    """The look of stdout: colours (unless NO_COLOR, https://no-color.org) and values on a TTY."""
    tty = sys.stdout.isatty()
    return Look(
        color=colored(sys.stdout.isatty()),
        width=shutil.get_terminal_size((_WIDE, 40)).columns if tty else _WIDE,
        redact=effective_redaction(
            setting, tty=tty, show=show_values is True, mask=show_values is False
        ),
    )


def colored(tty: bool) -> bool:
    """Whether a stream gets colours."""
    return tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(lines: Iterable[str]) -> None:
    """Lines to stdout, each as soon as it is there."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_json(value: Json) -> None:
    """One JSON document to stdout."""
    say([json.dumps(value, ensure_ascii=False, indent=2)])


def tell(*lines: str) -> None:
    """Lines to stderr: what is worth knowing but no part of the result."""
    told = (escape(line) for text in lines for line in text.split("\n"))
    sys.stderr.write("".join(f"{line}\n" for line in told))
    sys.stderr.flush()
