"""`--fingerprints`: one live value compared between two plans, in text and JSON alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli import outside
from tests.cli.conftest import Command, Ran
from tests.cli.outside import World, imported, manifest, write
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

KEY = "8f2c" + bytes(range(64, 94)).hex()
NAME = """\
allow: [CHANGES_PATIENT_IDENTITY]
present:
  Patient:
    DICOM:
      PatientName: Doe^Pieter
"""
LINE = re.compile(r"^    ([0-9a-f]{16})  (\S+)$", re.MULTILINE)
SETTING = "fingerprintKey: RECONCILE_KEY\n"


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two image sets of one live name, and a manifest that changes both; the key is set."""
    monkeypatch.setenv("RECONCILE_KEY", KEY)
    with outside.world(tmp_path, reconcile) as world:
        outside.settings(world.root, world.emulator, SETTING)
        imported(world.emulator, document())
        imported(world.emulator, document(image_set_id=OTHER_ID))
        manifest(world.root, "a.yaml", NAME, IMAGE_SET_ID, OTHER_ID)
        outside.git(world.root, "init", "-q")
        outside.git(world.root, "add", ".")
        outside.git(world.root, "commit", "-q", "-m", "ask")
        yield world


def printed(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return [fingerprint for fingerprint, _ in LINE.findall(ran.out)]


def test_a_live_value_that_is_the_same_has_the_same_fingerprint(tree: World) -> None:
    assert OTHER_ID < IMAGE_SET_ID, "plans are in the order of the IDs"
    before = printed(tree.reconcile("plan", "--fingerprints"))
    assert len(set(before)) == 2, "the same name in two image sets has two fingerprints"
    manifest(tree.root, "a.yaml", NAME.replace("Pieter", "Petra"), OTHER_ID, IMAGE_SET_ID)
    assert printed(tree.reconcile("plan", "--fingerprints")) == before
    write(tree.emulator, OTHER_ID, {"Patient": {"DICOM": {"PatientName": "Garcia^Gloria^M"}}})
    after = printed(tree.reconcile("plan", "--fingerprints"))
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, True]


def test_the_lines_name_the_image_set_and_the_attribute(tree: World) -> None:
    out = tree.reconcile("plan", "--fingerprints", "--image-set", OTHER_ID).out
    _, section = out.split("Fingerprints of live values\n")
    assert "Equal fingerprints mean equal live values of one attribute of one image set." in section
    assert f"image set {OTHER_ID} (research):\n    " in section
    assert [path for _, path in LINE.findall(section)] == ["Patient/PatientName"]
    assert IMAGE_SET_ID not in section


def test_a_large_plan_has_a_line_for_each_value(tree: World) -> None:
    ids = [f"{number:032x}" for number in range(40)]
    for one in ids:
        imported(tree.emulator, document(image_set_id=one))
    manifest(tree.root, "a.yaml", NAME, *ids)
    assert len(set(printed(tree.reconcile("plan", "--fingerprints")))) == 40


def test_a_saved_plan_shows_the_fingerprints_of_its_live_values(tree: World) -> None:
    before = printed(tree.reconcile("plan", "--out", "p.json", "--fingerprints"))
    ran = tree.reconcile("show", "p.json", "--fingerprints", "--json")
    changes = [one for action in json.loads(ran.out)["actions"] for one in action["changes"]]
    assert [one["fingerprint"] for one in changes] == before
    assert all("masked" in one["before"] for one in changes)
    saved = Path("p.json").read_text()
    assert not any(one in saved for one in before)


def test_they_are_printed_on_demand_only(tree: World) -> None:
    for format in ("text", "json"):
        out = tree.reconcile("plan", "--format", format).out
        assert "ingerprint" not in out and LINE.search(out) is None


@pytest.mark.parametrize("command", ["plan", "show"])
@pytest.mark.parametrize("format", ["markdown", "html", "github"])
def test_what_is_passed_on_never_has_them(tree: World, command: str, format: str) -> None:
    tree.reconcile("plan", "--out", "p.json")
    plan = ("show", "p.json") if command == "show" else ("plan",)
    ran = tree.reconcile(*plan, "--format", format, "--fingerprints")
    assert (ran.code, ran.out) == (1, "")
    assert f"--format {format} has no fingerprints" in ran.err
    assert "Use --fingerprints with --format text or json." in ran.err


