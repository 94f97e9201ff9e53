"""Apply, with the real content digest and the real pacing, against either service."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from reconciler.apply import apply
from reconciler.apply.run import NEVER, Run
from reconciler.apply.step import Options
from reconciler.core.dicom.content import content_digest
from reconciler.core.model.bounds import Bounds
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Action, Basis, Member, Plan, Status, Step
from reconciler.core.model.settings import Quota
from reconciler.core.model.value import Document
from reconciler.edges.quotas import Buckets, Paced

if TYPE_CHECKING:
    from tests.contract.worlds import World

UPDATE = "UpdateImageSetMetadata"


def described(world: World, name: str, value: str) -> dict[str, Any]:
    raw: dict[str, Any] = copy.deepcopy(world.port.metadata(name, "1").raw)
    raw["Study"]["DICOM"]["StudyDescription"] = value
    return raw


def action(world: World, name: str, *values: str) -> Action:
    """One step per value, each pinned to the version that the step before produces."""
    steps = tuple(
        Step(
            world.datastore_id,
            name,
            str(number),
            ((name, content_digest(Document(described(world, name, value)))),),
            updatable=json.dumps({"Study": {"DICOM": {"StudyDescription": value}}}),
        )
        for number, value in enumerate(values, start=1)
    )
    return Action("research", world.datastore_id, Status.UPDATE, (Member(name, "1"),), steps=steps)


def run(world: World, *actions: Action) -> list[Outcome]:
    buckets = Buckets({UPDATE: Quota(0.25, 1), "GetImageSet": Quota(25, 50)}, world.clock)
    events = apply(
        Plan(Basis("", 1), actions),
        {"research": Paced(world.port, buckets)},
        Run(world.clock, NEVER, Bounds(concurrency=6)),
        Options(lock_timeout=900.0),
    )
    return [event for event in events if isinstance(event, Outcome)]


def test_many_image_sets_converge_at_the_quota_and_again_without_a_write(world: World) -> None:
    names = world.put_all([world.document(number) for number in range(1, 13)])
    actions = [action(world, name, "ONE", "TWO") for name in names]
    began = world.clock.now()
    first = run(world, *actions)
    assert [one.result for one in first] == [Result.CONVERGED] * 24
    assert world.clock.now() - began >= 23 * 4
    again = run(world, *actions)
    assert [one.result for one in again] == [Result.ALREADY_CONVERGED] * 24
    assert {world.port.get(name).version_id for name in names} == {"3"}


def test_one_conflict_stops_nobody_else(world: World) -> None:
    names = world.put_all([world.document(number) for number in range(1, 4)])
    actions = [action(world, name, "PLANNED") for name in names]
    foreign = json.dumps({"Study": {"DICOM": {"StudyDescription": "FOREIGN"}}})
    world.update(names[1], updatable=foreign)
    results = {one.step.image_set_id: one.result for one in run(world, *actions)}
    assert results == {
        names[0]: Result.CONVERGED,
        names[1]: Result.CONFLICT,
        names[2]: Result.CONVERGED,
    }
    live = world.port.metadata(names[1], "2").raw["Study"]
    assert isinstance(live, dict) and live["DICOM"]["StudyDescription"] == "FOREIGN"  # type: ignore[index, call-overload]
