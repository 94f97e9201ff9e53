"""Records: the files, which entries are used, and that no file is torn."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.core.errors import RecordError
from reconciler.core.model.observed import Properties
from reconciler.core.model.record import RULES_VERSION, Entry
from reconciler.edges import records
from tests.entries import put

A = "ea92b0d8838c72a3f25d00d13616f87e"
B = "ea00b0d8838c72a3f25d00d13616f87e"
C = "53d5fdb05ca4d46ac7ca64b06545c66e"
NAME = "1" * 32


def entry(image_set_id: str = A, version: str = "2", **other: Any) -> Entry:
    given: dict[str, Any] = {
        "datastore_id": "1" * 32,
        "image_set_id": image_set_id,
        "version_id": version,
        "previous_version_id": str(int(version) - 1),
        "updated_at": 1_700_243_522.295,
        "created_at": 1_700_000_000.5,
        "asked": (("Patient/PatientName", version), ("Study/StudyDescription", "1")),
        "released": (("Study/StudyID", "unreadable"),),
        "arn": f"arn:aws:medical-imaging:us-east-1:{'0' * 12}:datastore/{'1' * 32}/imageset/{A}",
        "ask_digest": "sha256:" + "0" * 64,
    }
    return Entry(**(given | other))


def edit(path: Path, change: Any) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def digest_of(path: Path) -> str:
    """The digest of a file's first entry, found to be the one over all its other fields."""
    row = json.loads(path.read_text())["entries"][0]
    digest: str = row.pop("digest")
    text = json.dumps(row, sort_keys=True, separators=(",", ":"))
    assert digest == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return digest


def test_what_is_written_is_read(tmp_path: Path) -> None:
    entries = [entry(A), entry(B, updated_at=None), entry(C, asked=(), ask_digest="")]
    put(tmp_path, entries)
    assert records.read(tmp_path, NAME) == {one.image_set_id: one for one in entries}


def test_nothing_recorded_is_an_empty_mapping(tmp_path: Path) -> None:
    assert records.read(tmp_path, NAME) == {}


def test_the_file_is_by_the_first_two_characters_each_field_on_its_own_line(
    tmp_path: Path,
) -> None:
    changed = put(tmp_path, [entry()])
    path = tmp_path / "records" / NAME / "ea.json"
    digest = digest_of(path)
    assert changed == (path,)
    assert path.read_text() == (
        '{\n  "apiVersion": "reconciler/v1",\n  "kind": "Record",\n  "entries": [\n    {\n'
        f'      "datastoreId": "{"1" * 32}",\n'
        f'      "imageSetId": "{A}",\n'
        f'      "imageSetArn": "{entry().arn}",\n'
        '      "versionId": "2",\n'
        '      "previousVersionId": "1",\n'
        '      "updatedAt": "2023-11-17T17:52:02.295Z",\n'
        '      "createdAt": "2023-11-14T22:13:20.500Z",\n'
        '      "asked": {\n        "Patient/PatientName": "2",\n'
        '        "Study/StudyDescription": "1"\n      },\n'
        '      "released": {\n        "Study/StudyID": "unreadable"\n      },\n'
        f'      "askDigest": "sha256:{"0" * 64}",\n'
        f'      "rulesVersion": {RULES_VERSION},\n'
        f'      "digest": "{digest}"\n'
        "    }\n  ]\n}\n"
    )


def test_what_is_written_is_what_the_published_schema_says(tmp_path: Path) -> None:
    schema = json.loads((Path(__file__).parents[2] / "schemas/record.schema.json").read_text())
    bare = entry(B, "1", previous_version_id="", updated_at=None, asked=(), ask_digest="")
    selected_by = (("wrong-id", f"hmac-sha256:{'0' * 64}"),)
    full = entry(
        "ea" + "1" * 30, run="github-17-2", applied_commit="c" * 40, selected_by=selected_by
    )
    (path,) = put(tmp_path, [entry(A), bare, full])
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(json.loads(path.read_text()))] == []


