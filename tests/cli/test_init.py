"""`reconcile init`: what it writes, what it leaves alone, and what it refuses."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler import __version__
from reconciler.edges import key
from tests.cli.conftest import Command, expect
from tests.cli.outside import git
from tests.processes import bounded

STORE = "12345678901234567890123456789012"
AWS = ("--aws-account", "123456789012", "--region", "us-east-1", "--datastore", f"research={STORE}")
GITHUB = ("--github", "--repository", "hospital@123/metadata@456")


def tree(root: Path) -> dict[str, bytes]:
    """The files of a folder with their content."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


LOCK = "reconcile-requirements.txt"
WHEEL = f"./wheels/imageset_reconciler-{__version__}-py3-none-any.whl"


def add_wheel(place: Path) -> None:
    """Add the wheel of reconcile to the lock, as the next steps of `init` say."""
    with (place / LOCK).open("a") as file:
        file.write(f"{WHEEL} --hash=sha256:{'0' * 64}\n")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current folder."""
    folder = tmp_path / "metadata"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_folder_becomes_a_repository_of_manifests(reconcile: Command, place: Path) -> None:
    ran = reconcile("init", *GITHUB, *AWS)
    assert (ran.code, ran.err) == (0, "")
    assert {
        ".editorconfig",
        ".github/CODEOWNERS",
        ".gitignore",
        ".vscode/manifests.code-snippets",
        ".vscode/settings.json",
        "iam/policy-apply.json",
        "iam/policy-plan.json",
        "manifests/README.md",
        "manifests/first.yaml",
        "reconciler.key",
        "reconciler.yaml",
        "schemas/manifest.schema.json",
    } <= tree(place).keys()
    assert all(f"\n  {path}\n" in ran.out for path in tree(place))
    assert reconcile("validate").code == 0
    assert STORE in reconcile("datastores").out


def test_git_ignores_no_file_of_a_scaffold(reconcile: Command, place: Path) -> None:
    """`plan*.json` must not keep a policy out of the repository."""
    assert reconcile("init", *GITHUB, *AWS).code == 0
    git(place, "init", "-q")
    git(place, "add", ".")
    assert git(place, "ls-files").split("\n") == sorted(tree(place).keys() - _ours(place))
    (place / "plan.json").write_text("")
    (place / ".reconcile").mkdir()
    (place / ".reconcile" / "plan.json").write_text("")
    assert git(place, "status", "--porcelain", "--untracked-files").count("??") == 0


def _ours(place: Path) -> set[str]:
    return {path for path in tree(place) if path.startswith(".git/")}


def test_what_is_left_to_do_is_printed(reconcile: Command, place: Path) -> None:
    ran = reconcile("init", "--github", "--repository", "hospital/metadata", *AWS)
    expect("init-next.txt", ran.out[ran.out.index("Next:") :])


def test_the_trust_policies_are_written_once_the_numbers_are_known(
    reconcile: Command, place: Path
) -> None:
    assert reconcile("init", "--github", "--repository", "hospital/metadata", *AWS).code == 0
    assert not (place / "iam" / "trust-plan.json").exists()
    ran = reconcile("init", *GITHUB, "--json")
    assert json.loads(ran.out)["written"] == ["iam/trust-apply.json", "iam/trust-plan.json"]
    assert "hospital@123/metadata@456" in (place / "iam" / "trust-plan.json").read_text()


def test_two_folders_differ_in_their_key_alone(reconcile: Command, place: Path) -> None:
    for name in ("one", "two"):
        assert reconcile("init", name, *GITHUB, *AWS).code == 0
    one, two = tree(place / "one"), tree(place / "two")
    assert one.keys() == two.keys()
    assert [path for path in one if one[path] != two[path]] == ["reconciler.key"]


def test_existing_files_stay_as_they_are(reconcile: Command, place: Path) -> None:
    assert reconcile("init", *GITHUB, *AWS).code == 0
    for path in place.rglob("*"):
        if path.is_file() and path.name not in ("reconciler.yaml", "reconciler.key"):
            path.write_text("ours\n")
    (place / ".editorconfig").unlink()
    before = tree(place)
    ran = reconcile("init", *GITHUB, "--json")
    assert ran.code == 0
    answer = json.loads(ran.out)
    assert answer["written"] == [".editorconfig"]
    assert answer["kept"] == sorted(before)
    assert {path: content for path, content in tree(place).items() if path in before} == before
    lacks = {row["path"]: row["lines"] for row in answer["lacks"]}
    assert lacks[".gitignore"] == [".reconcile/", "plan*.json"]
    assert "/records/" in "".join(lacks[".github/CODEOWNERS"])
    assert "manifests/README.md" not in lacks


def test_a_second_run_takes_the_data_stores_from_the_settings(
    reconcile: Command, place: Path
) -> None:
    assert reconcile("init", *AWS).code == 0
    assert not (place / ".github").exists()
    assert reconcile("init", *GITHUB).code == 0
    assert (place / ".github" / "CODEOWNERS").exists()
    assert STORE in (place / "iam" / "policy-plan.json").read_text()


def test_a_data_store_without_an_account_gets_that_of_the_option(
    reconcile: Command, place: Path
) -> None:
    (place / "reconciler.yaml").write_text(
        f'datastores:\n  research: {{datastoreId: "{STORE}", region: us-east-1}}\n'
    )
    ran = reconcile("init")
    assert ran.code == 1
    assert "--aws-account: is missing" in ran.err
    assert reconcile("init", "--aws-account", "123456789012").code == 0
    arn = f"arn:aws:medical-imaging:us-east-1:123456789012:datastore/{STORE}"
    assert arn in (place / "iam" / "policy-plan.json").read_text()


def test_a_data_store_for_settings_that_exist(reconcile: Command, place: Path) -> None:
    assert reconcile("init", *AWS).code == 0
    assert reconcile("init", *AWS).code == 0
    before = tree(place)
    ran = reconcile("init", *GITHUB, "--datastore", f"archive={'b' * 32}")
    assert ran.code == 1
    assert "reconciler.yaml exists, and does not name the data store archive" in ran.err
    assert tree(place) == before


def test_settings_that_name_an_emulator_only(reconcile: Command, place: Path) -> None:
    """A policy needs a resource."""
    (place / "reconciler.yaml").write_text(
        f'datastores:\n  research: {{datastoreId: "{STORE}", endpoint: emulator}}\n'
    )
    ran = reconcile("init", "--aws-account", "123456789012", "--region", "us-east-1")
    assert ran.code == 1
    assert "reconciler.yaml: names no data store on AWS" in ran.err
    assert tree(place).keys() == {"reconciler.yaml"}


def test_an_emulator_in_the_place_of_aws_keeps_the_account(reconcile: Command, place: Path) -> None:
    assert reconcile("init", *AWS).code == 0
    settings = place / "reconciler.yaml"
    settings.write_text(
        settings.read_text().replace("    region:", "    endpoint: emulator\n    region:")
    )
    assert reconcile("init", *GITHUB).code == 0
    add_wheel(place)
    assert reconcile("init", "--check").code == 0


def test_the_key_of_a_repository_stays(reconcile: Command, place: Path) -> None:
    made = key.make(place)
    assert reconcile("init", *AWS).code == 0
    assert key.read(place) == made


@pytest.mark.parametrize("elsewhere", ["CODEOWNERS", "docs/CODEOWNERS"])
def test_code_owners_in_another_place_stay_in_force(
    reconcile: Command, place: Path, elsewhere: str
) -> None:
    """GitHub reads only the first of three files, and that in .github/ is the first."""
    (place / "docs").mkdir()
    (place / elsewhere).write_text("* @hospital/all\n")
    ran = reconcile("init", *GITHUB, *AWS)
    assert ran.code == 0
    assert not (place / ".github" / "CODEOWNERS").exists()
    assert f"{elsewhere} lacks these lines:\n  /reconciler.yaml" in ran.out


def test_all_that_is_missing_is_listed(reconcile: Command, place: Path) -> None:
    ran = reconcile("init", "--github")
    assert (ran.code, ran.out) == (1, "")
    expect("error-init-missing.txt", ran.err)
    assert tree(place) == {}


def test_all_that_is_wrong_is_listed(reconcile: Command, place: Path) -> None:
    ran = reconcile(
        "init",
        *("--github", "--repository", "hospital@1/metadata", "--default-branch", "-x"),
        *("--aws-account", "12345678901", "--region", "Virginia", "--datastore", "research"),
        *("--datastore", "a=b", "--datastore", f"c={STORE}", "--datastore", f"d={STORE}"),
        *("--datastore", f"c={'b' * 32}"),
    )
    assert (ran.code, ran.out) == (1, "")
    expect("error-init-wrong.txt", ran.err)
    assert tree(place) == {}


@pytest.mark.parametrize(
    "name", ["hospital", "a/b/c", "hospital/..", "hospital/.", "-a/b", "a/b@1", "a b/c", "a/b\n"]
)
def test_a_repository_without_an_owner_and_a_name(
    reconcile: Command, place: Path, name: str
) -> None:
    ran = reconcile("init", *AWS, "--github", "--repository", name)
    assert ran.code == 1
    assert "--repository: is not the name of a repository" in ran.err


def test_a_repository_has_one_host(reconcile: Command, place: Path) -> None:
    assert reconcile("init", *AWS, "--github", "--gitlab", "--repository", "a/b").code == 1
    ran = reconcile("init", *AWS, "--repository", "a/b")
    assert "--repository: is for a repository on GitHub or GitLab" in ran.err
    assert tree(place) == {}


def test_settings_that_are_wrong_are_reported(reconcile: Command, place: Path) -> None:
    (place / "reconciler.yaml").write_text("datastores: {}\n")
    ran = reconcile("init", *AWS)
    assert ran.code == 1
    assert "reconciler.yaml:1" in ran.err
    assert tree(place).keys() == {"reconciler.yaml"}


def test_a_folder_that_is_a_file(reconcile: Command, place: Path) -> None:
    (place / "file").write_text("")
    for folder in ("file", "file/below"):
        ran = reconcile("init", folder, *AWS)
        assert ran.code == 1
        assert "file is not a folder" in ran.err


def test_everything_in_the_way_is_reported_and_nothing_is_written(
    reconcile: Command, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (place / ".github").symlink_to(tmp_path / "elsewhere")
    (place / "manifests").write_text("")
    (place / "reconciler.yaml").mkdir()
    ran = reconcile("init", *GITHUB, *AWS)
    assert (ran.code, ran.out) == (1, "")
    expect("error-init-in-the-way.txt", ran.err)
    assert tree(place) == {"manifests": b""}
    assert tree(tmp_path / "elsewhere") == {}


@pytest.mark.skipif(os.geteuid() == 0, reason="the administrator may write everywhere")
def test_a_folder_that_is_not_writable(reconcile: Command, place: Path) -> None:
    place.chmod(0o500)
    try:
        ran = reconcile("init", *AWS)
    finally:
        place.chmod(0o700)
    assert ran.code == 1
    assert "is not writable" in ran.err


def test_a_folder_inside_another_repository(reconcile: Command, place: Path) -> None:
    git(place, "init", "-q")
    ran = reconcile("init", "below", *GITHUB, *AWS)
    assert ran.code == 1
    assert "which runs no workflows from there" in ran.err
    assert not (place / "below").exists()


def test_a_folder_of_a_repository_on_this_machine_needs_no_git_init(
    reconcile: Command, place: Path
) -> None:
    assert "git init" in reconcile("init", "one", *AWS).out
    git(place, "init", "-q")
    assert "git init" not in reconcile("init", "two", *AWS).out


def test_on_a_terminal_it_asks_for_what_is_missing(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    typed = f"github\nhospital/metadata\n123456789012\n\nresearch={STORE}\n\n"
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "init", "new"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    os.close(theirs)
    with bounded(process):
        os.write(ours, typed.encode())
        printed, _ = process.communicate()
    os.close(ours)
    assert process.returncode == 0
    assert b"reconciler.yaml" in printed
    settings = (tmp_path / "new" / "reconciler.yaml").read_text()
    assert STORE in settings and "us-east-1" in settings
    assert (tmp_path / "new" / ".github" / "CODEOWNERS").exists()
