"""Rules: what we run, and what a run must come to."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.core.model.outcome import Result
from tests.laws.people import People, names, words
from tests.laws.stage import COMMENTS, PRIMARY, UPDATE
from tests.laws.world import at_rest

GOOD = (Result.CONVERGED, Result.ALREADY_CONVERGED)


class Runs(People):
    """No rule has a precondition.

    What a plan came to may depend on the order of parallel reads, and what Hypothesis draws next
    must not.
    """

    @rule()
    def plan(self) -> None:
        """Make a plan that is reviewed now and applied later."""
        self.save_plan()

    @rule()
    def apply(self) -> None:
        """Also again, and when its time is over."""
        if self.saved:
            self.run(self.saved)

    @rule()
    def plan_and_apply(self) -> None:
        """An apply without a plan makes its own, once nothing is LOCKED."""
        self.save_plan(at_rest)
        self.apply()

    # --- with others and bad luck ------------------------------------------------------------

    @rule(name=names, word=words, key=st.sampled_from(COMMENTS), sending=st.booleans())
    def somebody_is_faster(self, name: str, word: str, key: str, sending: bool) -> None:
        """Between the review and the apply, or between our last look and our update."""
        self.ask(name, word, split=False)
        self.plan()
        if sending:
            self.stage.write_at(UPDATE, name, "before", name, self.theirs(name, key))
        else:
            self.stage.write(name, self.theirs(name, key))
        self.apply()

    @rule()
    def an_update_fails(self) -> None:
        self.stage.fail_update()
        self.plan_and_apply()

    @rule(name=names, word=words, key=st.sampled_from(COMMENTS))
    def an_answer_is_lost_and_somebody_writes(self, name: str, word: str, key: str) -> None:
        """Another process writes first: our update has a stale pin, and its answer gets lost."""
        self.ask(name, word, split=False)
        self.plan()
        theirs = self.theirs(name, key)
        self.stage.hooked.inject(UPDATE, lambda: self.stage.write(name, theirs), name, "before")
        self.stage.befall("reset-before", UPDATE, name, 1)
        self.apply()

    @rule(name=st.sampled_from(PRIMARY), word=words)
    def the_study_is_larger_than_the_plan_knew(self, name: str, word: str) -> None:
        """Search does not list one of its image sets at the review, and lists it at the apply."""
        self.calm()
        other = next(one for one in PRIMARY if one != name)
        asked = self.manifests.commit().names()
        if name in asked and other not in asked:
            name, other = other, name  # what is asked for is known without a search
        self.ask(other, word, split=False)
        self.store.missed.add(name)
        self.stage.search_misses(name)
        self.plan()
        self.calm()
        self.apply()
