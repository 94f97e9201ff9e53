"""`reconcile init --check`: what a repository lacks, file by file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command, expect
from tests.cli.test_init import AWS, GITHUB, LOCK, STORE, WHEEL, add_wheel, tree


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reconcile: Command) -> Path:
    """A complete repository, which is the current folder."""
    monkeypatch.chdir(tmp_path)
    assert reconcile("init", *GITHUB, *AWS).code == 0
    add_wheel(tmp_path)
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


@pytest.mark.parametrize(
    "line",
    [
        "",
        f"# {WHEEL} --hash=sha256:{'0' * 64}",
        WHEEL,
        f"./wheels/imageset_reconciler_tools-1.0-py3-none-any.whl --hash=sha256:{'0' * 64}",
        f"imageset-reconciler-tools==1.0 --hash=sha256:{'0' * 64}",
    ],
)
def test_a_lock_that_does_not_install_reconcile(reconcile: Command, place: Path, line: str) -> None:
    """Each job then ends at its first step. A line without a hash is refused by pip."""
    lock = place / LOCK
    *others, _wheel = lock.read_text().splitlines()
    lock.write_text("\n".join([*others, line, ""]))
    ran = reconcile("init", "--check")
    assert ran.code == 1
    assert ran.out.startswith(
        f"{LOCK} lacks the line that installs reconcile:\n  {WHEEL} --hash=sha256:…\n"
    )
    again = reconcile("init", *GITHUB, *AWS)
    assert f"{LOCK} lacks the line that installs reconcile:" in again.out


@pytest.mark.parametrize(
    "line",
    [
        f"imageset-reconciler==0.1.0 \\\n    --hash=sha256:{'0' * 64}",
        f"imageset-reconciler @ https://example.org/a.whl --hash=sha256:{'0' * 64}",
        f"./Imageset.Reconciler-9.0-py3-none-any.whl --hash=sha256:{'0' * 64}",
    ],
)
def test_other_ways_to_install_reconcile(reconcile: Command, place: Path, line: str) -> None:
    lock = place / LOCK
    *others, _wheel = lock.read_text().splitlines()
    lock.write_text("\n".join([*others, line, ""]))
    assert reconcile("init", "--check").code == 0


def test_a_lock_that_init_has_just_written_lacks_nothing_yet(
    reconcile: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next steps say how to add the wheel."""
    monkeypatch.chdir(tmp_path)
    out = reconcile("init", *GITHUB, *AWS).out
    assert "lacks" not in out
    assert "Add the wheel of reconcile" in out


@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_the_jobs_read_the_record_branch_that_the_settings_name(
    reconcile: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forge: str
) -> None:
    """A plan without the records is refused."""
    monkeypatch.chdir(tmp_path)
    host = GITHUB if forge == "github" else ("--gitlab", "--repository", "hospital/metadata")
    assert reconcile("init", *host, *AWS).code == 0
    add_wheel(tmp_path)
    assert reconcile("init", "--check").code == 0
    settings = tmp_path / "reconciler.yaml"
    mode = "record: {mode: branch"
    settings.write_text(settings.read_text().replace(mode, f"{mode}, branch: audit/versions"))
    folder = ".github/workflows"
    on_github = [f"{folder}/reconcile-plan.yml", f"{folder}/reconcile-apply.yml"]
    jobs = {"github": on_github, "gitlab": [".gitlab-ci.yml"]}[forge]
    ran = reconcile("init", "--check")
    assert ran.code == 1
    for job in jobs:
        assert f"{job} differs from the file of this version" in ran.out
        (tmp_path / job).unlink()
    assert reconcile("init", *host).code == 0
    assert reconcile("init", "--check").code == 0
    for job in jobs:
        text = (tmp_path / job).read_text()
        assert "audit/versions" in text
        assert "reconcile/records" not in text
