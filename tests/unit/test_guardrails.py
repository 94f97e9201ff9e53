"""More than a guardrail allows holds everything back; up to it nothing."""

from __future__ import annotations

import pytest

from reconciler.core.model.address import STUDY, instance_at, series_at
from reconciler.core.model.change import Change, Op
from reconciler.core.model.plan import Action, Member, Status, Step
from reconciler.core.model.settings import Guardrails
from reconciler.core.plan.guardrails import guarded

IDS = [f"{number:032x}" for number in range(12)]


def moving(image_set_id: str, op: Op = Op.UPDATE) -> Action:
    place = {
        Op.REMOVE_INSTANCE: instance_at("1.2", "1.3"),
        Op.REMOVE_SERIES: series_at("1.2"),
    }.get(op, STUDY)
    return Action(
        "research",
        "0" * 32,
        Status.UPDATE,
        (Member(image_set_id, "1"),),
        changes=(Change(image_set_id, op, place, "", None, "", None, None),),
        steps=(Step("0" * 32, image_set_id, "1", ((image_set_id, "sha256:1"),)),),
    )


@pytest.mark.parametrize(
    ("rails", "actions", "recorded", "told"),
    [
        (Guardrails(), [moving(one, Op.REMOVE_SERIES) for one in IDS], IDS, ""),
        (Guardrails(image_sets=2), [moving(one) for one in IDS[:2]], IDS, ""),
        (
            Guardrails(image_sets=2),
            [moving(one) for one in IDS[:3]],
            [],
            "3 image sets would change, more than `guardrails: {imageSets: 2}` allows",
        ),
        (Guardrails(percent=25), [moving(one) for one in IDS[:3]], IDS, ""),
        (
            Guardrails(percent=25),
            [moving(one) for one in IDS[:4]],
            IDS,
            "4 of 12 recorded image sets would change, more than `guardrails: {percent: 25}` "
            "allows",
        ),
        (Guardrails(percent=25), [moving(one) for one in IDS[:9]], IDS[:9], ""),
        (Guardrails(removed_instances=1), [moving(IDS[0], Op.REMOVE_INSTANCE)], [], ""),
        (
            Guardrails(removed_instances=1),
            [moving(one, Op.REMOVE_INSTANCE) for one in IDS[:2]],
            [],
            "2 instances or series would be removed, "
            "more than `guardrails: {removedInstances: 1}` allows",
        ),
        (
            Guardrails(removed_instances=1),
            [moving(IDS[0], Op.REMOVE_SERIES)],
            [],
            "1 instances or series would be removed, "
            "more than `guardrails: {removedInstances: 1}` allows",
        ),
    ],
)
def test_guardrail(
    rails: Guardrails, actions: list[Action], recorded: list[str], told: str
) -> None:
    result = guarded(actions, rails, recorded)
    if not told:
        assert result == tuple(actions)
        return
    for action in result:
        assert (action.status, action.steps) == (Status.BLOCKED, ())
        assert [block.message for block in action.blocks] == [told]


def test_what_does_not_run_anyway_is_left_as_it_is() -> None:
    still = Action("research", "0" * 32, Status.CONVERGED, (Member(IDS[5], "1"),))
    result = guarded([moving(IDS[0]), still], Guardrails(image_sets=0), [])
    assert result[1] == still
    assert result[0].status is Status.BLOCKED
