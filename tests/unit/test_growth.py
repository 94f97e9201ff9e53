"""A run makes record files smaller before they grow too large, in a commit of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.errors import RecordError
from reconciler.core.model.key import Key
from reconciler.core.model.plan import Basis
from reconciler.core.model.record import Entry
from reconciler.core.model.settings import RecordMode
from reconciler.edges import git, records
from reconciler.edges import key as keys
from reconciler.edges.files import REAL
from reconciler.edges.records import layout
from reconciler.pipeline.known import refuse_missing_records
from reconciler.record import growth
from reconciler.record.keyring import Keyring
from reconciler.record.publication import Destination, Publication
from reconciler.record.publish import publish
from reconciler.record.published import published
from reconciler.record.writer import Writer
from tests.documents import DATASTORE_ID
from tests.entries import always, put
from tests.fakes import FakeClock
from tests.unit.test_recorder import IDS, Fleet, repository

STORE, OTHER = DATASTORE_ID, "f" * 32
NAMES = tuple(f"{number:02x}" + "0" * 30 for number in range(16))
ASKED = (("Study/DICOM/StudyDescription", "2"),)


def entry(name: str, version: str = "2", store: str = STORE) -> Entry:
    return Entry(store, name, version, "1", None, ASKED, "hmac-sha256:0", arn="arn:0")


def run(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Steward", "-c", "user.email=steward@example.org"]
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def at(root: Path, commit: str, store: str = STORE) -> dict[str, Entry]:
    """The entries in a commit."""
    names = run(root, "ls-tree", "-r", "--name-only", commit, "records/").splitlines()
    contents = {name: run(root, "show", f"{commit}:{name}").encode() for name in names}
    return dict(records.read_contents(contents, store))


def files_of(root: Path, commit: str, store: str = STORE) -> set[str]:
    shown = run(root, "ls-tree", "--name-only", f"{commit}:records/{store}")
    return set(shown.splitlines())


def crowded(fleet: Fleet) -> dict[str, Entry]:
    """Give a fleet so many records that its three image sets make one more character due."""
    folder = records.folder(fleet.root, STORE)
    folder.mkdir(parents=True)
    (folder / layout.FILE).write_bytes(layout.content(1))
    wanted = {f"{number:03x}" + "0" * 29: 0 for number in range(1022)}
    # No manifest asks anything of them.
    entries = {name: replace(entry(name), asked=(), released=ASKED) for name in wanted}
    records.write(fleet.root, STORE, {name: [always(one)] for name, one in entries.items()})
    return entries


@pytest.mark.parametrize("mode", [RecordMode.FILES, RecordMode.COMMIT])
def test_an_apply_grows_before_it_records_and_commits_that_alone(
    tmp_path: Path, mode: RecordMode
) -> None:
    fleet = Fleet(tmp_path)
    before = crowded(fleet)
    repository(fleet.root)
    start = run(tmp_path, "rev-parse", "HEAD")
    applied = fleet.apply(mode=mode)
    assert applied.problems == ()
    after = records.read(fleet.root, STORE)
    assert set(after) == {*before, *IDS}
    assert records.width(fleet.root, STORE) == 2
    assert {path.name for path in applied.recorded if path.parent.name == STORE} == {
        "aa.json",
        "bb.json",
        "cc.json",
    }
    # The plan reads them, whether or not they are committed.
    assert fleet.apply(mode=mode).outcomes == ()
    if mode is RecordMode.FILES:
        assert run(tmp_path, "rev-parse", "HEAD") == start
        return
    assert run(tmp_path, "log", "--format=%s", f"{start}..").splitlines() == [
        "Record 3 image sets at their new versions",
        "Name record files by 2 characters",
    ]
    assert at(tmp_path, "HEAD^") == {**before}
    assert run(tmp_path, "status", "--porcelain") == ""


def test_below_the_number_nothing_grows(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, IDS[:1])
    crowded(fleet)
    fleet.apply()
    assert records.width(fleet.root, STORE) == 1


def test_what_an_earlier_run_left_is_committed_first_and_the_next_run_grows(
    tmp_path: Path,
) -> None:
    fleet = Fleet(tmp_path)
    repository(fleet.root)
    before = crowded(fleet)
    assert fleet.apply(mode=RecordMode.COMMIT).commit
    assert records.width(fleet.root, STORE) == 1
    assert fleet.apply(mode=RecordMode.COMMIT).problems == ()
    assert records.width(fleet.root, STORE) == 2
    assert set(at(tmp_path, "HEAD")) == {*before, *IDS}
    assert run(tmp_path, "log", "-1", "--format=%s") == "Name record files by 2 characters"


class Clone:
    """A clone of a repository with a remote, and what a run of it records."""

    def __init__(self, folder: Path, remote: Path, key: Key) -> None:
        self.root = folder
        run(remote, "clone", "-q", str(remote), str(folder))
        self._keyring = Keyring(folder, key, REAL)

    def record(
        self,
        entries: Sequence[Entry],
        width: int = 2,
        mode: RecordMode = RecordMode.COMMIT,
        store: str = STORE,
    ) -> str:
        """Grow, write entries and publish them; return the commit."""
        branch = "main" if mode is RecordMode.COMMIT else "reconcile/records"
        destination = Destination(
            mode, git.Remote("origin", branch), "" if mode is RecordMode.COMMIT else branch
        )
        writer = Writer(self.root, self._keyring, REAL, run_id="", commit="")
        growth.grow(self.root, {store: width}, writer, destination)
        before = {store: records.read(self.root, store)}
        written = put(self.root, entries)
        found = Publication(self.root, {store: "research"}, written, Basis("", 1), "", before)
        made = publish(found, destination, FakeClock())
        # Of a push to the current branch, the commit that is checked out shows nothing.
        missing = published(found, destination, is_failed=True).missing
        assert not (mode.is_apart and missing)
        return made


@pytest.fixture
def remote(tmp_path: Path) -> tuple[Path, Key]:
    """A bare repository with records of two characters, and its key."""
    bare, first = tmp_path / "remote", tmp_path / "first"
    run(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
    run(tmp_path, "init", "-q", "-b", "main", str(first))
    key = keys.make(first)
    put(first, [entry(name) for name in NAMES])
    run(first, "add", ".")
    run(first, "commit", "-qm", "Start")
    run(first, "push", "-q", str(bare), "main")
    return bare, key


def subjects(bare: Path, branch: str) -> list[str]:
    return run(bare, "log", "--first-parent", "--format=%s", branch).splitlines()


MODES = [(RecordMode.COMMIT, "main"), (RecordMode.PULL_REQUEST, "reconcile/records")]
GROWN = "Name record files by 3 characters"
RECORDED = "Record 1 image set at its new version"


@pytest.mark.parametrize(("mode", "branch"), MODES)
def test_a_push_has_the_growth_in_a_commit_of_its_own(
    remote: tuple[Path, Key], tmp_path: Path, mode: RecordMode, branch: str
) -> None:
    bare, key = remote
    clone = Clone(tmp_path / "clone", bare, key)
    made = clone.record([entry(NAMES[0], "3")], 3, mode)
    assert made == run(bare, "rev-parse", branch)
    assert subjects(bare, branch) == [RECORDED, GROWN, "Start"]
    before = {name: entry(name) for name in NAMES}
    assert at(bare, f"{branch}^") == before
    assert at(bare, branch) == {**before, NAMES[0]: entry(NAMES[0], "3")}
    assert files_of(bare, branch) == {f"{name[:3]}.json" for name in NAMES} | {"layout.json"}
    assert run(bare, "diff", "--name-only", f"{branch}^", branch) == f"records/{STORE}/000.json"


@pytest.mark.parametrize(("mode", "branch"), MODES)
@pytest.mark.parametrize("other", [2, 3, 4])
def test_two_runs_grow_at_the_same_time_or_only_one_of_them(
    remote: tuple[Path, Key], tmp_path: Path, mode: RecordMode, branch: str, other: int
) -> None:
    bare, key = remote
    one, two = (Clone(tmp_path / name, bare, key) for name in ("one", "two"))
    one.record([entry(NAMES[0], "3")], 3, mode)
    two.record([entry(NAMES[1], "3"), entry(NAMES[0], "2")], other, mode)
    wanted = {name: entry(name) for name in NAMES}
    wanted |= {name: entry(name, "3") for name in NAMES[:2]}
    assert at(bare, branch) == wanted
    width = max(3, other)
    assert files_of(bare, branch) == {f"{name[:width]}.json" for name in NAMES} | {"layout.json"}
    assert subjects(bare, branch).count("Name record files by 4 characters") == (other == 4)


def test_a_run_at_the_old_width_amends_a_file_that_another_run_has_moved(
    remote: tuple[Path, Key], tmp_path: Path
) -> None:
    """A path that the other run released since stays released."""
    bare, key = remote
    slow, quick = (Clone(tmp_path / name, bare, key) for name in ("slow", "quick"))
    released = replace(entry(NAMES[1]), asked=(), released=ASKED)
    quick.record([released], 3)
    slow.record([entry(NAMES[0], "3")], 4)
    assert at(bare, "main")[NAMES[1]] == released
    assert at(bare, "main")[NAMES[0]] == entry(NAMES[0], "3")


def test_the_growth_of_one_data_store_stays_when_the_branch_gets_records_of_another(
    remote: tuple[Path, Key], tmp_path: Path
) -> None:
    bare, key = remote
    mode, branch = RecordMode.PULL_REQUEST, "reconcile/records"
    one, two = (Clone(tmp_path / name, bare, key) for name in ("one", "two"))
    one.record([entry(NAMES[0], "3")], 3, mode)
    two.record([entry(NAMES[2], "3", OTHER)], 2, mode, OTHER)
    assert at(bare, branch)[NAMES[0]] == entry(NAMES[0], "3")
    assert set(at(bare, branch)) == set(NAMES)
    assert files_of(bare, branch) == {f"{name[:3]}.json" for name in NAMES} | {"layout.json"}
    assert at(bare, branch, OTHER) == {NAMES[2]: entry(NAMES[2], "3", OTHER)}


def test_records_that_have_only_grown_are_checked_out(
    remote: tuple[Path, Key], tmp_path: Path
) -> None:
    bare, key = remote
    root = Clone(tmp_path / "clone", bare, key).root
    store = Fleet(tmp_path / "fleet").settings.datastores
    records.grow(root, STORE, 3)
    refuse_missing_records(root, store)
    (records.folder(root, STORE) / "000.json").unlink()
    with pytest.raises(RecordError, match=r"00\.json: the commit has these records"):
        refuse_missing_records(root, store)
    assert json.loads((records.folder(root, STORE) / layout.FILE).read_text())["width"] == 3