def test_an_entry_states_the_run_and_the_commit_that_changed_it(tmp_path: Path) -> None:
    one = entry(A, run="github-17-2", applied_commit="c" * 40)
    (path,) = put(tmp_path, [one, entry(B)])
    assert records.read(tmp_path, NAME) == {A: one, B: entry(B)}
    assert records.applied_commits([path.read_bytes()]) == {"c" * 40}


def test_an_entry_states_its_selectors(tmp_path: Path) -> None:
    digest = f"hmac-sha256:{'0' * 64}"
    one = entry(A, selected_by=(("by-study", digest), ("wrong-id", digest)))
    (path,) = put(tmp_path, [one])
    assert records.read(tmp_path, NAME) == {A: one}
    (row,) = json.loads(path.read_text())["entries"]
    assert row["selectedBy"] == {"by-study": digest, "wrong-id": digest}


def test_an_entry_of_a_lost_key_keeps_its_selectors(tmp_path: Path) -> None:
    one = entry(A, selected_by=(("wrong-id", f"hmac-sha256:{'0' * 64}"),))
    (path,) = put(tmp_path, [one])
    content = records.joined_content(path.read_bytes(), b"", path.name, is_foreign=True)
    (row,) = json.loads(content)["entries"]
    assert (row["askDigest"], row["selectedBy"]) == ("", {"wrong-id": ""})


