"""The lines of docs/review.md that keep one comment of a pull request, with a stand-in for gh."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reconciler.render.markdown import MARKER
from tests.docs.markdown import blocks

BOT = "github-actions[bot]"
REPOSITORY, PULL_REQUEST = "hospital/metadata", "12"
GH = Path(__file__).with_name("gh_stand_in.py")


class Host:
    """A repository host with comments of pull request 12, which the stand-in reads and writes."""

    def __init__(self, folder: Path, comments: Sequence[tuple[str, str]]) -> None:
        self._folder = folder
        self._state = folder / "comments.json"
        rows = [
            {"id": 100 + number, "user": {"login": author}, "body": body}
            for number, (author, body) in enumerate(comments)
        ]
        self._state.write_text(json.dumps(rows))
        tools = folder / "tools"
        tools.mkdir()
        self._tool(tools / "gh", f'exec {sys.executable} {GH} "$@"')
        self._tool(tools / "reconcile", f"echo '{MARKER}'; echo 'Plan of today'")

    def _tool(self, path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def run(self) -> None:
        (block,) = blocks("docs/review.md", "bash")
        environment = {
            "PATH": f"{self._folder / 'tools'}:/usr/bin:/bin",
            "GITHUB_REPOSITORY": REPOSITORY,
            "PULL_REQUEST": PULL_REQUEST,
            "COMMENTS": str(self._state),
        }
        # As GitHub runs a step: https://docs.github.com/actions/reference/workflow-syntax
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", block.text]
        subprocess.run(command, cwd=self._folder, env=environment, check=True)

    def comments(self) -> list[tuple[str, str]]:
        rows: list[dict[str, Any]] = json.loads(self._state.read_text())
        return [(row["user"]["login"], row["body"]) for row in rows]


NEW = f"{MARKER}\nPlan of today\n"
OLD = f"{MARKER}\nPlan of yesterday\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [(BOT, NEW)]),
        ([("doctor", "Fine."), (BOT, OLD)], [("doctor", "Fine."), (BOT, NEW)]),
        ([(BOT, "Something else.")], [(BOT, "Something else."), (BOT, NEW)]),
        # People can write the marker: their comments are never replaced.
        ([("mallory", OLD)], [("mallory", OLD), (BOT, NEW)]),
        ([("github-actions", OLD), (BOT, OLD)], [("github-actions", OLD), (BOT, NEW)]),
        ([(BOT, f"> {OLD}")], [(BOT, f"> {OLD}"), (BOT, NEW)]),
        ([(BOT, OLD), (BOT, OLD)], [(BOT, NEW), (BOT, OLD)]),
        ([("doctor", str(number)) for number in range(150)] + [(BOT, OLD)], None),
    ],
)
def test_one_comment_is_kept(
    tmp_path: Path, before: list[tuple[str, str]], after: list[tuple[str, str]] | None
) -> None:
    host = Host(tmp_path, before)
    host.run()
    assert host.comments() == (after or [*before[:-1], (BOT, NEW)])
    host.run()
    assert host.comments() == (after or [*before[:-1], (BOT, NEW)])
