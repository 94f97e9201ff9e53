"""The next apply finds what a killed apply was doing, by content alone."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler import pipeline
from reconciler.apply.recover import End, recover
from reconciler.apply.reporter import Reporter
from reconciler.apply.run import Run
from reconciler.core.dicom.content import digest
from reconciler.core.errors import (
    CredentialsError,
    LinkError,
    NoAnswerError,
    PlanFileError,
    RecordError,
)
from reconciler.core.model.attempt import Attempt
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.outcome import Landed, Result
from reconciler.core.model.plan import Action, Plan, Status
from reconciler.core.model.record import RULES_VERSION
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Datastore, Rules, Settings
from reconciler.core.plan.file import dumps, loads
from reconciler.edges import attempts, records
from reconciler.edges import key as keys
from reconciler.edges.files import RealFiles
from reconciler.pipeline.plan import BUSY_PATIENCE
from tests.documents import DATASTORE_ID, KEY, document, instance, series
from tests.entries import put
from tests.fakes import FakeClock, FakeImageSets, StopWhen, never
from tests.faulty_files import ERRORS, FaultyFiles, failing

FIRST, SECOND, OWN = (letter * 32 for letter in "abc")
UPDATE = "UpdateImageSetMetadata"
LONG = "x" * 200


class KilledError(BaseException):
    """Stands for SIGKILL: none of our code catches it."""


class World:
    """A study of two primary image sets, one of them asked, and one of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.service = FakeImageSets(FakeClock(), datastore_id=DATASTORE_ID)
        (root / "manifests").mkdir(parents=True)
        for name in (FIRST, SECOND, OWN):
            uid = f"1.2.{ord(name[0])}"
            blocks = [instance(f"{uid}.{part}", private=False) for part in (1, 2)]
            content = document(series(uid, blocks), image_set_id=name)
            self.service.put(content, primary=name != OWN)
        store = Datastore("research", DATASTORE_ID, "us-east-1", endpoint="http://fake")
        self.settings = Settings(
            root=root,
            manifests="manifests",
            datastores=(store,),
            rules=Rules(payload_bytes=700),
            lock_timeout_seconds=60.0,
        )

    def ask(self, name: str, description: str, *comments: str, allow: Sequence[str] = ()) -> None:
        uid = f"1.2.{ord(name[0])}"
        instances = {
            f"{uid}.{part}": {"DICOM": {"ImageComments": text}}
            for part, text in enumerate(comments, 1)
        }
        body: dict[str, Any] = {"DICOM": {"StudyDescription": description}}
        if instances:
            body["Series"] = {uid: {"Instances": instances}}
        text = {
            "apiVersion": "reconciler/v1",
            "kind": "ImageSet",
            "datastore": "research",
            "imageSetId": name,
            "present": {"Study": body},
            "allow": ["STUDY_WIDE", "SPLIT_UPDATE", *allow],
        }
        (self.root / "manifests" / f"{name}.yaml").write_text(json.dumps(text))

    def edges(self, files: Any = None) -> pipeline.Edges:
        more = {"files": files} if files else {}
        return pipeline.Edges(lambda _: self.service, self.service.clock, **more)

    def plan(self, *paths: Path) -> Plan:
        checked = pipeline.check(self.settings, paths)
        return pipeline.plan(self.settings, checked, self.edges()).plan

    def apply(self, plan: Plan | None = None, **more: Any) -> Applied:
        stop = StopWhen(more.pop("stop", never), more.pop("abandon", never))
        run = Run(self.service.clock, stop, more.pop("bounds", Bounds(concurrency=1)))
        edges = self.edges(more.pop("files", None))
        return pipeline.apply(self.settings, plan or self.plan(), edges, run, **more)

    def killed(
        self,
        operation: str = UPDATE,
        when: str = "after",
        name: str = "",
        plan: Plan | None = None,
    ) -> None:
        def die() -> None:
            raise KilledError

        self.service.inject(operation, die, when=when, image_set_id=name)
        with pytest.raises(KilledError):
            self.apply(plan)

    def recorded_then_killed(self) -> None:
        """Version 2 is recorded, version 3 was made by a run that could not record it any more."""
        self.ask(OWN, "one")
        self.apply()
        self.ask(OWN, "two")
        self.killed()
        self.service.calm()

    def described(self, text: str) -> None:
        """Write to the non-primary image set as another process would."""
        change = {"StudyDescription": text}
        self.service.foreign(OWN, lambda raw: raw["Study"]["DICOM"].update(change))

    def begun(self) -> tuple[Path, bytes]:
        """The only attempt that is there: a kill right after its end was recorded leaves it."""
        (path,) = (self.root / attempts.FOLDER).glob("*.json")
        return path, path.read_bytes()

    def records(self) -> dict[str, tuple[str, str]]:
        entries = records.read(self.root, DATASTORE_ID)
        return {
            name: (entry.previous_version_id, entry.version_id) for name, entry in entries.items()
        }

    def left(self) -> list[str]:
        return sorted(_short(path.name) for path in (self.root / attempts.FOLDER).glob("*"))


