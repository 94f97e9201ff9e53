"""`reconcile init --check`: what a repository lacks, file by file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command, expect
from tests.cli.test_init import AWS, GITHUB, STORE, tree


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reconcile: Command) -> Path:
    """A complete repository, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    assert reconcile("init", *GITHUB, *AWS).code == 0
    return tmp_path


def test_a_complete_repository_lacks_nothing(reconcile: Command, place: Path) -> None:
    before = tree(place)
    ran = reconcile("init", "--check")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Complete: ")
    assert tree(place) == before


def test_what_it_lacks_is_printed_and_nothing_is_written(reconcile: Command, place: Path) -> None:
    (place / "reconciler.key").unlink()
    (place / "manifests" / "README.md").unlink()
    (place / ".vscode" / "settings.json").write_text("{}")  # the team's own
    (place / ".gitignore").write_text("*.pyc\n")
    owners = place / ".github" / "CODEOWNERS"
    owners.write_text("\n".join(owners.read_text().splitlines()[:-1]))
    schema = place / "schemas" / "reconciler.schema.json"
    schema.write_text(schema.read_text().replace("reconciler.yaml", "settings.yaml", 1))
    (place / "reconciler.yaml").write_text(
        f'datastores:\n  research: {{datastoreId: "{STORE}", region: us-east-1}}\n'
    )
    before = tree(place)
    ran = reconcile("init", "--check")
    assert (ran.code, ran.err) == (1, "")
    expect("init-check.txt", ran.out)
    assert tree(place) == before
    rows = json.loads(reconcile("init", "--check", "--json").out)["lacks"]
    assert {row["path"] for row in rows} >= {".gitignore", "reconciler.key", "reconciler.yaml"}


def test_the_host_is_known_by_its_files(reconcile: Command, place: Path) -> None:
    for path in (place / "iam").glob("trust-*.json"):
        path.unlink()
    ran = reconcile("init", "--check")
    assert "iam/trust-plan.json is missing." in ran.out
    (place / ".github" / "CODEOWNERS").unlink()
    for path in (place / ".github" / "workflows").glob("*"):
        path.unlink()
    assert "trust" not in reconcile("init", "--check").out
    assert "iam/trust-plan.json is missing." in reconcile("init", "--check", "--gitlab").out


def test_a_data_store_that_was_added_later(reconcile: Command, place: Path) -> None:
    with (place / "reconciler.yaml").open("a") as file:
        file.write("quotas: {}\n")
    text = (place / "reconciler.yaml").read_text()
    more = f'  archive: {{datastoreId: "{"b" * 32}", region: us-east-1, accountId: "123456789012"}}'
    (place / "reconciler.yaml").write_text(text.replace("datastores:", f"datastores:\n{more}"))
    ran = reconcile("init", "--check")
    assert ran.code == 1
    assert f"datastore/{'b' * 32}/imageset/*" in ran.out


def test_an_empty_folder_lacks_everything(reconcile: Command, place: Path) -> None:
    (place / "new").mkdir()
    ran = reconcile("init", "new", "--check")
    assert ran.code == 1
    assert "reconciler.yaml is missing." in ran.out
    assert tree(place / "new") == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "nothing is not a folder"),
        (["--region", "us-east-1"], "--check takes no account, region or data store"),
        (["--github", "--repository", "x"], "is not the name of a repository"),
    ],
)
def test_options_that_are_wrong(
    reconcile: Command, place: Path, arguments: list[str], message: str
) -> None:
    ran = reconcile("init", "--check", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert message in ran.err
