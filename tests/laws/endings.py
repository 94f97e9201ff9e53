"""Rules: the same command again, and what it must come to."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from reconciler.core.dicom.content import content_digest
from reconciler.core.errors import StaleError
from reconciler.core.model.plan import Action, Status
from reconciler.core.model.value import Document
from tests.laws.baselines import At
from tests.laws.people import names, words
from tests.laws.runs import GOOD, Runs
from tests.laws.stage import IDS, PRIMARY, UPDATE
from tests.laws.trouble import moments
from tests.laws.world import Reviewed, at_rest


class Endings(Runs):
    """A run may die anywhere: run it again, and it finishes."""

    @rule(name=names, word=words, when=moments, anew=st.booleans())
    def we_are_killed_sending(self, name: str, word: str, when: str, anew: bool) -> None:
        """Run again, with the same plan or `anew`, without one."""
        self.ask(name, word, split=True)
        self.kill_at(UPDATE, name, when)
        self.plan()
        self.apply()
        if anew:
            self.calm()
            self.save_plan(at_rest)
        self.everything_calms_down_and_we_run_again()

    @rule()
    def everything_calms_down_and_we_run_again(self) -> None:
        """Promises 2 and 5: after the same command again, at most conflicts are left."""
        self.calm()
        if self.saved is None or self.saved.store is not self.store:
            return
        interfered = self._interfered(self.saved)
        applied = self.run(self.saved)
        assert applied is not None
        # An image set that was converged and has changed since is not recorded, and that is
        # reported.
        assert all(isinstance(one, StaleError) for one in applied.problems)
        assert interfered or not applied.problems
        for outcome in applied.outcomes:
            if not interfered:
                assert outcome.result in GOOD, f"{outcome.result}: {outcome.message}"
        again = self.make_plan(files=self.saved.files)
        if all(outcome.result in GOOD for outcome in applied.outcomes) and not applied.held:
            assert not again.plan.steps, "the next plan is not empty"
            self._all_is_recorded(again)
        for action in again.plan.held:
            assert action.status is Status.DRIFTED, action.blocks
            assert self._has_drifted(again, action), "held back without a reason"

    def _all_is_recorded(self, again: Reviewed) -> None:
        """Every version of ours is recorded, also of killed runs and of unnamed siblings."""
        entries = self.recorded()
        for name in IDS:
            latest = self.store.latest(name)
            made = [one for _, one in self.store.ours(name)]
            unseen = self._moved_unseen(
                name, int(entries[name].version_id) if name in entries else 0
            )
            if not made or made[-1] is not latest or latest.status != "UPDATED" or unseen:
                continue
            if self.lost and name not in again.carried.names():
                continue
            assert name in entries, f"nothing is recorded of {name}"
            assert entries[name].version_id == str(latest.number), f"not recorded: {name}"

    def _moved_unseen(self, name: str, recorded: int) -> bool:
        """Whether a call of ours changed an image set that search did not list."""
        return any(one == name and number > recorded for one, number in self.store.overlooked)

    def _has_drifted(self, again: Reviewed, action: Action) -> bool:
        """Whether the drift is real: a possible baseline shows another value, or no value."""
        for member in action.members:
            name = member.image_set_id
            live = self.store.latest(name).held
            for key, value in again.carried.asked(name).items():
                if live[key] != value and any(
                    not isinstance(one, At)
                    or one.store.version(name, one.number).held[key] != live[key]
                    for one in self.baselines.of(name, key)
                ):
                    return True
        return False

    def _interfered(self, saved: Reviewed) -> bool:
        """Whether a step of the plan cannot have landed, or must not land any more."""
        for action in saved.plan.actions:
            known = {member.image_set_id for member in action.members}
            if any(step.study_wide for step in action.steps) and not known.issuperset(PRIMARY):
                return True  # search did not list one of them when this was planned
            # What could not be read has no pin, and no step.
            ours = {one.image_set_id: int(one.pin) for one in action.members if one.pin}
            for step in action.steps:
                for name, digest in step.expected:
                    ours[name] += 1
                    if self.store.latest(name).number < ours[name]:
                        continue
                    made = self.store.version(name, ours[name])
                    if made.status != "UPDATED":
                        return True
                    if content_digest(Document(made.document)) != digest:
                        return True
            for name, version in ours.items():
                if self.store.latest(name).number > version:
                    return True  # harmless after the last step, but other checks decide that
        return False
