"""config: every key of reconciler.yaml, and every problem at once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.errors import InputError, Place, ReconcilerError
from reconciler.core.model.guardrail import Amount, Guardrail
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.settings import (
    Comment,
    Datastore,
    Permission,
    RecordMode,
    Redact,
    Rules,
    Settings,
)
from reconciler.edges.places import find_settings
from reconciler.edges.settings import read_settings

ID = "1234567890abcdefghij1234567890ab"
ALLOW = Permission.ALLOW
STORE = f"datastores: {{research: {{datastoreId: {ID}, region: eu-west-2}}}}\n"

SAME_ID = (
    "has the same datastoreId as the data store at reconciler.yaml:4:3\n"
    "    Remove one of the two, or correct its datastoreId."
)

EVERYTHING = """\
manifests: wanted
datastores:
  research:
    datastoreId: 12345678901234567890123456789012
    region: us-east-1
    accountId: 012345678901
    endpoint: emulator
  clinic:
    datastoreId: 12345678901234567890123456789013
    region: eu-west-2
quotas: {UpdateImageSetMetadata: 0.25}
accounts: {"123456789012/us-east-1": {quotas: {GetImageSet: 50}}}
allow: [SPLIT_UPDATE, CHANGES_UID]
guardrails:
  imageSets: 5
  percent: 12.5
  removedInstances: 1
  removedSeries: 0
  patients: 2
  forcedSteps: 3
redact: all
comment: place
record: {mode: pull-request, branch: bot/records-1.0}
rules:
  seriesOnPrimary: allow
  uidsOnPrimary: allow
  removeLast: allow
  revertOnPrimary: allow
  removalsNeedForce: false
  payloadBytes: 30000
lockTimeout: 1h
"""


def read(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "reconciler.yaml").write_text(text, encoding="utf-8")
    return read_settings(tmp_path / "reconciler.yaml")


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return [str(problem).removeprefix("reconciler.yaml:") for problem in caught.value.diagnostics]


def test_every_key(tmp_path: Path) -> None:
    assert replace(read(tmp_path, EVERYTHING), digest="") == Settings(
        root=tmp_path,
        manifests="wanted",
        datastores=(
            Datastore("clinic", "12345678901234567890123456789013", "eu-west-2"),
            Datastore(
                "research",
                "12345678901234567890123456789012",
                "us-east-1",
                "012345678901",
                "emulator",
            ),
        ),
        quotas=(("UpdateImageSetMetadata", 0.25),),
        account_quotas=(("123456789012/us-east-1", (("GetImageSet", 50.0),)),),
        allow=(Consent(Hazard.CHANGES_UID), Consent(Hazard.SPLIT_UPDATE)),
        redact=Redact.ALL,
        record_mode=RecordMode.PULL_REQUEST,
        record_branch="bot/records-1.0",
        rules=Rules(ALLOW, ALLOW, ALLOW, ALLOW, False, 30000),
        lock_timeout_seconds=3600.0,
        guardrails=tuple(
            Guardrail(amount, most, Place("reconciler.yaml", line, column))
            for amount, most, line, column in [
                (Amount.IMAGE_SETS, 5, 15, 14),
                (Amount.PERCENT, 12.5, 16, 12),
                (Amount.REMOVED_INSTANCES, 1, 17, 21),
                (Amount.REMOVED_SERIES, 0, 18, 18),
                (Amount.PATIENTS, 2, 19, 13),
                (Amount.FORCED_STEPS, 3, 20, 16),
            ]
        ),
        comment=Comment.PLACE,
    )


def test_the_defaults(tmp_path: Path) -> None:
    store = Datastore("research", ID, "eu-west-2")
    found = read(tmp_path, STORE)
    assert replace(found, digest="") == Settings(tmp_path, "manifests", (store,))
    assert found.digest == f"sha256:{hashlib.sha256(STORE.encode()).hexdigest()}"


@pytest.mark.parametrize(
    "name",
    [
        "-x",
        "a..b",
        "a//b",
        "/a",
        "a/",
        "a.",
        ".a",
        "a/.b",
        "a b",
        "a.lock",
        "a.lock/b",
        "a~1",
        "@{u}",
    ],
)
def test_a_name_that_git_takes_for_no_branch(tmp_path: Path, name: str) -> None:
    """git-check-ref-format(1) has the rules. Ours are narrower."""
    (said,) = problems(tmp_path, f"{STORE}\nrecord: {{mode: branch, branch: '{name}'}}\n")
    assert "branch is not a name of a branch" in said


def test_an_emulator_needs_no_region(tmp_path: Path) -> None:
    text = f"datastores: {{local: {{datastoreId: {ID}, endpoint: http://127.0.0.1:80}}}}"
    (store,) = read(tmp_path, text).datastores
    assert store == Datastore("local", ID, "us-east-1", "", "http://127.0.0.1:80")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("90", 90.0), ("90s", 90.0), ("15m", 900.0), ("1.5h", 5400.0), ('"0.5"', 0.5)],
)
def test_lock_timeout(tmp_path: Path, written: str, seconds: float) -> None:
    assert read(tmp_path, f"{STORE}lockTimeout: {written}").lock_timeout_seconds == seconds


def test_all_problems_at_once(tmp_path: Path) -> None:
    text = f"""\
