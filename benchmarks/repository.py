"""How long git takes for many manifests and records.

python benchmarks/repository.py [FILES] [CHANGED]

The repository has that many manifests and as many records, each in 1,000 folders. Measured are:
reading the blob ids of all manifests, as a plan with `--base` does; a commit of records on the
current branch; and one on top of another commit, as `apply --push` makes it.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.edges import git
from reconciler.edges.git import Message

STORE = "1" * 32
TEXT = Message("Record versions", "", ())


def _git(root: Path, *arguments: str, text: str | None = None) -> str:
    ran = subprocess.run(
        ["git", "-C", str(root), *arguments], check=True, capture_output=True, text=True, input=text
    )
    return ran.stdout.strip()


def _write(folder: Path, count: int, version: int) -> list[Path]:
    """One file of about a kilobyte for each image set, in 1,000 folders."""
    paths = []
    for number in range(count):
        path = folder / f"{number % 1000:03}" / f"{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{"imageSetId": "{number:032x}", "versionId": "{version}"}}\n' * 12)
        paths.append(path)
    return paths


def _timed(name: str, work: Callable[[], object]) -> None:
    start = time.perf_counter()
    work()
    print(f"{name:50} {time.perf_counter() - start:6.2f} s", flush=True)


def main() -> None:
    """Make the repository, and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="?", type=int, default=100_000)
    parser.add_argument("changed", nargs="?", type=int, default=1_000)
    chosen = parser.parse_args()
    with TemporaryDirectory() as folder:
        root = Path(folder)
        _git(root, "init", "-q", "-b", "main")
        _git(root, "config", "gc.auto", "0")
        for name in ("user.name", "user.email"):
            _git(root, "config", name, "benchmark@example.org")
        _write(root / "manifests", chosen.files, 1)
        records = _write(root / "records" / STORE, chosen.files, 1)
        _timed(
            f"git add and commit of {2 * chosen.files:,} files, by git alone", lambda: _begin(root)
        )
        head = _git(root, "rev-parse", "HEAD")
        changed = records[:: max(1, chosen.files // chosen.changed)][: chosen.changed]
        contents = {path: path.read_bytes().replace(b'"1"', b'"2"') for path in changed}
        manifests = root / "manifests"
        _timed(
            f"ids and contents of {chosen.files:,} manifests of a base",
            lambda: git.since(root, "HEAD", [manifests]),
        )
        _timed(
            f"commit of {len(changed):,} records onto another commit",
            lambda: git.commit_onto(root, head, contents, TEXT),
        )
        for path, content in contents.items():
            path.write_bytes(content)
        made = git.commit_onto(root, head, contents, TEXT)
        _timed(
            f"names of {len(changed):,} files of {chosen.files:,} that differ",
            lambda: git.differing(root, head, made, root / "records"),
        )
        _timed(
            f"commit of {len(changed):,} records on the current branch",
            lambda: git.commit(root, changed, TEXT),
        )


def _begin(root: Path) -> None:
    _git(root, "add", ".")
    _git(root, "commit", "-q", "-m", "begin")


if __name__ == "__main__":
    main()