def test_the_bytes_do_not_depend_on_the_order_of_writing(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    put(one, [entry(A), entry(B)])
    put(other, [entry(B)])
    put(other, [entry(A)])
    name = f"records/{NAME}/ea.json"
    assert (one / name).read_bytes() == (other / name).read_bytes()


def test_writing_the_same_again_changes_no_file(tmp_path: Path) -> None:
    (path,) = put(tmp_path, [entry(A)])
    before = path.stat()
    assert put(tmp_path, [entry(A)]) == ()
    assert path.stat().st_ino == before.st_ino


def test_an_entry_without_created_at_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Commit dc76416 wrote this one."""
    path = records.folder(tmp_path, NAME) / "ea.json"
    path.parent.mkdir(parents=True)
    path.write_text(OLD_FORM)
    asked = (("Patient/PatientName", "2"), ("Study/StudyDescription", "2"))
    old = entry(
        A, created_at=None, is_dated=False, asked=asked, released=(), arn="", rules_version=1
    )
    assert records.read(tmp_path, NAME)[A] == old
    put(tmp_path, [entry(B)])
    assert json.loads(OLD_FORM)["entries"][0] in json.loads(path.read_text())["entries"]


OLD_FORM = """\
{
  "apiVersion": "reconciler/v1",
  "kind": "Record",
  "entries": [
    {
      "datastoreId": "11111111111111111111111111111111",
      "imageSetId": "ea92b0d8838c72a3f25d00d13616f87e",
      "versionId": "2",
      "previousVersionId": "1",
      "updatedAt": "2023-11-17T17:52:02.295Z",
      "asked": [
        "Patient/PatientName",
        "Study/StudyDescription"
      ],
      "askDigest": "sha256:0000000000000000000000000000000000000000000000000000000000000000",
      "rulesVersion": 1,
      "digest": "sha256:73ed416c91c94e94c6439f06a76a85bf455e76841be390d4b30d5ddafa10b3db"
    }
  ]
}
"""


@pytest.mark.parametrize(
    ("recorded", "seen", "is_at"),
    [
        ({}, {}, True),
        ({}, {"version_id": "3"}, False),
        ({}, {"updated_at": 1_700_243_522.2954}, True),  # records keep milliseconds
        ({}, {"updated_at": 1_700_243_522.296}, False),
        ({}, {"updated_at": None}, False),
        ({"updated_at": None}, {"updated_at": None}, True),
        ({"updated_at": None}, {}, False),
        ({}, {"created_at": 1.0}, False),
        ({}, {"created_at": None}, False),
        ({"created_at": None}, {"created_at": None}, False),
        ({"is_dated": False}, {"created_at": 1.0}, True),
        ({"is_dated": False}, {"updated_at": 1.0}, False),
        ({"is_dated": False, "updated_at": None}, {"updated_at": None}, False),
    ],
)
def test_a_version_is_that_of_the_entry_by_number_and_times(
    recorded: dict[str, Any], seen: dict[str, Any], is_at: bool
) -> None:
    one = entry(**recorded)
    given: dict[str, Any] = {"updated_at": 1_700_243_522.295, "created_at": 1_700_000_000.5}
    properties = Properties(A, "2", "ACTIVE")
    assert one.is_at(replace(properties, **(given | seen))) is is_at


def test_times_survive_to_the_millisecond(tmp_path: Path) -> None:
    for moment in (1_700_000_000.0, 1_700_000_000.001, 1_699_999_999.999, 0.5):
        put(tmp_path, [entry(A, updated_at=moment)])
        assert records.read(tmp_path, NAME)[A].updated_at == moment


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("versionId", "3"),
        ("askDigest", ""),
        ("asked", {}),
        ("released", {}),
        ("imageSetArn", ""),
        ("updatedAt", None),
        ("run", "another"),
        ("appliedCommit", "c" * 40),
        ("appliedCommit", "--output=/tmp/x"),
    ],
)
def test_an_edited_entry_is_told_with_file_and_image_set(
    tmp_path: Path, field: str, value: object
) -> None:
    (path,) = put(tmp_path, [entry(A), entry(B)])
    edit(path, lambda content: content["entries"][1].update({field: value}))
    with pytest.raises(RecordError) as caught:
        records.read(tmp_path, NAME)
    assert f"records/{NAME}/ea.json:1: image set {A}" in caught.value.message
    assert B not in caught.value.message
    assert "git checkout" in caught.value.hint


def test_a_digest_over_every_field(tmp_path: Path) -> None:
    fields: dict[str, Any] = {
        "datastore_id": "2" * 32,
        "image_set_id": B,
        "version_id": "3",
        "previous_version_id": "0",
        "updated_at": None,
        "created_at": None,
        "is_dated": False,
        "asked": (),
        "released": (),
        "arn": "",
        "ask_digest": "x",
        "rules_version": 99,
        "selected_by": (("wrong-id", f"hmac-sha256:{'0' * 64}"),),
        "run": "github-17-2",
        "applied_commit": "c" * 40,
    }
    entries = [entry(), *(replace(entry(), **{name: value}) for name, value in fields.items())]
    digests = set()
    for number, one in enumerate(entries):
        (path,) = put(tmp_path / str(number), [one])
        digests.add(digest_of(path))
    assert len(digests) == len(fields) + 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> other\n",
        '{"apiVersion": "reconciler/v9", "kind": "Record", "entries": []}',
        '{"apiVersion": "reconciler/v1", "kind": "Record", "entries": {}}',
        '{"apiVersion": "reconciler/v1", "kind": "Record", "entries": [1]}',
        '{"apiVersion": "reconciler/v1", "kind": "Record", "entries": [{"imageSetId": 5}]}',
        "\udcff",
    ],
)
def test_a_file_that_we_did_not_write_is_told_and_left_alone(tmp_path: Path, text: str) -> None:
    path = records.folder(tmp_path, NAME) / "ea.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    before = path.read_bytes()
    with pytest.raises(RecordError, match=r"records/1{32}/ea\.json"):
        records.read(tmp_path, NAME)
    if before:
        with pytest.raises(RecordError):
            put(tmp_path, [entry(A)])
        assert path.read_bytes() == before


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    """Bound by its bare name: the path of a socket may have some hundred characters only."""
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as bound:
        bound.bind(path.name)


@pytest.mark.parametrize("make", [_fifo, _socket, Path.mkdir])
def test_what_is_no_regular_file_is_told_and_not_waited_for(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = records.folder(tmp_path, NAME) / "ea.json"
    path.parent.mkdir(parents=True)
    make(path)
    for use in (records.read, lambda root, name: put(root, [entry(A)])):
        with pytest.raises(RecordError) as caught:
            use(tmp_path, NAME)
        assert caught.value.message == f"records/{NAME}/ea.json: is not a regular file"
    assert not path.is_file()


@pytest.mark.parametrize("target", ["/dev/zero", "ea.json", "b0.json", "nowhere"])
def test_a_link_is_refused_wherever_it_leads(tmp_path: Path, target: str) -> None:
    path = records.folder(tmp_path, NAME) / "ea.json"
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    for use in (records.read, lambda root, name: put(root, [entry(A)])):
        with pytest.raises(RecordError) as caught:
            use(tmp_path, NAME)
        assert caught.value.message == f"records/{NAME}/ea.json is a symbolic link"
    assert path.is_symlink()


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    for path in put(tmp_path, [entry(A), entry(B), entry(C)]):
        edit(path, lambda content: [row.update(versionId="9") for row in content["entries"]])
    with pytest.raises(RecordError) as caught:
        records.read(tmp_path, NAME)
    assert all(name in caught.value.message for name in (A, B, C))


def test_a_conflict_that_a_merge_left_is_told_with_a_way_out(tmp_path: Path) -> None:
    """`git checkout -- records` alone is refused there."""
    (path,) = put(tmp_path, [entry(A)])
    path.write_bytes(b"<<<<<<< HEAD\n" + path.read_bytes())
    with pytest.raises(RecordError, match="the file is damaged") as caught:
        records.read(tmp_path, NAME)
    assert "git checkout --theirs -- records" in caught.value.hint


def test_an_entry_in_the_wrong_file_is_told(tmp_path: Path) -> None:
    (path,) = put(tmp_path, [entry(A)])
    path.rename(path.with_name("00.json"))
    with pytest.raises(RecordError, match="in the wrong file"):
        records.read(tmp_path, NAME)


def test_the_watermark_beside_the_records_is_not_one(tmp_path: Path) -> None:
    put(tmp_path, [entry(A)])
    (records.folder(tmp_path, NAME) / "scan.json").write_text("{}")
    assert set(records.read(tmp_path, NAME)) == {A}


def test_what_a_killed_run_left_is_swept_and_never_read(tmp_path: Path) -> None:
    (path,) = put(tmp_path, [entry(A)])
    leftover = path.with_name(".ea.json.4000000000-0123abcd.tmp")
    leftover.write_text("{")
    assert set(records.read(tmp_path, NAME)) == {A}
    records.sweep(tmp_path, NAME)
    assert sorted(one.name for one in path.parent.iterdir()) == ["ea.json"]


def test_a_file_that_cannot_be_written_stays_the_old_one(tmp_path: Path) -> None:
    (path,) = put(tmp_path, [entry(A)])
    before = path.read_bytes()
    # A folder in place of the new file of the shard: rename fails for every user, also root.
    blocked = records.folder(tmp_path, NAME) / "53.json"
    blocked.mkdir()
    with pytest.raises(RecordError, match=r"53\.json: is not a regular file"):
        put(tmp_path, [entry(C)])
    assert path.read_bytes() == before
    assert sorted(one.name for one in path.parent.iterdir()) == ["53.json", "ea.json"]


def test_only_the_entries_that_are_other_than_before_are_new(tmp_path: Path) -> None:
    (path,) = put(tmp_path, [entry(A), entry(B)])
    before = path.read_bytes()
    put(tmp_path, [entry(A, "9")])
    assert records.changed_entries([(before, path.read_bytes())]) == (entry(A, "9"),)
    for nothing in (b"", b"none of ours"):
        assert set(records.changed_entries([(nothing, before)])) == {entry(A), entry(B)}
