"""After any history, a plan by what has moved is the plan that reading everything gives."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import event as seen
from hypothesis import strategies as st

from reconciler.core.model.scope import Refresh
from reconciler.core.plan.file import to_json
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.pipeline.fleet import Fleet

# Image sets 0 to 2 are the primary ones of a study.
PRIMARY, ALL = range(3), range(6)
WORDS = ("CT CHEST", "CT HEAD", "CT NECK")
# (operation, number, word): see `_do`.
Event: TypeAlias = tuple[str, int, str]
OPERATIONS = (
    "ask",
    "ask-both",
    "ask-series",
    "drop",
    "write",
    "import",
    "delete",
    "commit",
    "apply",
    "record",
)
EVENTS = st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(ALL), st.sampled_from(WORDS))


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), Options(update_seconds=0.0)) as running:
        yield running


def _do(fleet: Fleet, event: Event) -> None:
    operation, number, word = event
    name, after = f"{number:032x}", f"{number + 1:032x}"
    described = (
        f"present: {{Study: {{DICOM: {{StudyDescription: {word}}}}}}}\nallow: [STUDY_WIDE]\n"
    )
    match operation:
        case "ask":
            fleet.manifest(f"{number}.yaml", described, name)
        case "ask-both":
            sized = 'present: {Study: {DICOM: {PatientSize: "1.8"}}}\nallow: [STUDY_WIDE]\n'
            fleet.manifest("both.yaml", sized, name, after)
        case "ask-series":
            series = f'{{"*": {{DICOM: {{SeriesDescription: {word}}}}}}}'
            body = f"present: {{Study: {{Series: {series}}}}}\n"
            fleet.manifest(f"series-{number}.yaml", body, name)
        case "drop":
            (fleet.root / "manifests" / f"{number}.yaml").unlink(missing_ok=True)
        case "delete" if name in fleet.loaded - fleet.deleted:
            fleet.delete(name)
        case "write" if name in fleet.loaded - fleet.deleted:
            fleet.somebody_writes(name, word, study_wide=number in PRIMARY)
        case "import" if name not in fleet.loaded:
            fleet.add(number, primary=number in PRIMARY)
        case "commit":
            fleet.commit()
        case "apply":
            fleet.commit()
            fleet.run()
        case "record":
            fleet.commit()
            fleet.record()


@settings(
    deadline=None,
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(loaded=st.sets(st.sampled_from(ALL), min_size=3), events=st.lists(EVENTS, max_size=8))
@example(loaded={0, 1, 4}, events=[("apply", 0, ""), ("import", 2, ""), ("commit", 0, "")])
def test_the_plan_is_the_one_that_reading_everything_gives(
    emulator: Emulator, loaded: set[int], events: list[Event]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), emulator)
        for number in sorted(loaded):
            fleet.add(number, primary=number in PRIMARY)
            _do(fleet, ("ask", number, WORDS[0]))
        _do(fleet, ("apply", 0, ""))
        for event in events:
            _do(fleet, event)
            whole = to_json(fleet.whole().plan)
            assert to_json(fleet.gated(refresh=Refresh.FULL).plan) == whole, event
            planned = fleet.gated()
            seen(planned.observed[0].why or "looked at what has moved")
            # A search since a time does not see a deletion: it says as of when it would have.
            if not fleet.deleted or event[0] == "record":
                assert to_json(planned.plan) == whole, event
