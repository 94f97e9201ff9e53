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
