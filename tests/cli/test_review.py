"""What a job on a pull request prints of a plan, and what it may show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.edges.ci import job
from tests.cli import outside
from tests.cli.conftest import Command
from tests.cli.outside import STORE, World, git, imported, manifest
from tests.documents import IMAGE_SET_ID, OTHER_ID, document

NAME = """\
allow: [CHANGES_PATIENT_IDENTITY]
present:
  Patient:
    DICOM:
      PatientName: Doe^Pieter
"""
LIVE = "Garcia"


@pytest.fixture
def tree(tmp_path: Path, reconcile: Command) -> Iterator[World]:
    """A repository with one manifest, committed."""
    with outside.world(tmp_path, reconcile) as world:
        imported(world.emulator, document())
        imported(world.emulator, document(image_set_id=OTHER_ID))
        manifest(world.root, "a.yaml", NAME)
        (world.root / ".gitignore").write_text(".reconcile/\n")
        git(world.root, "init", "-q", "-b", "main")
        commit(world.root)
        yield world


def commit(root: Path) -> str:
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "ask")
    return git(root, "rev-parse", "HEAD")


def in_a_job(monkeypatch: pytest.MonkeyPatch, folder: Path, *, private: bool | None) -> None:
    """As GitHub Actions runs it."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", "hospital/metadata")
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    event = folder / "event.json"
    event.write_text(
        json.dumps({"repository": {"private": private}} if private is not None else {})
    )
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))


@pytest.mark.parametrize(("private", "shown"), [(True, True), (False, False), (None, False)])
@pytest.mark.parametrize("format", ["text", "markdown", "html", "json"])
def test_a_job_shows_a_value_of_the_manifest_in_a_private_repository(
    tree: World,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    private: bool | None,
    shown: bool,
    format: str,
) -> None:
    in_a_job(monkeypatch, tmp_path, private=private)
    out = tree.reconcile("plan", "--format", format).out
    assert ("Doe^Pieter" in out) is shown
    assert LIVE not in out


@pytest.mark.parametrize(("comment", "shown"), [("clear", True), ("place", False)])
def test_the_setting_decides_before_the_repository(
    tree: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, comment: str, shown: bool
) -> None:
    in_a_job(monkeypatch, tmp_path, private=not shown)
    outside.settings(tree.root, tree.emulator, f"comment: {comment}\nredact: none\n")
    commit(tree.root)
    out = tree.reconcile("plan", "--format", "markdown").out
    assert ("Doe^Pieter" in out) is shown
    assert LIVE not in out


