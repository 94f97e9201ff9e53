"""What an apply takes at the quotas, with study-wide calls and without them."""

from __future__ import annotations

import json

import pytest

from reconciler.core.model.plan import Basis, Estimate, Plan
from reconciler.core.model.settings import Redact
from reconciler.core.plan import eta_seconds, without_study_wide
from reconciler.core.plan.file import dumps, loads
from reconciler.core.review import review
from reconciler.render import text
from reconciler.render.html import page
from reconciler.render.markdown import comment
from reconciler.render.plan_json import plan_json_lines, summary_json
from reconciler.render.style import Look
from tests.documents import SERIES_UID, document, instance, series
from tests.planning import A, B, C, Stage

NECK = "present: {Study: {DICOM: {StudyDescription: NECK}}}\n"
OWN = "present: {Study: {Series: {'*': {Instances: {'*': {DICOM: {KVP: '110'}}}}}}}\n"


def staged(*, primary: bool = True) -> Stage:
    """Three image sets of one study; C holds what is asked of it."""
    stage = Stage()
    for name, live in ((A, "CHEST"), (B, "CHEST"), (C, "NECK")):
        block = series(f"{SERIES_UID}.{name[0]}", [instance(f"{SERIES_UID}.{name[0]}.1")])
        content = document(block, image_set_id=name, study={"StudyDescription": live})
        stage.put(content, primary=primary)
    return stage


@pytest.mark.parametrize(
    ("primary", "own", "calls", "alone"),
    [
        # C needs no call of its own: nothing changes on it.
        (True, "", 1, Estimate(2, 4.0)),
        # A call of its own would carry both levels.
        (True, f"imageSetId: {A}\n{OWN}", 2, None),
        (True, f"imageSetId: {C}\n{OWN}", 2, Estimate(3, 8.0)),
        (False, "", 2, None),
    ],
)
def test_the_calls_without_study_wide_calls(
    primary: bool, own: str, calls: int, alone: Estimate | None
) -> None:
    stage = staged(primary=primary)
    manifests = [f"imageSetIds: [{A}, {B}, {C}]\n{NECK}", *([own] if own else [])]
    actions = stage.plan(*manifests)
    assert sum(len(action.steps) for action in actions) == calls
    assert eta_seconds(actions, stage.settings) == 4.0 * (calls - 1)
    assert without_study_wide(actions, stage.settings) == alone


def test_every_output_of_a_plan_states_them() -> None:
    stage = staged()
    actions = stage.plan(f"imageSetIds: [{A}, {B}, {C}]\n{NECK}")
    plan = Plan(
        Basis("", 1), actions, without_study_wide=without_study_wide(actions, stage.settings)
    )
    assert loads(dumps(plan)) == plan
    shown = review(plan, Redact.ALL)
    said = "Without study-wide calls it would be 2 calls, about 4 s."
    assert said in " ".join(text.plan_lines(shown, Look(width=200)))
    assert said in " ".join(text.summary_lines(shown, Look(width=200)))
    assert said in comment(shown)
    assert said in page(shown)
    for printed in (json.loads("".join(plan_json_lines(shown))), summary_json(shown)):
        assert printed["withoutStudyWide"] == {"calls": 2, "etaSeconds": 4.0}
