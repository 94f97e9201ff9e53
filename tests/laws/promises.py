"""The promises that hold at every moment."""

from __future__ import annotations

from hypothesis.stateful import invariant

from reconciler.core.dicom.content import content_digest
from reconciler.core.diff.paths import sealed
from reconciler.core.model.outcome import Outcome
from reconciler.core.model.record import Entry
from reconciler.core.model.value import Document
from reconciler.edges import key as keys
from tests.entries import evidence
from tests.laws.data_store import is_theirs
from tests.laws.laws import Laws
from tests.laws.runs import GOOD
from tests.laws.stage import IDS, PRIMARY, Request, Sent

# The longest time between the read of the siblings and the study-wide call: reads are paced.
LOOKED = 1.0


class Promises(Laws):
    """Invariants. The promise of no lost update is the first law of baselines."""

    def observed(self, outcome: Outcome) -> None:
        """6. `converged` means that the service holds the content."""
        self.reached[outcome.result] += 1
        if outcome.result not in GOOD:
            return
        assert {one.image_set_id for one in outcome.landed} == dict(outcome.step.expected).keys()
        for landed in outcome.landed:
            made = self.store.version(landed.image_set_id, int(landed.version_id))
            expected = dict(outcome.step.expected)[landed.image_set_id]
            assert content_digest(Document(made.document)) == expected, (
                "reported as converged, and it is not"
            )
            assert made.status == "UPDATED"

    @invariant()
    def only_what_was_planned_is_sent(self) -> None:
        """1. The bytes and the pin of the plan."""
        sent = self.stage.sent()
        for request in sent[self.store.seen_sent :]:
            assert request in self.planned, "sent what was not planned"
        self.store.seen_sent = len(sent)

    @invariant()
    def only_what_was_planned_takes_effect(self) -> None:
        """1 and 2. Each version of ours is one of a plan, and changes something.

        So no call takes effect twice, and no image set is changed that no plan names.
        """
        store = self.store
        # A study-wide call to another image set may give a sibling a version with equal content,
        # whatever was planned for that version and not sent.
        targets = {(one.image_set_id, int(one.pin) + 1) for one in self.stage.sent()}
        for name in IDS:
            for before, made in store.ours(name):
                planned = (name, made.number) in store.expected
                # Another process wrote to a sibling after we read it, or search did not list the
                # sibling.
                overlooked = (name, made.number) in store.overlooked
                unseen = is_theirs(store.before(name, before), before) or overlooked
                assert planned or (name in PRIMARY and unseen), "no plan has said so"
                if made.status == "UPDATED" and planned and (name, made.number) in targets:
                    assert made.document != before.document, "a version for nothing"

    @invariant()
    def siblings_were_looked_at(self) -> None:
        """4.

        Apply reads the siblings right before a study-wide call, since the service checks none.
        """
        updates = self.stage.hooked.updates
        for sent in updates[self.store.seen_updates :]:
            # Plans of which one did not know a sibling have the same request.
            plans = self.planned.get(Request.of(sent.step), [{}])
            assert any(self._looked_at(sent, before) for before in plans), (
                "a sibling was not looked at, or long ago"
            )
        self.store.seen_updates = len(updates)

    def _looked_at(self, sent: Sent, before: dict[str, str]) -> bool:
        siblings = before.keys() - {sent.step.image_set_id}
        looks = [(before[name], *sent.looks.get(name, ("", 0.0))) for name in siblings]
        return all(
            seen == pin and (self.concurrency > 1 or sent.at - at <= LOOKED)
            for pin, seen, at in looks
        )

    @invariant()
    def records_are_whole_and_true(self) -> None:
        """3 and 6. Every record can be read, and what it claims is what the service has."""
        for name, entry in self.recorded().items():
            version = self.store_of(entry.created_at).version(name, int(entry.version_id))
            assert version.status in ("UPDATED", "CREATED", "UPDATE_FAILED")
            if entry.ask_digest:
                wanted = self._asked_in(entry)
                assert version.held.items() >= wanted.items(), "a record that lies"

    def _asked_in(self, entry: Entry) -> dict[str, str]:
        """What the ask of an entry was: its digest is keyed with the key of the repository."""
        key = keys.read(self.root)
        assert key is not None
        (wanted,) = (
            asked
            for digest, asked in self.digests.items()
            if sealed(evidence(entry, digest), key).ask_digest == entry.ask_digest
        )
        return wanted
