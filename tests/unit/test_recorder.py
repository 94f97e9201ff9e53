"""An outcome outlives the disk that it should be recorded on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from reconciler import pipeline
from reconciler.apply.reporter import SILENT, Reporter
from reconciler.apply.run import Run
from reconciler.core.diff.paths import ask_digest, sealed
from reconciler.core.errors import GitBusyError, GitError, RecordError
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.key import KEY_FILE
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Status
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Datastore, RecordMode, Settings
from reconciler.core.ports import Files
from reconciler.edges import attempts, git, records
from reconciler.edges import key as keys
from reconciler.edges.files import REAL, RealFiles
from tests.documents import DATASTORE_ID, document
from tests.entries import evidence, put
from tests.fakes import FakeClock, FakeImageSets
from tests.faulty_files import ERRORS, FaultyFiles, failing
from tests.processes import SECONDS

IDS = tuple(letter * 32 for letter in "abc")


class Fleet:
    """Image sets that ask for a description."""

    def __init__(self, root: Path, names: Sequence[str] = IDS) -> None:
        self.root = root
        self.service = FakeImageSets(FakeClock(), datastore_id=DATASTORE_ID)
        (root / "manifests").mkdir(parents=True)
        for name in names:
            self.service.put(document(image_set_id=name))
            ask = {
                "apiVersion": "reconciler/v1",
                "kind": "ImageSet",
                "datastore": "research",
                "imageSetId": name,
                "present": {"Study": {"DICOM": {"StudyDescription": "CT"}}},
            }
            (root / "manifests" / f"{name}.yaml").write_text(json.dumps(ask))
        store = Datastore("research", DATASTORE_ID, "us-east-1", endpoint="http://fake")
        self.settings = Settings(root=root, manifests="manifests", datastores=(store,))

    def apply(
        self,
        files: Files | None = None,
        mode: RecordMode = RecordMode.FILES,
        reporter: Reporter = SILENT,
        run_id: str = "",
        clock: FakeClock | None = None,
    ) -> Applied:
        """Apply. A `clock` of its own hides from the recorder how long updates take."""
        edges = pipeline.Edges(
            lambda _: self.service, clock or self.service.clock, files or REAL, run_id=run_id
        )
        plan = pipeline.plan(self.settings, pipeline.check(self.settings), edges).plan
        settings = replace(self.settings, record_mode=mode)
        run = Run(self.service.clock, bounds=Bounds(concurrency=1))
        return pipeline.apply(settings, plan, edges, run, reporter=reporter)

    def files(self) -> dict[str, bytes]:
        """The record files."""
        return {path.name: path.read_bytes() for path in (self.root / "records").rglob("*.json")}

    def versions(self) -> dict[str, str]:
        entries = records.read(self.root, DATASTORE_ID)
        return {name: entry.version_id for name, entry in entries.items()}

    def managed(self) -> set[str]:
        """The image sets of which something is recorded as asked."""
        entries = records.read(self.root, DATASTORE_ID)
        return {name for name, entry in entries.items() if entry.asked}


class Look(Reporter):
    """Notes how many image sets are recorded, and how many attempts are left, at each outcome.

    After each outcome, some seconds pass.
    """

    def __init__(self, fleet: Fleet, seconds: float = 0.0) -> None:
        self._fleet = fleet
        self._seconds = seconds
        self.clock = FakeClock()
        self.recorded: list[int] = []
        self.attempted: list[bool] = []

    def ended(self, outcome: Outcome) -> None:
        self.recorded.append(len(self._fleet.versions()))
        names = [path.name for path in (self._fleet.root / attempts.FOLDER).glob("*.json")]
        self.attempted.append(any(outcome.step.image_set_id in name for name in names))
        self.clock.sleep(self._seconds)


@pytest.mark.parametrize(
    ("seconds", "recorded"),
    [(0.0, [0, 0, 0]), (0.4, [0, 0, 0]), (0.5, [0, 0, 3]), (1.0, [0, 2, 2])],
)
def test_outcomes_are_recorded_together_within_a_second_and_keep_their_attempts_until_then(
    tmp_path: Path, seconds: float, recorded: list[int]
) -> None:
    fleet = Fleet(tmp_path)
    look = Look(fleet, seconds)
    fleet.apply(reporter=look, clock=look.clock)
    assert look.recorded == recorded
    assert look.attempted == [count <= number for number, count in enumerate(recorded)]
    assert len(fleet.versions()) == 3
    assert list((fleet.root / attempts.FOLDER).glob("*.json")) == []


def test_64_outcomes_are_recorded_at_once(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, [f"{number:032x}" for number in range(70)])
    look = Look(fleet)
    fleet.apply(reporter=look, clock=look.clock)
    assert look.recorded == [0] * 63 + [64] * 7


def test_while_no_outcome_comes_the_last_is_recorded_all_the_same(tmp_path: Path) -> None:
    """The scheduler calls the journal while it waits for the next outcome."""
    fleet, clock, written = Fleet(tmp_path), FakeClock(), Event()

    class Watched(RealFiles):
        def rename(self, old: Path, new: Path) -> None:
            super().rename(old, new)
            if new == records.folder(fleet.root, DATASTORE_ID) / "aa.json":
                written.set()

    def wait() -> None:
        clock.sleep(1.0)
        assert written.wait(SECONDS)

    fleet.service.inject("UpdateImageSetMetadata", wait, image_set_id=IDS[1])
    applied = fleet.apply(Watched(), clock=clock)
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED] * 3


def test_what_has_ended_before_a_bug_is_recorded(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)

    class Broken(Reporter):
        def ended(self, outcome: Outcome) -> None:
            raise AssertionError("a bug")

    with pytest.raises(AssertionError, match="a bug"):
        fleet.apply(reporter=Broken(), clock=FakeClock())
    assert set(fleet.versions()) >= {IDS[0]}


def test_entries_state_the_run_that_changed_them_and_no_run_that_changed_nothing(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path)

    def runs() -> list[str]:
        return [one.run for one in records.read(fleet.root, DATASTORE_ID).values()]

    fleet.apply(run_id="one")
    assert runs() == ["one", "one", "one"]
    before = fleet.files()
    fleet.apply(run_id="two")
    assert fleet.files() == before
    (fleet.root / "manifests" / f"{IDS[0]}.yaml").unlink()
    fleet.apply(run_id="three")
    assert sorted(runs()) == ["one", "one", "three"]


def calls_of_an_apply(root: Path) -> int:
    files = FaultyFiles()
    assert Fleet(root).apply(files).problems == ()
    return len(files.calls)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("times", [1, 10_000], ids=["once", "for-good"])
def test_after_a_failed_write_outcomes_are_reported_and_the_next_run_records_them(
    tmp_path: Path, error: str, times: int
) -> None:
    # The writes are dealt out among the errors: each fails once, with one of them.
    start = 1 + list(ERRORS).index(error)
    for first in range(start, calls_of_an_apply(tmp_path / "reference") + 1, len(ERRORS)):
        fleet = Fleet(tmp_path / str(first))
        applied = fleet.apply(FaultyFiles(first, failing(ERRORS[error]), times))
        told = {one.step.image_set_id: one.result for one in applied.outcomes}
        assert told.keys() == set(IDS)
        landed = {name for name in IDS if fleet.service.version(name) == "2"}
        assert {name for name, result in told.items() if result is Result.CONVERGED} == landed
        assert set(told.values()) <= {Result.CONVERGED, Result.NOT_ATTEMPTED}
        recorded = fleet.versions()
        assert set(recorded.values()) <= {"2"}
        # Tried again at the end of the run: a fault that has passed leaves no problem, but for what
        # had to be written before a call.
        assert times > 1 or not applied.problems or Result.NOT_ATTEMPTED in told.values()
        assert all(isinstance(one, RecordError) for one in applied.problems)
        assert applied.problems or set(recorded) == landed
        assert fleet.apply().problems == ()
        assert fleet.versions() == dict.fromkeys(IDS, "2")
        assert list((fleet.root / attempts.FOLDER).glob("*")) == []
        assert len(fleet.service.landed) == len(IDS)


def test_a_record_that_could_not_be_released_at_once_is_released_in_the_end(tmp_path: Path) -> None:
    def forget(root: Path, files: FaultyFiles) -> Fleet:
        fleet = Fleet(root)
        fleet.apply()
        (root / "manifests" / f"{IDS[0]}.yaml").unlink()
        assert fleet.apply(files).problems == ()
        return fleet

    counting = FaultyFiles()
    forget(tmp_path / "reference", counting)
    assert counting.calls
    for first in range(1, len(counting.calls) + 1):
        faulty = FaultyFiles(first, failing(ERRORS["full"]))
        assert forget(tmp_path / str(first), faulty).managed() == set(IDS[1:])


def test_while_nothing_can_be_recorded_nothing_new_is_sent(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet")
    fleet.service.foreign(IDS[0], lambda raw: raw["Study"]["DICOM"].update(StudyDescription="CT"))
    applied = fleet.apply(FaultyFiles(1, failing(ERRORS["full"]), 10_000))
    assert fleet.service.sent == []
    assert [one.result for one in applied.outcomes] == [Result.NOT_ATTEMPTED] * 2
    assert {one.message for one in applied.outcomes} == {"not sent: records cannot be written"}
    (problem,) = applied.problems
    assert "No space left on device" in problem.message
    assert "run the command again" in problem.hint


def repository(root: Path) -> None:
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "Ask"]):
        identity = ["-c", "user.name=Steward", "-c", "user.email=steward@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True)


def test_what_a_killed_run_has_recorded_is_committed_by_the_next_and_told(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet")
    repository(fleet.root)
    fleet.apply()  # and no commit
    leftover = records.folder(fleet.root, DATASTORE_ID) / ".aa.json.4000000000-0123abcd.tmp"
    leftover.write_text("{")
    applied = fleet.apply(mode=RecordMode.COMMIT)
    assert applied.outcomes == ()
    log = subprocess.run(
        ["git", "log", "-1", "--format=%B", "--stat"],
        cwd=fleet.root,
        capture_output=True,
        text=True,
    ).stdout
    assert log.startswith("Record 3 image sets at their new versions\n")
    assert f"research/{IDS[0]} 1 → 2" in log
    assert ".tmp" not in log
    assert not leftover.exists()
    assert git.changed(fleet.root, [fleet.root / "records"]) == ()


def test_records_are_released_in_a_commit_also_of_a_data_store_that_no_manifest_names(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path / "fleet")
    repository(fleet.root)
    fleet.apply(mode=RecordMode.COMMIT)
    other = Datastore("teaching", "f" * 32, "us-east-1", endpoint="http://fake")
    fleet.settings = replace(fleet.settings, datastores=(*fleet.settings.datastores, other))
    for path in (fleet.root / "manifests").glob("*.yaml"):
        path.write_text(path.read_text().replace("research", "teaching"))
    assert fleet.apply(mode=RecordMode.COMMIT).commit
    assert fleet.managed() == set()
    assert git.changed(fleet.root, [fleet.root / "records"]) == ()


def test_another_git_is_waited_for_and_then_told(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet")
    repository(fleet.root)
    lock = fleet.root / ".git" / "index.lock"
    lock.touch()
    before = fleet.service.clock.now()
    applied = fleet.apply(mode=RecordMode.COMMIT)
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED] * 3
    (problem,) = applied.problems
    assert isinstance(problem, GitBusyError)
    assert fleet.service.clock.now() - before > 10.0
    lock.unlink()
    assert fleet.apply(mode=RecordMode.COMMIT).commit


def test_outside_a_repository_the_outcomes_are_told_all_the_same(tmp_path: Path) -> None:
    applied = Fleet(tmp_path / "fleet").apply(mode=RecordMode.COMMIT)
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED] * 3
    (problem,) = applied.problems
    assert isinstance(problem, GitError)
    assert len(applied.recorded) == 4  # and the key


def digests(fleet: Fleet) -> dict[str, str]:
    entries = records.read(fleet.root, DATASTORE_ID)
    return {name: entry.ask_digest for name, entry in entries.items()}


def test_the_first_apply_that_records_makes_the_key_and_its_ask_digests_are_keyed(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path / "fleet")
    applied = fleet.apply()
    key = keys.read(fleet.root)
    assert key is not None
    assert fleet.root / KEY_FILE in applied.recorded
    asks = {ask.image_set_id: ask for ask in pipeline.check(fleet.settings).asks}
    entries = records.read(fleet.root, DATASTORE_ID)
    for name, entry in entries.items():
        unkeyed = evidence(entry, ask_digest(asks[name]))
        assert entry.ask_digest == sealed(unkeyed, key).ask_digest != unkeyed.ask_digest
    # The same ask of three image sets: equal asks do not show.
    assert len(set(digests(fleet).values())) == 3
    before = fleet.service.calls.count(("GetImageSetMetadata", IDS[0]))
    assert fleet.apply().recorded == ()
    assert fleet.service.calls.count(("GetImageSetMetadata", IDS[0])) == before
    assert keys.read(fleet.root) == key


def test_an_apply_that_records_nothing_makes_no_key(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet")
    for name in IDS:
        fleet.service.delete(name)
    applied = fleet.apply()
    assert (applied.recorded, applied.plan_digest) == ((), "")
    assert not (fleet.root / KEY_FILE).exists()


@pytest.mark.parametrize("old", [None, "hmac-sha256:" + "0" * 64, ""])
def test_a_record_with_another_ask_digest_costs_a_read_and_is_written_anew(
    tmp_path: Path, old: str | None
) -> None:
    """Of before there were keys, of another key, of none. Drift is judged by it all the same."""
    fleet = Fleet(tmp_path / "fleet")
    fleet.apply()
    keyed = digests(fleet)
    entries = records.read(fleet.root, DATASTORE_ID).values()
    asks = {ask.image_set_id: ask for ask in pipeline.check(fleet.settings).asks}
    changed = [
        replace(entry, ask_digest=old if old is not None else ask_digest(asks[entry.image_set_id]))
        for entry in entries
    ]
    put(fleet.root, changed)
    fleet.service.foreign(IDS[0], lambda raw: raw["Study"]["DICOM"].update(StudyDescription="x"))
    applied = fleet.apply()
    assert applied.outcomes == ()
    (held,) = applied.held
    assert (held.image_set_id, held.status) == (IDS[0], Status.DRIFTED)
    assert {name: digests(fleet)[name] for name in IDS[1:]} == {
        name: keyed[name] for name in IDS[1:]
    }


def test_a_record_without_an_ask_digest_is_released_when_no_manifest_asks_any_more(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path / "fleet")
    fleet.apply()
    entries = records.read(fleet.root, DATASTORE_ID).values()
    put(fleet.root, [replace(entry, ask_digest="") for entry in entries])
    (fleet.root / "manifests" / f"{IDS[0]}.yaml").unlink()
    fleet.apply()
    assert fleet.managed() == set(IDS[1:])


def test_the_key_is_committed_with_the_records(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet")
    repository(fleet.root)
    applied = fleet.apply(mode=RecordMode.COMMIT)
    shown = subprocess.run(
        ["git", "show", "--format=%B", "--name-only", applied.commit],
        cwd=fleet.root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert KEY_FILE in shown.splitlines()
    assert f"Plan-Digest: {applied.plan_digest}" in shown
    assert applied.plan_digest.startswith("hmac-sha256:")
    assert git.changed(fleet.root, [fleet.root / KEY_FILE]) == ()


def test_a_key_alone_is_not_committed(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path / "fleet")
    keys.make(fleet.root)
    repository(fleet.root)
    subprocess.run(["git", "rm", "-q", "--cached", KEY_FILE], cwd=fleet.root, check=True)
    for name in IDS:
        fleet.service.delete(name)
    assert fleet.apply(mode=RecordMode.COMMIT).commit == ""


@pytest.mark.parametrize("content", ["", "0" * 64 + "\n", None])
def test_a_key_that_is_not_the_committed_one_is_refused_before_anything_is_read(
    tmp_path: Path, content: str | None
) -> None:
    fleet = Fleet(tmp_path / "fleet")
    repository(fleet.root)
    fleet.apply(mode=RecordMode.COMMIT)
    before, committed = len(fleet.service.calls), (fleet.root / KEY_FILE).read_bytes()
    if content is None:
        (fleet.root / KEY_FILE).unlink()
    else:
        (fleet.root / KEY_FILE).write_text(content)
    with pytest.raises(RecordError, match=r"reconciler\.key: ") as caught:
        fleet.apply()
    assert "git checkout HEAD -- reconciler.key" in caught.value.hint
    assert len(fleet.service.calls) == before
    subprocess.run(["git", "checkout", "-q", "HEAD", "--", KEY_FILE], cwd=fleet.root, check=True)
    assert (fleet.root / KEY_FILE).read_bytes() == committed
    assert fleet.apply().recorded == ()