manifest: x
datastores:
  research: {{datastoreId: ABC, accountId: 12}}
  one: {{datastoreId: {ID}, region: us-east-1}}
  two: {{datastoreId: {ID}, endpoint: emulator}}
  three: {{datastoreId: {ID}, region: x, endpoint: ftp://x}}
  four:
  -x: {{datastoreId: {ID}, region: eu-west-1}}
quotas: {{UpdateImageSetMetadata: 0, ListDatastores: 1}}
accounts: {{x: {{quotas: {{GetImageSet: 1e3}}}}}}
allow: [OVERWRITES_DRIFT@5, REMOVES_INSTANCE, CHANGE_UID, FORCE]
guardrails: {{imageSets: many, percent: 101, removedInstances: -1, x: 1}}
redact: identifyng
record: {{mode: push, branch: records.lock}}
rules: {{seriesOnPrimary: yes, removalsNeedForce: "true", payloadBytes: 0}}
lockTimeout: 15min
"""
    assert problems(tmp_path, text) == [
        "1:1: unknown key 'manifest'\n    Did you mean manifests?",
        "3:3: the data store research has no region\n"
        "    Add the region of the data store, such as `region: us-east-1`.",
        "3:27: datastoreId is not a datastoreId: it needs 32 characters, each 0-9 or a-z",
        "3:43: accountId is not an account ID: it needs 12 digits",
        f"5:3: two {SAME_ID}",
        f"6:3: three {SAME_ID}",
        "6:66: region is not an AWS region, such as us-east-1",
        "6:79: endpoint is neither `emulator` nor an http(s) URL (without user and password)",
        "7:8: four is empty: it takes the keys `datastoreId`, `region`, `accountId`, `endpoint`\n"
        "    Fill it, or delete the key too.",
        "8:3: '-x' is not a name: use letters, digits, _ . and -, and begin with a letter or digit",
        f"8:3: -x {SAME_ID}",
        "9:34: UpdateImageSetMetadata is not a number above 0",
        "9:37: unknown key 'ListDatastores'\n    Allowed here: SearchImageSets, GetImageSet, "
        "GetImageSetMetadata, ListImageSetVersions, UpdateImageSetMetadata.",
        "10:12: 'x' is not an account and region, such as 123456789012/us-east-1",
        "10:38: GetImageSet is not a number above 0",
        "11:9: OVERWRITES_DRIFT cannot be a default: it applies to one version of one image set\n"
        "    Move it to `allow` of the manifest.",
        "11:47: 'CHANGE_UID' is not a hazard\n    Did you mean CHANGES_UID?",
        "11:59: FORCE is not allowed under `allow`\n"
        "    Remove it from `allow`: `force: true` is the consent.",
        "12:25: imageSets is not a whole number",
        "12:40: percent is not a percentage: 0 to 100",
        "12:63: removedInstances is not a whole number",
        "12:67: unknown key 'x'\n    Allowed here: imageSets, percent, removedInstances, "
        "removedSeries, patients, forcedSteps.",
        "13:9: redact must be identifying or all or none\n    Did you mean identifying?",
        "14:16: mode must be files or commit or branch or pull-request",
        "14:30: branch is not a name of a branch: use letters, digits, _ and -, with single . and "
        "/ between them",
        "15:26: seriesOnPrimary must be refuse or allow",
        "15:50: removalsNeedForce takes true or false, not text\n"
        "    Write `true` or `false`, without quotes.",
        "15:72: payloadBytes is not a number of bytes from 1",
        "16:14: lockTimeout is not a duration: write seconds, or 90s, 15m, 1h",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", " is empty\n    Add at least one data store under `datastores:`."),
        (
            f"{STORE}---\n{STORE}",
            " contains several documents, not one\n    Remove the line `---` between them.",
        ),
        ("{}", "1:1: reconciler.yaml has no datastores\n    Add `datastores: …`."),
        (
            "datastores: {}",
            "1:1: datastores names no data store\n    Fill it, or delete the key too.",
        ),
        (
            "datastores:",
            "1:12: datastores is empty: it takes names of data stores with keys below them\n"
            "    Fill it, or delete the key too.",
        ),
        (
            "datastores: [a]",
            "1:1: datastores takes names of data stores with keys below them, not a list",
        ),
        (
            "- a",
            "1:1: the document has no keys: it is a list\n"
            "    Write one `key: value` on each line. Manifests begin with `apiVersion:`.",
        ),
        (
            f"{STORE}quotas: {{GetImageSet: 1, GetImageSet: 2}}",
            "2:26: the key 'GetImageSet' is a duplicate of reconciler.yaml:2:10\n"
            "    Remove one of the two lines.",
        ),
        (
            f"{STORE}allow: REMOVES_INSTANCE",
            "2:8: allow takes a list, not text\n"
            "    Write each entry on its own line, beginning with `- `.",
        ),
        (
            f"{STORE}allow: [~]",
            "2:9: entry 1 of allow is empty: it takes text\n    Fill it, or delete the key too.",
        ),
        (f"{STORE}allow: [[a]]", "2:9: entry 1 of allow takes text, not a list"),
        (
            f"{STORE}manifests: /etc",
            "2:12: manifests is not a folder of this repository: write a path relative to "
            "reconciler.yaml",
        ),
        (
            f"{STORE}record: {{mode: brunch}}",
            "2:16: mode must be files or commit or branch or pull-request\n"
            "    Did you mean branch?",
        ),
    ],
)
def test_refused(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(tmp_path, text) == [expected]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_settings(tmp_path / "reconciler.yaml")
    assert str(caught.value) == (
        f"{tmp_path}/reconciler.yaml: does not exist\n    Check the name of the file."
    )


def test_it_is_found_from_any_folder_below(tmp_path: Path) -> None:
    (tmp_path / "reconciler.yaml").write_text(STORE)
    below = tmp_path / "manifests" / "deep"
    below.mkdir(parents=True)
    assert find_settings(below) == find_settings(tmp_path) == tmp_path / "reconciler.yaml"


def test_the_nearest_one_wins(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "inner"):
        folder.mkdir(exist_ok=True)
        (folder / "reconciler.yaml").write_text(STORE)
    assert find_settings(tmp_path / "inner") == tmp_path / "inner" / "reconciler.yaml"


def test_not_found_tells_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReconcilerError) as caught:
        find_settings(tmp_path)
    assert caught.value.message == f"no reconciler.yaml in {tmp_path} or any folder above it"
    assert "--config" in caught.value.hint


def test_the_root_is_the_folder_of_the_file_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(STORE)
    assert read_settings(tmp_path / "other.yaml").root == tmp_path


@pytest.mark.parametrize("folder", ["..", "../elsewhere", "a/../../b"])
def test_the_manifests_are_in_the_repository(tmp_path: Path, folder: str) -> None:
    assert problems(tmp_path, f"{STORE}manifests: {folder}\n") == [
        "2:12: manifests is not a folder of this repository: it contains `..`\n"
        "    Write a path relative to reconciler.yaml, without `..`."
    ]


@pytest.mark.parametrize("folder", [".", "a", "..a", "a..b/c"])
def test_dots_in_a_name_lead_nowhere(tmp_path: Path, folder: str) -> None:
    assert read(tmp_path, f"{STORE}manifests: {folder}\n").manifests == folder


def test_no_folder_is_one_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, f'{STORE}manifests: ""\n') == ["2:12: manifests is empty"]


@pytest.mark.parametrize("endpoint", ["http://a b", "http://me:secret@host", '"http://\\e[31m"'])
def test_an_endpoint_holds_no_credentials_and_no_blanks(tmp_path: Path, endpoint: str) -> None:
    (problem,) = problems(
        tmp_path, f"datastores: {{a: {{datastoreId: {ID}, endpoint: {endpoint}}}}}\n"
    )
    assert "endpoint is neither" in problem
    assert "secret" not in problem
