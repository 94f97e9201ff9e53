"""Rules: records on a branch of their own, which others merge, revert, or leave unmerged."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.core.model.record import Entry
from reconciler.core.model.settings import RecordMode, Settings
from reconciler.edges.records.rows import row_of
from tests.laws.laws import Laws
from tests.laws.people import names, words
from tests.laws.runs import Runs
from tests.laws.stage import COMMENTS

RECORDS = "records"


class Branches(Runs, Laws):
    """The mode `branch`: the working tree has no record but what a run leaves there.

    Nothing that happens to the commit that is checked out may change what is known of a baseline.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: tuple[dict[Path, bytes], Mapping[str, Entry]] = ({}, {})
        self._git("init", "-q", "-b", "main")
        (self.root / ".gitignore").write_text("*\n!reconciler.key\n!records\n!records/**\n")
        self._commit("begin")

    @property
    def settings(self) -> Settings:
        return replace(super().settings, record_mode=RecordMode.BRANCH)

    def recorded(self) -> Mapping[str, Entry]:
        """Git is asked only if a record or the branch has changed."""
        ref = self.root / ".git" / "refs" / "heads" / "reconcile" / "records"
        files = [ref, *(self.root / RECORDS).rglob("??.json")]
        now = {path: path.read_bytes() for path in files if path.exists()}
        if self._known[0] != now:
            self._known = (now, super().recorded())
        return self._known[1]

    def _rows(self) -> dict[str, dict[str, Any]]:
        return {name: row_of(entry) for name, entry in self.recorded().items()}

    @rule()
    def a_clean_clone_goes_on(self) -> None:
        """The next job has another disk. Only attempts are kept, as in a cache."""
        self._check_out()
        self.baselines_are_possible()
        self.reached["cloned"] += 1

    @rule(name=names, word=words, key=st.sampled_from(COMMENTS), then=words)
    def each_job_has_a_clean_clone(self, name: str, word: str, key: str, then: str) -> None:
        """Another process writes between two jobs: the second meets drift, by the branch alone."""
        self.calm()
        self.ask(name, word, split=False)
        self.plan_and_apply()
        self.a_clean_clone_goes_on()
        self.stage.write(name, self.theirs(name, key))
        self.ask(name, then, split=False)
        self.plan_and_apply()
        self.reached["two jobs"] += 1

    @rule()
    def the_record_branch_is_merged(self) -> None:
        """A squash merge: the records of the branch, in a commit of `main`."""
        self._check_out()
        if self._branch():
            self._git("checkout", "-q", self._branch(), "--", RECORDS)
            self._commit("merge")

    @rule(back=st.integers(1, 3))
    def a_merge_of_records_is_reverted(self, back: int) -> None:
        """`main` has the records of before; the branch has them all."""
        self._check_out()
        commits = self._git("rev-list", "main").split()
        shutil.rmtree(self.root / RECORDS, ignore_errors=True)
        earlier = commits[min(back, len(commits) - 1)]
        if self._git("ls-tree", earlier, RECORDS):
            self._git("checkout", "-q", earlier, "--", RECORDS)
        self._commit("revert")

    def _check_out(self) -> None:
        shutil.rmtree(self.root / RECORDS, ignore_errors=True)
        self._git("reset", "-q", "--hard")

    def _branch(self) -> str:
        """The tip of the record branch, "" before the first records."""
        return self._git("for-each-ref", "--format=%(objectname)", "refs/heads/reconcile/records")

    def _commit(self, message: str) -> None:
        self._git("add", "--all", ".")
        self._git("commit", "-q", "--allow-empty", "-m", message)

    def _git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Steward", "-c", "user.email=steward@example.org")
        return _run(self.root, "git", *identity, *arguments)


def _run(root: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()
