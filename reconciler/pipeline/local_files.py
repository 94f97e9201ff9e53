"""The files of this machine below `.reconcile/`: those that git tracks are not used.

A pull request could add them: attempts that take a foreign version for one of ours, or the data of
an emulator.
"""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.core.errors import ReconcilerError
from reconciler.edges import git
from reconciler.edges.tracked import NONE, Tracked

FOLDER = Path(".reconcile")
# So many names at most in a message.
_SHOWN = 3


def tracked_files(root: Path) -> Tracked:
    """The files below `.reconcile/` that git tracks. Raises GitError if git fails."""
    return git.tracked(root, root / FOLDER) if os.path.lexists(root / FOLDER) else NONE


def warning(tracked: Tracked) -> str:
    """What to do about tracked files, "" if there are none."""
    if not tracked.names:
        return ""
    return f"warning: {_unused(tracked.names)}. {_hint()}"


def refuse_tracked(root: Path, path: Path) -> None:
    """Raise ReconcilerError if git tracks a file, or anything in a folder, below `.reconcile/`."""
    full, base = os.path.realpath(path), os.path.realpath(root)
    relative = Path(os.path.relpath(full, base))
    if [part.casefold() for part in relative.parts[:1]] != [FOLDER.name]:
        return
    if names := tracked_files(root).below(relative):
        raise ReconcilerError(_unused(names), _hint())


def _unused(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    they = "they are" if len(names) > 1 else "it is"
    return f"git tracks {', '.join(names[:_SHOWN])}{more}, so {they} not used"


def _hint() -> str:
    return (
        f"A pull request can add such files. Run `git rm -r --cached {FOLDER}` and commit. "
        f"Then delete {FOLDER} if you did not make its files yourself."
    )
