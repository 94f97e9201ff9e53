"""Cleans the inherited environment: search paths without the current folder, no credentials.

This module is imported before all others, so it imports only modules that Python has loaded
already: no `re`, and no `from __future__`.
"""

import os
import sys

# Whole words in the names of environment variables, and prefixes of names.
_SECRET_WORDS = frozenset({"CREDENTIAL", "KEY", "PASSWD", "PASSWORD", "SECRET", "TOKEN"})
# The key of fingerprints has a name of the last of them.
_SECRET_FAMILIES = ("AWS_", "BOTO_", "RECONCILE_")
# A CI job may pass settings of git this way. GIT_CONFIG_KEY_0 is the name of a setting, not a key.
_GIT_SETTINGS = "GIT_CONFIG_"


def leave_current_folder() -> None:
    """Remove the current folder from the search paths of Python and of programs.

    The current folder is usually a checked-out tree, where a pull request can add any file.
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
    """Return a search path for programs without the entries relative to the current folder."""
    kept = [entry for entry in path.split(os.pathsep) if os.path.isabs(entry)]  # noqa: PTH117
    return os.pathsep.join(kept) or os.defpath


def is_credential(variable: str) -> bool:
    """Whether an environment variable may contain credentials, judged by its name."""
    name = variable.upper()
    if name.startswith(_GIT_SETTINGS):
        return False
    return name.startswith(_SECRET_FAMILIES) or any(
        word.removesuffix("S") in _SECRET_WORDS for word in name.split("_")
    )
