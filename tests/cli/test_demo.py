"""`reconcile demo`, from beginning to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.demo import place as places
from tests.processes import SECONDS


def demo(tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the demo with its own temporary folder and without an identity in git."""
    home = tmp_path / "home"
    temporary = tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.run(
        [sys.executable, "-m", "reconciler", "demo", *options],
        env={**kept, "HOME": str(home), "TMPDIR": str(temporary)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=5 * SECONDS,
    )


def test_the_demo_shows_the_whole_cycle_and_leaves_nothing(tmp_path: Path) -> None:
    done = demo(tmp_path)
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
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_demo_as_json_and_kept(tmp_path: Path) -> None:
    done = demo(tmp_path, "--json", "--keep")
    assert (done.returncode, done.stderr) == (0, "")
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert {run["exitCode"] for run in runs} == {0}
    (kept,) = (tmp_path / "tmp").glob("reconcile-demo-*")
    assert (kept / "research-archive" / "records").is_dir()
    assert (kept / "remote.git").is_dir()


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
