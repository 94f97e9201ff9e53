"""The next apply finds what a killed apply was doing, by content alone."""

from __future__ import annotations

import errno
import fcntl
import itertools
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
    NotFoundError,
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
from reconciler.pipeline.at_rest import BUSY_PATIENCE
from tests.documents import DATASTORE_ID, KEY, document, instance, series
from tests.entries import put
from tests.fakes import FakeClock, FakeImageSets, StopWhen, never
from tests.faulty_files import ERRORS, FaultyFiles, failing

FIRST, SECOND, OWN = (letter * 32 for letter in "abc")
UPDATE = "UpdateImageSetMetadata"
LONG = "x" * 200


class KilledError(BaseException):
    """Stands for SIGKILL: none of our code catches it."""


class AskedStudy:
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
def study(tmp_path: Path) -> AskedStudy:
    return AskedStudy(tmp_path / "study")


def test_what_is_written_down_is_private_whole_and_without_a_value(study: AskedStudy) -> None:
    study.ask(FIRST, "CT SECRET")
    seen = []

    def look() -> None:
        (path,) = (study.root / attempts.FOLDER).glob("*")
        seen.append((path.name, path.read_text(), stat.S_IMODE(path.stat().st_mode)))

    study.service.inject(UPDATE, look)
    assert not study.apply().problems
    ((name, text, mode),) = seen
    assert (_short(name), mode) == (f"research-{FIRST}-1.json", 0o600)
    content = json.loads(text)
    assert [row["imageSetId"] for row in content["members"]] == [FIRST, SECOND]
    assert content["members"][0]["asked"] == ["Study/StudyDescription"]
    assert [list(row["versions"]) for row in content["members"]] == [["2"], ["2"]]
    assert "SECRET" not in text
    assert study.left() == []


