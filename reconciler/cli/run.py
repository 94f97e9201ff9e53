"""`reconcile`: runs the command line and turns everything that goes wrong into an exit code."""

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

import typer

from reconciler import __version__
from reconciler.cli.app import app
from reconciler.core.errors import (
    EXIT_BUG,
    EXIT_ERROR,
    EXIT_INTERRUPTED,
    EXIT_OK,
    InputError,
    ReconcilerError,
)
from reconciler.core.escape import escape

# What the machine refuses is no bug of ours.
_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE})


def main() -> None:
    """Run the command line that the process was given, and end the process."""
    # A manifest is hundreds of objects that stay; going through them again and again for cycles
    # takes longer than reading them.
    gc.set_threshold(50_000, 50, 1_000)
    _stand_in()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character shows its escape; nothing dies of it.
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    if code == EXIT_INTERRUPTED or _is_reading():
        # At once: Python would wait for the threads that read, and a call that hangs takes minutes.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _is_reading() -> bool:
    """Whether an error has left calls behind that nobody waits for."""
    others = (one for one in threading.enumerate() if one is not threading.main_thread())
    return any(not one.daemon for one in others)


def _stand_in() -> None:
    """Put nothing in place of a stream that is closed (`>&-`).

    Else the next file that is opened gets its number, and what is printed would go into it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, nothing)


def run(arguments: Sequence[str]) -> int:
    """One command. Returns its exit code; messages go to stderr, as plain text."""
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
    except SystemExit as stop:  # typer's own way out of a broken pipe
        return stop.code if isinstance(stop.code, int) else EXIT_ERROR
    except Exception as error:  # whatever it is, it is our bug
        return _bug(error)
    return code if isinstance(code, int) else EXIT_OK


def _fail(message: str, hint: str, code: int = EXIT_ERROR) -> int:
    lines = [f"error: {message}", *(f"    {line}" for line in hint.splitlines())]
    _complain(lines)
    return code


def _problems(error: InputError) -> int:
    """Every problem on lines of its own, and how many there are."""
    for one in error.diagnostics:
        _fail(f"{escape(str(one.place))}: {one.message}", one.hint)
    if len(error.diagnostics) > 1:
        _complain([f"{len(error.diagnostics)} problems; nothing was read or written."])
    return error.exit_code


def _usage(error: typer.TyperException) -> int:
    """A command that was mistyped; or left out, then the message is the help itself."""
    message = error.format_message()
    if message.startswith("Usage: "):
        _complain([message])
        return EXIT_ERROR
    context = getattr(error, "ctx", None)
    return _fail(message, f"See: {context.command_path} --help" if context else "")


def _bug(error: Exception) -> int:
    """Frames only: a local variable or an exception's text may hold a patient's name."""
    frames = traceback.extract_tb(error.__traceback__)
    _complain(
        [
            f"error: this is a bug of ours ({type(error).__name__})",
            *(f"    {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames),
            f"    imageset-reconciler {__version__}, Python {platform.python_version()}",
            "    Please report it to the maintainers with the lines above: they hold no value.",
            "    Running the same command again is safe: the service is the truth.",
        ]
    )
    return EXIT_BUG


def _refused(error: OSError) -> int:
    """A full disk under stdout, say; anything else would be our bug."""
    if error.errno not in _MACHINE:
        return _bug(error)
    _give_up_stdout()
    hint = "Mend that, then run the same command again: that is safe, the service is the truth."
    return _fail(f"this machine says: {error.strerror}", hint)


def _give_up_stdout() -> int:
    """Nobody reads our output any more (`reconcile plan | head`): that is no error to tell."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_ERROR


def _complain(lines: list[str]) -> None:
    """To stderr. File names, keys and what a service says may try to draw on the terminal."""
    told = (escape(line) for text in lines for line in text.split("\n"))
    with contextlib.suppress(OSError):
        print(*told, sep="\n", file=sys.stderr)  # noqa: T201
