"""What a test lets GitHub answer, and the program `gh` on PATH that gives the answers."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

_STAND_IN = Path(__file__).with_name("gh_stand_in.py")
REPOSITORY = "hospital/metadata"


class Answers:
    """The answers by path. Paths start behind `repos/hospital/metadata/`."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self._folder = folder
        self._answers: dict[str, Any] = {}
        tool = folder / "gh"
        tool.write_text(f'#!/bin/sh\nexec {sys.executable} {_STAND_IN} {folder} "$@"\n')
        tool.chmod(0o755)
        patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("GITHUB_REPOSITORY", REPOSITORY)
        self._keep()

    def one(self, path: str, answer: Any) -> None:
        """The answer to a request without pages."""
        self._put(path, {"pages": [answer]})

    def pages(self, path: str, *pages: Any) -> None:
        """The answers to a request for all pages."""
        mark = "&" if "?" in path else "?"
        self._put(f"{path}{mark}per_page=100", {"pages": list(pages)})

    def file(self, path: str, content: bytes) -> None:
        self._put(path, {"bytes": base64.b64encode(content).decode()})

    def error(self, path: str, said: str, code: int = 1) -> None:
        self._put(path, {"said": said, "code": code})

    def calls(self) -> list[tuple[str, str, list[str]]]:
        """The host, the path and the names of the variables of each call."""
        path = self._folder / "calls.jsonl"
        return [tuple(json.loads(line)) for line in path.read_text().splitlines()]

    def _put(self, path: str, answer: Any) -> None:
        self._answers[f"repos/{REPOSITORY}/{path}".rstrip("/")] = answer
        self._keep()

    def _keep(self) -> None:
        (self._folder / "answers.json").write_text(json.dumps(self._answers))