def test_a_sibling_that_a_killed_run_moved_is_recorded_by_the_next(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    assert study.records() == {FIRST: ("", "1"), SECOND: ("", "1")}
    study.service.calm()
    applied = study.apply()
    assert applied.outcomes == ()
    assert [(one.image_set_id, one.version_id) for one in applied.recovered] == [(SECOND, "2")]
    assert study.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert study.left() == []
    assert len(study.service.landed) == 1


def test_a_sibling_that_is_still_locked_is_waited_for(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    study.service.lock(SECOND, 30.0)
    assert len(study.apply().recovered) == 1
    assert study.records()[SECOND] == ("1", "2")


def test_one_that_the_service_does_not_tell_of_is_left_to_the_next_run(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()

    def fail() -> None:
        raise NoAnswerError("gone")

    study.service.inject("GetImageSet", fail, image_set_id=SECOND, times=99)
    assert study.apply().recovered == ()
    assert study.left() == [f"research-{FIRST}-1.json"]
    study.service.calm()
    assert len(study.apply().recovered) == 1


def test_one_that_stays_locked_is_left_to_the_next_run(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    study.service.lock(SECOND, 10_000.0)
    assert study.apply().recovered == ()
    assert study.left() == [f"research-{FIRST}-1.json"]
    study.service.calm()
    assert len(study.apply().recovered) == 1
    assert study.left() == []


def _content_of_sibling_comes_late(study: AskedStudy, *, seconds: float) -> None:
    """The content of the version that the killed run made cannot be read before that."""
    ready = study.service.clock.now() + seconds

    def late() -> None:
        if study.service.clock.now() < ready:
            raise NotFoundError("no metadata yet")

    study.service.inject("GetImageSetMetadata", late, image_set_id=SECOND, times=99)


def test_content_of_one_that_comes_late_is_read_again(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    _content_of_sibling_comes_late(study, seconds=3.0)
    assert [one.image_set_id for one in study.apply().recovered] == [SECOND]
    assert study.records()[SECOND] == ("1", "2")


def test_one_that_is_unlike_what_was_meant_at_the_second_look_is_over(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    _content_of_sibling_comes_late(study, seconds=10_000.0)
    began = study.service.clock.now()
    assert study.apply().recovered == ()
    assert study.left() == []
    assert study.service.clock.now() < began + 20.0


def test_waiting_for_one_has_an_end_where_the_run_has_one(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    study.service.lock(SECOND, 10_000.0)
    begun = study.service.clock.now()
    assert study.apply(bounds=Bounds(deadline=begun + 5.0)).recovered == ()
    assert study.service.clock.now() < begun + 10.0


def test_the_version_before_is_that_before_the_killed_run(study: AskedStudy) -> None:
    """Also when it is killed again, and again."""
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    for _ in range(3):
        study.killed()
        study.service.calm()
    assert study.service.version(FIRST) == "4"
    study.apply()
    assert study.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert study.left() == []


def test_nor_does_it_change_where_another_ask_went_on_and_was_killed_too(study: AskedStudy) -> None:
    study.ask(OWN, "CT", LONG + "1", LONG + "2")
    study.killed()
    study.service.calm()
    study.ask(OWN, "MR", LONG + "1", LONG + "3")
    study.killed()
    study.service.calm()
    study.apply()
    assert study.records() == {OWN: ("1", "3")}


def test_a_saved_plan_keeps_the_version_before(study: AskedStudy) -> None:
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    study.killed()
    study.service.calm()
    saved = loads(dumps(study.plan()))
    (action,) = saved.actions
    assert [(one.pin, one.before) for one in action.members] == [("2", "1")]
    study.apply(saved)
    assert study.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}


def test_a_run_that_was_stopped_half_way_is_gone_on_with(study: AskedStudy) -> None:
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    applied = study.apply(stop=lambda: bool(study.service.landed))
    assert [one.result for one in applied.outcomes] == [
        Result.CONVERGED,
        Result.NOT_ATTEMPTED,
        Result.NOT_ATTEMPTED,
    ]
    study.apply()
    assert study.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert study.left() == []


def test_a_run_that_is_stopped_before_it_goes_on_forgets_nothing(study: AskedStudy) -> None:
    study.ask(OWN, "CT", LONG + "1", LONG + "2")
    study.killed()
    study.service.calm()
    applied = study.apply(stop=lambda: True)
    assert {one.result for one in applied.outcomes} == {Result.NOT_ATTEMPTED}
    assert study.left() == [f"research-{OWN}-1.json"]
    study.apply()
    assert study.records() == {OWN: ("1", "3")}
    assert study.left() == []


def test_a_saved_plan_that_is_stopped_forgets_nothing(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    saved = study.plan()
    study.killed(plan=saved)
    study.service.calm()
    study.apply(saved, stop=lambda: True)
    study.apply()
    assert study.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert study.left() == []


@pytest.mark.parametrize(
    ("saved", "operation"),
    [(True, "GetImageSet"), (True, UPDATE), (False, UPDATE)],
    ids=["saved-read", "saved-write", "anew-write"],
)
def test_credentials_that_expire_make_nothing_forgotten(
    study: AskedStudy, saved: bool, operation: str
) -> None:
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    plan = study.plan()
    study.killed(plan=plan)
    study.service.calm()
    again = plan if saved else study.plan()
    study.service.fail(operation, CredentialsError("expired"))
    assert Result.FAILED in {one.result for one in study.apply(again).outcomes}
    study.service.calm()
    study.apply()
    assert study.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert study.left() == []


def test_what_moved_in_a_conflict_is_recorded_by_the_next_run(study: AskedStudy) -> None:
    """Another process wrote to the sibling between our read and our call, which changed both."""
    study.ask(FIRST, "CT")

    def write() -> None:
        change = {"PatientComments": "theirs"}
        study.service.foreign(SECOND, lambda raw: raw["Patient"]["DICOM"].update(change))

    study.service.inject(UPDATE, write)
    (outcome,) = study.apply().outcomes
    assert outcome.result is Result.CONFLICT
    study.service.calm()
    study.apply()
    assert study.records()[FIRST] == ("1", "2")


def test_another_plan_of_the_same_version_hides_no_attempt(study: AskedStudy) -> None:
    """An older saved plan after a kill: it conflicts, and the sibling is recorded all the same."""
    study.ask(FIRST, "one")
    older = study.plan()
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    study.killed()
    study.service.calm()
    assert study.apply(older).outcomes[0].result is Result.CONFLICT
    study.apply()
    assert study.records() == {FIRST: ("1", "4"), SECOND: ("1", "2")}
    assert study.left() == []


def test_what_is_recorded_is_recovered_once(study: AskedStudy) -> None:
    """Though an image set of the same study stays half way."""
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    study.killed()
    study.service.calm()
    study.ask(OWN, "CT")
    path = study.root / "manifests" / f"{OWN}.yaml"
    assert [one.image_set_id for one in study.apply(study.plan(path)).recovered] == [SECOND]
    assert study.apply(study.plan(path)).recovered == ()
    assert [one.image_set_id for one in attempts.read(study.root)] == [FIRST]
    study.apply()
    assert study.records()[FIRST] == ("1", "4")


def test_what_several_killed_runs_have_made_is_recovered_as_one(study: AskedStudy) -> None:
    study.ask(OWN, "CT", LONG + "1", LONG + "2")
    for _ in range(2):
        study.killed()
        study.service.calm()
    study.ask(FIRST, "CT")
    study.apply(study.plan(study.root / "manifests" / f"{FIRST}.yaml"))
    assert study.records()[OWN] == ("1", "3")


def test_an_attempt_that_came_to_nothing_takes_no_other_away(study: AskedStudy) -> None:
    study.ask(FIRST, "one")
    study.killed(when="before")
    study.service.calm()
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    study.killed()
    study.service.calm()
    study.ask(OWN, "CT")
    study.apply(study.plan(study.root / "manifests" / f"{OWN}.yaml"))
    study.apply()
    assert study.records() == {FIRST: ("1", "4"), SECOND: ("1", "2"), OWN: ("1", "2")}
    assert study.left() == []


def test_nothing_is_left_after_a_conflict(study: AskedStudy) -> None:
    study.ask(OWN, "CT")
    plan = study.plan()
    study.service.foreign(OWN, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="MR"))
    (outcome,) = study.apply(plan).outcomes
    assert outcome.result is Result.CONFLICT
    assert study.left() == []


def test_consent_to_overwrite_drift_holds_after_a_kill_between_two_calls(study: AskedStudy) -> None:
    study.ask(OWN, "CT", LONG + "1", LONG + "2")
    study.apply()

    def theirs(raw: dict[str, Any]) -> None:
        for block in raw["Study"]["Series"][f"1.2.{ord(OWN[0])}"]["Instances"].values():
            block["DICOM"]["ImageComments"] = "theirs"

    study.service.foreign(OWN, theirs)
    consent = f"OVERWRITES_DRIFT@{study.service.version(OWN)}"
    study.ask(OWN, "CT", LONG + "1", LONG + "2", allow=[consent])
    study.killed()
    study.service.calm()
    (action,) = study.plan().actions
    assert action.status is Status.DRIFTED
    assert [change.drifted for change in action.changes] == [True]
    assert [one.result for one in study.apply().outcomes] == [Result.CONVERGED]


def test_an_unresolved_end_is_found_by_the_next_run(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.service.fail(UPDATE, NoAnswerError("gone"), when="after")
    applied = study.apply(abandon=lambda: bool(study.service.landed))
    assert [one.result for one in applied.outcomes] == [Result.UNRESOLVED]
    # The version that the action was planned for.
    assert study.records() == {FIRST: ("", "1"), SECOND: ("", "1")}
    study.service.calm()
    study.apply()
    assert study.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert study.left() == []


def test_what_a_killed_run_has_made_did_not_drift(study: AskedStudy) -> None:
    study.recorded_then_killed()
    study.ask(OWN, "three")
    (action,) = study.plan().actions
    assert action.status is Status.UPDATE
    study.apply()
    assert study.records()[OWN] == ("2", "4")


def test_an_attempt_proves_nothing_beside_an_entry_of_another_history(study: AskedStudy) -> None:
    """The image set was created at another time than the recorded one: not the one we knew."""
    study.recorded_then_killed()
    entry = records.read(study.root, DATASTORE_ID)[OWN]
    put(study.root, [replace(entry, created_at=1.0)])
    study.ask(OWN, "three")
    (action,) = study.plan().actions
    assert (action.status, action.steps) == (Status.DRIFTED, ())


def test_nor_did_it_where_somebody_wrote_something_else_since(study: AskedStudy) -> None:
    study.recorded_then_killed()
    study.service.foreign(OWN, lambda raw: raw["Patient"]["DICOM"].update(PatientComments="x"))
    study.ask(OWN, "three")
    (action,) = study.plan().actions
    assert action.status is Status.UPDATE
    study.apply()
    assert study.records()[OWN] == ("4", "5")


def test_another_ask_that_holds_already_keeps_the_version_before(study: AskedStudy) -> None:
    study.ask(OWN, "one")
    study.apply()
    study.ask(OWN, "one", "")  # empty is what it is
    (action,) = study.plan().actions
    assert (action.status, action.members[0].recorded) == (Status.CONVERGED, False)
    study.apply()
    assert study.records()[OWN] == ("1", "2")


def test_what_somebody_wrote_after_it_did(study: AskedStudy) -> None:
    study.recorded_then_killed()
    study.service.foreign(OWN, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="theirs"))
    study.ask(OWN, "three")
    (action,) = study.plan().actions
    assert action.status is Status.DRIFTED
    assert action.members[0].before == "4"


def test_what_somebody_else_made_of_the_same_version_is_not_ours(study: AskedStudy) -> None:
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    study.killed(when="before")
    for name in (FIRST, SECOND):
        study.service.foreign(name, lambda raw: raw["Patient"]["DICOM"].update(PatientComments="x"))
    (action,) = study.plan().actions
    assert {one.before for one in action.members} == {"2"}
    applied = study.apply()
    assert applied.recovered == ()
    assert study.records() == {FIRST: ("2", "5"), SECOND: ("2", "3")}
    assert study.left() == []


def test_what_somebody_else_made_of_a_version_that_was_meant_is_drift(study: AskedStudy) -> None:
    study.ask(OWN, "one")
    study.apply()
    study.ask(OWN, "two")
    study.killed(when="before")
    study.service.calm()
    study.described("theirs")
    assert [one.status for one in study.plan().actions] == [Status.DRIFTED]


def test_what_somebody_turned_back_to_an_earlier_version_of_ours_is_drift(
    study: AskedStudy,
) -> None:
    """The last of ours is what counts, and the tenth comes after the ninth."""
    for number in range(6):
        study.described(f"theirs {number}")
    study.ask(OWN, "one")
    study.apply()
    for text in ("two", "three"):
        study.ask(OWN, text)
        study.killed()
        study.service.calm()
    study.described("two")
    assert study.records() == {OWN: ("7", "8")}
    assert study.service.version(OWN) == "11"
    study.ask(OWN, "four")
    assert [one.status for one in study.plan().actions] == [Status.DRIFTED]


def test_an_attempt_that_is_recorded_is_of_no_use_any_more(study: AskedStudy) -> None:
    study.ask(OWN, "one")
    study.killed()
    study.service.calm()
    path, attempt = study.begun()
    study.apply()
    path.write_bytes(attempt)
    study.ask(OWN, "two")
    study.apply()
    assert study.records() == {OWN: ("2", "3")}
    path.write_bytes(attempt)
    study.described("one")
    study.ask(OWN, "three")
    assert [one.status for one in study.plan().actions] == [Status.DRIFTED]


@pytest.mark.parametrize("is_killed", [True, False])
def test_another_data_store_of_the_same_name_is_another(study: AskedStudy, is_killed: bool) -> None:
    study.ask(OWN, "CT")
    if is_killed:
        study.killed()
        study.service.calm()
    else:
        study.apply()
    (store,) = study.settings.datastores
    other = replace(store, datastore_id="f" * 32)
    study.settings = replace(study.settings, datastores=(other,))
    (action,) = study.plan().actions
    (member,) = action.members
    assert (member.before, member.pin, member.recorded) == ("2", "2", False)


def _opening(study: AskedStudy) -> pipeline.Opening:
    return pipeline.Opening(study.settings, lambda: pipeline.check(study.settings))


@pytest.mark.parametrize(
    ("seconds", "status"), [(30.0, Status.UPDATE), (10_000.0, Status.BUSY)], ids=["ends", "stays"]
)
def test_what_is_locked_is_waited_for_before_it_is_planned(
    study: AskedStudy, seconds: float, status: Status
) -> None:
    study.ask(OWN, "CT")
    study.service.lock(OWN, seconds)
    waits: list[tuple[int, float]] = []

    class Waiting(Reporter):
        def waiting(self, image_sets: int, seconds: float) -> None:
            waits.append((image_sets, seconds))

    opening = _opening(study)
    _, planned = pipeline.plan_at_rest(study.settings, opening, study.edges(), reporter=Waiting())
    assert [one.status for one in planned.plan.actions] == [status]
    assert waits == [(1, BUSY_PATIENCE)]
    assert study.service.clock.now() < BUSY_PATIENCE + 10.0


def test_what_is_locked_again_by_the_next_step_of_another_run_is_waited_for_again(
    study: AskedStudy,
) -> None:
    study.ask(OWN, "CT")
    study.service.lock(OWN, 5.0)
    at_rest = itertools.count()

    def lock_again() -> None:
        """Between the end of the wait and the plan after it."""
        if study.service.clock.now() >= 5.0 and next(at_rest) == 1:
            study.service.lock(OWN, 5.0)

    study.service.inject("GetImageSet", lock_again, image_set_id=OWN, times=1_000)
    _, planned = pipeline.plan_at_rest(study.settings, _opening(study), study.edges())
    assert [one.status for one in planned.plan.actions] == [Status.UPDATE]
    assert next(at_rest) > 2


def test_a_plan_of_another_data_store_of_the_same_name_is_not_applied(study: AskedStudy) -> None:
    study.ask(OWN, "CT")
    plan = study.plan()
    (store,) = study.settings.datastores
    other = replace(store, datastore_id="f" * 32)
    study.settings = replace(study.settings, datastores=(other,))
    with pytest.raises(PlanFileError, match="data store research, which reconciler"):
        study.apply(plan)
    assert study.service.sent == []


def test_the_settings_say_how_long_an_update_may_take(study: AskedStudy) -> None:
    study.settings = replace(study.settings, lock_timeout_seconds=600.0)
    study.ask(OWN, "CT")
    study.service.inject(UPDATE, lambda: study.service.lock(OWN, 300.0), when="after")
    assert [one.result for one in study.apply().outcomes] == [Result.CONVERGED]


def test_what_no_manifest_asks_any_more_is_recovered_and_released(study: AskedStudy) -> None:
    study.recorded_then_killed()
    (study.root / "manifests" / f"{OWN}.yaml").unlink()
    study.ask(FIRST, "CT")
    assert [one.image_set_id for one in study.apply().recovered] == [OWN]
    entry = records.read(study.root, DATASTORE_ID)[OWN]
    assert (entry.version_id, entry.asked) == ("3", ())
    assert entry.released == (("Study/StudyDescription", "3"),)


def test_the_version_before_is_that_of_each_sibling_too(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    study.ask(FIRST, "MR")
    study.apply()
    assert study.records() == {FIRST: ("1", "3"), SECOND: ("1", "3")}


def test_what_was_begun_in_another_data_store_is_left_alone(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    other = Datastore("teaching", "f" * 32, "us-east-1", endpoint="http://fake")
    study.settings = replace(study.settings, datastores=(*study.settings.datastores, other))
    study.ask(OWN, "CT")
    path = study.root / "manifests" / f"{OWN}.yaml"
    path.write_text(path.read_text().replace("research", "teaching"))
    applied = study.apply(study.plan(path))
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED]
    assert applied.recovered == ()
    assert study.left() == [f"research-{FIRST}-1.json"]


def test_what_other_paths_have_begun_is_left_to_them(study: AskedStudy) -> None:
    study.ask(FIRST, "CT", LONG + "1", LONG + "2")
    study.killed()
    study.service.calm()
    study.ask(OWN, "CT")
    path = study.root / "manifests" / f"{OWN}.yaml"
    study.apply(study.plan(path))
    # The sibling has come to its end, its first member is half way.
    assert study.records() == {OWN: ("1", "2"), SECOND: ("1", "2"), FIRST: ("", "1")}
    assert study.left() == [f"research-{FIRST}-1.json"]
    study.apply()
    assert study.records()[FIRST] == ("1", "4")
    assert study.left() == []


def test_an_edited_attempt_is_not_believed(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    (path,) = (study.root / attempts.FOLDER).glob("*.json")
    path.write_text(path.read_text().replace('"before": "1"', '"before": "0"'))
    assert study.apply().recovered == ()
    assert study.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}


def test_an_attempt_under_other_rules_is_not_believed(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    (path,) = (study.root / attempts.FOLDER).glob("*.json")
    told = json.loads(path.read_text())
    told["rulesVersion"] += 1
    del told["digest"]
    path.write_text(json.dumps({**told, "digest": digest(told)}))
    assert attempts.read(study.root) == ()


class NoRecords(RealFiles):
    """A disk on which no record finds room."""

    def create(self, path: Path, mode: int) -> int:
        if records.FOLDER in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().create(path, mode)


def test_what_could_not_be_recorded_is_not_forgotten(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    applied = study.apply(files=NoRecords())
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED]
    assert applied.problems
    assert study.left() == [f"research-{FIRST}-1.json"]
    study.apply()
    assert study.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert study.left() == []


def test_what_was_recorded_by_a_run_that_nobody_killed_is_not_recovered(study: AskedStudy) -> None:
    """Its study-wide call converged, and a later call of the same action was a conflict."""
    study.ask(FIRST, "CT", LONG + "1")

    def theirs() -> None:
        study.service.foreign(FIRST, lambda raw: raw["Patient"]["DICOM"].update(PatientSex="O"))

    plan = study.plan()
    assert len(plan.steps) == 2
    study.service.inject("GetImageSetMetadata", theirs, when="after", image_set_id=SECOND)
    assert [one.result for one in study.apply(plan).outcomes][1] is Result.CONFLICT
    assert study.records() == {FIRST: ("1", "2"), SECOND: ("1", "2")}
    assert study.apply().recovered == ()


def test_an_older_plan_forgets_nothing_that_a_later_run_has_attempted(study: AskedStudy) -> None:
    study.ask(OWN, "CHEST")  # as it is
    old = study.plan()
    assert [one.status for one in old.actions] == [Status.CONVERGED]
    study.ask(OWN, "CT")
    study.killed()
    study.service.calm()
    study.apply(old)
    assert len(study.left()) == 1
    study.apply()
    assert study.records()[OWN] == ("1", "2")
    assert study.left() == []


def test_while_another_apply_is_at_it_its_attempts_are_its_own(study: AskedStudy) -> None:
    study.ask(FIRST, "CT")
    study.killed()
    study.service.calm()
    handle = os.open(study.root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        (path,) = (study.root / attempts.FOLDER).glob("*.json")
        before = path.read_bytes()
        assert study.apply().recovered == ()
        assert path.read_bytes() == before
    finally:
        os.close(handle)
    assert len(study.apply().recovered) == 1


def test_of_three_applies_the_last_sees_the_second_when_the_first_has_ended(
    study: AskedStudy,
) -> None:
    with ExitStack() as second:
        with attempts.under_way(study.root) as left:
            assert left == ()
            assert second.enter_context(attempts.under_way(study.root)) is None
        with attempts.under_way(study.root) as left:
            assert left is None
    with attempts.under_way(study.root) as left:
        assert left == ()


def test_where_there_is_no_lock_to_be_had_nobody_is_known_to_be_at_it(tmp_path: Path) -> None:
    with attempts.under_way(tmp_path / "missing") as left:
        assert left == ()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "{", '{"kind": "Attempt", "rulesVersion": 0, "members": []}'],
    ids=["empty", "list", "nothing", "torn", "other-rules"],
)
def test_a_file_that_says_nothing_is_taken_away(study: AskedStudy, text: str) -> None:
    study.ask(OWN, "CT")
    (study.root / attempts.FOLDER).mkdir(parents=True)
    (study.root / attempts.FOLDER / "any.json").write_text(text)
    (study.root / attempts.FOLDER / ".any.json.4000000000-0123abcd.tmp").write_text("{")
    assert not study.apply().problems
    assert study.left() == []


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
def test_a_file_of_other_types_says_nothing(study: AskedStudy, other: dict[str, object]) -> None:
    """If it were read, no plan or apply would work until a person removed it."""
    study.ask(OWN, "CT")
    (study.root / attempts.FOLDER).mkdir(parents=True)
    (study.root / attempts.FOLDER / "any.json").write_text(_row(**other))
    assert attempts.read(study.root) == ()
    assert not study.apply().problems
    assert study.left() == []


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir], ids=["pipe", "folder"])
def test_what_is_no_file_is_not_waited_for(study: AskedStudy, make: Callable[[Path], None]) -> None:
    study.ask(OWN, "CT")
    (study.root / attempts.FOLDER).mkdir(parents=True)
    make(study.root / attempts.FOLDER / "any.json")
    assert attempts.read(study.root) == ()
    assert not study.apply().problems
    assert study.records() == {OWN: ("1", "2")}


@pytest.mark.parametrize("target", ["/dev/zero", "any.json", "other.json"])
def test_a_link_is_refused_before_anything_is_sent(study: AskedStudy, target: str) -> None:
    study.ask(OWN, "CT")
    (study.root / attempts.FOLDER).mkdir(parents=True)
    (study.root / attempts.FOLDER / "any.json").symlink_to(target)
    with pytest.raises(LinkError, match=r"attempts/any\.json is a symbolic link"):
        study.apply()
    assert study.records() == {}


def _many(study: AskedStudy) -> None:
    for number in range(9):
        content = json.loads(_row())
        content["members"] = [{**content["members"][0], "imageSetId": f"{number:032}"}]
        path = study.root / attempts.FOLDER / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_sealed(content))


def _sealed(content: dict[str, Any]) -> str:
    """The text of an attempt with the digest that stands over it."""
    told = {name: value for name, value in content.items() if name != "digest"}
    return json.dumps({**told, "digest": digest(told)})


def test_many_attempts_do_not_keep_a_stop_waiting(study: AskedStudy) -> None:
    study.ask(OWN, "CT")
    plan = study.plan()
    _many(study)
    looks: list[str] = []
    study.service.inject("GetImageSet", lambda: looks.append("look"), times=99)
    study.apply(plan, stop=lambda: len(looks) == 2)
    assert len(looks) == 2
    assert len(study.left()) == 7


def test_many_attempts_of_a_slow_service_keep_nobody_waiting(study: AskedStudy) -> None:
    study.ask(OWN, "CT")
    plan = study.plan()
    _many(study)
    for number in range(9):
        study.service.inject(
            "GetImageSet", lambda: study.service.clock.sleep(25.0), image_set_id=f"{number:032}"
        )
    study.apply(plan)
    assert study.records() == {OWN: ("1", "2")}
    assert len(study.left()) == 6
    study.apply()
    study.apply()
    assert study.left() == []


def test_every_broken_file_says_nothing(study: AskedStudy) -> None:
    """Whatever byte is missing or other: it is read, or it is not, and nothing is raised."""
    study.ask(FIRST, "CT")
    study.killed()
    (path,) = (study.root / attempts.FOLDER).glob("*")
    whole = path.read_bytes()
    meant = attempts.read(study.root)
    assert len(meant) == 2
    for place in range(len(whole)):
        for torn in (whole[:place], whole[:place] + b"7" + whole[place + 1 :]):
            path.write_bytes(torn)
            assert attempts.read(study.root) in ((), meant)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("first", range(1, 16))
def test_what_cannot_be_written_down_is_not_sent(study: AskedStudy, error: str, first: int) -> None:
    """At every call that writes before the first is sent: folders, .gitignore, the file."""
    keys.make(study.root)
    study.ask(OWN, "CT")
    applied = study.apply(files=FaultyFiles(first, failing(ERRORS[error])))
    assert study.service.sent == []
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


def _attempt(study: AskedStudy) -> tuple[Action, Attempt]:
    study.ask(OWN, "CT", LONG + "1", LONG + "2")
    (action,) = study.plan().actions
    attempts.begin(study.root, action, KEY)
    (attempt,) = attempts.read(study.root)
    assert [version for version, _ in attempt.versions] == ["2", "3"]
    return action, attempt


def _sent(count: int) -> Callable[[AskedStudy, Action], None]:
    def send(study: AskedStudy, action: Action) -> None:
        for step in action.steps[:count]:
            study.service.update(step)
            study.service.clock.sleep(60.0)

    return send


def _locked(study: AskedStudy, action: Action) -> None:
    study.service.update(action.steps[0])


def _failed(study: AskedStudy, action: Action) -> None:
    _sent(1)(study, action)
    study.service.fail_update("no")
    study.service.update(action.steps[1])
    study.service.clock.sleep(60.0)


def _foreign(study: AskedStudy, action: Action) -> None:
    _sent(1)(study, action)
    _write(study)


def _write(study: AskedStudy) -> None:
    study.service.foreign(OWN, lambda raw: raw["Patient"]["DICOM"].update(PatientComments="x"))


def _landed_and_moved_on(study: AskedStudy, action: Action) -> None:
    _sent(2)(study, action)
    _write(study)


def _gone(study: AskedStudy, action: Action) -> None:
    study.service.delete(OWN)


@pytest.mark.parametrize(
    ("happened", "end"),
    [
        (_sent(0), End.OVER),
        (_locked, End.UNDER_WAY),
        (_sent(1), End.PARTLY),
        (_sent(2), End.LANDED),
        (_landed_and_moved_on, End.LANDED),
        (_failed, End.OVER),
        (_foreign, End.UNLIKE),
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
    study: AskedStudy, happened: Callable[[AskedStudy, Action], None], end: End
) -> None:
    action, attempt = _attempt(study)
    happened(study, action)
    found = recover(study.service, attempt)
    assert found.end is end
    landed = found.landed
    if end is End.LANDED:
        assert isinstance(landed, Landed)
        assert (landed.previous_version_id, landed.version_id) == ("1", "3")
    else:
        assert landed is None
