"""Rules: records and attempts are lost or reverted, and another endpoint answers."""

from __future__ import annotations

import shutil
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.laws.baselines import Possible
from tests.laws.data_store import DataStore
from tests.laws.people import names, words
from tests.laws.runs import Runs
from tests.laws.stage import UPDATE
from tests.laws.trouble import moments
from tests.laws.world import Ran

ATTEMPTS, RECORDS = ".reconcile", "records"
lost = st.sets(st.sampled_from([ATTEMPTS, RECORDS]), min_size=1)


class Losses(Runs):
    """`_commits` are the records after each run, with the baselines that were possible then."""

    def __init__(self) -> None:
        super().__init__()
        self._commits: list[tuple[dict[Path, bytes], Possible]] = []

    def has_run(self, ran: Ran) -> None:
        super().has_run(ran)
        files = {path: path.read_bytes() for path in (self.root / RECORDS).rglob("??.json")}
        if not self._commits or self._commits[-1][0] != files:
            self._commits.append((files, self.baselines.snapshot()))

    @rule(what=lost)
    def files_are_lost(self, what: set[str]) -> None:
        """The disk of the runner is new, the records were deleted, or both."""
        for folder in what:
            shutil.rmtree(self.root / folder, ignore_errors=True)
        if ATTEMPTS in what:
            self.baselines.lose_attempts()
        if RECORDS in what:
            self.baselines.restore({})
        self.saved, self.lost = None, True

    @rule(back=st.integers(1, 3))
    def the_commit_of_records_is_reverted(self, back: int) -> None:
        """The records are those of an earlier run."""
        if len(self._commits) <= back:
            return
        files, possible = self._commits[-1 - back]
        shutil.rmtree(self.root / RECORDS, ignore_errors=True)
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.baselines.restore(possible)
        self.saved, self.lost = None, True

    @rule(name=names, word=words, when=moments, what=lost, then=words)
    def we_are_killed_and_lose(
        self, name: str, word: str, when: str, what: set[str], then: str
    ) -> None:
        """Killed while sending, files lost, and something else is asked."""
        self.ask(name, word, split=True)
        self.kill_at(UPDATE, name, when)
        self.plan()
        self.apply()
        self.files_are_lost(what)
        self.calm()
        self.ask(name, then, split=False)
        self.plan_and_apply()

    @rule()
    def another_endpoint_answers(self) -> None:
        """A trial on an emulator, and back: a data store with the same IDs."""
        if self.elsewhere is None:
            self.elsewhere = DataStore(self.stage.twin())
        self.store, self.elsewhere = self.elsewhere, self.store
