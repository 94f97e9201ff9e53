"""`reconcile demo`, from beginning to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from reconciler import demo
from reconciler.demo import place as places
from reconciler.demo.story import STORY
from tests.processes import SECONDS


def test_the_demo_shows_the_whole_cycle_and_leaves_nothing(tmp_path: Path) -> None:
    """With its own temporary folder and without an identity in git."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "demo"],
        env={**kept, "HOME": str(home), "TMPDIR": str(temporary)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for told in (
        "needs consent: add this line to the manifest at manifests/bone-scan.yaml:1",
        "$ echo 'allow: [REMOVES_INSTANCE]' >> manifests/bone-scan.yaml",
        "Apply: 11 converged.",
        "Record 14 image sets at their new versions",
        "Plan-Digest: hmac-sha256:",
        "reconciler.key ",
        "Plan: nothing to do, 14 converged.",
        "drifted, held back at version 3",
        "allow: [OVERWRITES_DRIFT@3]",
        "version 3 → 4",
        "revert to the content of version 1, version 2 → 3",
    ):
        assert told in done.stdout
    assert list(temporary.iterdir()) == []


def test_the_demo_as_json_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first chapters are enough: what the others run is run above."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    printed: list[str] = []
    output = demo.Output(printed.extend, is_terminal=False, color=False, as_json=True)
    assert demo.run(output, keep=True, story=STORY[:2]) == 0
    runs = [json.loads(line) for line in printed]
    assert [run["command"].split(" --message")[0] for run in runs] == [
        "reconcile validate",
        "reconcile plan manifests/bone-scan.yaml --show-values",
        "git add manifests",
        "git commit --quiet",
    ]
    assert {run["exitCode"] for run in runs} == {0}
    assert {run["chapter"] for run in runs} == {
        "Manifests in git state the correct metadata",
        "Hazards need consent",
    }
    assert "Plan: 1 blocked." in runs[1]["output"]
    (kept,) = tmp_path.glob("reconcile-demo-*")
    assert (
        "REMOVES_INSTANCE" in (kept / "research-archive" / "manifests/bone-scan.yaml").read_text()
    )
    assert (kept / "remote.git").is_dir()


def test_a_demo_that_fails_says_where_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    printed: list[str] = []
    output = demo.Output(printed.extend, is_terminal=False, color=False, as_json=False)
    assert demo.run(output, story=[lambda stage: stage.git("no-such-command")]) == 1
    assert printed[-1] == "The demo failed: exit code 1 instead of 0"
    assert list(tmp_path.iterdir()) == []


def test_without_a_repository_the_packaged_manifests_do(tmp_path: Path) -> None:
    places._made(tmp_path / "clone")
    log = subprocess.run(
        ["git", "log", "--format=%an: %s"],
        cwd=tmp_path / "clone",
        capture_output=True,
        text=True,
        check=True,
    )
    assert log.stdout == "Data Steward: Add the manifests\n"
    assert (tmp_path / "clone" / "manifests" / "names.yaml").is_file()


@pytest.mark.parametrize("isolated", [True, False])
def test_a_hook_of_git_does_not_lead_the_demo_astray(
    monkeypatch: pytest.MonkeyPatch, isolated: bool
) -> None:
    monkeypatch.setenv("GIT_DIR", "/somewhere/else")
    assert "GIT_DIR" not in places.environment(isolated=isolated)
