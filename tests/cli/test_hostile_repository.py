"""A pull request cannot run a program: not through git, and not through what Python imports."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import DATASTORE_ID, REPOSITORY

DATES = "manifests/acr-nema-dates.yaml"
CONSOLE = str(Path(sys.executable).with_name("reconcile"))
PLAN = ["plan", DATES]
COMMANDS = {
    "validate": ["validate"],
    "plan": PLAN,
    "plan --out": [*PLAN, "--out", ".reconcile/plan.json"],
    "apply --record commit": ["apply", DATES, "--auto-approve", "--record", "commit"],
}
# Settings of git that run a program when git reads an object, compares the working tree, or adds a
# file.
CONFIG = """\
[core]
\trepositoryformatversion = 1
\tbare = false
\tworktree = {tree}
\tfsmonitor = "touch {marker};"
\thooksPath = {git}/hooks
[extensions]
\tpartialClone = origin
[remote "origin"]
\turl = "ext::sh -c touch% {marker}"
\tpromisor = true
[protocol]
\tallow = always
[filter "evil"]
\tclean = "touch {marker}; cat"
\trequired = true
"""
HEADS = {"a missing commit": "deadbeef" * 5, "no commit yet": "ref: refs/heads/main"}


def hostile(git: Path, tree: Path, head: str, marker: Path) -> None:
    """A git folder of plain files, as a commit can carry it."""
    for name in ("objects", "refs", "hooks"):
        (git / name).mkdir(parents=True)
        (git / name / "keep").write_text("")
    (git / "HEAD").write_text(f"{head}\n")
    (git / "config").write_text(CONFIG.format(tree=tree, git=git, marker=marker))
    hook = git / "hooks" / "pre-commit"
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    (tree / ".gitattributes").write_text("* filter=evil\n")


def own_git(folder: Path, *arguments: str) -> str:
    """Run git directly."""
    identity = ["-c", "user.name=Steward", "-c", "user.email=steward@example.org"]
    command = ["git", *identity, *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def assert_records_are_committed(folder: Path) -> None:
    """The last commit holds a record, and the key of its digests, which is made with the first."""
    key, record = own_git(folder, "show", "--name-only", "--format=").splitlines()
    assert key == "reconciler.key"
    assert record.startswith("records/")


def committed(folder: Path) -> None:
    """A repository of its own, with everything in a commit."""
    own_git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / ".gitignore").write_text(".reconcile/\n")
    own_git(folder, "add", ".")
    own_git(folder, "commit", "--quiet", "--message", "Ask")


def subfolder(workspace: Path, head: str, marker: Path) -> None:
    """The settings lie in a subfolder that looks like a bare repository."""
    hostile(workspace, workspace, head, marker)
    committed(workspace.parent)


def git_file(workspace: Path, head: str, marker: Path) -> None:
    """`.git` is a file that names a folder of the tree."""
    hostile(workspace / "evil", workspace, head, marker)
    (workspace / ".git").write_text("gitdir: ./evil\n")


def git_file_with_a_good_name(workspace: Path, head: str, marker: Path) -> None:
    """`.git` is a file that names a folder of the tree, named as git's own."""
    hostile(workspace / "x" / ".git" / "worktrees" / "y", workspace, head, marker)
    (workspace / ".git").write_text("gitdir: x/.git/worktrees/y\n")


def git_link(workspace: Path, head: str, marker: Path) -> None:
    """`.git` is a link to a folder of the tree."""
    hostile(workspace / "evil", workspace, head, marker)
    (workspace / ".git").symlink_to("evil")


def no_git(workspace: Path, head: str, marker: Path) -> None:
    """No `.git` at all, but a tree that looks like a bare repository."""
    hostile(workspace, workspace, head, marker)


Layout = Callable[[Path, str, Path], None]
LAYOUTS: list[Layout] = [subfolder, git_file, no_git]
COMBINATIONS = [
    *((layout, "a missing commit", command) for layout in LAYOUTS for command in COMMANDS),
    *((layout, "no commit yet", "apply --record commit") for layout in LAYOUTS),
    *((layout, "a missing commit", "plan") for layout in (git_file_with_a_good_name, git_link)),
]


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a hostile program makes. Git has no other configuration than the tree."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    return tmp_path / "marker"


