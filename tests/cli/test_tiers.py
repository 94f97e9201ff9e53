"""The storage tier of image sets: a plan states which image sets its reads moved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, World, imported, manifest
from tests.documents import document

ARCHIVED = [letter * 32 for letter in "abcde"]
RECENT, UNNAMED = "f" * 32, "9" * 32
DAYS = 86_400.0
MOVED = (
    "Reading moved 5 image sets from the Archive Instant Access tier to the Frequent Access tier "
    "for at least 30 days"
)
ASK = "present:\n  Patient:\n    DICOM:\n      PatientComments: seen\n"


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """Five image sets that were not read for 31 days, one that was, and one without a manifest."""
    root, passed = tmp_path / "repository", [0.0]
    root.mkdir()
    options = Options(update_seconds=0.0, now=lambda: time.time() + passed[0])
    with chdir(root), Emulator(tmp_path / "store", options) as emulator:
        emulator.service.ensure_datastore(STORE, "research")
        for name in (*ARCHIVED, UNNAMED):
            imported(emulator, document(image_set_id=name))
        passed[0] = 31 * DAYS
        imported(emulator, document(image_set_id=RECENT))
        outside.settings(root, emulator)
        manifest(root, "a.yaml", ASK, *ARCHIVED, RECENT)
        yield World(root, emulator, reconcile)


@pytest.mark.parametrize("format", ["text", "markdown", "html", "json"])
def test_a_plan_names_the_image_sets_that_its_reads_moved(tree: World, format: str) -> None:
    saved = tree.root / ".reconcile" / "plan.json"
    ran = tree.reconcile("plan", "--format", format, "--out", saved)
    shown = " ".join((ran.out + ran.err).replace("`", "").split())
    names = f"{', '.join(ARCHIVED[:3])} and 2 more"
    assert f"{MOVED}: {names}." in shown
    again = tree.reconcile("plan", "--format", format)
    assert "Reading moved" not in again.out + again.err
    later = tree.reconcile("show", saved, "--format", format)
    assert (later.code, "Reading moved" in later.out + later.err) == (0, False)


def test_an_apply_states_what_its_own_plan_moved(tree: World) -> None:
    ran = tree.reconcile("apply", "--auto-approve")
    assert MOVED in " ".join((ran.out + ran.err).split())


def test_an_image_set_that_is_not_read_does_not_move(tree: World) -> None:
    tree.apply()
    address = {"datastoreId": STORE, "imageSetId": UNNAMED}
    tier = tree.emulator.service.call("GetImageSet", address)["storageTier"]
    assert tier == "ARCHIVE_INSTANT_ACCESS"
