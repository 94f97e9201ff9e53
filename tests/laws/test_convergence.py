"""After any apply the next plan is empty; the same inputs give the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from reconciler import pipeline
from reconciler.apply.run import Run
from reconciler.core.errors import InputError
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Plan, Status
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.plan.file import dumps, loads
from tests.documents import DATASTORE_ID, document, instance, series
from tests.fakes import FakeClock, FakeImageSets

IDS = tuple(letter * 32 for letter in "abc")
ALLOW = [
    "CHANGES_PATIENT_IDENTITY",
    "CHANGES_UID",
    "CHANGES_OBJECT",
    "REMOVES_INSTANCE",
    "REMOVES_SERIES",
    "SPLIT_UPDATE",
    "STUDY_WIDE",
]
TEXT = st.text("ABCdef 019-_.", min_size=0, max_size=40)
NUMBER = st.decimals(-9999, 9999, allow_nan=False, places=2).map(str)
CODE = st.fixed_dictionaries(
    {"CodeValue": TEXT, "CodeMeaning": TEXT, "CodingSchemeDesignator": st.just("SRT")}
)


def uid(number: int, part: int) -> str:
    return f"1.2.{number}.{part}"


def some(attributes: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=attributes)


PATIENT = some({"PatientName": TEXT, "PatientComments": TEXT, "00100040": st.sampled_from("FM")})
STUDY = some({"StudyDescription": TEXT, "PatientSize": NUMBER, "StudyDate": st.just("20240229")})
SERIES = some({"SeriesDescription": TEXT, "SoftwareVersions": st.lists(TEXT, min_size=1)})
INSTANCE = some(
    {
        "ImageComments": TEXT,
        "InstanceNumber": st.integers(0, 999).map(str),
        "AnatomicRegionSequence": st.lists(CODE, min_size=1, max_size=2),
        "00091001": TEXT,
        "Rows": st.integers(1, 512).map(str),
    }
)


def blocks(keys: list[str], inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(keys), inner, max_size=2)


@st.composite
def presents(draw: st.DrawFn, number: int) -> dict[str, Any]:
    keys = ["*", uid(number, 1)]
    inner = [f"{uid(number, 1)}.1", f"{uid(number, 1)}.2", "*"]
    renamed, series_renamed = draw(st.booleans()), draw(st.booleans())
    all_series: dict[str, Any] = {}
    for key in draw(st.sets(st.sampled_from(keys))):
        block: dict[str, Any] = {"DICOM": draw(SERIES)}
        block["Instances"] = {k: {"DICOM": v} for k, v in draw(blocks(inner, INSTANCE)).items()}
        all_series[key] = block
    if renamed:
        block = all_series.setdefault(uid(number, 1), {})
        found = block.setdefault("Instances", {}).setdefault(inner[0], {})
        found.setdefault("DICOM", {})["SOPInstanceUID"] = f"{uid(number, 1)}.9"
    if series_renamed:
        block = all_series.setdefault(uid(number, 1), {})
        block.setdefault("DICOM", {})["SeriesInstanceUID"] = uid(number, 7)
    return prune(
        {
            "Patient": {"DICOM": draw(PATIENT)},
            "Study": {"DICOM": draw(STUDY), "Series": all_series},
        }
    )


@st.composite
def absents(draw: st.DrawFn, number: int) -> dict[str, Any]:
    gone = draw(st.sampled_from([[], [f"{uid(number, 1)}.2"]]))
    return prune(
        {
            "Study": {
                "DICOM": draw(
                    st.lists(st.sampled_from(["AccessionNumber", "StudyTime"]), unique=True)
                ),
                "Series": {uid(number, 1): {"Instances": gone}},
            }
        }
    )


def prune(tree: dict[str, Any]) -> dict[str, Any]:
    """Without empty mappings and lists: those are errors in a manifest."""
    kept = {key: prune(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: value for key, value in kept.items() if value not in ({}, [])}


@st.composite
def manifests(draw: st.DrawFn, number: int) -> dict[str, Any] | None:
    body = {"present": draw(presents(number)), "absent": draw(absents(number))}
    body = {key: value for key, value in body.items() if value}
    if not body:
        return None
    return {
        "apiVersion": "reconciler/v1",
        "kind": "ImageSet",
        "datastore": "research",
        "imageSetId": IDS[number],
        **body,
        "force": True,
        "allow": ALLOW,
    }


@st.composite
def repositories(draw: st.DrawFn) -> tuple[list[bool], list[dict[str, Any]]]:
    primary = [draw(st.booleans()) for _ in IDS]
    asked = [draw(manifests(number)) for number in draw(st.lists(st.integers(0, 2), max_size=4))]
    return primary, [manifest for manifest in asked if manifest]


class GeneratedRepository:
    """A folder of manifests and an in-memory service; FakeClock lets no time pass."""

    def __init__(self, root: Path, primary: list[bool], asked: list[dict[str, Any]]) -> None:
        self.datastore = Datastore("research", DATASTORE_ID, "us-east-1", endpoint="http://fake")
        self.settings = Settings(root=root, manifests="manifests", datastores=(self.datastore,))
        self.service = FakeImageSets(FakeClock(), datastore_id=DATASTORE_ID)
        for number, image_set_id in enumerate(IDS):
            name = uid(number, 1)
            block = series(name, [instance(f"{name}.{part}") for part in (1, 2, 3)])
            self.service.put(document(block, image_set_id=image_set_id), primary=primary[number])
        (root / "manifests").mkdir()
        for number, manifest in enumerate(asked):
            # JSON is YAML in which every scalar is quoted.
            (root / "manifests" / f"{number}.yaml").write_text(json.dumps(manifest))
        self.edges = pipeline.Edges(ports=lambda _: self.service, clock=self.service.clock)

    def plan(self) -> Plan:
        plan = pipeline.plan(self.settings, pipeline.check(self.settings), self.edges).plan
        bugs = [action.blocks for action in plan.actions if action.is_held_by_a_bug]
        assert bugs == []
        return plan

    def apply(self, plan: Plan) -> Applied:
        return pipeline.apply(self.settings, plan, self.edges, Run(self.edges.clock))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(repositories())
def test_the_plan_after_an_apply_is_empty(drawn: tuple[list[bool], list[dict[str, Any]]]) -> None:
    with tempfile.TemporaryDirectory() as root:
        repository = GeneratedRepository(Path(root), *drawn)
        try:
            plan = repository.plan()
        except InputError:
            reject()
        assert loads(dumps(plan)) == plan
        applied = repository.apply(loads(dumps(plan)))
        assert {outcome.result for outcome in applied.outcomes} <= {Result.CONVERGED}
        assert len(applied.outcomes) == len(plan.steps) == len(repository.service.sent)
        again = repository.plan()
        assert again.steps == ()
        held = {action.image_set_id for action in plan.actions if action.status is Status.BLOCKED}
        for action in again.actions:
            assert action.status is Status.CONVERGED or action.image_set_id in held


CASES = Path(__file__).parent.parent / "cases"
PROGRAM = """
import sys
from pathlib import Path
from reconciler.core.plan.file import dumps
from tests.cases.test_cases import plan_of
for name in sys.argv[1:]:
    case = Path(name)
    sys.stdout.buffer.write(dumps(plan_of(case, sorted(case.glob("*.yaml"), reverse=REVERSE))))
"""


def test_the_bytes_of_a_plan_do_not_depend_on_hash_seed_or_order() -> None:
    cases = [str(path.parent) for path in sorted(CASES.glob("*/observed.json"))]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM.replace("REVERSE", reverse), *cases],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=CASES.parent.parent,
            check=True,
            capture_output=True,
        ).stdout
        for seed, reverse in (("1", "False"), ("2", "True"))
    }
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000
