"""Manifests that select image sets, at the command line: what is printed, stored and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from reconciler.edges import schemas
from tests.cli.conftest import Command
from tests.cli.outside import World, git, imported, manifest, world
from tests.documents import document

FIRST, SECOND, OTHER = "a" * 32, "b" * 32, "c" * 32
SECRET, RIGHT = "PID-OF-ANOTHER", "PID-OF-ITS-OWN"
CORRECTS = (
    f"present: {{Patient: {{DICOM: {{PatientID: {RIGHT}}}}}}}\nallow: [CHANGES_PATIENT_IDENTITY]\n"
)


def of_patient(image_set_id: str, patient_id: str) -> dict[str, Any]:
    made = document(image_set_id=image_set_id)
    made["Patient"]["DICOM"]["PatientID"] = patient_id
    return made


def selection(root: Path, more: str = "", *, select: str = SECRET, name: str = "wrong-id") -> None:
    folder = root / "manifests"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(
        f"apiVersion: reconciler/v1\nkind: ImageSets\nname: {name}\ndatastore: research\n"
        f"select: {{PatientID: {select}}}\n{more}{CORRECTS}"
    )


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """A repository, and a data store with two image sets of one patient and one of another."""
    with world(tmp_path, reconcile) as one:
        for name, patient in ((FIRST, SECRET), (SECOND, SECRET), (OTHER, "P3")):
            imported(one.emulator, of_patient(name, patient))
        selection(one.root)
        yield one


def test_validate_counts_selections(tree: World) -> None:
    manifest(tree.root, "named.yaml", "present: {Study: {DICOM: {StudyID: X}}}\nforce: true\n")
    assert tree.reconcile("validate").out.startswith(
        "Valid: 2 files for 1 image set and 1 selection"
    )
    found = json.loads(tree.reconcile("validate", "--json").out)
    place = {"file": "manifests/wrong-id.yaml", "line": 3, "column": 7}
    assert found["selections"] == [{"datastore": "research", "name": "wrong-id", "place": place}]


def test_validate_notes_and_warns_of_what_a_selection_asks(tree: World) -> None:
    text = (tree.root / "manifests/wrong-id.yaml").read_text()
    text = text.replace("PatientID: PID-OF-ITS-OWN", "PatientSex: FEMALE")
    (tree.root / "manifests/wrong-id.yaml").write_text(text)
    assert (
        "PatientSex (0010,0040): the value is not a defined term" in tree.reconcile("validate").out
    )


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_every_output_states_what_is_selected_and_no_value(tree: World, form: str) -> None:
    ran = tree.reconcile("plan", "--format", form)
    assert ran.code == 0, ran.err
    if form == "json":
        (found,) = json.loads(ran.out)["selections"]
        assert (found["name"], found["imageSets"], found["leaving"]) == ("wrong-id", 2, [])
        assert "digest" not in found
    else:
        assert "Selected: 2 image sets by 1 manifest" in ran.out.replace("</p>", ".")
    assert SECRET not in ran.out + ran.err


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_every_output_states_what_leaves_and_what_is_not_as_expected(
    tree: World, form: str
) -> None:
    tree.apply()
    selection(tree.root, "allowEmpty: true\n", select="P9")
    selection(tree.root, "expect: 7\n", select="P3", name="too-few")
    ran = tree.reconcile("plan", "--format", form)
    assert ran.code == 1
    text = ran.out.replace("\\u003c", "<")
    if form == "json":
        found = {one["name"]: one for one in json.loads(ran.out)["selections"]}
        assert found["wrong-id"]["leaving"] == [FIRST, SECOND]
        assert found["too-few"]["problem"] == "it selects 1 of 7 expected image sets"
    else:
        assert "2 image sets leave wrong-id" in text
        assert "changes nothing: it selects 1 of 7 expected image sets" in text
    assert "error: too-few (manifests/too-few.yaml:3:7) changes nothing" in ran.err
    assert "Correct `select`, `where` or `expect`." in ran.err


def test_an_apply_ends_with_an_error_and_does_all_else(tree: World) -> None:
    selection(tree.root, "expect: 7\n", select="P3", name="too-few")
    out = tree.apply("--report", "report.json", code=1)
    assert "2 converged" in out
    report = json.loads(Path("report.json").read_text())
    assert [one["message"] for one in report["problems"]] == [
        "too-few (manifests/too-few.yaml:3:7) changes nothing: "
        "it selects 1 of 7 expected image sets"
    ]
    assert (tree.version(FIRST), tree.version(OTHER)) == ("2", "1")


def test_a_plan_file_and_the_records_are_as_their_schemas_say(tree: World) -> None:
    tree.reconcile("plan", "--out", "plan.json")
    assert jsonschema_rs.is_valid(schemas.load("plan"), json.loads(Path("plan.json").read_text()))
    tree.apply()
    assert list(tree.entry(FIRST)["selectedBy"]) == ["wrong-id"]
    stored = "".join(path.read_text() for path in (tree.root / "records").rglob("*.json"))
    assert SECRET not in stored


def test_equal_selections_cannot_be_told_without_the_key(tree: World) -> None:
    """The same select in another repository has another digest: a PatientID is soon guessed."""
    tree.apply()
    digest = tree.entry(FIRST)["selectedBy"]["wrong-id"]
    assert digest.startswith("hmac-sha256:")
    for path in (tree.root / "records").rglob("*.json"):
        path.unlink()
    (tree.root / "reconciler.key").write_text("0" * 63 + "1\n")
    selection(tree.root, select=RIGHT)
    tree.apply()
    assert tree.entry(FIRST)["selectedBy"]["wrong-id"] != digest


def test_the_base_of_a_pull_request_selects_the_same_image_sets(tree: World) -> None:
    commit(tree.root)
    selection(tree.root, select="P3", name="more")
    commit(tree.root)
    plan = planned(tree)
    assert {
        one["members"][0]["imageSetId"]: one["atBase"]["status"] for one in plan["actions"]
    } == {FIRST: "update", SECOND: "update", OTHER: "unmanaged"}


def test_what_only_the_base_selects_is_not_compared(tree: World) -> None:
    commit(tree.root)
    selection(tree.root, select="P3")
    commit(tree.root)
    plan = planned(tree)
    assert plan["basis"]["since"]["problem"] == (
        "manifests/wrong-id.yaml:3:7 selects image sets that are not known"
    )
    assert [one["members"][0]["imageSetId"] for one in plan["actions"]] == [OTHER]


def test_what_a_selection_asks_of_a_named_image_set_is_not_released(tree: World) -> None:
    named = manifest(tree.root, "named.yaml", CORRECTS, FIRST)
    commit(tree.root)
    named.unlink()
    commit(tree.root)
    assert "released" not in planned(tree)["basis"]["since"]


def commit(root: Path) -> None:
    if not (root / ".git").exists():
        (root / ".gitignore").write_text(".reconcile/\n")
        git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "ask")


def planned(tree: World) -> dict[str, Any]:
    """The plan against the commit before."""
    file = tree.root / ".reconcile" / "plan.json"
    ran = tree.reconcile("plan", "--base", "HEAD^", "--out", file)
    assert ran.code == 0, ran.out + ran.err
    return dict(json.loads(file.read_text()))
