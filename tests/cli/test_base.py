"""What a plan states of the base of a pull request: what the pull request causes, and what not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import World, git, imported, manifest
from tests.documents import document

OLD, NEW, GONE, DONE = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
NAME = "present:\n  Patient:\n    DICOM:\n      PatientName: Doe^Pieter\n"
COMMENTS = "present:\n  Patient:\n    DICOM:\n      PatientComments: {}\n"
CONSENT = "allow: [CHANGES_PATIENT_IDENTITY]\n"


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """A repository whose base asks for three image sets; one of them needs consent."""
    with outside.world(tmp_path, reconcile) as world:
        for name in (OLD, NEW, GONE, DONE):
            imported(world.emulator, document(image_set_id=name))
        manifest(world.root, "old.yaml", NAME, OLD)
        manifest(world.root, "gone.yaml", COMMENTS.format("seen"), GONE)
        manifest(world.root, "done.yaml", COMMENTS.format("seen"), DONE)
        (world.root / ".gitignore").write_text(".reconcile/\n")
        git(world.root, "init", "-q", "-b", "main")
        commit(world.root)
        yield world


def commit(root: Path) -> None:
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "ask")


def planned(tree: World, *arguments: str) -> dict[str, Any]:
    """The plan against the commit before, and the file that it is saved in."""
    file = tree.root / ".reconcile" / "plan.json"
    ran = tree.reconcile("plan", "--base", "HEAD^", "--out", file, *arguments)
    assert ran.code == 0, ran.out + ran.err
    return dict(json.loads(file.read_text()))


def at_base(plan: dict[str, Any]) -> dict[str, tuple[str, str, bool]]:
    """The status of each image set, its status at the base, and whether its ask changed."""
    return {
        action["members"][0]["imageSetId"][0]: (
            action["status"],
            action["atBase"]["status"],
            action["atBase"]["asksChanged"],
        )
        for action in plan["actions"]
    }


def test_blocked_before_newly_blocked_and_released(tree: World) -> None:
    manifest(tree.root, "new.yaml", NAME, NEW)
    (tree.root / "manifests" / "gone.yaml").unlink()
    commit(tree.root)
    plan = planned(tree)
    assert at_base(plan) == {
        "a": ("blocked", "blocked", False),
        "b": ("blocked", "unmanaged", True),
        "d": ("update", "update", False),
    }
    assert [one["imageSetId"] for one in plan["basis"]["since"]["released"]] == [GONE]
    old, new = plan["actions"][:2]
    assert [use.get("wasAtBase", False) for use in old["hazards"]] == [True]
    assert [use.get("wasAtBase", False) for use in new["hazards"]] == [False]
    file = tree.root / ".reconcile" / "plan.json"
    for format in ("text", "markdown", "html"):
        ran = tree.reconcile("show", file, "--format", format)
        assert ran.code == 0, ran.err
        shown = " ".join(ran.out.split())
        assert "1 of these 2 image sets was held back before this pull request, too." in shown
        assert f"This pull request releases 1 image set ({GONE})" in shown
        assert "as at the base" in shown
        assert "new" in shown


def test_a_withdrawn_consent_and_a_moved_line(tree: World) -> None:
    """That a line stands elsewhere, or has another reason, changes no ask."""
    manifest(tree.root, "old.yaml", CONSENT + NAME, OLD)
    commit(tree.root)
    manifest(tree.root, "old.yaml", NAME, OLD)
    (tree.root / "manifests" / "done.yaml").rename(tree.root / "manifests" / "moved.yaml")
    manifest(tree.root, "moved.yaml", "reason: tidied\n" + COMMENTS.format("seen"), DONE)
    commit(tree.root)
    plan = planned(tree)
    assert at_base(plan) == {
        "a": ("blocked", "update", True),
        "c": ("update", "update", False),
        "d": ("update", "update", False),
    }
    assert "released" not in plan["basis"]["since"]


def test_a_consent_withdrawn_in_the_settings_counts_after_the_merge(tree: World) -> None:
    outside.settings(tree.root, tree.emulator, "allow: [CHANGES_PATIENT_IDENTITY]\n")
    commit(tree.root)
    outside.settings(tree.root, tree.emulator)
    commit(tree.root)
    assert at_base(planned(tree))["a"] == ("update", "update", False)


def test_nothing_is_read_for_the_base(tree: World) -> None:
    """An image set whose document the plan does not need is unknown where the base needs it."""
    tree.apply(code=1)
    commit(tree.root)
    manifest(tree.root, "done.yaml", COMMENTS.format("another"), DONE)
    commit(tree.root)
    manifest(tree.root, "done.yaml", COMMENTS.format("seen"), DONE)
    manifest(tree.root, "gone.yaml", COMMENTS.format("changed"), GONE)
    commit(tree.root)
    # Else the base adds what it asks otherwise to what is looked at.
    full = ("plan", "--refresh", "full")
    lines = [
        [one for one in ran.out.splitlines() if one.startswith("Reads made")]
        for ran in (tree.reconcile(*full), tree.reconcile(*full, "--base", "HEAD^"))
    ]
    assert lines[0] == lines[1] != []
    assert at_base(planned(tree)) == {
        "a": ("blocked", "blocked", False),
        "c": ("update", "converged", True),
        "d": ("converged", "unknown", True),
    }


def test_drift_that_was_there_before(tree: World) -> None:
    tree.apply(code=1)
    commit(tree.root)
    outside.write(tree.emulator, DONE, {"Patient": {"DICOM": {"PatientComments": "other"}}})
    manifest(tree.root, "gone.yaml", COMMENTS.format("changed"), GONE)
    commit(tree.root)
    plan = planned(tree)
    assert at_base(plan)["d"] == ("drifted", "drifted", False)
    (drifted,) = (one for one in plan["actions"] if one["status"] == "drifted")
    assert [use["wasAtBase"] for use in drifted["hazards"] if not use["consented"]] == [True]


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        (
            "manifests/bad.yaml",
            b"apiVersion: reconciler/v1\nkind: ImageSet\n",
            "manifests/bad.yaml:1:1 is not valid (the first of 3 problems)",
        ),
        ("manifests/bad.yaml", b"a: \xff", "manifests/bad.yaml:1:4 is not valid"),
        ("manifests/bad.yaml", None, "manifests/bad.yaml is not a regular file"),
    ],
)
def test_a_base_that_is_not_valid(
    tree: World, file: str, content: bytes | None, problem: str
) -> None:
    path = tree.root / file
    good = path.read_bytes() if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.symlink_to(tree.root / "manifests" / "old.yaml")
    else:
        path.write_bytes(content)
    commit(tree.root)
    path.unlink()
    if good is not None:
        path.write_bytes(good)
    commit(tree.root)
    plan = planned(tree)
    assert plan["basis"]["since"]["problem"].startswith(problem)
    assert all("atBase" not in action for action in plan["actions"])
    saved = tree.root / ".reconcile" / "plan.json"
    for format in ("text", "markdown", "html"):
        ran = tree.reconcile("show", saved, "--format", format)
        assert "Not compared with the base" in " ".join(ran.out.split()), ran.err


def test_selected_manifests(tree: World) -> None:
    manifest(tree.root, "new.yaml", NAME, NEW)
    commit(tree.root)
    for path in ("manifests/new.yaml", "manifests", "."):
        assert at_base(planned(tree, path))["b"] == ("blocked", "unmanaged", True)


def test_a_study_that_a_pull_request_completes(tree: World) -> None:
    """At the base, another primary image set of the study was not named."""
    one, two = "e" * 32, "f" * 32
    for name in (one, two):
        content = document(image_set_id=name, study={"StudyInstanceUID": "2.25.7"})
        imported(tree.emulator, content, primary=True)
    manifest(tree.root, "study.yaml", COMMENTS.format("seen"), one)
    commit(tree.root)
    manifest(tree.root, "study.yaml", COMMENTS.format("seen"), one, two)
    commit(tree.root)
    plan = planned(tree)
    assert at_base(plan)["e"] == ("update", "unmanaged", True)
    manifest(tree.root, "study.yaml", COMMENTS.format("seen"), one)
    commit(tree.root)
    plan = planned(tree)
    assert at_base(plan)["e"] == ("blocked", "update", False)
    assert [row["imageSetId"] for row in plan["basis"]["since"]["released"]] == [two]


def test_the_check_of_a_pull_request_fails_for_what_it_causes(tree: World) -> None:
    manifest(tree.root, "new.yaml", NAME, NEW)
    commit(tree.root)
    ran = tree.reconcile("plan", "--base", "HEAD^", "--fail-if-held")
    assert ran.code == 1
    assert f"blocked: image set {NEW} (at the base: not managed)" in ran.err
    assert OLD not in ran.err
    assert tree.reconcile("plan", "--base", "HEAD^").code == 0


def test_the_check_of_a_pull_request_passes_what_was_held_before(tree: World) -> None:
    manifest(tree.root, "new.yaml", CONSENT + NAME, NEW)
    commit(tree.root)
    ran = tree.reconcile("plan", "--base", "HEAD^", "--fail-if-held")
    assert (ran.code, OLD in ran.out, OLD in ran.err) == (0, True, False)


def test_without_a_base_all_that_is_held_fails_the_check(tree: World) -> None:
    ran = tree.reconcile("plan", "--fail-if-held")
    assert ran.code == 1
    assert f"blocked: image set {OLD}\n" in ran.err


def test_a_guardrail_that_the_pull_request_exceeds_fails_the_check(tree: World) -> None:
    settings = tree.root / "reconciler.yaml"
    settings.write_text(settings.read_text() + "guardrails: {imageSets: 2}\n")
    commit(tree.root)
    manifest(tree.root, "new.yaml", COMMENTS.format("seen"), NEW)
    commit(tree.root)
    ran = tree.reconcile("plan", "--base", "HEAD^", "--fail-if-held")
    assert ran.code == 1
    assert "After the merge, apply would be stopped by a guardrail" in ran.err
    assert "3 image sets would change, more than `guardrails: {imageSets: 2}` allows" in ran.err
    assert "Apply would be stopped by a guardrail." in ran.out


def test_a_pull_request_that_changes_nothing_is_not_stopped_by_a_guardrail(tree: World) -> None:
    """The base had the same to change. Another pull request, or a higher limit, must free it."""
    settings = tree.root / "reconciler.yaml"
    settings.write_text(settings.read_text() + "guardrails: {imageSets: 0}\n")
    commit(tree.root)
    (tree.root / "README.md").write_text("Nothing to plan.")
    commit(tree.root)
    ran = tree.reconcile("plan", "--base", "HEAD^", "--fail-if-held")
    assert (ran.code, "Apply would be stopped by a guardrail." in ran.out) == (0, True)
