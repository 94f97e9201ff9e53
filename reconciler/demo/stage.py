"""The actions of a chapter of the demo: print text, run commands, write files."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.escape import json_text
from reconciler.core.model.value import Json
from reconciler.demo.place import environment

# -P: the clone has a package `reconciler` too, in its last committed state.
_OURSELVES = (sys.executable, "-P", "-m", "reconciler")
_COMMANDS_THAT_SHOW_VALUES = frozenset({"plan", "apply", "show"})


class Failed(Exception):
    """A command of the demo did not end as expected."""


@dataclass(frozen=True, slots=True)
class Output:
    """Where the demo prints: a function that prints lines, and what it prints to."""

    say: Callable[[Iterable[str]], None]
    is_terminal: bool
    color: bool
    as_json: bool


class Stage:
    """Prints to its output. With `as_json`, it only collects the runs, for `print_json`."""

    def __init__(self, folder: Path, output: Output) -> None:
        self.folder = folder
        self._output = output
        self._chapter = ""
        self._chapters = 0
        self._runs: list[Json] = []

    def chapter(self, title: str) -> None:
        """Start a chapter: print its heading."""
        self._chapters += 1
        self._chapter = title
        heading = f"{self._chapters}. {title}"
        self._print(
            f"\n\n{self._styled(heading, '1;36')}\n{self._styled('─' * len(heading), '36')}"
        )

    def say(self, text: str) -> None:
        """Print a paragraph, as wide as the terminal and at most 96 columns."""
        columns = min(96, shutil.get_terminal_size((96, 40)).columns)
        self._print("\n" + textwrap.fill(" ".join(text.split()), columns))

    def reconcile(self, *arguments: str, expect: int = 0) -> None:
        """Run a `reconcile` command. It shows values without a terminal too: they are public, and
        a masked plan is hard to learn from."""
        typed = list(arguments)
        if arguments[0] in _COMMANDS_THAT_SHOW_VALUES and not self._output.is_terminal:
            typed.append("--show-values")
        self._run(["reconcile", *typed], [*_OURSELVES, *typed], expect)

    def git(self, *arguments: str) -> None:
        """Run a `git` command."""
        self._run(["git", *arguments], ["git", *arguments], 0)

    def consent(self, manifest: str) -> str:
        """The consent line that the plan of a manifest asks for."""
        done = subprocess.run(  # noqa: S603 - ourselves, with arguments of our own
            [*_OURSELVES, "plan", manifest, "--json"],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"planning {manifest} failed")
        hazards = [
            hazard for action in json.loads(done.stdout)["actions"] for hazard in action["hazards"]
        ]
        lines = [str(hazard["consent"]) for hazard in hazards if not hazard["consented"]]
        if not lines:
            raise Failed(f"the plan of {manifest} asks for no consent")
        return lines[0]

    def write(self, name: str, text: str) -> None:
        """Write a file and show it."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self._shown(f"$ cat {name}", text)

    def show(self, name: str) -> None:
        """Show a file."""
        self._shown(f"$ cat {name}", (self.folder / name).read_text(encoding="utf-8"))

    def append(self, name: str, line: str) -> None:
        """Add a line to a file."""
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self._print("\n" + self._styled(f"$ echo {shlex.quote(line)} >> {name}", "1"))

    def print_json(self) -> None:
        """Print every run as one JSON object on a line."""
        self._output.say(json_text(json.dumps(run, ensure_ascii=False)) for run in self._runs)

    def _run(self, typed: list[str], command: list[str], expect: int) -> None:
        self._print("\n" + self._styled(f"$ {shlex.join(typed)}", "1"))
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603 - git or ourselves, with arguments of our own
            command,
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self._output.as_json else None,
            stderr=subprocess.STDOUT if self._output.as_json else None,
            check=False,
        )
        self._runs.append(
            {
                "chapter": self._chapter,
                "command": shlex.join(typed),
                "exitCode": done.returncode,
                "seconds": round(time.monotonic() - began, 2),
                "output": done.stdout.decode(errors="replace") if done.stdout else "",
            }
        )
        if done.returncode != expect:
            raise Failed(f"exit code {done.returncode} instead of {expect}")

    def _shown(self, command: str, text: str) -> None:
        self._print("\n" + self._styled(command, "1") + "\n" + text.rstrip())

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._output.color else text

    def _print(self, text: str) -> None:
        if not self._output.as_json:
            self._output.say(text.split("\n"))
