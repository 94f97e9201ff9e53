"""What a process inherits: search paths without the current folder, git without credentials.

Imported before everything else, so it imports nothing that is not loaded already: no `re`, and no
`from __future__`, which is a module too.
"""

import os
import sys

# Whole words in the names of environment variables, and first words of others.
_SECRET_WORDS = frozenset({"CREDENTIAL", "KEY", "PASSWD", "PASSWORD", "SECRET", "TOKEN"})
_SECRET_FAMILIES = ("AWS_", "BOTO_")
# Settings of git, which a CI job may give this way: GIT_CONFIG_KEY_0 holds no key.
_GIT_SETTINGS = "GIT_CONFIG_"


def leave_current_folder() -> None:
    """Take the current folder out of the search paths of Python and of programs.

    A checked-out tree is usually the current folder, and a pull request can put anything there.
    `python -m` puts that folder first on `sys.path`; an empty or relative entry of PYTHONPATH or
    PATH does the same (docs.python.org/3/using/cmdline.html#envvar-PYTHONPATH).
    """
    relative = {
        os.path.realpath(entry)
        for entry in ("", *os.environ.get("PYTHONPATH", "").split(os.pathsep))
        if not os.path.isabs(entry)  # noqa: PTH117 - pathlib is not loaded
    }
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry) not in relative]
    os.environ["PATH"] = absolute_only(os.environ.get("PATH", os.defpath))


def absolute_only(path: str) -> str:
    """A search path for programs, without the entries that depend on the current folder."""
    kept = [entry for entry in path.split(os.pathsep) if os.path.isabs(entry)]  # noqa: PTH117
    return os.pathsep.join(kept) or os.defpath


def is_credential(variable: str) -> bool:
    """Whether an environment variable may give access to AWS or another service, by its name."""
    name = variable.upper()
    if name.startswith(_GIT_SETTINGS):
        return False
    return name.startswith(_SECRET_FAMILIES) or any(
        word.removesuffix("S") in _SECRET_WORDS for word in name.split("_")
    )
