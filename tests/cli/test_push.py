"""Records are pushed to a branch that others push to as well."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.clock import REAL
from reconciler.core.errors import GitError
from reconciler.core.model.plan import Basis
from reconciler.core.model.record import Entry
from reconciler.edges import git as edge
from reconciler.edges import records
from reconciler.record.publication import Publication
from reconciler.record.publish import push
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, World, git, imported, manifest
from tests.documents import IMAGE_SET_ID, document
from tests.entries import put

NAME = """\
allow: [CHANGES_PATIENT_IDENTITY]
present:
  Patient:
    DICOM:
      PatientName: Doe^Pieter
"""
MAIN = edge.Remote("origin", "main")


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A bare repository, as a host keeps it."""
    bare = tmp_path / "host.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    return bare


@pytest.fixture
def tree(tmp_path: Path, host: Path, reconcile: Command) -> Iterator[World]:
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        manifest(world.root, "a.yaml", NAME)
        (world.root / ".gitignore").write_text(".reconcile/\n")
        git(world.root, "init", "-q", "-b", "main")
        git(world.root, "remote", "add", "origin", str(host))
        git(world.root, "add", ".")
        git(world.root, "commit", "-q", "-m", "ask")
        git(world.root, "push", "-q", "-u", "origin", "main")
        yield world


def entry(image_set_id: str, version: str = "2", **fields: object) -> Entry:
    given: dict[str, object] = {
        "datastore_id": STORE,
        "image_set_id": image_set_id,
        "version_id": version,
        "previous_version_id": "1",
        "updated_at": float(version),
        "created_at": 1.0,
        "asked": (("Patient/PatientName", version),),
        "ask_digest": "",
    }
    return Entry(**(given | fields))  # type: ignore[arg-type]


def held(host: Path, folder: Path) -> dict[str, Entry]:
    """The records on the host's branch, as the next run finds them."""
    git(folder, "clone", "-q", str(host), "next")
    return dict(records.read(folder / "next", STORE))


def test_an_apply_pushes_its_records_and_leaves_the_branch_alone(
    tree: World, host: Path, tmp_path: Path
) -> None:
    before = git(tree.root, "rev-parse", "HEAD")
    out = tree.apply("--record", "commit", "--push")
    assert git(tree.root, "rev-parse", "HEAD") == before
    assert git(host, "rev-parse", "main^") == before
    assert f"commit {git(host, 'rev-parse', 'main')[:12]}" in out
    assert held(host, tmp_path)[IMAGE_SET_ID].version_id == "2"
    names = git(host, "show", "--name-only", "--format=", "main").splitlines()
    folder = f"records/{STORE}"
    written = [f"{folder}/{IMAGE_SET_ID[:2]}.json", f"{folder}/scan.json"]
    assert sorted(names) == ["reconciler.key", *written]


def test_the_plan_of_the_next_clone_is_empty(
    tree: World, host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.apply("--record", "commit", "--push")
    git(tmp_path, "clone", "-q", str(host), "next")
    monkeypatch.chdir(tmp_path / "next")
    assert tree.unchanged() == 1


def test_what_others_pushed_meanwhile_is_joined(tree: World, host: Path, tmp_path: Path) -> None:
    """Another run recorded an image set of the same file, and a person pushed a manifest."""
    git(tmp_path, "clone", "-q", str(host), "other")
    other = tmp_path / "other"
    put(other, [entry(IMAGE_SET_ID[:2] + "0" * 30)])
    manifest(other, "b.yaml", NAME, "f" * 32)
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "others")
    git(other, "push", "-q")
    tree.apply("--record", "commit", "--push")
    found = held(host, tmp_path)
    assert {name: one.version_id for name, one in found.items()} == {
        IMAGE_SET_ID: "2",
        IMAGE_SET_ID[:2] + "0" * 30: "2",
    }
    assert (tmp_path / "next" / "manifests" / "b.yaml").exists()


