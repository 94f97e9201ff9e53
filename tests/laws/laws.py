"""The laws of baselines, judged by what is true of the data store and of the runs.

1. No attribute that was changed outside after the newest record that a run could see is
   overwritten, unless a manifest of that commit consents to that value. Where no record was to be
   seen, the first changes that the plan counts contain the change.
2. No baseline moves unless its attribute was seen converged, or, where it had none, was carried by
   an action that was started.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from reconciler.core.model.first_changes import first_changes
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action, Member, Plan, Status
from reconciler.core.model.record import same_moment
from tests.laws.baselines import At, Attribute, Baseline, Blank
from tests.laws.data_store import DataStore
from tests.laws.manifests import KEYS, Commit, attribute_of
from tests.laws.stage import DESCRIPTION, IDS, PRIMARY
from tests.laws.world import Ran, World

_NEVER_SENT = (
    Result.BLOCKED,
    Result.STALE,
    Result.SUPERSEDED,
    Result.UNREVIEWED,
    Result.NOT_ATTEMPTED,
)


class Laws(World):
    """Follows the baselines, and checks both laws after every run."""

    # --- the first law -----------------------------------------------------------------------

    def may_overwrite(self, plan: Plan, carried: Commit) -> dict[Attribute, str | None]:
        """By a baseline, by consent, or because the plan counts it as a first change."""
        may: dict[Attribute, str | None] = {}
        least = most = 0
        for name, key, pin in self._changes(plan, carried):
            live = self.store.version(name, pin).held[key]
            possible = self.baselines.of(name, key)
            least += possible == {Blank.NONE}
            most += Blank.NONE in possible
            if (
                Blank.NONE in possible
                or self._is_known(name, key, live)
                or self._consents(carried, (name, key), pin)
            ):
                may[name, key] = live
        counted = first_changes(plan).attributes
        assert least <= counted <= most, "the first changes are not counted"
        return may

    def _changes(self, plan: Plan, carried: Commit) -> Iterator[tuple[str, str, int]]:
        """Every attribute that the calls of a plan change, with the version that was read."""
        for action in plan.actions:
            wide = any(step.study_wide for step in action.steps)
            for member in action.members if action.steps else ():
                name, pin = member.image_set_id, int(member.pin)
                held = self.store.version(name, pin).held
                for key, value in carried.asked(name).items():
                    of_study = key == DESCRIPTION and name in PRIMARY
                    if held[key] != value and (wide or not of_study):
                        yield name, key, pin

    def _is_known(self, name: str, key: str, live: str | None) -> bool:
        """Whether a possible baseline shows the live value."""
        return any(self._value(one, name, key) == live for one in self._here(name, key))

    def _here(self, name: str, key: str) -> list[At]:
        """The possible baselines of the data store that is asked now."""
        possible = self.baselines.of(name, key)
        return [one for one in possible if isinstance(one, At) and one.store is self.store]

    def _value(self, at: At, name: str, key: str) -> str | None:
        return at.store.version(name, at.number).held[key]

    def _consents(self, carried: Commit, what: Attribute, pin: int) -> bool:
        name, key = what
        live = self.store.version(name, pin).held[key]
        above = [one.number for one in self._here(name, key)]
        return any(
            self.store.version(name, at).held[key] == live
            for at in carried.consented(name, key)
            if at <= pin and (not above or at > min(above))
        )

    def _check_what_was_overwritten(self, ran: Ran) -> None:
        for name in IDS:
            for before, made in self.store.ours(name, ran.before[name]):
                if (name, made.number) in self.store.overlooked:
                    continue  # search did not list it: no plan could know
                for key in KEYS:
                    is_lost = before.held[key] != made.held[key]
                    if is_lost and self.store.changed_outside(name, key, before.number):
                        allowed = ((name, key), before.held[key]) in ran.reviewed.may.items()
                        assert allowed, "a value of another process is lost"
                        self.reached["overwritten"] += 1

    # --- the second law ----------------------------------------------------------------------

    def has_run(self, ran: Ran) -> None:
        if ran.reviewed.store is self.store:
            self._check_what_was_overwritten(ran)
            for action in ran.reviewed.plan.actions:
                self._follow(ran, action)
        self.mutant.record(self.root, self.stage.datastore.datastore_id, ran.reviewed.plan)
        self.baselines_are_possible()

    def _follow(self, ran: Ran, action: Action) -> None:
        """What the run may have recorded of the image sets of an action."""
        outcomes = _outcomes(ran, action)
        started = bool(action.steps) and (
            ran.applied is None or any(one.result not in _NEVER_SENT for one in outcomes)
        )
        for member in (*action.members, *action.siblings):
            if member.pin and (started or action.status is Status.CONVERGED):
                self.baselines.seen_at(self.store, member.image_set_id)
                self._follow_member(ran, member, len(action.steps) if started else 0)
        self._settle(ran, action, outcomes)

    def _follow_member(self, ran: Ran, member: Member, steps: int) -> None:
        """Seen are the version that was read, and those that `steps` make, or have made before."""
        name, pin = member.image_set_id, int(member.pin)
        latest = self.store.latest(name).number
        made = range(pin + 1, min(latest, pin + steps) + 1)
        for key, value in ran.reviewed.carried.asked(name).items():
            converged = [
                At(self.store, one) for one in (pin, *made) if self._held(name, key, one) == value
            ]
            self.baselines.meant(name, key, converged)
            self.baselines.may_be(name, key, converged)
            if steps and Blank.NONE in self.baselines.of(name, key):
                self.baselines.may_be(name, key, [At(self.store, pin)])

    def _held(self, name: str, key: str, number: int) -> str | None:
        return self.store.version(name, number).held[key]

    def _settle(self, ran: Ran, action: Action, outcomes: list[Outcome]) -> None:
        """After a run that ended well it is certain what is recorded."""
        if ran.applied is None or ran.applied.problems:
            return
        carried = ran.reviewed.carried
        if action.status is Status.CONVERGED:
            for member in action.members:
                name = member.image_set_id
                if not member.recorded:
                    self._is_now(name, int(member.pin), carried.own(name))
        elif outcomes and all(one.result.is_good for one in outcomes):
            wide = any(step.study_wide for step in action.steps)
            for name, number in _landed(outcomes).items():
                self._is_now(name, number, carried.asked(name) if wide else carried.own(name))

    def _is_now(self, name: str, number: int, asked: Mapping[str, str]) -> None:
        for key, value in asked.items():
            if self._held(name, key, number) == value:
                self.baselines.is_now(name, key, At(self.store, number))

    def baselines_are_possible(self) -> None:
        for name in IDS:
            row = self._rows().get(name)
            for key in KEYS:
                found = (
                    _baseline(self.store_of(_seconds(row["createdAt"])), row, name, key)
                    if row
                    else Blank.NONE
                )
                possible = self.baselines.of(name, key)
                assert found in possible, f"a baseline moved: {found} is none of {possible}"

    def _rows(self) -> dict[str, dict[str, Any]]:
        """The entries of the records, as they stand in the files."""
        folder = self.root / "records" / self.stage.datastore.datastore_id
        return {
            str(row["imageSetId"]): row
            for path in folder.glob("??.json")
            for row in json.loads(path.read_bytes())["entries"]
        }

    def store_of(self, created_at: float | None) -> DataStore:
        """The data store that an entry is of: its image sets were created at other times."""
        stores = [self.store, *([self.elsewhere] if self.elsewhere else [])]
        found = [one for one in stores if same_moment(one.stage.created_at, created_at)]
        assert found, "an entry of no data store"
        return found[0]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _outcomes(ran: Ran, action: Action) -> list[Outcome]:
    found = ran.applied.outcomes if ran.applied else ()
    return [one for one in found if any(one.step is step for step in action.steps)]


def _landed(outcomes: list[Outcome]) -> dict[str, int]:
    """The last version that was made of each image set."""
    return {
        landed.image_set_id: int(landed.version_id)
        for outcome in outcomes
        for landed in outcome.landed
    }


def _baseline(store: DataStore, row: dict[str, Any], name: str, key: str) -> Baseline:
    held = {**row["released"], **row["asked"]}
    for path, version in held.items():
        if attribute_of(name, path) == key:
            return Blank.UNREADABLE if version == "unreadable" else At(store, int(version))
    return Blank.NONE
