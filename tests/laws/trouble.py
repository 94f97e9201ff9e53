"""Rules: what other processes do, and bad luck."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.faulty_files import ERRORS, FaultyFiles, failing
from tests.laws.manifests import attributes
from tests.laws.people import names
from tests.laws.stage import (
    COMMENTS,
    DESCRIPTION,
    GET,
    METADATA,
    PRIMARY,
    UPDATE,
    VERSIONS,
)
from tests.laws.world import World, kill

READS = (GET, METADATA, VERSIONS)
READ_FAULTS = ("throttle", "error500", "reset-before", "reset-after")
UPDATE_FAULTS = (*READ_FAULTS, "unreachable")

reads = st.sampled_from(READS)
operations = st.sampled_from([UPDATE, *READS])
moments = st.sampled_from(["before", "after"])
# Once; as often as the SDK reads; and as often as a body is read, each time with the SDK's retries.
often = st.sampled_from([1, 4, 12])


class Others(World):
    """Another process never writes the same value twice, except a value that was there before."""

    @rule(name=names, key=st.sampled_from([DESCRIPTION, *COMMENTS]))
    def somebody_writes(self, name: str, key: str) -> None:
        """Write an attribute that no manifest asks for, or one that a manifest asks for."""
        study_wide = key == DESCRIPTION and name in PRIMARY
        self.stage.write(name, self.theirs(name, key), study_wide=study_wide)

    @rule(name=names, key=st.sampled_from(["1", "2"]), back=st.integers(1, 4))
    def somebody_goes_back(self, name: str, key: str, back: int) -> None:
        """Write the value of an earlier version, beside a comment of its own."""
        latest = self.store.latest(name)
        held = self.store.version(name, max(1, latest.number - back)).held[key]
        if held:
            values = {key: held, COMMENTS[-1]: self.their_value()}
            self.stage.write(name, attributes(name, values))

    @rule(
        name=names,
        whose=names,
        key=st.sampled_from(COMMENTS),
        operation=operations,
        moment=moments,
    )
    def somebody_writes_while_we_work(
        self, name: str, whose: str, key: str, operation: str, moment: str
    ) -> None:
        """At our call for `name`; to it, or to another one."""
        self.stage.write_at(operation, name, moment, whose, self.theirs(whose, key))

    @rule(name=names, seconds=st.sampled_from([1.0, 20.0, 200.0]))
    def somebody_copies(self, name: str, seconds: float) -> None:
        self.stage.copy(name, seconds)


class BadLuck(World):
    """Faults of the network, the service and the disk; kills."""

    @rule(kind=st.sampled_from(UPDATE_FAULTS), name=names, times=st.sampled_from([1, 3]))
    def an_update_goes_wrong(self, kind: str, name: str, times: int) -> None:
        self.stage.befall(kind, UPDATE, name, times)

    @rule(kind=st.sampled_from(READ_FAULTS), name=names, operation=reads, times=often)
    def a_read_goes_wrong(self, kind: str, name: str, operation: str, times: int) -> None:
        self.stage.befall(kind, operation, name, times)

    @rule(name=st.sampled_from([*PRIMARY, ""]))
    def search_is_behind(self, name: str) -> None:
        """The search does not list anything written from now on, or does not list one image set."""
        if name:
            self.store.missed.add(name)
            self.stage.search_misses(name)
        else:
            self.stage.search_lags()

    @rule(seconds=st.sampled_from([0.0, 2.0, 70.0]))
    def updates_take(self, seconds: float) -> None:
        self.stage.updates_take(seconds)

    @rule(
        what=st.sampled_from(["kill", *sorted(ERRORS)]),
        first=st.integers(1, 20),
        times=st.sampled_from([1, 99]),
    )
    def a_file_cannot_be_written(self, what: str, first: int, times: int) -> None:
        """At the next apply the disk fails, or the run is killed."""
        act = kill if what == "kill" else failing(ERRORS[what])
        self.files = FaultyFiles(first, act, times)

    @rule(name=names, operation=operations, when=moments)
    def we_will_be_killed(self, name: str, operation: str, when: str) -> None:
        self.kill_at(operation, name, when)
