"""The loop on our own manifests, as .github/workflows/loop.yml runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import REPOSITORY as OURS


@pytest.mark.long
def test_our_manifests_go_from_a_pull_request_to_an_empty_plan() -> None:
    """Also inside a job for a pull request, which may not apply itself."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    job = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request"}
    ran = subprocess.run(
        [OURS / "scripts" / "try_loop.sh"],
        env={**os.environ, **job, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Recorded in 12 files below records/" in ran.stdout + ran.stderr
    assert "Plan: nothing to do, 13 converged." in ran.stdout.splitlines()
