"""Apply, with the real content digest and the real pacing, against either service."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from reconciler.apply import apply
from reconciler.dicom.content import content_digest
from reconciler.model.bounds import Bounds
from reconciler.model.outcome import Outcome, Result
from reconciler.model.plan import Action, Basis, Member, Plan, Status, Step
from reconciler.model.settings import Quota
from reconciler.model.value import Document
from reconciler.pace import Buckets, Paced
from tests.documents import document

if TYPE_CHECKING:
    from tests.contract.conftest import World

NAMES = tuple(f"{number:032x}" for number in range(12))
UPDATE = "UpdateImageSetMetadata"


def described(name: str, value: str) -> dict[str, Any]:
    raw = copy.deepcopy(document(image_set_id=name))
    raw["Study"]["DICOM"]["StudyDescription"] = value
    return raw


def action(world: World, name: str, *values: str) -> Action:
    """One step per value, each pinned to what the step before produces."""
    steps = tuple(
        Step(
            world.datastore_id,
            name,
            str(number),
            ((name, content_digest(Document(described(name, value)))),),
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
        world.clock,
        content_digest,
        bounds=Bounds(concurrency=6),
        lock_timeout=900.0,
    )
    return [event for event in events if isinstance(event, Outcome)]


def test_many_image_sets_converge_at_the_quota_and_again_without_a_write(world: World) -> None:
    for name in NAMES:
        world.put(document(image_set_id=name))
    actions = [action(world, name, "ONE", "TWO") for name in NAMES]
    began = world.clock.now()
    first = run(world, *actions)
    assert [one.result for one in first] == [Result.CONVERGED] * 24
    assert world.clock.now() - began >= 23 * 4
    again = run(world, *actions)
    assert [one.result for one in again] == [Result.ALREADY_CONVERGED] * 24
    assert {world.port.get(name).version_id for name in NAMES} == {"3"}


def test_one_conflict_stops_nobody_else(world: World) -> None:
    for name in NAMES[:3]:
        world.put(document(image_set_id=name))
    actions = [action(world, name, "PLANNED") for name in NAMES[:3]]
    foreign = json.dumps({"Study": {"DICOM": {"StudyDescription": "FOREIGN"}}})
    world.update(NAMES[1], updatable=foreign)
    results = {one.step.image_set_id: one.result for one in run(world, *actions)}
    assert results == {
        NAMES[0]: Result.CONVERGED,
        NAMES[1]: Result.CONFLICT,
        NAMES[2]: Result.CONVERGED,
    }
    live = world.port.metadata(NAMES[1], "2").raw["Study"]
    assert isinstance(live, dict) and live["DICOM"]["StudyDescription"] == "FOREIGN"  # type: ignore[index, call-overload]
