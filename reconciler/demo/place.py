"""The repository of the demo: a temporary clone, with a bare repository as its remote."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.core.errors import GitError

_PACKAGE = Path(__file__).parent.parent
_REPOSITORY = _PACKAGE.parent
_PACKAGED = _PACKAGE / "demo_manifests"
_FILES = ("manifests", "reconciler.yaml")
_BRANCH = "main"


@contextmanager
def temporary_clone(*, keep: bool) -> Iterator[Path]:
    """Create the clone and its remote. Removes both at the end, unless `keep` is set."""
    if shutil.which("git") is None:
        raise GitError("the demo needs git, which is not installed", "Install git and try again.")
    folder = Path(tempfile.mkdtemp(prefix="reconcile-demo-"))
    try:
        clone, remote = folder / "research-archive", folder / "remote.git"
        if not _cloned(clone):
            _made(clone)
        git(folder, "init", "--quiet", "--bare", f"--initial-branch={_BRANCH}", str(remote))
        git(clone, "checkout", "--quiet", "-B", _BRANCH)
        git(clone, "remote", "add", "demo", str(remote))
        git(clone, "push", "--quiet", "--set-upstream", "demo", _BRANCH)
        yield clone
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _cloned(clone: Path) -> bool:
    """Clone the repository that this program runs from, if it has the manifests."""
    if not (_REPOSITORY / ".git").exists() or not (_REPOSITORY / _FILES[1]).exists():
        return False
    made = subprocess.run(  # noqa: S603 - git, with arguments of our own
        ["git", "clone", "--quiet", "--origin", "source", str(_REPOSITORY), str(clone)],  # noqa: S607
        env=environment(isolated=False),
        capture_output=True,
        check=False,
    )
    if made.returncode == 0 and all((clone / name).exists() for name in _FILES):
        return True
    shutil.rmtree(clone, ignore_errors=True)
    return False


def _made(clone: Path) -> None:
    """Create a repository with the manifests that the program ships."""
    source = _PACKAGED if _PACKAGED.exists() else _REPOSITORY
    clone.mkdir()
    for name in _FILES:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy2
        copy(source / name, clone / name)
    git(clone, "init", "--quiet", f"--initial-branch={_BRANCH}")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "Add the manifests")


def git(folder: Path, *arguments: str) -> None:
    """Run git quietly; raises GitError."""
    done = subprocess.run(  # noqa: S603 - git, with arguments of our own
        ["git", *arguments],  # noqa: S607
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise GitError(f"the demo could not run git {arguments[0]}: {done.stderr.strip()}")


def environment(*, isolated: bool = True) -> dict[str, str]:
    """The environment of the demo's processes.

    Without the GIT_ variables: in a hook, they point at another repository. With `isolated`, the
    user's git configuration is ignored, since a commit might ask for the passphrase of a signing
    key. So an identity is set.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "CI" and not name.startswith("GIT_")
    }
    if not isolated:
        return kept
    people = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", "Data Steward"), ("EMAIL", "steward@example.org"))
    }
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return {**kept, **people, **settings, "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}
