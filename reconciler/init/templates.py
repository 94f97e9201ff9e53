"""The templates of a scaffold, and how the answers get into them. Pure but for reading templates.

A placeholder is written `@@NAME@@`: GitHub's workflows use `${{ }}` for their own. A file with a
placeholder that has no value is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from reconciler.edges import schemas
from reconciler.init.answers import Forge

FOLDER = Path(__file__).with_name("templates")
PLACEHOLDER = re.compile("@@([A-Z_]+)@@")
# Editors check manifests and settings by these.
_SCHEMAS = ("manifest", "reconciler")


class Compare(StrEnum):
    """How `--check` compares a file of the repository with its template."""

    PRESENCE = "presence"  # the team writes its content
    LINES = "lines"  # it holds these lines, among those of the team
    WHOLE = "whole"  # it is as this version writes it
    JSON = "json"  # as this version writes it, where its values are known
    POLICY = "policy"  # it allows these actions on these resources
    LOCK = "lock"  # it installs reconcile, with a hash


# The first pattern that matches decides (pathlib: PurePath.match).
_COMPARED = (
    (".gitignore", Compare.LINES),
    ("CODEOWNERS", Compare.LINES),
    ("schemas/*", Compare.WHOLE),
    (".github/workflows/*", Compare.WHOLE),
    (".gitlab-ci.yml", Compare.WHOLE),
    ("iam/policy-*.json", Compare.POLICY),
    ("reconcile-requirements.txt", Compare.LOCK),
    ("iam/trust-*.json", Compare.JSON),
)


@dataclass(frozen=True, slots=True)
class Template:
    """A file of the scaffold: its path in the repository, and its text with placeholders."""

    path: str
    text: str

    @property
    def compare(self) -> Compare:
        """How `--check` compares it."""
        path = Path(self.path)
        return next((how for shape, how in _COMPARED if path.match(shape)), Compare.PRESENCE)

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of its placeholders."""
        return frozenset(PLACEHOLDER.findall(self.text))

    def rendered(self, values: Mapping[str, str]) -> str:
        """The text with values. Raises KeyError if one is missing."""
        return PLACEHOLDER.sub(lambda found: values[found[1]], self.text)


def templates(forge: Forge | None) -> tuple[Template, ...]:
    """The templates of a scaffold, by path."""
    folders = ("common", *(["hosted", forge.value] if forge else []))
    found = (*_published(), *(one for name in folders for one in _below(FOLDER / name)))
    return tuple(sorted(found, key=lambda template: template.path))


def only(forge: Forge) -> tuple[str, ...]:
    """The paths of the files that only a repository on this host has."""
    return tuple(
        one.path for one in _below(FOLDER / forge.value) if one.path.startswith(f".{forge.value}")
    )


def _published() -> Iterator[Template]:
    for name in _SCHEMAS:
        yield Template(f"schemas/{name}.schema.json", schemas.text(name))


def _below(folder: Path) -> Iterator[Template]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            yield Template(path.relative_to(folder).as_posix(), text)
