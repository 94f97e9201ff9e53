"""What GitHub's runner makes of the output of a step: its commands, and which lines are none.

Source: docs.github.com, Workflow commands for GitHub Actions.
"""

from __future__ import annotations

import re

_COMMAND = re.compile(r"\s*::([\w-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)")
# The older form is still understood by the runner: `##[error]…`.
_OLDER = re.compile(r"\s*##\[([\w-]+)\]")


def commands(output: str) -> list[str]:
    """The lines that the runner takes as commands."""
    found: list[str] = []
    end = ""
    for line in output.splitlines():
        match = _COMMAND.match(line)
        if end:
            end = "" if line.strip() == f"::{end}::" else end
        elif match and match[1] == "stop-commands":
            end = match[3]
        elif match or _OLDER.match(line):
            found.append(line.strip())
    return found