def reconcile(
    folder: Path,
    *arguments: str,
    program: tuple[str, ...] = (CONSOLE,),
    variables: Mapping[str, str] | None = None,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """A separate process, as a user starts it."""
    return subprocess.run(
        [*program, *arguments],
        cwd=folder,
        env={**os.environ, **(variables or {}), **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(("layout", "head", "command"), COMBINATIONS)
def test_no_program_of_the_tree_runs(
    workspace: Path,
    marker: Path,
    layout: Layout,
    head: str,
    command: str,
) -> None:
    layout(workspace, HEADS[head], marker)
    ran = reconcile(workspace, *COMMANDS[command])
    assert not marker.exists()
    assert ran.returncode in (0, 1), ran.stderr
    if command == "validate":
        assert ran.returncode == 0


def test_records_are_committed_to_the_repository_around_a_hostile_subfolder(
    workspace: Path, marker: Path
) -> None:
    subfolder(workspace, HEADS["a missing commit"], marker)
    ran = reconcile(workspace, *COMMANDS["apply --record commit"])
    assert (ran.returncode, ran.stderr) == (0, "")
    assert not marker.exists()
    shown = own_git(workspace.parent, "show", "--name-only", "--format=")
    assert shown.splitlines() == [
        "workspace/reconciler.key",
        f"workspace/records/{DATASTORE_ID}/ac.json",
    ]


def test_a_git_file_into_the_tree_is_explained(workspace: Path, marker: Path) -> None:
    git_file(workspace, HEADS["no commit yet"], marker)
    ran = reconcile(workspace, *PLAN)
    assert ran.returncode == 1
    assert ran.stderr.startswith(f"error: {workspace}/.git names the repository ./evil, ")


def test_a_tree_without_a_repository_is_planned(workspace: Path, marker: Path) -> None:
    no_git(workspace, HEADS["a missing commit"], marker)
    assert reconcile(workspace, *PLAN).returncode == 0


def test_a_hook_of_the_user_runs_and_sees_no_credentials(workspace: Path, marker: Path) -> None:
    committed(workspace)
    hook = workspace / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nenv > {marker}\n")
    hook.chmod(0o755)
    secrets = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_PROFILE": "hospital",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/hush",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "hush",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "http://localhost/hush",
        "GITHUB_TOKEN": "hush",
        "SOME_PASSWORD": "hush",
    }
    apply = COMMANDS["apply --record commit"]
    ran = reconcile(workspace, *apply, variables=secrets, HARMLESS="seen")
    assert (ran.returncode, ran.stderr) == (0, "")
    seen = dict(line.split("=", 1) for line in marker.read_text().splitlines() if "=" in line)
    assert not [name for name in secrets if seen.get(name)]
    assert not [name for name, value in seen.items() if name.startswith("AWS_") and value]
    assert seen["HARMLESS"] == "seen"


@pytest.mark.parametrize("linked", [False, True])
def test_a_hook_of_the_tree_does_not_run(workspace: Path, marker: Path, linked: bool) -> None:
    hook = workspace / "hooks" / "pre-commit"
    hook.parent.mkdir()
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    committed(workspace)
    if linked:
        link = workspace / ".git" / "hooks" / "pre-commit"
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(hook)
    else:
        own_git(workspace, "config", "core.hooksPath", "hooks")
    ran = reconcile(workspace, *COMMANDS["apply --record commit"])
    assert (ran.returncode, ran.stderr) == (0, "")
    assert not marker.exists()
    assert_records_are_committed(workspace)


def test_settings_of_git_that_lie_in_the_tree_are_refused(workspace: Path, marker: Path) -> None:
    """As where `include.path` leads there, or HOME is the work space of a CI job."""
    (workspace / ".gitconfig").write_text(
        f'[filter "evil"]\n\tclean = "touch {marker}; cat"\n[user]\n\tname = Mallory\n'
    )
    (workspace / ".gitattributes").write_text("records/** filter=evil\n")
    committed(workspace)
    ran = reconcile(
        workspace,
        *COMMANDS["apply --record commit"],
        HOME=str(workspace),
        GIT_CONFIG_GLOBAL=str(workspace / ".gitconfig"),
    )
    assert ran.returncode == 1
    assert f"git reads settings from {workspace}/.gitconfig" in ran.stderr
    assert not marker.exists()
    assert own_git(workspace, "log", "-1", "--format=%s") == "Ask"


# Python in the current folder, by the names of what we and Python's own modules import.
MODULES = ["git", "yaml", "orjson", "typer", "click", "boto3", "pydicom", "typing", "traceback"]


@pytest.fixture
def modules(workspace: Path, marker: Path) -> None:
    for name in MODULES:
        (workspace / f"{name}.py").write_text(f"open({str(marker)!r}, 'a').write({name!r})\n")
    committed(workspace)


@pytest.mark.parametrize(
    ("program", "more", "command"),
    [
        ((CONSOLE,), {}, "validate"),
        ((CONSOLE,), {"PYTHONPATH": f"{os.pathsep}/nonexistent"}, "apply --record commit"),
        ((CONSOLE,), {"PYTHONPATH": "."}, "validate"),
        ((sys.executable, "-m", "reconciler"), {}, "apply --record commit"),
        ((sys.executable, "-m", "reconciler"), {"PYTHONPATH": "manifests/.."}, "validate"),
    ],
)
def test_nothing_is_imported_from_the_current_folder(
    workspace: Path,
    marker: Path,
    modules: None,
    program: tuple[str, ...],
    more: dict[str, str],
    command: str,
) -> None:
    ran = reconcile(workspace, *COMMANDS[command], program=program, variables=more)
    assert not marker.exists(), marker.read_text()
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("path", [":{path}", "bin:{path}"])
def test_no_program_is_looked_up_in_the_current_folder(
    workspace: Path, marker: Path, path: str
) -> None:
    real = shutil.which("git")
    for folder in (workspace, workspace / "bin"):
        folder.mkdir(exist_ok=True)
        for name in ("git", "sh", "env"):
            fake = folder / name
            fake.write_text(f'#!/bin/bash\ntouch {marker}\nexec {real} "$@"\n')
            fake.chmod(0o755)
    committed(workspace)
    value = path.format(path=os.environ["PATH"])
    ran = reconcile(workspace, *COMMANDS["apply --record commit"], PATH=value)
    assert not marker.exists()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert_records_are_committed(workspace)


def test_a_checkout_of_our_own_is_no_exception() -> None:
    """`python -m` puts the current folder first, here that of the program itself."""
    ran = reconcile(REPOSITORY, "schema", program=(sys.executable, "-m", "reconciler"))
    assert (ran.returncode, ran.stderr) == (0, "")
