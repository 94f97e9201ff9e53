"""The branch that a commit is applied from: it may move on while the apply runs.

A merge that comes later may ask for something else. So an apply looks at the branch again and
again, and leaves alone what a newer commit asks otherwise.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Lock

from reconciler.core.errors import GitError
from reconciler.core.model.outcome import Overtaken, Result
from reconciler.core.model.plan import Action, Plan, Step
from reconciler.core.model.settings import Settings
from reconciler.core.ports import Clock
from reconciler.core.review.phrases import duration
from reconciler.edges import git
from reconciler.pipeline.last_applied import last_applied

# How old a look at the branch may be when an update is sent, in seconds.
LOOK_SECONDS = 60.0
# How long an apply goes on if the remote does not answer, in seconds.
PATIENCE_SECONDS = 600.0
# Contents by the names of files: b"" if the commit lacks the file, None if it is a link, or is not
# in this clone.
_Files = Mapping[str, bytes | None]


def refuse_overtaken(settings: Settings, branch: git.Remote) -> None:
    """Raise `GitError` if a commit was applied that is not before the one that is checked out.

    The jobs of two merges may start in any order, and a job may be started again days later. Its
    commit asks for older values.
    """
    root = Path(settings.root)
    tip = git.fetch(root, branch)
    head = git.head(root)
    if not tip or head == tip:
        return
    last = last_applied(settings, tip)
    if last and git.is_before(root, last, head):
        return
    if git.is_shallow(root):
        raise GitError(
            f"{branch.branch} has moved on, and this clone does not show whether a newer commit "
            f"than {head[:12]} was applied already",
            "Fetch the whole history: `fetch-depth: 0` of actions/checkout, or "
            "`git fetch --unshallow`.",
        )
    if not last:
        return
    raise GitError(
        f"commit {head[:12]} is checked out, but {last[:12]} of {branch.branch} was applied "
        "already, and is not before it",
        f"Apply the head of {branch.branch}: reviews of earlier commits count there, too.",
    )


class Branch:
    """What newer commits of the branch ask otherwise. All threads of an apply share it."""

    def __init__(
        self,
        settings: Settings,
        plan: Plan,
        branch: git.Remote | None,
        clock: Clock,
        *,
        is_reviewed: bool = False,
    ) -> None:
        """`branch` is None if no branch is followed; then nothing is newer.

        `is_reviewed` says that only reviewed changes are applied. Each commit then has an apply of
        its own, which sees to all that earlier ones have left (decision 0004).
        """
        root = Path(os.path.realpath(settings.root))
        self._root = root
        self._commit = plan.basis.commit
        self._paths = [root / settings.manifests, root / settings.file]
        self._settings = settings.file
        self._branch = branch
        self._clock = clock
        self._is_reviewed = is_reviewed
        self._actions = {
            (one.datastore_id, name): one for one in plan.actions for name in one.image_sets
        }
        self._lock = Lock()
        self._next = -math.inf
        self._last = clock.now()
        self._problem = ""
        self._tip = ""
        self._newer: _Files = {}
        self._is_newer = True
        self._skipping = ""

    def overtaken(self, step: Step) -> Overtaken | None:
        """Why a step is not sent any more, None if nothing newer speaks against it."""
        if self._branch is None or not self._commit:
            return None
        with self._lock:
            self._look(self._branch)
            silent = self._clock.now() - self._last
            newer, problem, is_newer = self._newer, self._problem, self._is_newer
        if silent >= PATIENCE_SECONDS:
            return Overtaken(
                Result.STALE,
                f"{self._branch.branch} of {self._branch.name} could not be read for "
                f"{duration(silent)}, so it is not known what newer commits ask: {problem}",
            )
        action = self._actions[step.datastore_id, step.image_set_id]
        file = _asking(action, newer, self._settings)
        return self._by(self._branch, file, newer, is_newer=is_newer) if file else None

    def _by(self, branch: git.Remote, file: str, newer: _Files, *, is_newer: bool) -> Overtaken:
        """What it means that the branch has another file than the commit that is applied."""
        if not is_newer:
            return Overtaken(
                Result.STALE,
                f"{branch.branch} does not contain commit {self._commit[:12]}, and has another "
                f"{file}: the branch was force-pushed, or the commit is not pushed yet",
            )
        if newer.get(self._settings) == b"":
            return Overtaken(
                Result.STALE, f"a newer commit of {branch.branch} removes {self._settings}"
            )
        unread = ", which cannot be read there" if newer[file] is None else ""
        reason = f"a newer commit of {branch.branch} changes {file}{unread}"
        if self._skipping and self._is_reviewed:
            return Overtaken(
                Result.STALE,
                f"{reason}, and perhaps no apply comes: the message of {self._skipping[:12]} keeps "
                "CI jobs from starting",
            )
        return Overtaken(Result.SUPERSEDED if self._is_reviewed else Result.STALE, reason)

    def _look(self, branch: git.Remote) -> None:
        if self._clock.now() < self._next:
            return
        self._next = self._clock.now() + LOOK_SECONDS
        try:
            tip = git.fetch(self._root, branch)
            if tip and tip != self._tip:
                self._newer = self._changed_at(tip)
                self._is_newer = git.is_before(self._root, self._commit, tip)
                self._skipping = git.skipping(self._root, self._commit, tip)
        except GitError as error:
            self._problem = error.message
            return  # the next look may succeed
        self._tip, self._last = tip, self._clock.now()

    def _changed_at(self, tip: str) -> _Files:
        """The settings and manifests that a commit has otherwise."""
        changed = [
            path
            for above in self._paths
            for path in git.differing(self._root, self._commit, tip, above)
        ]
        contents = git.readable_at(self._root, tip, changed)
        return {
            path.relative_to(self._root).as_posix(): contents.get(path, b"") for path in changed
        }


def _asking(action: Action, newer: _Files, settings: str) -> str:
    """The first changed file that an action depends on, "" if there is none.

    A manifest that names one of its image sets counts, too: it may be new.
    """
    if settings in newer:
        return settings
    own = {place.file for place in action.places}
    ids = [name.encode() for name in action.image_sets]
    return next((file for file in sorted(newer) if file in own or _names(newer[file], ids)), "")


# Ways to write a letter or digit otherwise in YAML (yaml.org/spec/1.2.2, 5.7 and 7.3.1).
_ESCAPED = re.compile(rb"\\[xuU\r\n]")


def _names(content: bytes | None, ids: Iterable[bytes]) -> bool:
    """Whether a manifest may name one of some image sets: an ID can be escaped."""
    if content is None:
        return True
    return any(one in content for one in ids) or bool(_ESCAPED.search(content))
