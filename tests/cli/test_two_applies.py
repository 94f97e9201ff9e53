"""Two applies at once, of the same manifests or of the same saved plan: both end green."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, git, imported, manifest
from tests.documents import document, instance, series
from tests.processes import bounded

NAMES = [letter * 32 for letter in "abcdef"]
STUDY = [f"{number}" * 32 for number in range(3)]
LONG = "x" * 5_000
ONE = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"
SPLIT = (
    f"present: {{Study: {{DICOM: {{ReasonForVisit: {LONG}, PatientState: {LONG}}}}}}}\n"
    "force: true\nallow: [SPLIT_UPDATE]\n"
)
WIDE = (
    "present:\n  Study:\n    DICOM: {StudyDescription: CT}\n"
    "    Series: {'*': {Instances: {'*': {DICOM: {ImageComments: x}}}}}\nallow: [STUDY_WIDE]\n"
)


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[tuple[Path, Emulator]]:
    """A repository that asks for updates of one call, of several calls, and of a study."""
    with outside.repository(tmp_path, update_seconds=0.5) as (root, emulator):
        for name in NAMES:
            imported(emulator, document(image_set_id=name))
        for name in STUDY:
            uid = f"1.2.{name[0]}"
            content = document(series(uid, [instance(f"{uid}.1")]), image_set_id=name)
            imported(emulator, content, primary=True)
        manifest(root, "one.yaml", ONE, *NAMES[:3])
        manifest(root, "split.yaml", SPLIT, *NAMES[3:])
        manifest(root, "wide.yaml", WIDE, *STUDY[:2])
        (root / ".gitignore").write_text(".reconcile/\n")
        git(root, "init", "-q")
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", "ask")
        yield root, emulator


@pytest.mark.parametrize("saved", [False, True], ids=["planning", "saved-plan"])
def test_both_end_green_and_each_change_is_made_once(
    busy: tuple[Path, Emulator], reconcile: Command, saved: bool
) -> None:
    root, emulator = busy
    what = [".reconcile/plan.json"] if saved else ["--auto-approve"]
    if saved:
        assert reconcile("plan", "--out", *what).code == 0
    command = [sys.executable, "-m", "reconciler", "apply", *what, "--record", "commit", "--json"]
    with ExitStack() as stack:
        pipe = subprocess.PIPE
        runs = [subprocess.Popen(command, text=True, stdout=pipe, stderr=pipe) for _ in range(2)]
        for run in runs:
            stack.enter_context(bounded(run))
        ended = [run.communicate() for run in runs]
    problems = [json.loads(out)["problems"] for out, _ in ended]
    assert ([run.returncode for run in runs], problems) == ([0, 0], [[], []]), problems
    versions = {
        name: emulator.service.call("GetImageSet", {"datastoreId": STORE, "imageSetId": name})
        for name in (*NAMES, *STUDY)
    }
    assert [one["versionId"] for one in versions.values()] == [*"222", *"333", *"332"]
    assert "Plan: nothing to do, 8 " in reconcile("plan").out
    assert git(root, "status", "--short") == ""
    assert not list((root / ".reconcile" / "attempts").glob("*"))
