"""docs/quick-start.md, as a team follows it: its commands, its manifest, and what it says of them.

In the place of AWS is the emulator, in that of GitHub the host of the harness. Steps 3 and 4 need
them both and are not run.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.emulator.http.server import Emulator
from tests.cli import outside
from tests.cli.outside import STORE, git, imported
from tests.docs.markdown import REPOSITORY as OURS
from tests.docs.markdown import Block, blocks
from tests.documents import document
from tests.loop.conftest import Team, tools
from tests.loop.host import Host
from tests.loop.rendered import BRANCH, REPOSITORY
from tests.loop.runner import Runner

DOCUMENT = "docs/quick-start.md"
IMAGE_SET = "9dc6366a2003d418ace6b6c74e29980f"
# `pip wheel` asks an index for the build backend, which the tests have already.
PIP = """\
case $1 in
wheel) wheels=$PWD/$4; cd "$5"; exec {python} -m hatchling build -t wheel -d "$wheels" ;;
*) exec {python} -m pip "$@" ;;
esac"""


def commands(containing: str) -> str:
    """The block of commands that holds a text, with the names of this team in its place."""
    (found,) = (one.text for one in blocks(DOCUMENT, "sh") if containing in one.text)
    ours = {"OWNER/NAME": REPOSITORY, "PATH-OF-THE-CLONE-OF-IMAGESET-RECONCILER": str(OURS)}
    for placeholder, name in ours.items():
        found = found.replace(placeholder, name)
    return found


def first_manifest() -> Block:
    (found,) = blocks(DOCUMENT, "yaml")
    return found


def shell(root: Path, folder: Path, text: str, **variables: str) -> str:
    """Run commands as a person does, in a shell that ends at the first that fails."""
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(root.parent), **variables}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def started(tmp_path: Path, warm: str) -> Iterator[Team]:
    """A team after step 2: its repository is on the host, its lock names the wheel."""
    host = Host(tmp_path)
    with outside.repository(tmp_path) as (root, emulator):
        (root / "reconciler.yaml").unlink()
        git(root, "clone", "-q", str(host.bare), ".")
        git(root, "checkout", "-q", "-B", BRANCH)
        folder = tools(host, warm)
        _pip(folder)
        shell(root, folder, commands("reconcile init --github"), GH_TOKEN=host.token({}))
        shell(root, folder, commands("pip wheel"))
        _use(emulator, root)
        team = Team(host, Runner(host, folder, tmp_path / "machines"), root, emulator)
        team.commit("reconcile init")
        git(root, "push", "-q", "-u", "origin", BRANCH)
        yield team


def _pip(folder: Path) -> None:
    path = folder / "pip"
    path.write_text(f"#!/bin/sh\n{PIP.format(python=sys.executable)}\n")
    path.chmod(0o755)


def _use(emulator: Emulator, root: Path) -> None:
    """The data store of the emulator in the place of that of AWS."""
    path = root / "reconciler.yaml"
    text = path.read_text()
    store = f'datastoreId: "{STORE}"\n'
    assert text.count(store) == 1
    text = text.replace(store, f"{store}    endpoint: {emulator.endpoint}\n")
    path.write_text(text.replace('accountId: "123456789012"', 'accountId: "000000000000"'))
    for name in (IMAGE_SET, "53d5fdb05ca4d46ac7ca64b06545c66e"):
        imported(emulator, document(image_set_id=name), primary=True)


def test_the_lock_names_the_wheel_with_its_hash(started: Team) -> None:
    last = (started.root / "reconcile-requirements.txt").read_text().splitlines()[-1]
    path, _, digest = last.partition(" --hash=sha256:")
    assert digest == hashlib.sha256((started.root / path).read_bytes()).hexdigest()
    assert git(started.root, "ls-files", path) == path.removeprefix("./")


def test_from_the_first_pull_request_to_nothing_to_do(started: Team) -> None:
    started.branch("ct-chest")
    git(started.root, "mv", "manifests/first.yaml", "manifests/ct-chest.yaml")
    path = started.root / "manifests" / "ct-chest.yaml"
    path.write_text(first_manifest().text)
    number = started.open("ct-chest")
    ran = started.planned(number)
    assert ran.conclusion == "failure"
    assert "allow: [STUDY_WIDE]" in started.host.comments(number)[-1][1]
    path.write_text(f"{first_manifest().text}allow: [STUDY_WIDE]\n")
    ran = started.planned(started.open("ct-chest"))
    assert ran.conclusion == "success", ran.log
    applied = started.merged(number)
    assert applied.conclusion == "success", applied.log
    assert started.version(IMAGE_SET) == "2"
    git(started.root, "checkout", "-q", BRANCH)
    printed = shell(started.root, started.runner.tools, commands("refs/heads/reconcile/records"))
    assert "nothing to do" in printed