def test_a_job_shows_nothing_that_the_commit_does_not_hold(
    tree: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    manifest(tree.root, "a.yaml", NAME.replace("Pieter", "Petra"))
    file = tree.root / ".reconcile" / "plan.json"
    assert tree.reconcile("plan", "--out", file).code == 0
    in_a_job(monkeypatch, tmp_path, private=True)
    out = tree.reconcile("show", file, "--format", "markdown").out
    assert "Petra" not in out and "Tree not clean" in out


@pytest.mark.parametrize("command", [("plan",), ("search",)])
def test_a_job_refuses_to_show_values(
    tree: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    in_a_job(monkeypatch, tmp_path, private=True)
    ran = tree.reconcile(*command, "--show-values")
    assert (ran.code, ran.out) == (1, "")
    assert "--show-values is refused in a CI job" in ran.err


def test_the_comment_links_the_line_at_the_commit(
    tree: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    in_a_job(monkeypatch, tmp_path, private=True)
    head = git(tree.root, "rev-parse", "HEAD")
    out = tree.reconcile("plan", "--format", "markdown").out
    link = f"https://github.com/hospital/metadata/blob/{head}/manifests/a.yaml#L10"
    assert link in out
    assert f"data store `research` (`{STORE}`, `us-east-1`, `{tree.emulator.endpoint}`)" in out


def test_annotations_stand_at_the_lines_of_the_manifests(tree: World) -> None:
    manifest(tree.root, "b,1.yaml", "present: {Patient: {DICOM: {PatientID: '7'}}}\n", OTHER_ID)
    ran = tree.reconcile("plan", "--format", "github")
    first, *others = ran.out.splitlines()
    assert first.startswith("::error file=manifests/b%2C1.yaml,line=1,title=Not changed::")
    assert "allow: [CHANGES_PATIENT_IDENTITY" in first
    assert [line.split("::")[1] for line in others] == [
        "warning file=manifests/a.yaml,line=10,title=CHANGES_PATIENT_IDENTITY"
    ]


def test_a_part_of_the_plan(tree: World) -> None:
    manifest(tree.root, "b.yaml", "present: {Study: {DICOM: {StudyDescription: CT}}}\n", OTHER_ID)
    out = tree.reconcile("plan", "--image-set", OTHER_ID).out
    assert OTHER_ID in out and IMAGE_SET_ID not in out
    assert "To apply" not in out
    ran = tree.reconcile("plan", "--image-set", "f" * 32)
    assert (ran.code, f"the plan has no image set {'f' * 32}" in ran.err) == (1, True)
    ran = tree.reconcile("plan", "--datastore", "other")
    assert (ran.code, "the plan has no image set of data store other" in ran.err) == (1, True)


def test_a_summary(tree: World) -> None:
    out = tree.reconcile("plan", "--summary").out
    assert "PatientName" not in out and "CHANGES_PATIENT_IDENTITY" in out
    found = json.loads(tree.reconcile("plan", "--summary", "--json").out)
    assert found["verdict"] == ["1 image set changes (1 call)."]
    assert found["dangers"] == [
        {"name": "CHANGES_PATIENT_IDENTITY", "imageSets": 1, "heldBack": 0, "withoutConsent": 0}
    ]
    ran = tree.reconcile("plan", "--summary", "--format", "github")
    assert (ran.code, "--format github has no summary" in ran.err) == (1, True)
    ran = tree.reconcile("plan", "--json", "--format", "text")
    assert (ran.code, "ask for different formats" in ran.err) == (1, True)


# --- what a pull request changes besides manifests --------------------------------------------


def test_what_changed_since_the_base_is_stated(tree: World) -> None:
    base = git(tree.root, "rev-parse", "HEAD")
    outside.settings(tree.root, tree.emulator, "redact: all\n")
    manifest(tree.root, "a.yaml", NAME.replace("allow: [", "force: true\nallow: [CHANGES_UID, "))
    commit(tree.root)
    file = tree.root / ".reconcile" / "plan.json"
    tree.reconcile("plan", "--base", base, "--out", file)
    since = json.loads(file.read_text())["basis"]["since"]
    assert since == {
        "base": base,
        "settings": True,
        "key": False,
        "consents": ["manifests/a.yaml: allow: CHANGES_UID", "manifests/a.yaml: force: true"],
        "local": 0,
    }
    out = tree.reconcile("show", file, "--format", "markdown").out
    assert "reconciler.yaml changed" in out.replace("`", "")
    assert "CHANGES_UID" in out


def test_a_base_that_is_not_there(tree: World) -> None:
    ran = tree.reconcile("plan", "--base", "--upload-pack=x")
    assert ran.code == 1
    ran = tree.reconcile("plan", "--base", "nowhere")
    assert (ran.code, "this repository has no commit nowhere" in ran.err) == (1, True)
    assert "fetch-depth: 2" in ran.err


def test_a_test_merge_is_compared_with_its_first_parent(
    tree: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base = git(tree.root, "rev-parse", "HEAD")
    git(tree.root, "checkout", "-q", "-b", "change")
    manifest(tree.root, "b.yaml", NAME, OTHER_ID)
    commit(tree.root)
    git(tree.root, "checkout", "-q", "main")
    git(tree.root, "merge", "-q", "--no-ff", "--no-edit", "change")
    in_a_job(monkeypatch, tmp_path, private=True)
    assert "since" not in json.loads(tree.reconcile("plan", "--json").out)["basis"]
    monkeypatch.setenv("GITHUB_EVENT_NAME", "pull_request")
    found = json.loads(tree.reconcile("plan", "--json").out)["basis"]["since"]
    assert (found["base"], found["consents"]) == (
        base,
        ["manifests/b.yaml: allow: CHANGES_PATIENT_IDENTITY"],
    )


@pytest.mark.parametrize(
    ("variables", "link"),
    [
        ({}, ""),
        (
            {"GITHUB_REPOSITORY": "a/b"},
            "https://github.com/a/b/blob/5f/manifests%20x",
        ),
        (
            {"CI_PROJECT_URL": "https://git.example/a", "CI_PROJECT_VISIBILITY": "private"},
            "https://git.example/a/-/blob/5f/manifests%20x",
        ),
    ],
)
def test_where_the_files_of_a_commit_are(variables: dict[str, str], link: str) -> None:
    found = job({"CI": "true", **variables})
    assert (found.link("5f", "manifests x"), found.link("", "x")) == (link, "")
    assert found.is_private is ("CI_PROJECT_VISIBILITY" in variables)
