"""A pull request is planned with the settings, the records and the key of its base."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.model.key import KEY_FILE
from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import World, git, imported, manifest
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

NAME = "present:\n  Patient:\n    DICOM:\n      PatientName: Doe^Pieter\n"
CONSENT = "allow: [CHANGES_PATIENT_IDENTITY]\n"
COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"
FORMATS = ("text", "markdown", "html", "github")


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """A repository with settings, a key and a manifest on `main`; `change` is checked out."""
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        imported(world.emulator, document(image_set_id=OTHER_ID))
        (world.root / ".gitignore").write_text(".reconcile/\n")
        (world.root / KEY_FILE).write_text("5a" * 32 + "\n")
        manifest(world.root, "a.yaml", COMMENTS.format("seen"))
        git(world.root, "init", "-q", "-b", "main")
        commit(world.root)
        git(world.root, "checkout", "-q", "-b", "change")
        yield world


def commit(root: Path) -> str:
    git(root, "add", ".")
    git(root, "commit", "-q", "--allow-empty", "-m", "change")
    return git(root, "rev-parse", "HEAD")


def planned(tree: World, *arguments: str | Path, code: int = 0) -> Ran:
    ran = tree.reconcile("plan", "--base", "main", *arguments)
    assert ran.code == code, ran.out + ran.err
    return ran


def saved(tree: World) -> dict[str, Any]:
    """The plan of the pull request as it is saved."""
    file = tree.root / ".reconcile" / "plan.json"
    planned(tree, "--out", file)
    return dict(json.loads(file.read_text()))


def settings(tree: World, more: str = "") -> None:
    """reconciler.yaml as the pull request has it."""
    outside.settings(tree.root, tree.emulator, more)


def test_another_endpoint_gets_no_call(tree: World) -> None:
    file = tree.root / "reconciler.yaml"
    file.write_text(file.read_text().replace(tree.emulator.endpoint, "http://127.0.0.1:9"))
    commit(tree.root)
    plan = saved(tree)
    assert [action["status"] for action in plan["actions"]] == ["update"]
    assert plan["basis"]["datastores"][0]["endpoint"] == tree.emulator.endpoint


@pytest.mark.parametrize(
    ("on_main", "proposed"),
    [
        ("", CONSENT),
        ("guardrails: {imageSets: 1}\n" + CONSENT, "guardrails: {imageSets: 9}\n" + CONSENT),
        (CONSENT + "redact: all\n", "redact: none\n" + CONSENT),
    ],
)
def test_what_the_settings_permit_is_decided_by_the_base(
    tree: World, on_main: str, proposed: str
) -> None:
    git(tree.root, "checkout", "-q", "main")
    settings(tree, on_main)
    base = commit(tree.root)
    git(tree.root, "checkout", "-q", "-B", "change")
    manifest(tree.root, "a.yaml", NAME, IMAGE_SET_ID, OTHER_ID)
    commit(tree.root)
    before = planned(tree, "--json").out
    settings(tree, proposed)
    commit(tree.root)
    after = planned(tree, "--json").out
    found, then = json.loads(after), json.loads(before)
    assert found["actions"] == then["actions"]
    assert found["basis"]["settingsDigest"] == then["basis"]["settingsDigest"]
    assert found["basis"]["since"]["settings"] is True
    assert found["basis"]["since"]["base"] == base


def test_what_changes_besides_manifests_stands_first(tree: World) -> None:
    settings(tree, "redact: all\n")
    (tree.root / ".reconcile").mkdir(exist_ok=True)
    (tree.root / ".reconcile" / "attempts.json").write_text("{}")
    git(tree.root, "add", "-f", ".reconcile/attempts.json")
    commit(tree.root)
    for format in FORMATS:
        out = planned(tree, "--format", format).out
        shown = " ".join(out.partition("<header>")[2].split() or out.split())
        start = shown.index("hanges more than manifests")
        for hazard in ("reconciler.yaml", "1 file below"):
            assert start < shown.index(hazard)
        if format != "github":
            assert shown.rindex("1 file below") < shown.index("1 image set changes")
    assert "changes more than manifests" in planned(tree, "--summary").out
    since = json.loads(planned(tree, "--json").out)["basis"]["since"]
    assert (since["settings"], since["local"]) == (True, 1)


def test_a_data_store_that_the_base_lacks_is_planned_after_the_merge(tree: World) -> None:
    settings(tree)
    with (tree.root / "reconciler.yaml").open("a") as file:
        file.write(
            f"  archive:\n    datastoreId: {'9' * 32}\n    region: us-east-1\n"
            f"    endpoint: {tree.emulator.endpoint}\n"
        )
    path = manifest(tree.root, "b.yaml", COMMENTS.format("new"), "e" * 32, "f" * 32)
    path.write_text(path.read_text().replace("datastore: research", "datastore: archive"))
    commit(tree.root)
    plan = saved(tree)
    assert plan["basis"]["since"]["later"] == [{"datastore": "archive", "imageSets": 2}]
    assert [action["datastore"] for action in plan["actions"]] == ["research"]
    for format in FORMATS:
        out = planned(tree, "--format", format).out.replace("`", "")
        assert "lanned after the merge" in out
        assert "2 image sets of data store archive" in " ".join(out.split())
    assert tree.reconcile("validate").code == 0
    path.write_text(path.read_text().replace("datastore: archive", "datastore: nowhere"))
    assert "nowhere" in planned(tree, code=1).err


def test_the_folder_of_manifests_may_move(tree: World) -> None:
    settings(tree, "manifests: asks\n")
    (tree.root / "manifests").rename(tree.root / "asks")
    commit(tree.root)
    plan = saved(tree)
    assert [action["status"] for action in plan["actions"]] == ["update"]
    assert "names another folder" in plan["basis"]["since"]["problem"]


# --- records and the key ----------------------------------------------------------------------


def recorded(tree: World) -> Path:
    """Apply and record on `main`; the file of the record."""
    git(tree.root, "checkout", "-q", "main")
    tree.apply("--record", "commit")
    git(tree.root, "checkout", "-q", "-B", "change")
    (path,) = (tree.root / "records").glob("*/??.json")
    return path


def follow(tree: World, err: str) -> None:
    """Run the command that an error prints, as a person would paste it."""
    (line,) = [one for one in err.splitlines() if "Run: " in one]
    command = shlex.split(line.split("Run: ")[1])
    assert command[0] == "git"
    subprocess.run(command, cwd=tree.root, check=True, capture_output=True)


@pytest.mark.parametrize("how", ["edited", "deleted", "added"])
def test_records_that_a_pull_request_changes_are_refused(tree: World, how: str) -> None:
    path = recorded(tree)
    match how:
        case "edited":
            path.write_text(path.read_text().replace('"1"', '"2"'))
        case "deleted":
            path.unlink()
        case "added":
            path.with_name("zz.json").write_text(path.read_text())
    commit(tree.root)
    ran = planned(tree, "--review", tree.root / "review.json", code=1)
    assert "only `reconcile` changes records" in ran.err
    assert ran.out == ""
    assert not (tree.root / "review.json").exists()
    follow(tree, ran.err)
    commit(tree.root)
    planned(tree)


def test_records_that_no_commit_has_are_not_those_of_the_base(tree: World) -> None:
    tree.apply()
    ran = planned(tree, code=1)
    assert "records/ holds records that are not committed" in ran.err
    assert "leave out `--base`" in ran.err


def test_a_branch_behind_its_base_is_merged_first(tree: World) -> None:
    recorded(tree)
    git(tree.root, "checkout", "-q", "-B", "change", "main^")
    manifest(tree.root, "b.yaml", COMMENTS.format("other"), OTHER_ID)
    commit(tree.root)
    ran = planned(tree, code=1)
    assert "The commit lacks commits of its base" in ran.err
    git(tree.root, "config", "user.name", "Steward")
    git(tree.root, "config", "user.email", "steward@example.org")
    follow(tree, ran.err)
    planned(tree)


@pytest.mark.parametrize("content", ["b7" * 32 + "\n", None])
def test_another_key_is_refused(tree: World, content: str | None) -> None:
    key = tree.root / KEY_FILE
    if content is None:
        key.unlink()
    else:
        key.write_text(content)
    commit(tree.root)
    ran = planned(tree, code=1)
    assert "reconciler.key is not that of the base" in ran.err
    follow(tree, ran.err)
    commit(tree.root)
    planned(tree)


def test_the_first_key_may_be_added(tree: World) -> None:
    git(tree.root, "checkout", "-q", "main")
    (tree.root / KEY_FILE).unlink()
    commit(tree.root)
    git(tree.root, "checkout", "-q", "-B", "change")
    (tree.root / KEY_FILE).write_text("5a" * 32 + "\n")
    commit(tree.root)
    assert "reconciler.key is new" in planned(tree).out


# --- the first pull request -------------------------------------------------------------------


@pytest.mark.parametrize("on_main", [None, "datastores: 1\n"])
def test_plans_begin_after_the_merge_of_the_first_settings(
    tree: World, on_main: str | None
) -> None:
    good = (tree.root / "reconciler.yaml").read_text()
    git(tree.root, "checkout", "-q", "main")
    if on_main is None:
        (tree.root / "reconciler.yaml").unlink()
    else:
        (tree.root / "reconciler.yaml").write_text(on_main)
    commit(tree.root)
    git(tree.root, "checkout", "-q", "-B", "change")
    # No call is made to the endpoint that the pull request names.
    (tree.root / "reconciler.yaml").write_text(
        good.replace(tree.emulator.endpoint, "http://127.0.0.1:9")
    )
    commit(tree.root)
    why = "it has no reconciler.yaml" if on_main is None else "reconciler.yaml:1:13 is not valid"
    file, review = tree.root / ".reconcile" / "plan.json", tree.root / "review.json"
    ran = planned(tree, "--out", file, "--review", review, "--detailed-exitcode")
    assert "No review was written" in ran.err
    assert not review.exists()
    for format in FORMATS:
        for out in (
            planned(tree, "--format", format).out,
            tree.reconcile("show", file, "--format", format).out,
        ):
            shown = " ".join(out.replace("`", "").split())
            assert "Plans begin after this merge." in shown, out
            assert why in shown
    found = json.loads(planned(tree, "--json").out)
    assert found["actions"] == []
    assert why in found["basis"]["since"]["unplanned"]


def test_a_base_needs_a_repository(tmp_path: Path, reconcile: Command) -> None:
    with outside.world(tmp_path, reconcile) as world:
        manifest(world.root, "a.yaml", COMMENTS.format("seen"))
        ran = world.reconcile("plan", "--base", "main")
        assert (ran.code, "is not in a git repository" in ran.err) == (1, True)
