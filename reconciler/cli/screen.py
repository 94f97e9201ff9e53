"""The output of the commands: standard output and standard error, colours and masking.

Lines leave here and nowhere else (tests/cli/test_leaving.py), so that each of them is escaped.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from reconciler.core import escape
from reconciler.core.errors import ReconcilerError, ServiceError
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json
from reconciler.render.style import STYLES, Look

if TYPE_CHECKING:
    from rich.console import Console

    from reconciler.core.model.plan import Plan
    from reconciler.core.model.settings import Settings
    from reconciler.core.review.mask import View

_INDENT = "    "
# A hazard, a rule, a word in backticks or a tag. Without one, the explanations are not loaded,
# which takes longer than most errors.
_MAY_MENTION = re.compile(
    r"[A-Z]_[A-Z]|\b(?:FORCE|LOCKED)\b|\b[a-z]+[A-Z]|`[a-z-]+`|\([0-9A-F]{4},[0-9A-F]{4}\)"
)
_WIDE = 120  # columns where there is no terminal: lines for logs and diffs


def look() -> Look:
    """The look of stdout. A terminal gets colours, except with NO_COLOR (https://no-color.org)."""
    tty = is_terminal()
    return Look(
        color=colored(tty),
        width=shutil.get_terminal_size((_WIDE, 40)).columns if tty else _WIDE,
    )


def is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def shows_progress() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr.isatty()


def view(settings: Settings | None, show_values: bool | None, *, notes: bool = False) -> View:
    """Which values stdout may show, or stderr for `notes`.

    With `--show-values`, a file that the stream goes to becomes readable by its owner only. Raises
    ReconcilerError if that is not possible, and for `--show-values` in a CI job.
    """
    from reconciler.core.review.mask import Audience, Wish, view_for
    from reconciler.edges import ci

    job = ci.job()
    if job.is_ci and show_values:
        raise ReconcilerError(
            "--show-values is refused in a CI job: its output is stored, and many can read it",
            "Run the command on your machine, or unset CI if this is your machine.",
        )
    if show_values:
        _restrict(sys.stderr if notes else sys.stdout)
    is_mine = shows_progress() if notes else is_terminal()
    if job.is_ci:
        audience = Audience.CI if job.is_private else Audience.PUBLIC_CI
    else:
        audience = Audience.TERMINAL if is_mine else Audience.STORED
    if settings is None:
        return view_for(audience, Wish(show=show_values))
    return view_for(audience, Wish(settings.redact, settings.comment, show_values))


def _restrict(stream: TextIO) -> None:
    """Let only its owner read the file that a stream goes to, before a value goes there."""
    from reconciler.edges import files

    try:
        handle = stream.fileno()
    except io.UnsupportedOperation:  # a stream that is no file of the system
        return
    try:
        files.restrict(handle)
    except OSError as error:
        raise ReconcilerError(
            "--show-values is refused: the output goes to a file that others may read, and its "
            f"mode cannot be changed ({error.strerror})",
            "Write to a new file of your own.",
        ) from None


def mask(settings: Settings | None, show_values: bool | None, *, notes: bool = False) -> Redact:
    """Which live values are masked on stdout, or on stderr for `notes`."""
    return view(settings, show_values, notes=notes).redact


def colored(tty: bool) -> bool:
    """Whether a stream gets colours; `tty` says that it is a terminal."""
    return tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def say(lines: Iterable[str]) -> None:
    """Print lines to stdout, each as soon as it is made."""
    kept = STYLES if colored(is_terminal()) else None
    for line in lines:
        sys.stdout.write(f"{escape.line(line, kept)}\n")
    sys.stdout.flush()


def say_page(text: str) -> None:
    """Print a page for browsers to stdout as it is: its policy has digests of its parts.

    The page has escaped every text that is not ours.
    """
    sys.stdout.write(text)
    sys.stdout.flush()


def say_commands(lines: Iterable[str]) -> None:
    """Print workflow commands of ours to stdout. Their texts are escaped already."""
    for line in lines:
        sys.stdout.write(f"{escape.escape(line)}\n")
    sys.stdout.flush()


def say_json(value: Json) -> None:
    """Print one JSON document to stdout."""
    say_json_lines(json.dumps(value, ensure_ascii=False, indent=2).split("\n"))


def say_json_lines(lines: Iterable[str]) -> None:
    """Print the lines of one JSON document to stdout, each as soon as it is made."""
    say(map(escape.json_text, lines))


@contextmanager
def service_messages(settings: Settings, show_values: bool | None) -> Iterator[None]:
    """Print the service's own text of an error to stderr, if values may be shown there.

    The text may echo DICOM values, so the message of the error does not hold it.
    """
    try:
        yield
    except ServiceError as error:
        service_says(error, settings, show_values)
        raise


def service_says(error: ServiceError, settings: Settings, show_values: bool | None) -> None:
    """Print the service's own text of an error to stderr, if values may be shown there."""
    if error.said and mask(settings, show_values, notes=True) is Redact.NONE:
        note(f"the service says: {error.said}")


def error(message: str, hint: str) -> None:
    """Print an error to stderr, with its hint on lines of its own."""
    note(f"error: {message}", *(f"{_INDENT}{line}" for line in hint.splitlines()))


def word_to_explain(*texts: str) -> None:
    """Print to stderr which word of some errors to explain: once, after all of them."""
    if not any(map(_MAY_MENTION.search, texts)):
        return
    from reconciler.core.explain import mentioned

    if word := mentioned(texts):
        note(f"Explain a word: reconcile explain {word}")


def not_read(plan: Plan) -> None:
    """Print to stderr why data stores were not read, and why selectors change nothing."""
    from reconciler.core.review.phrases import not_read as sentence
    from reconciler.core.review.phrases import not_selected

    for one in plan.unread:
        error(sentence(one), one.hint)
    for left_out in plan.not_selected:
        error(not_selected(left_out), left_out.hint)


def note(*texts: str) -> None:
    """Print texts to stderr: information that is not part of the result.

    The second and further lines of a text are indented: a name or a field of a file that holds a
    line break must not look like another message.
    """
    lines = (f"\n{_INDENT}".join(map(escape.line, text.split("\n"))) for text in texts)
    _write(sys.stderr, "".join(f"{line}\n" for line in lines))


def ask(question: str) -> None:
    """Print a question to stderr. The answer is typed behind it."""
    _write(sys.stderr, f"{escape.line(question)} ")


def rewrite(line: str) -> None:
    """Replace the current line of stderr, which is a terminal."""
    _write(sys.stderr, f"\r{escape.line(line)}")


def bar_console() -> Console:
    """The console of a progress bar, on stderr."""
    from rich.console import Console

    return Console(stderr=True)


def interrupt(text: str) -> None:
    """Print a text of ours to stderr from the handler of a signal.

    Not through `sys.stderr`: the signal may have come while that was writing.
    """
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, text.encode())


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
