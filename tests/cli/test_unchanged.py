"""Image sets that are converged and recorded: a count in every output of a plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.outside import STORE, World, imported, manifest, world
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

NAME = "present: {Patient: {DICOM: {PatientComments: seen}}}\n"


@pytest.fixture
def applied(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """A world with one image set that was applied."""
    with world(tmp_path, reconcile) as one:
        for name in (IMAGE_SET_ID, OTHER_ID):
            imported(one.emulator, document(image_set_id=name))
        manifest(one.root, "a.yaml", NAME)
        one.apply()
        yield one


def test_a_plan_counts_them(applied: World) -> None:
    manifest(applied.root, "b.yaml", NAME, OTHER_ID)
    plan = json.loads(applied.reconcile("plan", "--json", "--out", "plan.json").out)
    assert [one["members"][0]["imageSetId"] for one in plan["actions"]] == [OTHER_ID]
    counted = [{"datastore": "research", "datastoreId": STORE, "imageSets": 1}]
    assert plan["unchanged"] == counted
    assert plan["totals"]["actions"]["converged"] == 1
    saved = json.loads(Path("plan.json").read_text())
    assert (saved["unchanged"], saved["totals"]) == (counted, plan["totals"])
    assert "1 image set already holds what is asked." in applied.reconcile("show", "plan.json").out


def test_an_image_set_that_is_counted_cannot_be_shown(applied: World) -> None:
    applied.reconcile("plan", "--out", "plan.json")
    ran = applied.reconcile("show", "plan.json", "--image-set", IMAGE_SET_ID)
    assert ran.code == 1
    assert f"error: the plan has no image set {IMAGE_SET_ID}\n" in ran.err
    assert "A plan counts the image sets that already hold what the manifests ask" in ran.err


def test_an_apply_of_a_counted_plan_has_nothing_to_do(applied: World) -> None:
    applied.reconcile("plan", "--out", "plan.json")
    entry = applied.entry()
    ran = applied.reconcile("apply", "plan.json")
    assert ran.code == 0, ran.err
    assert (applied.entry(), applied.version()) == (entry, "2")


def test_what_holds_already_is_listed_until_it_is_recorded(applied: World) -> None:
    live = document()["Patient"]["DICOM"]["PatientID"]
    body = f"present: {{Patient: {{DICOM: {{PatientID: {live!r}}}}}}}\n"
    manifest(applied.root, "more.yaml", body)
    before = json.loads(applied.reconcile("plan", "--json").out)
    assert [one["status"] for one in before["actions"]] == ["converged"]
    assert before["unchanged"] == []
    applied.apply()
    after = json.loads(applied.reconcile("plan", "--json").out)
    assert (after["actions"], applied.version()) == ([], "2")
