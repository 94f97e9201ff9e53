"""Run the command line, and turn every error into a message and an exit code."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import platform
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reconciler import __version__
from reconciler.cli import debug, problems, screen, usage
from reconciler.cli.app import app
from reconciler.cli.clock import REAL, timed_by
from reconciler.core.errors import (
    EXIT_BUG,
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_OK,
    InputError,
    ReconcilerError,
)
from reconciler.edges import ci

if TYPE_CHECKING:
    from reconciler.core.ports import Clock

_COMMANDS = frozenset(
    [
        *(str(command.name) for command in app.registered_commands),
        *(str(group.name) for group in app.registered_groups),
    ]
)
# Errors of the machine, such as a full disk: not bugs of this program.
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE})


def main() -> None:
    """Run the command line of this process, then exit."""
    # A manifest becomes hundreds of long-lived objects. With the default thresholds, Python scans
    # them for cycles so often that it takes longer than reading the manifests.
    gc.set_threshold(50_000, 50, 1_000)
    _stand_in()
    if ci.job().is_ci:
        os.umask(0o077)  # other users of a shared runner read no file of a job
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Print an escape for a character that the encoding lacks, instead of raising.
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    if code == EXIT_INTERRUPTED or _is_reading():
        # Exit at once: Python would wait for threads in a call, minutes if the call hangs.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    # Python's last collections would visit every object of boto3 and pydicom: a fifth of the time
    # of a short command.
    gc.freeze()
    sys.exit(code)


def _is_reading() -> bool:
    """Whether threads are still in a call, after an error."""
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    return any(not thread.daemon for thread in others)


def _stand_in() -> None:
    """Open the null device for each standard stream that is closed (`>&-`).

    Otherwise the next file that is opened gets the file descriptor, and output goes into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - stays open
            setattr(sys, name, null)


def run(arguments: Sequence[str], clock: Clock = REAL) -> int:
    """Run one command and return its exit code. Messages go to stderr, as plain text."""
    with timed_by(clock), debug.logged(arguments, _COMMANDS, clock):
        code = _run(arguments)
        debug.ended(code)
        return code


def _run(arguments: Sequence[str]) -> int:
    try:
        code = app(list(arguments), prog_name="reconcile", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        return _usage(error)
    except InputError as error:
        return _problems(error)
    except ReconcilerError as error:
        return _fail(error.message, error.hint, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _give_up_stdout()
    except OSError as error:
        return _refused(error)
    except SystemExit as stop:  # typer raises it for a broken pipe
        return stop.code if isinstance(stop.code, int) else EXIT_ERROR
    except Exception as error:  # any other exception is a bug of this program
        return _bug(error)
    return code if isinstance(code, int) else EXIT_OK


def _fail(message: str, hint: str, code: int = EXIT_ERROR) -> int:
    with contextlib.suppress(OSError):  # stderr may be closed
        screen.error(message, hint)
        screen.word_to_explain(message, hint)
    return code


def _problems(error: InputError) -> int:
    with contextlib.suppress(OSError):
        # The problems of manifests need the settings: the commands print them.
        problems.say(error, problems.shows_lines(error))
    return error.exit_code


def _usage(error: typer.TyperException) -> int:
    """Print a usage error. Without a command, the message is the help text itself."""
    message = error.format_message()
    if message.startswith("Usage: "):
        _complain(message.split("\n"))
        return EXIT_ERROR
    context = getattr(error, "ctx", None)
    return _fail(usage.message(error), f"See: {context.command_path} --help" if context else "")


def _bug(error: Exception) -> int:
    """Print stack frames only: local variables and exception texts may hold DICOM values."""
    frames = traceback.extract_tb(error.__traceback__)
    _complain(
        [
            f"error: this is a bug in reconcile ({type(error).__name__})",
            *(f"    {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames),
            f"    imageset-reconciler {__version__}, Python {platform.python_version()}",
            "    Please report it, with the lines above. They hold no DICOM value.",
            "    It is safe to run the same command again: it reads the current state first.",
        ]
    )
    return EXIT_BUG


def _refused(error: OSError) -> int:
    """Report an error of the machine, such as a full disk. Any other OSError is a bug."""
    if error.errno not in _MACHINE:
        return _bug(error)
    _give_up_stdout()
    hint = "Fix this, then run the same command again. It reads the current state first."
    return _fail(f"the operating system reports: {error.strerror}", hint)


def _give_up_stdout() -> int:
    """Discard further output: the reader has closed the pipe (`reconcile plan | head`)."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_ERROR


def _complain(lines: list[str]) -> None:
    """Print to stderr, which may be closed."""
    with contextlib.suppress(OSError):
        screen.note(*lines)