def _short(text: str) -> str:
    """Without the digest of what is to be made, which ends the name of an attempt."""
    return re.sub(r"-[0-9a-f]{8}\.json", ".json", text)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def test_what_is_written_down_is_private_whole_and_without_a_value(world: World) -> None:
    world.ask(FIRST, "CT SECRET")
    seen = []

    def look() -> None:
        (path,) = (world.root / attempts.FOLDER).glob("*")
        seen.append((path.name, path.read_text(), stat.S_IMODE(path.stat().st_mode)))

    world.service.inject(UPDATE, look)
    assert not world.apply().problems
    ((name, text, mode),) = seen
    assert (_short(name), mode) == (f"research-{FIRST}-1.json", 0o600)
    content = json.loads(text)
    assert [row["imageSetId"] for row in content["members"]] == [FIRST, SECOND]
    assert content["members"][0]["asked"] == ["Study/StudyDescription"]
    assert [list(row["versions"]) for row in content["members"]] == [["2"], ["2"]]
    assert "SECRET" not in text
    assert world.left() == []


def test_a_sibling_that_a_killed_run_moved_is_recorded_by_the_next(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    assert world.records() == {FIRST: ("", "1")}
    world.service.calm()
    applied = world.apply()
    assert applied.outcomes == ()
    assert [(one.image_set_id, one.version_id) for one in applied.recovered] == [(SECOND, "2")]
    assert world.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert world.left() == []
    assert len(world.service.landed) == 1


def test_a_sibling_that_is_still_locked_is_waited_for(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()
    world.service.lock(SECOND, 30.0)
    assert len(world.apply().recovered) == 1
    assert world.records()[SECOND] == ("1", "2")


def test_one_that_the_service_does_not_tell_of_is_left_to_the_next_run(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()

    def fail() -> None:
        raise NoAnswerError("gone")

    world.service.inject("GetImageSet", fail, image_set_id=SECOND, times=99)
    assert world.apply().recovered == ()
    assert world.left() == [f"research-{FIRST}-1.json"]
    world.service.calm()
    assert len(world.apply().recovered) == 1


def test_one_that_stays_locked_is_left_to_the_next_run(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()
    world.service.lock(SECOND, 10_000.0)
    assert world.apply().recovered == ()
    assert world.left() == [f"research-{FIRST}-1.json"]
    world.service.calm()
    assert len(world.apply().recovered) == 1
    assert world.left() == []


def test_waiting_for_one_has_an_end_where_the_run_has_one(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()
    world.service.lock(SECOND, 10_000.0)
    begun = world.service.clock.now()
    assert world.apply(bounds=Bounds(deadline=begun + 5.0)).recovered == ()
    assert world.service.clock.now() < begun + 10.0


def test_the_version_before_is_that_before_the_killed_run(world: World) -> None:
    """Also when it is killed again, and again."""
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    for _ in range(3):
        world.killed()
        world.service.calm()
    assert world.service.version(FIRST) == "4"
    world.apply()
    assert world.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert world.left() == []


def test_nor_does_it_change_where_another_ask_went_on_and_was_killed_too(world: World) -> None:
    world.ask(OWN, "CT", LONG + "1", LONG + "2")
    world.killed()
    world.service.calm()
    world.ask(OWN, "MR", LONG + "1", LONG + "3")
    world.killed()
    world.service.calm()
    world.apply()
    assert world.records() == {OWN: ("1", "3")}


def test_a_saved_plan_keeps_the_version_before(world: World) -> None:
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    world.killed()
    world.service.calm()
    saved = loads(dumps(world.plan()))
    (action,) = saved.actions
    assert [(one.pin, one.before) for one in action.members] == [("2", "1")]
    world.apply(saved)
    assert world.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}


def test_a_run_that_was_stopped_half_way_is_gone_on_with(world: World) -> None:
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    applied = world.apply(stop=lambda: bool(world.service.landed))
    assert [one.result for one in applied.outcomes] == [
        Result.CONVERGED,
        Result.NOT_ATTEMPTED,
        Result.NOT_ATTEMPTED,
    ]
    world.apply()
    assert world.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert world.left() == []


def test_a_run_that_is_stopped_before_it_goes_on_forgets_nothing(world: World) -> None:
    world.ask(OWN, "CT", LONG + "1", LONG + "2")
    world.killed()
    world.service.calm()
    applied = world.apply(stop=lambda: True)
    assert {one.result for one in applied.outcomes} == {Result.NOT_ATTEMPTED}
    assert world.left() == [f"research-{OWN}-1.json"]
    world.apply()
    assert world.records() == {OWN: ("1", "3")}
    assert world.left() == []


def test_a_saved_plan_that_is_stopped_forgets_nothing(world: World) -> None:
    world.ask(FIRST, "CT")
    saved = world.plan()
    world.killed(plan=saved)
    world.service.calm()
    world.apply(saved, stop=lambda: True)
    world.apply()
    assert world.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert world.left() == []


@pytest.mark.parametrize(
    ("saved", "operation"),
    [(True, "GetImageSet"), (True, UPDATE), (False, UPDATE)],
    ids=["saved-read", "saved-write", "anew-write"],
)
def test_credentials_that_expire_make_nothing_forgotten(
    world: World, saved: bool, operation: str
) -> None:
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    plan = world.plan()
    world.killed(plan=plan)
    world.service.calm()
    again = plan if saved else world.plan()
    world.service.fail(operation, CredentialsError("expired"))
    assert Result.FAILED in {one.result for one in world.apply(again).outcomes}
    world.service.calm()
    world.apply()
    assert world.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert world.left() == []


def test_what_moved_in_a_conflict_is_recorded_by_the_next_run(world: World) -> None:
    """Another process wrote to the sibling between our read and our call, which changed both."""
    world.ask(FIRST, "CT")

    def write() -> None:
        change = {"PatientComments": "theirs"}
        world.service.foreign(SECOND, lambda raw: raw["Patient"]["DICOM"].update(change))

    world.service.inject(UPDATE, write)
    (outcome,) = world.apply().outcomes
    assert outcome.result is Result.CONFLICT
    world.service.calm()
    world.apply()
    assert world.records()[FIRST] == ("1", "2")


def test_another_plan_of_the_same_version_hides_no_attempt(world: World) -> None:
    """An older saved plan after a kill: it conflicts, and the sibling is recorded all the same."""
    world.ask(FIRST, "one")
    older = world.plan()
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    world.killed()
    world.service.calm()
    assert world.apply(older).outcomes[0].result is Result.CONFLICT
    world.apply()
    assert world.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert world.left() == []


def test_what_is_recorded_is_recovered_once(world: World) -> None:
    """Though an image set of the same study stays half way."""
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    world.killed()
    world.service.calm()
    world.ask(OWN, "CT")
    path = world.root / "manifests" / f"{OWN}.yaml"
    assert [one.image_set_id for one in world.apply(world.plan(path)).recovered] == [SECOND]
    assert world.apply(world.plan(path)).recovered == ()
    assert [one.image_set_id for one in attempts.read(world.root)] == [FIRST]
    world.apply()
    assert world.records()[FIRST] == ("1", "4")


def test_what_several_killed_runs_have_made_is_recovered_as_one(world: World) -> None:
    world.ask(OWN, "CT", LONG + "1", LONG + "2")
    for _ in range(2):
        world.killed()
        world.service.calm()
    world.ask(FIRST, "CT")
    world.apply(world.plan(world.root / "manifests" / f"{FIRST}.yaml"))
    assert world.records()[OWN] == ("1", "3")


def test_an_attempt_that_came_to_nothing_takes_no_other_away(world: World) -> None:
    world.ask(FIRST, "one")
    world.killed(when="before")
    world.service.calm()
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    world.killed()
    world.service.calm()
    world.ask(OWN, "CT")
    world.apply(world.plan(world.root / "manifests" / f"{OWN}.yaml"))
    world.apply()
    assert world.records() == {FIRST: ("1", "4"), SECOND: ("1", "2"), OWN: ("1", "2")}
    assert world.left() == []


def test_nothing_is_left_after_a_conflict(world: World) -> None:
    world.ask(OWN, "CT")
    plan = world.plan()
    world.service.foreign(OWN, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="MR"))
    (outcome,) = world.apply(plan).outcomes
    assert outcome.result is Result.CONFLICT
    assert world.left() == []


def test_consent_to_overwrite_drift_holds_after_a_kill_between_two_calls(world: World) -> None:
    world.ask(OWN, "CT", LONG + "1", LONG + "2")
    world.apply()

    def theirs(raw: dict[str, Any]) -> None:
        for block in raw["Study"]["Series"][f"1.2.{ord(OWN[0])}"]["Instances"].values():
            block["DICOM"]["ImageComments"] = "theirs"

    world.service.foreign(OWN, theirs)
    consent = f"OVERWRITES_DRIFT@{world.service.version(OWN)}"
    world.ask(OWN, "CT", LONG + "1", LONG + "2", allow=[consent])
    world.killed()
    world.service.calm()
    (action,) = world.plan().actions
    assert action.status is Status.DRIFTED
    assert [change.drifted for change in action.changes] == [True]
    assert [one.result for one in world.apply().outcomes] == [Result.CONVERGED]


def test_an_unresolved_end_is_found_by_the_next_run(world: World) -> None:
    world.ask(FIRST, "CT")
    world.service.fail(UPDATE, NoAnswerError("gone"), when="after")
    applied = world.apply(abandon=lambda: bool(world.service.landed))
    assert [one.result for one in applied.outcomes] == [Result.UNRESOLVED]
    assert world.records() == {FIRST: ("", "1")}  # the version that the action was planned for
    world.service.calm()
    world.apply()
    assert world.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert world.left() == []


def test_what_a_killed_run_has_made_did_not_drift(world: World) -> None:
    world.recorded_then_killed()
    world.ask(OWN, "three")
    (action,) = world.plan().actions
    assert action.status is Status.UPDATE
    world.apply()
    assert world.records()[OWN] == ("2", "4")


def test_an_attempt_proves_nothing_beside_an_entry_of_another_history(world: World) -> None:
    """The image set was created at another time than the recorded one: not the one we knew."""
    world.recorded_then_killed()
    entry = records.read(world.root, DATASTORE_ID)[OWN]
    put(world.root, [replace(entry, created_at=1.0)])
    world.ask(OWN, "three")
    (action,) = world.plan().actions
    assert (action.status, action.steps) == (Status.DRIFTED, ())


def test_nor_did_it_where_somebody_wrote_something_else_since(world: World) -> None:
    world.recorded_then_killed()
    world.service.foreign(OWN, lambda raw: raw["Patient"]["DICOM"].update(PatientComments="x"))
    world.ask(OWN, "three")
    (action,) = world.plan().actions
    assert action.status is Status.UPDATE
    world.apply()
    assert world.records()[OWN] == ("4", "5")


def test_another_ask_that_holds_already_keeps_the_version_before(world: World) -> None:
    world.ask(OWN, "one")
    world.apply()
    world.ask(OWN, "one", "")  # empty is what it is
    (action,) = world.plan().actions
    assert (action.status, action.members[0].recorded) == (Status.CONVERGED, False)
    world.apply()
    assert world.records()[OWN] == ("1", "2")


def test_what_somebody_wrote_after_it_did(world: World) -> None:
    world.recorded_then_killed()
    world.service.foreign(OWN, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="theirs"))
    world.ask(OWN, "three")
    (action,) = world.plan().actions
    assert action.status is Status.DRIFTED
    assert action.members[0].before == "4"


def test_what_somebody_else_made_of_the_same_version_is_not_ours(world: World) -> None:
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    world.killed(when="before")
    for name in (FIRST, SECOND):
        world.service.foreign(name, lambda raw: raw["Patient"]["DICOM"].update(PatientComments="x"))
    (action,) = world.plan().actions
    assert {one.before for one in action.members} == {"2"}
    applied = world.apply()
    assert applied.recovered == ()
    assert world.records() == {FIRST: ("2", "5"), SECOND: ("2", "3")}
    assert world.left() == []


def test_what_somebody_else_made_of_a_version_that_was_meant_is_drift(world: World) -> None:
    world.ask(OWN, "one")
    world.apply()
    world.ask(OWN, "two")
    world.killed(when="before")
    world.service.calm()
    world.described("theirs")
    assert [one.status for one in world.plan().actions] == [Status.DRIFTED]


def test_what_somebody_turned_back_to_an_earlier_version_of_ours_is_drift(world: World) -> None:
    """The last of ours is what counts, and the tenth comes after the ninth."""
    for number in range(6):
        world.described(f"theirs {number}")
    world.ask(OWN, "one")
    world.apply()
    for text in ("two", "three"):
        world.ask(OWN, text)
        world.killed()
        world.service.calm()
    world.described("two")
    assert world.records() == {OWN: ("7", "8")}
    assert world.service.version(OWN) == "11"
    world.ask(OWN, "four")
    assert [one.status for one in world.plan().actions] == [Status.DRIFTED]


def test_an_attempt_that_is_recorded_is_of_no_use_any_more(world: World) -> None:
    world.ask(OWN, "one")
    world.killed()
    world.service.calm()
    path, attempt = world.begun()
    world.apply()
    path.write_bytes(attempt)
    world.ask(OWN, "two")
    world.apply()
    assert world.records() == {OWN: ("2", "3")}
    path.write_bytes(attempt)
    world.described("one")
    world.ask(OWN, "three")
    assert [one.status for one in world.plan().actions] == [Status.DRIFTED]


@pytest.mark.parametrize("is_killed", [True, False])
def test_another_data_store_of_the_same_name_is_another(world: World, is_killed: bool) -> None:
    world.ask(OWN, "CT")
    if is_killed:
        world.killed()
        world.service.calm()
    else:
        world.apply()
    (store,) = world.settings.datastores
    other = replace(store, datastore_id="f" * 32)
    world.settings = replace(world.settings, datastores=(other,))
    (action,) = world.plan().actions
    (member,) = action.members
    assert (member.before, member.pin, member.recorded) == ("2", "2", False)


@pytest.mark.parametrize(
    ("seconds", "status"), [(30.0, Status.UPDATE), (10_000.0, Status.BUSY)], ids=["ends", "stays"]
)
def test_what_is_locked_is_waited_for_before_it_is_planned(
    world: World, seconds: float, status: Status
) -> None:
    world.ask(OWN, "CT")
    world.service.lock(OWN, seconds)
    waits: list[tuple[int, float]] = []

    class Waiting(Reporter):
        def waiting(self, image_sets: int, seconds: float) -> None:
            waits.append((image_sets, seconds))

    checked = pipeline.check(world.settings)
    planned = pipeline.plan_at_rest(world.settings, checked, world.edges(), reporter=Waiting())
    assert [one.status for one in planned.plan.actions] == [status]
    assert waits == [(1, BUSY_PATIENCE)]
    assert world.service.clock.now() < BUSY_PATIENCE + 10.0


def test_a_plan_of_another_data_store_of_the_same_name_is_not_applied(world: World) -> None:
    world.ask(OWN, "CT")
    plan = world.plan()
    (store,) = world.settings.datastores
    other = replace(store, datastore_id="f" * 32)
    world.settings = replace(world.settings, datastores=(other,))
    with pytest.raises(PlanFileError, match="data store research, which reconciler"):
        world.apply(plan)
    assert world.service.sent == []


def test_the_settings_say_how_long_an_update_may_take(world: World) -> None:
    world.settings = replace(world.settings, lock_timeout_seconds=600.0)
    world.ask(OWN, "CT")
    world.service.inject(UPDATE, lambda: world.service.lock(OWN, 300.0), when="after")
    assert [one.result for one in world.apply().outcomes] == [Result.CONVERGED]


def test_what_no_manifest_asks_any_more_is_recovered_and_released(world: World) -> None:
    world.recorded_then_killed()
    (world.root / "manifests" / f"{OWN}.yaml").unlink()
    world.ask(FIRST, "CT")
    assert [one.image_set_id for one in world.apply().recovered] == [OWN]
    entry = records.read(world.root, DATASTORE_ID)[OWN]
    assert (entry.version_id, entry.asked) == ("3", ())
    assert entry.released == (("Study/StudyDescription", "3"),)


def test_the_version_before_is_that_of_each_sibling_too(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()
    world.ask(FIRST, "MR")
    world.apply()
    assert world.records() == {FIRST: ("1", "3"), SECOND: ("1", "3")}


def test_what_was_begun_in_another_data_store_is_left_alone(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()
    other = Datastore("teaching", "f" * 32, "us-east-1", endpoint="http://fake")
    world.settings = replace(world.settings, datastores=(*world.settings.datastores, other))
    world.ask(OWN, "CT")
    path = world.root / "manifests" / f"{OWN}.yaml"
    path.write_text(path.read_text().replace("research", "teaching"))
    applied = world.apply(world.plan(path))
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED]
    assert applied.recovered == ()
    assert world.left() == [f"research-{FIRST}-1.json"]


def test_what_other_paths_have_begun_is_left_to_them(world: World) -> None:
    world.ask(FIRST, "CT", LONG + "1", LONG + "2")
    world.killed()
    world.service.calm()
    world.ask(OWN, "CT")
    path = world.root / "manifests" / f"{OWN}.yaml"
    world.apply(world.plan(path))
    # The sibling has come to its end, its first member is half way.
    assert world.records() == {OWN: ("1", "2"), SECOND: ("1", "2"), FIRST: ("", "1")}
    assert world.left() == [f"research-{FIRST}-1.json"]
    world.apply()
    assert world.records()[FIRST] == ("1", "4")
    assert world.left() == []


def test_an_edited_attempt_is_not_believed(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()
    (path,) = (world.root / attempts.FOLDER).glob("*.json")
    path.write_text(path.read_text().replace('"before": "1"', '"before": "0"'))
    assert world.apply().recovered == ()
    assert world.records() == {FIRST: ("1", "2")}


def test_an_attempt_under_other_rules_is_not_believed(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    (path,) = (world.root / attempts.FOLDER).glob("*.json")
    told = json.loads(path.read_text())
    told["rulesVersion"] += 1
    del told["digest"]
    path.write_text(json.dumps({**told, "digest": digest(told)}))
    assert attempts.read(world.root) == ()


class NoRecords(RealFiles):
    """A disk on which no record finds room."""

    def create(self, path: Path, mode: int) -> int:
        if records.FOLDER in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().create(path, mode)


def test_what_could_not_be_recorded_is_not_forgotten(world: World) -> None:
    world.ask(FIRST, "CT")
    applied = world.apply(files=NoRecords())
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED]
    assert applied.problems
    assert world.left() == [f"research-{FIRST}-1.json"]
    world.apply()
    assert world.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert world.left() == []


def test_what_was_recorded_by_a_run_that_nobody_killed_is_not_recovered(world: World) -> None:
    """Its study-wide call converged, and a later call of the same action was a conflict."""
    world.ask(FIRST, "CT", LONG + "1")

    def theirs() -> None:
        world.service.foreign(FIRST, lambda raw: raw["Patient"]["DICOM"].update(PatientSex="O"))

    plan = world.plan()
    assert len(plan.steps) == 2
    world.service.inject("GetImageSetMetadata", theirs, when="after", image_set_id=SECOND)
    assert [one.result for one in world.apply(plan).outcomes][1] is Result.CONFLICT
    assert world.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert world.apply().recovered == ()


def test_an_older_plan_forgets_nothing_that_a_later_run_has_attempted(world: World) -> None:
    world.ask(OWN, "CHEST")  # as it is
    old = world.plan()
    assert [one.status for one in old.actions] == [Status.CONVERGED]
    world.ask(OWN, "CT")
    world.killed()
    world.service.calm()
    world.apply(old)
    assert len(world.left()) == 1
    world.apply()
    assert world.records()[OWN] == ("1", "2")
    assert world.left() == []


def test_while_another_apply_is_at_it_its_attempts_are_its_own(world: World) -> None:
    world.ask(FIRST, "CT")
    world.killed()
    world.service.calm()
    handle = os.open(world.root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        (path,) = (world.root / attempts.FOLDER).glob("*.json")
        before = path.read_bytes()
        assert world.apply().recovered == ()
        assert path.read_bytes() == before
    finally:
        os.close(handle)
    assert len(world.apply().recovered) == 1


def test_of_three_applies_the_last_sees_the_second_when_the_first_has_ended(world: World) -> None:
    with ExitStack() as second:
        with attempts.under_way(world.root) as left:
            assert left == ()
            assert second.enter_context(attempts.under_way(world.root)) is None
        with attempts.under_way(world.root) as left:
            assert left is None
    with attempts.under_way(world.root) as left:
        assert left == ()


def test_where_there_is_no_lock_to_be_had_nobody_is_known_to_be_at_it(tmp_path: Path) -> None:
    with attempts.under_way(tmp_path / "missing") as left:
        assert left == ()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "{", '{"kind": "Attempt", "rulesVersion": 0, "members": []}'],
    ids=["empty", "list", "nothing", "torn", "other-rules"],
)
def test_a_file_that_says_nothing_is_taken_away(world: World, text: str) -> None:
    world.ask(OWN, "CT")
    (world.root / attempts.FOLDER).mkdir(parents=True)
    (world.root / attempts.FOLDER / "any.json").write_text(text)
    (world.root / attempts.FOLDER / ".any.json.4000000000-0123abcd.tmp").write_text("{")
    assert not world.apply().problems
    assert world.left() == []


def _row(**other: object) -> str:
    """Attempts at an image set that no plan is about; the second is not as we write it."""
    good: dict[str, object] = {"imageSetId": "f" * 32, "before": "1", "versions": {"2": "x"}}
    good |= {"asked": [], "askDigest": ""}
    content = {"kind": attempts.KIND, "rulesVersion": RULES_VERSION, "datastoreId": DATASTORE_ID}
    return _sealed({**content, "members": [good, {**good, **other}]})


@pytest.mark.parametrize(
    "other",
    [
        {"imageSetId": 7},
        {"imageSetId": ["f" * 32]},
        {"before": None},
        {"before": "one"},
        {"versions": {}},
        {"versions": {"two": "x"}},
        {"versions": {"2": {"x": 1}}},
        {"versions": ["2"]},
        {"asked": 7},
        {"asked": [["x"]]},
        {"askDigest": None},
        {"askDigest": {}},
    ],
    ids=str,
)
def test_a_file_of_other_types_says_nothing(world: World, other: dict[str, object]) -> None:
    """If it were read, no plan or apply would work until a person removed it."""
    world.ask(OWN, "CT")
    (world.root / attempts.FOLDER).mkdir(parents=True)
    (world.root / attempts.FOLDER / "any.json").write_text(_row(**other))
    assert attempts.read(world.root) == ()
    assert not world.apply().problems
    assert world.left() == []


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_not_waited_for(world: World, make: Callable[[Path], None]) -> None:
    world.ask(OWN, "CT")
    (world.root / attempts.FOLDER).mkdir(parents=True)
    make(world.root / attempts.FOLDER / "any.json")
    assert attempts.read(world.root) == ()
    assert not world.apply().problems
    assert world.records() == {OWN: ("1", "2")}


@pytest.mark.parametrize("target", ["/dev/zero", "any.json", "other.json"])
def test_a_link_is_refused_before_anything_is_sent(world: World, target: str) -> None:
    world.ask(OWN, "CT")
    (world.root / attempts.FOLDER).mkdir(parents=True)
    (world.root / attempts.FOLDER / "any.json").symlink_to(target)
    with pytest.raises(LinkError, match=r"attempts/any\.json is a symbolic link"):
        world.apply()
    assert world.records() == {}


def _many(world: World) -> None:
    for number in range(9):
        content = json.loads(_row())
        content["members"] = [{**content["members"][0], "imageSetId": f"{number:032}"}]
        path = world.root / attempts.FOLDER / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_sealed(content))


def _sealed(content: dict[str, Any]) -> str:
    """The text of an attempt with the digest that stands over it."""
    told = {name: value for name, value in content.items() if name != "digest"}
    return json.dumps({**told, "digest": digest(told)})


def test_many_attempts_do_not_keep_a_stop_waiting(world: World) -> None:
    world.ask(OWN, "CT")
    plan = world.plan()
    _many(world)
    looks: list[str] = []
    world.service.inject("GetImageSet", lambda: looks.append("look"), times=99)
    world.apply(plan, stop=lambda: len(looks) == 2)
    assert len(looks) == 2
    assert len(world.left()) == 7


def test_many_attempts_of_a_slow_service_keep_nobody_waiting(world: World) -> None:
    world.ask(OWN, "CT")
    plan = world.plan()
    _many(world)
    for number in range(9):
        world.service.inject(
            "GetImageSet", lambda: world.service.clock.sleep(25.0), image_set_id=f"{number:032}"
        )
    world.apply(plan)
    assert world.records() == {OWN: ("1", "2")}
    assert len(world.left()) == 6
    world.apply()
    world.apply()
    assert world.left() == []


def test_every_broken_file_says_nothing(world: World) -> None:
    """Whatever byte is missing or other: it is read, or it is not, and nothing is raised."""
    world.ask(FIRST, "CT")
    world.killed()
    (path,) = (world.root / attempts.FOLDER).glob("*")
    whole = path.read_bytes()
    meant = attempts.read(world.root)
    assert len(meant) == 2
    for place in range(len(whole)):
        for torn in (whole[:place], whole[:place] + b"7" + whole[place + 1 :]):
            path.write_bytes(torn)
            assert attempts.read(world.root) in ((), meant)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("first", range(1, 16))
def test_what_cannot_be_written_down_is_not_sent(world: World, error: str, first: int) -> None:
    """At every call that writes before the first is sent: folders, .gitignore, the file."""
    keys.make(world.root)
    world.ask(OWN, "CT")
    applied = world.apply(files=FaultyFiles(first, failing(ERRORS[error])))
    assert world.service.sent == []
    (outcome,) = applied.outcomes
    assert (outcome.result, outcome.message) == (
        Result.NOT_ATTEMPTED,
        "not sent: records cannot be written",
    )
    (problem,) = applied.problems
    assert isinstance(problem, RecordError)
    where = (
        f"records/{DATASTORE_ID}" if first == 1 else f".reconcile/attempts/research-{OWN}-1.json"
    )
    assert _short(problem.message).startswith(f"{where}: cannot be written (")
    assert "run the command again" in problem.hint


# --- recover: a look at one attempt --------------------------------------------------------------


def _attempt(world: World) -> tuple[Action, Attempt]:
    world.ask(OWN, "CT", LONG + "1", LONG + "2")
    (action,) = world.plan().actions
    attempts.begin(world.root, action, KEY)
    (attempt,) = attempts.read(world.root)
    assert [version for version, _ in attempt.versions] == ["2", "3"]
    return action, attempt


def _sent(count: int) -> Callable[[World, Action], None]:
    def send(world: World, action: Action) -> None:
        for step in action.steps[:count]:
            world.service.update(step)
            world.service.clock.sleep(60.0)

    return send


def _locked(world: World, action: Action) -> None:
    world.service.update(action.steps[0])


def _failed(world: World, action: Action) -> None:
    _sent(1)(world, action)
    world.service.fail_update("no")
    world.service.update(action.steps[1])
    world.service.clock.sleep(60.0)


def _foreign(world: World, action: Action) -> None:
    _sent(1)(world, action)
    _write(world)


def _write(world: World) -> None:
    world.service.foreign(OWN, lambda raw: raw["Patient"]["DICOM"].update(PatientComments="x"))


def _landed_and_moved_on(world: World, action: Action) -> None:
    _sent(2)(world, action)
    _write(world)


def _gone(world: World, action: Action) -> None:
    world.service.delete(OWN)


@pytest.mark.parametrize(
    ("happened", "end"),
    [
        (_sent(0), End.OVER),
        (_locked, End.UNDER_WAY),
        (_sent(1), End.PARTLY),
        (_sent(2), End.LANDED),
        (_landed_and_moved_on, End.LANDED),
        (_failed, End.OVER),
        (_foreign, End.OVER),
        (_gone, End.OVER),
    ],
    ids=[
        "never-sent",
        "locked",
        "one-of-two",
        "landed",
        "landed-and-moved-on",
        "failed",
        "somebody-else",
        "gone",
    ],
)
def test_how_far_an_attempt_got(
    world: World, happened: Callable[[World, Action], None], end: End
) -> None:
    action, attempt = _attempt(world)
    happened(world, action)
    found = recover(world.service, attempt)
    assert found.end is end
    landed = found.landed
    if end is End.LANDED:
        assert isinstance(landed, Landed)
        assert (landed.previous_version_id, landed.version_id) == ("1", "3")
    else:
        assert landed is None
