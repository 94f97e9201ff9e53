"""A guardrail stops an apply before it sends anything. The plan is complete, and states it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from reconciler.edges import schemas
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import World, imported, manifest, settings
from tests.documents import IMAGE_SET_ID, OTHER_ID, SERIES_UID, document, instance, series

COMMENTS = "present: {Patient: {DICOM: {PatientComments: seen}}}\n"
OTHER_SERIES = f"{SERIES_UID}.7"
NO_SERIES = f"absent: {{Study: {{Series: [{OTHER_SERIES}]}}}}\nallow: [REMOVES_SERIES]\n"
STOPPED = "Apply would be stopped by a guardrail."
EXCEEDED = (
    "data store research: 2 image sets would change, more than `guardrails: {imageSets: 1}` allows "
    "(reconciler.yaml:7:25)"
)


class Terminal:
    """A person at a terminal who approves everything."""

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return "yes\n"


@pytest.fixture
def two(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """Two image sets of different patients to change, where a guardrail allows one."""
    with outside.world(tmp_path, reconcile) as world:
        blocks = [
            series(SERIES_UID, [instance(f"{SERIES_UID}.1")]),
            series(OTHER_SERIES, [instance(f"{OTHER_SERIES}.{one}") for one in range(3)]),
        ]
        imported(world.emulator, document(*blocks))
        imported(world.emulator, document(image_set_id=OTHER_ID, patient={"PatientID": "00999"}))
        manifest(world.root, "a.yaml", COMMENTS, IMAGE_SET_ID)
        manifest(world.root, "b.yaml", COMMENTS, OTHER_ID)
        settings(world.root, world.emulator, "guardrails: {imageSets: 1}\n")
        yield world


@pytest.mark.parametrize(
    "options",
    [(), ("--summary",), ("--format", "markdown"), ("--format", "html"), ("--format", "github")],
    ids=" ".join,
)
def test_every_output_of_a_plan_states_it(two: World, options: tuple[str, ...]) -> None:
    ran = two.reconcile("plan", *options)
    assert ran.code == 0, ran.err
    text = " ".join(ran.out.replace("<code>", "`").split())
    assert "Apply would be stopped" in text
    assert "2 image sets would change" in text
    assert "reconciler.yaml" in text
    assert "To apply it" not in text


def test_the_actions_of_the_plan_are_those_of_a_plan_without_guardrails(two: World) -> None:
    stopped = json.loads(two.reconcile("plan", "--json").out)
    assert stopped["stops"] == [
        {
            "datastore": "research",
            "datastoreId": outside.STORE,
            "guardrail": "imageSets",
            "most": 1.0,
            "found": 2,
            "at": {"file": "reconciler.yaml", "line": 7, "column": 25},
        }
    ]
    settings(two.root, two.emulator)
    free = json.loads(two.reconcile("plan", "--json").out)
    assert "stops" not in free
    assert stopped["actions"] == free["actions"]
    assert two.reconcile("plan", "--detailed-exitcode").code == 2


def test_a_saved_plan_states_it_and_is_valid(two: World) -> None:
    assert two.reconcile("plan", "--out", "plan.json").code == 0
    saved = json.loads((two.root / "plan.json").read_text())
    jsonschema.validate(saved, schemas.load("plan"))
    ran = two.reconcile("show", "plan.json")
    assert ran.code == 0
    assert STOPPED in ran.out


def test_the_apply_sends_nothing_and_gives_the_line_to_change(two: World) -> None:
    ran = two.reconcile("apply", "--auto-approve")
    assert ran.code == 1
    assert STOPPED in ran.out
    assert f"nothing was sent: a guardrail stops this apply\n    {EXCEEDED}\n" in ran.err
    assert ran.err.count("guardrail stops") == 1
    assert (two.version(), two.version(OTHER_ID)) == ("1", "1")
    assert not (two.root / "records").exists()


def test_approval_is_not_asked_for_what_is_stopped(
    two: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    ran = two.reconcile("apply")
    assert ran.code == 1
    assert "Apply this plan?" not in ran.out + ran.err


@pytest.mark.parametrize("less", [("--limit", "1"), ("manifests/a.yaml",)], ids=" ".join)
def test_less_at_a_time_is_applied(two: World, less: tuple[str, ...]) -> None:
    """`--limit` and paths decide what this apply would change, and its plan does not state more."""
    ran = two.reconcile("apply", "--auto-approve", *less)
    assert ran.code in (0, 2), ran.err
    assert STOPPED not in ran.out
    assert sorted([two.version(), two.version(OTHER_ID)]) == ["1", "2"]


@pytest.mark.parametrize(
    ("rail", "said"),
    [
        ("patients: 1", "image sets of 2 patients would change"),
        ("removedInstances: 2", "3 instances would be removed"),
        ("removedSeries: 0", "1 series would be removed"),
        ("forcedSteps: 0", ""),
        ("patients: 2", ""),
        ("removedInstances: 3", ""),
    ],
)
def test_what_is_counted_is_in_the_plan(two: World, rail: str, said: str) -> None:
    manifest(two.root, "a.yaml", NO_SERIES, IMAGE_SET_ID)
    settings(two.root, two.emulator, f"guardrails: {{{rail}}}\n")
    assert two.reconcile("plan", "--out", "plan.json").code == 0
    for command in (("apply", "plan.json"), ("apply", "--auto-approve")):
        ran = two.reconcile(*command)
        assert ran.code == (1 if said else 0), ran.err
        assert (f"{said}, more than `guardrails: {{{rail}}}` allows" in ran.err) == bool(said)
