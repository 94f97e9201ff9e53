"""action.yml and .pre-commit-hooks.yaml, as users run them: from the wheel, in a repository."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.outside import HEAD, git
from tests.docs.markdown import REPOSITORY as OURS
from tests.documents import IMAGE_SET_ID
from tests.loop.conftest import scaffold
from tests.loop.test_workflows import BIN, tool

SETTINGS = 'datastores:\n  research:\n    datastoreId: "{}"\n    region: us-east-1\n'
VALID = "present: {Patient: {DICOM: {PatientComments: seen}}}\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this commit. Its dependencies are in the lock of a user, too; not here."""
    folder = tmp_path_factory.mktemp("dist")
    command = [str(BIN / "hatchling"), "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=OURS, check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A repository of a team with one manifest."""
    root = tmp_path / "team"
    root.mkdir()
    scaffold(root)
    (root / "reconciler.yaml").write_text(SETTINGS.format("1" * 32))
    (root / "manifests" / "a.yaml").write_text(f"{HEAD}imageSetId: {IMAGE_SET_ID}\n{VALID}")
    git(root, "init", "-q", "-b", "main")
    return root


def installed(root: Path, wheel: Path, commit: str = "") -> subprocess.CompletedProcess[str]:
    """Run the step of action.yml. Packages come from a folder, where a runner asks an index."""
    action: dict[str, Any] = yaml.safe_load((OURS / "action.yml").read_text())
    (step,) = action["runs"]["steps"]
    assert step["shell"] == "bash"
    temp = root.parent / "temp"
    temp.mkdir()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": os.environ["HOME"],
        "RUNNER_TEMP": str(temp),
        "GITHUB_PATH": str(temp / "path"),
        "LOCK": action["inputs"]["lock"]["default"],
        "COMMIT": commit,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_NO_DEPS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    # As GitHub runs `shell: bash`: https://docs.github.com/actions/reference/workflow-syntax
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)


def lock(wheel: Path) -> str:
    version = wheel.name.split("-")[1]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"imageset-reconciler=={version} --hash=sha256:{digest}\n"


def test_the_action_installs_what_the_lock_of_a_commit_states(team: Path, wheel: Path) -> None:
    (team / "reconcile-requirements.txt").write_text(lock(wheel))
    git(team, "add", ".")
    git(team, "commit", "-q", "-m", "lock")
    # The pull request would install something else, or run its own pip.
    (team / "reconcile-requirements.txt").write_text("other==1.0\n")
    (team / "pip.py").write_text("raise SystemExit('a file of the pull request ran')\n")
    ran = installed(team, wheel, "HEAD")
    assert ran.returncode == 0, ran.stderr
    (folder,) = (team.parent / "temp" / "path").read_text().splitlines()
    assert [path.name for path in Path(folder).iterdir()] == ["reconcile"]
    assert os.access(Path(folder) / "reconcile", os.X_OK)


def test_the_action_refuses_a_wheel_with_another_hash(team: Path, wheel: Path) -> None:
    head, _, digest = lock(wheel).strip().rpartition(":")
    (team / "reconcile-requirements.txt").write_text(f"{head}:{digest[::-1]}\n")
    ran = installed(team, wheel)
    assert ran.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ran.stderr
    assert not (team.parent / "temp" / "path").exists()


def test_the_action_is_valid() -> None:
    action = OURS / "action.yml"
    tool(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", action)
    tool(BIN / "zizmor", "--offline", "--persona", "pedantic", "--no-progress", action)
    for step in yaml.safe_load(action.read_text())["runs"]["steps"]:
        assert "${{" not in step["run"]


def hook(root: Path) -> int:
    """The exit code of the hook. pre-commit installs our package, and runs `entry` at the root."""
    (found,) = yaml.safe_load((OURS / ".pre-commit-hooks.yaml").read_text())
    assert (found["language"], found["pass_filenames"]) == ("python", False)
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = found["entry"].split()
    return subprocess.run(command, cwd=root, env=environment, capture_output=True).returncode


def test_the_hook_refuses_manifests_that_are_not_valid(team: Path) -> None:
    assert hook(team) == 0
    path = team / "manifests" / "a.yaml"
    path.write_text(path.read_text().replace("PatientComments", "PatientComment"))
    assert hook(team) == 1
