"""The golden cases that change something, end to end: plan, apply, verify, record, plan again.

The plan comes out of real reads over HTTP here, so this also proves that the cases' observed
documents and the emulator's are the same thing.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from reconciler.core.model.plan import Status
from reconciler.core.plan.file import loads
from tests.pipeline.repository import Repository

CASES = Path(__file__).parent.parent / "cases"


def from_version_1(case: Path) -> bool:
    """Whether a case plans calls on image sets that have no history."""
    rows = json.loads((case / "observed.json").read_text())
    plan = loads((case / "plan.json").read_bytes())
    return bool(plan.steps) and all(row["versionId"] == "1" for row in rows.values())


RUNNABLE = sorted(
    path.parent.name for path in CASES.glob("*/observed.json") if from_version_1(path.parent)
)


@pytest.mark.parametrize("name", RUNNABLE)
def test_case_converges(name: str, repository: Repository) -> None:
    case = CASES / name
    rows = json.loads((case / "observed.json").read_text())
    expected = loads((case / "plan.json").read_bytes())
    for image_set_id, row in rows.items():
        assert repository.load(row["document"], primary=row["isPrimary"]) == image_set_id
    for manifest in case.glob("*.yaml"):
        shutil.copy(manifest, repository.root / "manifests")

    plan = repository.plan()
    sent = [(s.image_set_id, s.pin, s.updatable, s.removable, s.force) for s in plan.steps]
    assert sent == [
        (s.image_set_id, s.pin, s.updatable, s.removable, s.force) for s in expected.steps
    ]
    repository.converge()

    for action in plan.actions:
        for member in action.members:
            moved = sum(member.image_set_id in dict(step.expected) for step in action.steps)
            version = str(int(member.pin) + moved)
            assert repository.version(member.image_set_id) == version
            entry = repository.entry(member.image_set_id)
            assert entry.version_id == version
            assert entry.previous_version_id == member.pin
            assert dict(entry.asked) == dict.fromkeys(member.asked, version)

    again = repository.plan()
    assert {action.status for action in again.actions} <= {Status.CONVERGED}
    assert all(m.recorded for action in again.actions for m in action.members if m.asked)
    # What was planned is counted, unless there is something to say of it.
    counted = sum(one.image_sets for one in again.unchanged)
    assert counted + sum(len(action.image_sets) for action in again.actions) >= len(plan.actions)
