"""The files by which GitHub protects the repository agree with the repository."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.docs.markdown import REPOSITORY, read

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))


def test_every_path_with_an_owner_exists() -> None:
    lines = [line.split() for line in read(".github/CODEOWNERS").splitlines()]
    rules = [(line[0], line[1:]) for line in lines if line and not line[0].startswith("#")]
    assert rules[0][0] == "*"
    for path, owners in rules:
        assert path == "*" or (REPOSITORY / path.strip("/")).exists(), path
        assert owners, path


def test_dependencies_of_every_kind_are_updated() -> None:
    updates: list[dict[str, Any]] = yaml.safe_load(read(".github/dependabot.yml"))["updates"]
    found = {update["package-ecosystem"]: update["directory"] for update in updates}
    assert found == {"pip": "/", "github-actions": "/", "npm": "/tests/clients"}
    assert (REPOSITORY / "pyproject.toml").exists()
    assert (REPOSITORY / "tests/clients/package-lock.json").exists()


def test_actions_are_pinned_to_commits() -> None:
    """A tag can be moved to another commit."""
    used = [line for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert re.search(r"uses: [\w./-]+@[0-9a-f]{40}  # v[\d.]+$", line), line