def test_many_runs_push_at_the_same_time_and_nothing_is_lost(host: Path, tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    git(tmp_path, "clone", "-q", str(host), "seed")
    (seed / "README.md").write_text("seed\n")
    git(seed, "add", ".")
    git(seed, "commit", "-q", "-m", "seed")
    git(seed, "push", "-q", "origin", "HEAD:main")
    clones = [tmp_path / f"clone{number}" for number in range(4)]
    for clone in clones:
        git(tmp_path, "clone", "-q", str(host), clone.name)
    ids = [f"ab{number:030x}" for number in range(len(clones))]
    failed: list[BaseException] = []
    # GitPython and the environment of git are of a process, so each run is one.
    runs = [
        threading.Thread(target=_push_in_a_process, args=(clone, name, failed))
        for clone, name in zip(clones, ids, strict=True)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert failed == []
    assert sorted(held(host, tmp_path)) == ids


def _push_in_a_process(clone: Path, image_set_id: str, failed: list[BaseException]) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.cli.test_push import push_one; "
        "push_one(Path(sys.argv[1]), sys.argv[2])"
    )
    try:
        root = Path(__file__).parents[2]
        subprocess.run([sys.executable, "-c", code, clone, image_set_id], cwd=root, check=True)
    except BaseException as error:  # an error of a thread would be lost
        failed.append(error)


def push_one(clone: Path, image_set_id: str) -> str:
    """Record one image set in a clone, and push the record."""
    written = put(clone, [entry(image_set_id)])
    return push(Publication(clone, {STORE: "research"}, written, Basis("", 2), ""), MAIN, REAL)


def test_the_key_of_the_branch_wins_and_our_digests_are_emptied(
    tree: World, host: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "-q", str(host), "other")
    other = tmp_path / "other"
    (other / "reconciler.key").write_text("5a" * 32 + "\n")
    git(other, "add", ".")
    git(other, "commit", "-q", "-m", "key")
    git(other, "push", "-q")
    tree.apply("--record", "commit", "--push")  # makes a key of its own
    found = held(host, tmp_path)[IMAGE_SET_ID]
    assert (tmp_path / "next" / "reconciler.key").read_text() == "5a" * 32 + "\n"
    assert (found.version_id, found.ask_digest) == ("2", "")


def test_a_refused_push_says_what_is_applied_and_not_recorded(tree: World, host: Path) -> None:
    hook = host / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = tree.reconcile("apply", "--auto-approve", "--record", "commit", "--push")
    assert ran.code == 1
    assert "GH006: Protected branch update failed" in ran.err
    assert "The changes are applied, and the records are not pushed" in ran.err
    assert tree.version() == "2"
    hook.unlink()
    assert tree.reconcile("apply", "--auto-approve", "--record", "commit", "--push").code == 0


def test_an_overtaken_push_is_no_error(tree: World, host: Path) -> None:
    tip = edge.fetch(tree.root, MAIN)
    first, second = (
        edge.commit_onto(tree.root, tip, {tree.root / name: b"ours\n"}, edge.Message(name, "", ()))
        for name in ("first", "second")
    )
    assert edge.push(tree.root, MAIN, first, tip)
    assert not edge.push(tree.root, MAIN, second, tip)
    assert git(host, "rev-parse", "main") == first


def test_an_unreachable_remote_is_an_error_of_git(tree: World, host: Path) -> None:
    host.rename(host.with_name("gone"))
    with pytest.raises(GitError, match="git fetch origin failed"):
        edge.fetch(tree.root, MAIN)


def test_the_credentials_in_an_address_are_not_printed(tree: World) -> None:
    git(tree.root, "remote", "set-url", "origin", "https://bot:s3cret@127.0.0.1:1/records.git")
    with pytest.raises(GitError) as caught:
        edge.fetch(tree.root, MAIN)
    assert "s3cret" not in str(caught.value)
    assert "unable to access (address)" in caught.value.message


def test_no_program_of_a_remote_is_run(tree: World, tmp_path: Path) -> None:
    """`ext::` runs a command; a pull request cannot set it, but a person may have copied it."""
    git(tree.root, "remote", "set-url", "origin", f"ext::touch {tmp_path}/ran")
    with pytest.raises(GitError):
        edge.fetch(tree.root, MAIN)
    assert not (tmp_path / "ran").exists()


def test_push_needs_a_branch_that_follows_another(tree: World) -> None:
    git(tree.root, "checkout", "-q", "-b", "alone")
    ran = tree.reconcile("apply", "--auto-approve", "--record", "commit", "--push")
    assert (ran.code, tree.version()) == (1, "1")
    assert "follows no branch of a remote" in ran.err
    files = tree.reconcile("apply", "--auto-approve", "--push")
    assert "--record commit" in files.err