def test_a_plan_that_replaces_nothing_says_so(tree: World) -> None:
    manifest(tree.root, "a.yaml", "present: {Patient: {DICOM: {PatientSpeciesDescription: CAT}}}\n")
    out = tree.reconcile("plan", "--fingerprints").out
    assert "No fingerprints: no change replaces or removes a live value of an attribute.\n" in out


def test_a_summary_has_none(tree: World) -> None:
    ran = tree.reconcile("plan", "--summary", "--fingerprints")
    assert (ran.code, ran.out) == (1, "") and "--summary leaves out every value" in ran.err


def test_no_other_output_has_a_fingerprint_and_none_has_the_key(
    tree: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of a job, and what an apply leaves behind."""
    summary = tree.root.parent / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    runs = [tree.reconcile("plan", "--out", "p.json", "--fingerprints")]
    (one, other) = printed(runs[0])
    monkeypatch.setenv("CI", "true")
    runs += [tree.reconcile("plan", "--json", "--fingerprints")]
    others = [
        tree.reconcile("plan", "--format", format) for format in ("markdown", "html", "github")
    ]
    others.append(tree.reconcile("apply", "p.json", "--record", "files", "--report", "r.json"))
    files = [path for path in tree.root.parent.rglob("*") if path.is_file()]
    assert summary in files and tree.root / "r.json" in files
    left = "".join(path.read_bytes().decode("latin-1") for path in files)
    rest = left + "".join(ran.out + ran.err for ran in others)
    assert one not in rest and other not in rest
    said = rest + "".join(ran.out + ran.err for ran in runs)
    assert all(form not in said for form in (KEY, KEY.upper(), KEY[:16], KEY[-16:]))


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (None, "the environment variable RECONCILE_KEY is not set (`fingerprintKey`)"),
        ("abcdef", "too short"),
        ("our phrase, which everybody in the hospital knows", "neither hex nor base64"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "show"])
def test_without_a_usable_key_nothing_is_read(
    tree: World, monkeypatch: pytest.MonkeyPatch, key: str | None, problem: str, command: str
) -> None:
    if key is None:
        monkeypatch.delenv("RECONCILE_KEY")
    else:
        monkeypatch.setenv("RECONCILE_KEY", key)
    outside.settings(tree.root, tree.emulator, f"redact: all\n{SETTING}")
    broken = tree.root / "broken.json"
    broken.write_text('{"apiVersion": "reconciler/v1", "kind": "Plan"')
    plan = ("show", str(broken)) if command == "show" else ("plan",)
    ran = tree.reconcile(*plan, "--fingerprints")
    assert (ran.code, ran.out) == (1, "")
    assert problem in ran.err and "openssl rand -hex 32" in ran.err
    assert key is None or key not in ran.err


def test_without_the_setting_or_settings(
    tree: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.reconcile("plan", "--out", "../p.json")
    outside.settings(tree.root, tree.emulator)
    ran = tree.reconcile("plan", "--fingerprints")
    assert ran.code == 1 and "reconciler.yaml has no `fingerprintKey`" in ran.err
    monkeypatch.chdir(tmp_path)
    ran = tree.reconcile("show", "p.json", "--fingerprints")
    assert ran.code == 1 and "--fingerprints needs a reconciler.yaml" in ran.err


@pytest.mark.parametrize(
    "name", ["GITHUB_HEAD_REF", "AWS_SECRET_ACCESS_KEY", "reconcile_key", "RECONCILE_", "7", '""']
)
def test_the_setting_names_a_variable_of_ours(tree: World, name: str) -> None:
    """A pull request can change reconciler.yaml. It must not choose a key that its author knows,
    such as the name of its branch, nor test guesses of another secret.
    """
    outside.settings(tree.root, tree.emulator, f"fingerprintKey: {name}\n")
    ran = tree.reconcile("plan", "--fingerprints")
    assert (ran.code, ran.out) == (1, "")
    assert "fingerprintKey is not the name of a variable such as RECONCILE_KEY" in ran.err
