"""The parts of Markdown that the tests of the documents need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDERS = ("", ".github", ".github/decisions", "docs", "manifests", "tests/cases")
DOCUMENTS = tuple(
    str(path.relative_to(REPOSITORY))
    for folder in FOLDERS
    for path in sorted((REPOSITORY / folder).glob("*.md"))
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)\s]+)\)", re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line where its text begins."""

    language: str
    text: str
    line: int

    def __str__(self) -> str:
        return f"{self.language}@{self.line}"


def read(name: str) -> str:
    """A document of the repository."""
    return (REPOSITORY / name).read_text(encoding="utf-8")


def blocks(name: str, language: str = "") -> list[Block]:
    """Its fenced blocks in order, of one language or of all."""
    text = read(name)
    found = [
        Block(match[1], match[2], text.count("\n", 0, match.start(2)) + 1)
        for match in _FENCE.finditer(text)
    ]
    return [block for block in found if language in ("", block.language)]


def prose(name: str) -> str:
    """The document without its fenced blocks."""
    return _FENCE.sub("", read(name))


def links(name: str) -> Iterator[str]:
    """Where its links and pictures lead to."""
    for match in _LINK.finditer(prose(name)):
        yield match[1]


def prose_lines(name: str) -> Iterator[tuple[int, str]]:
    """The numbered lines that are neither in a fenced block nor a row of a table."""
    fenced = False
    for number, line in enumerate(read(name).splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("|"):
            yield number, line


def anchors(name: str) -> set[str]:
    """The anchors that GitHub makes of its headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose(name))
    }


def column(name: str, heading: str) -> list[str]:
    """The code words in the first column of the table whose first head is `heading`."""
    lines = iter(prose(name).splitlines())
    for line in lines:
        if line.startswith(f"| {heading} |"):
            next(lines)
            return [word for row in _rows(lines) for word in re.findall(r"`([^`]+)`", row)]
    raise AssertionError(f"{name} has no table headed {heading}")


def _rows(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("| "):
            return
        yield line.replace("\\|", "¦").split("|")[1].replace("¦", "|")
