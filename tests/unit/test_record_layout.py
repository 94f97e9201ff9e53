"""How many characters name a record file, and entries in files of two widths."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from jsonschema import Draft202012Validator

from reconciler.core.errors import LinkError, RecordError
from reconciler.core.model.record import Entry
from reconciler.edges import records, schemas
from reconciler.edges.files import RealFiles
from reconciler.edges.places import recorded_ids
from reconciler.edges.records import layout
from tests.entries import always, put
from tests.faulty_files import FaultyFiles
from tests.processes import SECONDS

STORE = "1" * 32
A, B = "ea" + "0" * 30, "ea1" + "0" * 29


def entry(name: str, version: str = "2") -> Entry:
    return Entry(
        STORE, name, version, "1", None, (("Study/DICOM/StudyDescription", version),), "sha256:0"
    )


def widen(root: Path, width: int) -> Path:
    path = records.folder(root, STORE) / layout.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(layout.content(width))
    return path


def names(root: Path) -> list[str]:
    return sorted(path.name for path in records.folder(root, STORE).iterdir())


def read(root: Path) -> dict[str, Entry]:
    """The entries, the same from the disk and from the contents of a commit."""
    found = dict(records.read(root, STORE))
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted((root / "records").rglob("*.json"), reverse=True)
    }
    assert records.read_contents(files, STORE) == found
    return found


@pytest.mark.parametrize("width", range(1, layout.MOST_WIDTH + 1))
def test_an_entry_is_in_the_file_of_the_stated_width(tmp_path: Path, width: int) -> None:
    path = widen(tmp_path, width)
    Draft202012Validator(schemas.load("record-layout")).validate(json.loads(path.read_text()))
    assert records.width(tmp_path, STORE) == width
    put(tmp_path, [entry(A), entry(B)])
    assert names(tmp_path) == sorted({f"{A[:width]}.json", f"{B[:width]}.json", "layout.json"})
    assert read(tmp_path) == {A: entry(A), B: entry(B)}
    assert set(recorded_ids(tmp_path, "")) == {A, B}
    assert list(recorded_ids(tmp_path, "ea1000000")) == [B]
    assert list(recorded_ids(tmp_path, "f")) == []


def test_without_a_layout_two_characters_name_a_file(tmp_path: Path) -> None:
    assert records.width(tmp_path, STORE) == 2
    put(tmp_path, [entry(A), entry(B)])
    assert names(tmp_path) == ["ea.json"]


def test_an_entry_in_a_file_of_a_smaller_width_is_read_and_moves_when_it_is_written(
    tmp_path: Path,
) -> None:
    put(tmp_path, [entry(A), entry(B)])
    widen(tmp_path, 4)
    assert read(tmp_path) == {A: entry(A), B: entry(B)}
    assert put(tmp_path, [entry(A, "3")]) == tuple(
        records.folder(tmp_path, STORE) / name for name in ("ea.json", "ea00.json")
    )
    assert read(tmp_path) == {A: entry(A, "3"), B: entry(B)}
    put(tmp_path, [entry(B, "3")])
    assert names(tmp_path) == ["ea00.json", "ea10.json", "layout.json"]


def test_two_entries_of_an_image_set_in_files_of_two_widths_are_joined(tmp_path: Path) -> None:
    """As after a merge of a branch that had not grown, whose run was the later one."""
    put(tmp_path, [entry(A, "5")])
    narrow = records.folder(tmp_path, STORE) / "ea.json"
    content = narrow.read_bytes()
    widen(tmp_path, 3)
    put(tmp_path, [replace(entry(A, "4"), released=(("Study/DICOM/StudyID", "3"),))])
    narrow.write_bytes(content)
    both = read(tmp_path)[A]
    assert (both.version_id, both.asked, both.released, both.ask_digest) == (
        "5",
        entry(A, "5").asked,
        (("Study/DICOM/StudyID", "3"),),
        "",
    )
    records.write(tmp_path, STORE, {A: [lambda one: one]})
    assert names(tmp_path) == ["ea0.json", "layout.json"]
    assert read(tmp_path) == {A: both}


def test_an_entry_of_the_first_form_moves_to_a_file_of_any_width(tmp_path: Path) -> None:
    for width in (1, 3):
        root = tmp_path / str(width)
        put(root, [entry(A), entry(B)])
        records.folder(root, STORE).rename(root / "records" / "research")
        widen(root, width)
        assert read(root) == {A: entry(A), B: entry(B)}
        put(root, [entry(A, "3")])
        assert read(root) == {A: entry(A, "3"), B: entry(B)}
        put(root, [entry(B, "3")])
        assert list((root / "records" / "research").iterdir()) == []


@pytest.mark.parametrize("width", range(2, layout.MOST_WIDTH + 1))
def test_an_image_set_whose_id_begins_like_another_file_of_the_folder(
    tmp_path: Path, width: int
) -> None:
    """An image set ID is [0-9a-z]{32}."""
    wanted = {name: entry(name) for name in ("scan" + "0" * 28, "layout" + "0" * 26)}
    put(tmp_path, wanted.values())
    (records.folder(tmp_path, STORE) / "scan.json").write_text("{}")
    widen(tmp_path, width)
    put(tmp_path, wanted.values())
    assert read(tmp_path) == wanted
    assert set(names(tmp_path)) >= {"scan.json", "layout.json"}
    assert records.width(tmp_path, STORE) == width
    for name in wanted:
        found = records.folder(tmp_path, STORE) / layout.file_of(name, width)
        assert found in records.paths_of(tmp_path, STORE, name)
        assert found.exists()
        assert not layout.misplaced(found.name, width)
        assert not layout.is_narrow(found.name, width)


STATED = {"apiVersion": "reconciler/v1", "kind": "RecordLayout", "width": 2}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "layout.json:1: the file is damaged"),
        ("<<<<<<< HEAD\n", "layout.json:1: the file is damaged"),
        ("\udcff", "layout.json:1: the file is damaged"),
        ("[]", "layout.json: is not a RecordLayout of reconciler/v1"),
        ("2", "layout.json: is not a RecordLayout of reconciler/v1"),
        ({**STATED, "apiVersion": "reconciler/v9"}, "is not a RecordLayout of reconciler/v1"),
        ({**STATED, "kind": "Record"}, "is not a RecordLayout of reconciler/v1"),
        ({**STATED, "more": 1}, "has unknown fields: more"),
        *(
            ({**STATED, "width": width}, "`width` is not a whole number from 1 to 6")
            for width in (0, 7, -1, 10**30, 2.0, 2.5, True, "2", None, [2])
        ),
    ],
)
def test_a_layout_that_we_did_not_write_is_refused_and_nothing_is_written(
    tmp_path: Path, content: object, problem: str
) -> None:
    put(tmp_path, [entry(A)])
    path = widen(tmp_path, 2)
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    for use in (lambda: read(tmp_path), lambda: put(tmp_path, [entry(B)])):
        with pytest.raises(RecordError) as caught:
            use()
        assert caught.value.message.startswith(f"records/{STORE}/layout.json")
        assert problem in caught.value.message
        assert f"git checkout -- records/{STORE}/layout.json" in caught.value.hint
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before


def test_a_layout_that_is_a_link_is_refused(tmp_path: Path) -> None:
    put(tmp_path, [entry(A)])
    path = records.folder(tmp_path, STORE) / layout.FILE
    path.symlink_to("ea.json")
    for use in (lambda: records.read(tmp_path, STORE), lambda: put(tmp_path, [entry(B)])):
        with pytest.raises(LinkError, match=r"layout\.json is a symbolic link"):
            use()


def test_a_file_of_a_greater_width_than_stated_is_refused(tmp_path: Path) -> None:
    """As where layout.json was lost: its entries would be amended in another file."""
    path = widen(tmp_path, 3)
    put(tmp_path, [entry(A)])
    path.unlink()
    with pytest.raises(RecordError) as caught:
        read(tmp_path)
    assert caught.value.message == (
        f"records/{STORE}/ea0.json: the file is in the wrong place. layout.json beside it is "
        "missing, or states that 2 characters name a record file"
    )
    path.write_bytes(layout.content(1))
    with pytest.raises(RecordError, match="states that 1 character names a record file"):
        read(tmp_path)


def test_a_file_that_is_no_record_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, [entry(A)])
    for name in ("README.json", "ea-0.json", "ea.json.orig", "eightchr.json", "ea.txt"):
        (records.folder(tmp_path, STORE) / name).write_text("{")
    assert read(tmp_path) == {A: entry(A)}


@pytest.mark.parametrize(
    ("entries", "width", "grown"),
    [
        (0, 2, 2),
        (16_383, 2, 2),
        (16_384, 2, 3),
        (100_000, 2, 3),
        (100_000, 4, 4),
        (0, 5, 5),
        (262_144, 2, 4),
        (10**12, 2, 6),
    ],
)
def test_the_width_grows_at_64_entries_a_file_and_never_shrinks(
    entries: int, width: int, grown: int
) -> None:
    assert layout.width_for(entries, width) == grown


def test_growing_moves_every_entry_once_and_changes_none(tmp_path: Path) -> None:
    put(tmp_path, [entry(A), entry(B), entry("0" * 32)])
    before = read(tmp_path)
    rows = [row for path in records.folder(tmp_path, STORE).iterdir() for row in rows_in(path)]
    changed = records.grow(tmp_path, STORE, 3)
    assert [path.name for path in changed] == [
        "00.json",
        "000.json",
        "ea.json",
        "ea0.json",
        "ea1.json",
        "layout.json",
    ]
    assert names(tmp_path) == ["000.json", "ea0.json", "ea1.json", "layout.json"]
    assert read(tmp_path) == before
    files = records.folder(tmp_path, STORE).glob("???.json")
    moved = [row for path in files for row in rows_in(path)]
    assert sorted(moved, key=str) == sorted(rows, key=str)
    assert records.grow(tmp_path, STORE, 2) == ()
    assert records.width(tmp_path, STORE) == 3


def rows_in(path: Path) -> list[object]:
    rows: list[object] = json.loads(path.read_text())["entries"]
    return rows


def test_an_edited_entry_stops_the_growth_and_stays(tmp_path: Path) -> None:
    (path,) = put(tmp_path, [entry(A)])
    path.write_bytes(path.read_bytes().replace(b'"versionId": "2"', b'"versionId": "3"'))
    before = path.read_bytes()
    with pytest.raises(RecordError, match="its digest does not match"):
        records.grow(tmp_path, STORE, 3)
    assert path.read_bytes() == before


class Killed(BaseException):
    """The end of a process: nothing catches it."""


def die() -> None:
    raise Killed


def test_killed_at_every_change_of_a_file_growth_loses_nothing_and_the_next_run_ends_it(
    tmp_path: Path,
) -> None:
    wanted = {name: entry(name) for name in (A, B, "0" * 32, "01" + "0" * 30)}
    counting = FaultyFiles()
    put(tmp_path / "0", wanted.values())
    records.grow(tmp_path / "0", STORE, 4, files=counting)
    end = {path.name: path.read_bytes() for path in records.folder(tmp_path / "0", STORE).iterdir()}
    for point in range(1, len(counting.calls) + 1):
        root = tmp_path / str(point)
        put(root, wanted.values())
        with pytest.raises(Killed):
            records.grow(root, STORE, 4, files=FaultyFiles(point, die))
        assert read(root) == wanted
        # A run that does not grow may come first.
        put(root, [wanted[B]])
        assert read(root) == wanted
        records.grow(root, STORE, 4)
        records.sweep(root, STORE)
        after = {path.name: path.read_bytes() for path in records.folder(root, STORE).iterdir()}
        assert after == end


GROWING = """
import sys
from pathlib import Path
from reconciler.edges import records
from reconciler.core.model.record import Entry

