"""`reconcile` with doubles of what is not part of it yet. To be removed when it is.

- `reviews --github [--push] --out FOLDER`: here, the newest review of each pull request that was
  merged, by its head.
- `record --push`: here, nothing.
- a folder as FILE of `--reviewed` and `--check`: here, each file of it.
"""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from reconciler.__main__ import main


def reviews(folder: Path) -> None:
    host = Path(os.environ["GH_STATE"])
    state = json.loads(host.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    heads = {one["head"]["sha"] for one in state["pulls"]}
    for run in state["runs"]:
        if run["conclusion"] != "success" or run["head_sha"] not in heads:
            continue
        for one in state["artifacts"]:
            if (one["run"], one["name"]) == (run["id"], "review"):
                data = (host.parent / f"artifact-{one['id']}.zip").read_bytes()
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    path = folder / f"{run['head_sha']}.json"
                    path.write_bytes(archive.read("review.json"))


def expanded(arguments: list[str]) -> Iterator[str]:
    for number, one in enumerate(arguments):
        option = arguments[number - 1] if number else ""
        if option in ("--reviewed", "--check") and Path(one).is_dir():
            files = [str(path) for path in sorted(Path(one).iterdir())]
            yield f" {option} ".join(files)
        else:
            yield one


def run(given: list[str]) -> None:
    """Run a command."""
    match given:
        case ["reviews", "--github", "--out", folder] | [
            "reviews",
            "--github",
            "--push",
            "--out",
            folder,
        ]:
            reviews(Path(folder))
        case ["record", "--push"]:
            pass
        case arguments:
            joined = [part for one in expanded(arguments) for part in one.split(" ")]
            sys.argv = ["reconcile", *joined]
            main()
