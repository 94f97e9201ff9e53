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
    from tests.contract.stores import ContractStore

UPDATE = "UpdateImageSetMetadata"


def described(store: ContractStore, name: str, value: str) -> dict[str, Any]:
    raw: dict[str, Any] = copy.deepcopy(store.port.metadata(name, "1").raw)
    raw["Study"]["DICOM"]["StudyDescription"] = value
    return raw


def action(store: ContractStore, name: str, *values: str) -> Action:
    """One step per value, each pinned to the version that the step before produces."""
    steps = tuple(
        Step(
            store.datastore_id,
            name,
            str(number),
            ((name, content_digest(Document(described(store, name, value)))),),
            updatable=json.dumps({"Study": {"DICOM": {"StudyDescription": value}}}),
        )
        for number, value in enumerate(values, start=1)
    )
    read = store.port.get(name, "1")
    member = Member(name, "1", updated_at=read.updated_at, created_at=read.created_at)
    return Action("research", store.datastore_id, Status.UPDATE, (member,), steps=steps)


def run(store: ContractStore, *actions: Action) -> list[Outcome]:
    buckets = Buckets({UPDATE: Quota(0.25, 1), "GetImageSet": Quota(25, 50)}, store.clock)
    events = apply(
        Plan(Basis("", 1), actions),
        {"research": Paced(store.port, buckets)},
        Run(store.clock, NEVER, Bounds(concurrency=6)),
        Options(lock_timeout=900.0),
    )
    return [event for event in events if isinstance(event, Outcome)]


def test_many_image_sets_converge_at_the_quota_and_again_without_a_write(
    store: ContractStore,
) -> None:
    names = store.put_all([store.document(number) for number in range(1, 13)])
    actions = [action(store, name, "ONE", "TWO") for name in names]
    began = store.clock.now()
    first = run(store, *actions)
    assert [one.result for one in first] == [Result.CONVERGED] * 24
    assert store.clock.now() - began >= 23 * 4
    again = run(store, *actions)
    assert [one.result for one in again] == [Result.ALREADY_CONVERGED] * 24
    assert {store.port.get(name).version_id for name in names} == {"3"}


def test_one_conflict_stops_nobody_else(store: ContractStore) -> None:
    names = store.put_all([store.document(number) for number in range(1, 4)])
    actions = [action(store, name, "PLANNED") for name in names]
    foreign = json.dumps({"Study": {"DICOM": {"StudyDescription": "FOREIGN"}}})
    store.update(names[1], updatable=foreign)
    results = {one.step.image_set_id: one.result for one in run(store, *actions)}
    assert results == {
        names[0]: Result.CONVERGED,
        names[1]: Result.CONFLICT,
        names[2]: Result.CONVERGED,
    }
    live = store.port.metadata(names[1], "2").raw["Study"]
    assert isinstance(live, dict) and live["DICOM"]["StudyDescription"] == "FOREIGN"  # type: ignore[index, call-overload]
