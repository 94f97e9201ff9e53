"""A team with a repository on a host, the workflows of `reconcile init`, and a data store."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.core.model.key import KEY_FILE
from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.outside import STORE, git, imported, manifest
from tests.docs.markdown import REPOSITORY as OURS
from tests.documents import IMAGE_SET_ID, OTHER_ID, document
from tests.loop import runner
from tests.loop.host import Host
from tests.loop.rendered import BRANCH, REPOSITORY, workflows
from tests.loop.runner import Ran, Runner
from tests.processes import bounded

HERE = Path(__file__).parent
SESSION_SECONDS = 3600.0
RECORDS = "record: {mode: commit}\n"


@dataclass
class Team:
    """People who work in `root`, a clone of the host's repository."""

    host: Host
    runner: Runner
    root: Path
    emulator: Emulator

    def commit(self, message: str = "change") -> str:
        git(self.root, "add", "--all", ".")
        git(self.root, "commit", "-q", "-m", message)
        return git(self.root, "rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        """Begin a branch at what the host has."""
        git(self.root, "fetch", "-q", "origin")
        git(self.root, "checkout", "-q", "--no-track", "-B", name, f"origin/{BRANCH}")

    def open(self, name: str, repository: str = REPOSITORY) -> int:
        """Commit and push the branch; open its pull request."""
        self.commit()
        git(self.root, "push", "-q", "--force", "origin", f"HEAD:refs/heads/{name}")
        return self.host.open(name, repository)

    def ask(self, name: str, body: str, *image_sets: str) -> int:
        """A pull request that writes one manifest."""
        self.branch(name)
        manifest(self.root, f"{name}.yaml", body, *image_sets)
        return self.open(name)

    def planned(self, number: int) -> Ran:
        """The run of the workflow of a pull request."""
        event = runner.pull_request(self.host, number)
        return self.runner.run("reconcile-pull-request.yml", event)

    def merged(self, number: int, method: str = "merge") -> Ran:
        """Merge a pull request; the run of the apply that this starts."""
        before = self.host.tip()
        self.host.merge(number, method)
        return self.applied(before)

    def applied(self, before: str) -> Ran:
        return self.runner.run("reconcile-apply.yml", runner.push(self.host, before))

    def version(self, image_set_id: str = IMAGE_SET_ID) -> str:
        """The latest version in the data store."""
        address = {"datastoreId": STORE, "imageSetId": image_set_id}
        return str(self.emulator.service.call("GetImageSet", address)["versionId"])


@pytest.fixture(scope="session")
def warm() -> Iterator[str]:
    """The address of a process that runs `reconcile`. The path of a socket must be short."""
    with TemporaryDirectory(prefix="loop-") as folder:
        address = f"{folder}/socket"
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.loop.warm", address], cwd=OURS, stdout=subprocess.PIPE
        )
        with bounded(process, SESSION_SECONDS):
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield address


@pytest.fixture
def team(tmp_path: Path, warm: str) -> Iterator[Team]:
    """Two image sets at version 1, and a branch without manifests."""
    host = Host(tmp_path)
    with outside.repository(tmp_path) as (root, emulator):
        imported(emulator, document())
        imported(emulator, document(image_set_id=OTHER_ID))
        outside.settings(root, emulator, RECORDS)
        scaffold(root)
        git(root, "init", "-q", "-b", BRANCH)
        git(root, "remote", "add", "origin", str(host.bare))
        team = Team(host, Runner(host, tools(host, warm), tmp_path / "machines"), root, emulator)
        team.commit("scaffold")
        git(root, "push", "-q", "-u", "origin", BRANCH)
        yield team


def scaffold(root: Path) -> None:
    """The files that `reconcile init` makes, as far as the workflows need them."""
    (root / ".gitignore").write_text(".reconcile/\nplan*.json\n")
    (root / KEY_FILE).write_text("5a" * 32 + "\n")
    (root / "reconcile-requirements.txt").write_text(
        "# a lock, which the harness does not install\n"
    )
    (root / "manifests").mkdir()
    (root / "manifests" / "README.md").write_text("Metadata as it should be.\n")
    folder = root / runner.FOLDER
    folder.mkdir(parents=True)
    for name, text in workflows().items():
        (folder / name).write_text(text)


def tools(host: Host, warm: str) -> Path:
    """A folder for PATH with `reconcile` and a stand-in for `gh`."""
    folder = host.folder / "tools"
    folder.mkdir()
    python = sys.executable
    # `reconcile` passes few variables of the environment on to gh.
    _tool(folder / "gh", f'GH_STATE={host.file} exec {python} {HERE / "gh.py"} "$@"')
    _tool(folder / "reconcile", f'exec {python} -I -S {HERE / "warm.py"} {warm} "$@"')
    return folder


def _tool(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