root, first = Path(sys.argv[1]), int(sys.argv[2])
sys.stdin.readline()
for number in range(first, first + 16):
    name = f"{number:02x}" + "0" * 30
    entry = Entry("1" * 32, name, "2", "1", None, (), "sha256:0")
    records.write(root, "1" * 32, {name: [lambda _, entry=entry: entry]})
    if number % 5 == 0:
        records.grow(root, "1" * 32, 2 + number % 3)
"""


def test_two_runs_that_grow_and_write_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    put(tmp_path, [entry(A)])
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", GROWING, str(tmp_path), str(first)], stdin=subprocess.PIPE
        )
        for first in (0, 16)
    ]
    for run in runs:
        assert run.stdin
        run.stdin.write(b"go\n")
        run.stdin.close()
    assert [run.wait(60) for run in runs] == [0, 0]
    assert len(read(tmp_path)) == 33
    assert records.width(tmp_path, STORE) == 4
    assert {len(name) for name in names(tmp_path) if name != "layout.json"} == {len("0000.json")}


def test_growth_waits_for_a_run_that_writes(tmp_path: Path) -> None:
    put(tmp_path, [entry(A), entry(B)])
    growing = Thread(target=records.grow, args=(tmp_path, STORE, 3))

    class GrownMeanwhile(RealFiles):
        def rename(self, old: Path, new: Path) -> None:
            if not growing.ident:
                growing.start()
                growing.join(0.2)  # without the lock it ends by then, and the old file comes back
            super().rename(old, new)

    records.write(tmp_path, STORE, {A: [always(entry(A, "3"))]}, files=GrownMeanwhile())
    growing.join(SECONDS)
    assert names(tmp_path) == ["ea0.json", "ea1.json", "layout.json"]
    assert read(tmp_path) == {A: entry(A, "3"), B: entry(B)}


def test_a_file_whose_entries_all_have_moved_counts_as_moved(tmp_path: Path) -> None:
    put(tmp_path, [entry(A), entry(B)])
    path = records.folder(tmp_path, STORE) / "ea.json"
    content = path.read_bytes()
    assert not records.is_moved(tmp_path, path, content)
    records.grow(tmp_path, STORE, 3)
    assert records.is_moved(tmp_path, path, content)
    assert not records.is_moved(tmp_path, path, b"")
    path.with_name("ea1.json").unlink()
    assert not records.is_moved(tmp_path, path, content)
