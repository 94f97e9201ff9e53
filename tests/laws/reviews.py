"""Rules: what is selected, reviewed and applied later, and what is consented to."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler import pipeline
from tests.laws.manifests import KEYS
from tests.laws.people import Editors, manifests, names, words
from tests.laws.runs import Runs
from tests.laws.stage import IDS
from tests.laws.world import Planner, Reviewed, at_rest

# How many saved plans are kept.
SHELF = 3


class Reviews(Editors, Runs):
    """`_shelf` has the last saved plans, also those of commits that are history now."""

    def __init__(self) -> None:
        super().__init__()
        self._shelf: list[Reviewed] = []

    def save_plan(self, planner: Planner = pipeline.plan, files: Collection[str] = ()) -> None:
        super().save_plan(planner, files)
        if self.saved:
            self._shelf = [*self._shelf, self.saved][-SHELF:]

    @rule(chosen=st.sets(manifests, min_size=1))
    def plan_some(self, chosen: set[tuple[str, int]]) -> None:
        """`plan PATHS`."""
        files = self.manifests.files(chosen)
        if files:
            self.save_plan(files=files)

    @rule(chosen=st.sets(manifests, min_size=1))
    def apply_some(self, chosen: set[tuple[str, int]]) -> None:
        """`apply PATHS`."""
        files = self.manifests.files(chosen)
        if files:
            self.save_plan(at_rest, files)
            self.apply()

    @rule(which=st.integers(0, SHELF - 1), checked_out=st.booleans())
    def apply_an_older_plan(self, which: int, checked_out: bool) -> None:
        """A saved plan of an older commit, in the working tree of today or of that commit."""
        if not self._shelf:
            return
        older = self._shelf[which % len(self._shelf)]
        if checked_out:
            self.manifests.check_out(older.tree)
            self.saved = None
        before = self.store.numbers()
        self.run(older, saved=True)
        today = self.manifests.commit()
        for name in IDS:
            for earlier, made in self.store.ours(name, before[name]):
                changed = {key for key in KEYS if earlier.held[key] != made.held[key]}
                is_asked = {(key, made.held[key]) for key in changed} <= today.asked(name).items()
                assert is_asked or (name, made.number) in self.store.overlooked, (
                    "sent what the manifests of today do not ask"
                )

    @rule(manifest=manifests, word=words, key=st.sampled_from(KEYS[:3]), later=st.booleans())
    def we_consent_to_overwrite(
        self, manifest: tuple[str, int], word: str, key: str, later: bool
    ) -> None:
        """In one of two manifests; another process may write again `later`."""
        name, _ = manifest
        self.ask(name, word, split=False)
        self.ask_in_another_manifest(name, word, "2")
        self.plan_and_apply()
        self.stage.write(name, self.theirs(name, key))
        self.consent(manifest, name)
        if later:
            self.stage.write(name, self.theirs(name, key))
        self.plan_and_apply()

    @rule(name=names, word=words, then=words)
    def the_manifest_changes_after_the_review(self, name: str, word: str, then: str) -> None:
        self.calm()
        self.ask(name, word, split=False)
        self.plan()
        self.ask(name, then, split=False)
        self.apply_an_older_plan(-1, checked_out=False)
