"""Messages, docstrings, comments and pages use the words that a reader knows.

The tests find words of the authors' own dialect. They cannot find a sentence that is hard to read.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.docs.markdown import REPOSITORY, prose
from tests.docs.package_texts import texts

# Words that readers stumble over, and what to write instead. Names in backticks are not prose.
NOT_OUR_WORDS = {
    r"tells?|told|telling": "report, show, print, state; distinguish",
    r"somebody|someone|anybody|anyone|nobody|whoever": "name who it is: another process, the user",
    r"mend(?:s|ed|ing)?": "fix",
    r"lapse[sd]?|lapsing": "expires, no longer applies, ends",
    r"at rest": "until it is ACTIVE",
    r"used-up|pin is used up": "stale version",
}
# These are terms of the code and of its sources, for comments only.
NOT_IN_MESSAGES = {
    **NOT_OUR_WORDS,
    r"an? mapping|no mapping|scalars?": "what the person has to write",
    r"constraint (?:\d+|\{.*)": "the rule itself",
}
# The changelog is not among them: its entries stay as they were released.
PAGES = sorted(
    {"README.md", "ARCHITECTURE.md"}
    | {
        str(path.relative_to(REPOSITORY))
        for folder in ("docs", ".github", "reconciler/init/templates")
        for path in (REPOSITORY / folder).rglob("*.md")
    }
)
FOLDERS = ("reconciler", "tests", "scripts", "benchmarks")
# This file names the words.
SELF = "tests/docs/test_words.py"


def _unwanted(text: str, words: dict[str, str]) -> Iterator[str]:
    """The words of a text that are not ours, each with what to write instead."""
    for words_of_it, instead in words.items():
        pattern = words_of_it.replace(" ", r"\s+")
        for match in re.finditer(rf"(?<![\w`])(?:{pattern})(?![\w`])", text, re.IGNORECASE):
            yield f"{match[0]} -> {instead}"


def test_messages_are_plain_english() -> None:
    found = {
        f"{path}: {text}": words
        for path, of_module in texts().items()
        for text in of_module
        if (words := list(_unwanted(text, NOT_IN_MESSAGES)))
    }
    assert found == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_docstrings_and_comments_are_plain_english(folder: str) -> None:
    found = {
        f"{path.relative_to(REPOSITORY)}:{line}": words
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        if path != REPOSITORY / SELF
        for line, text in _remarks(path.read_text(encoding="utf-8"))
        if (words := list(_unwanted(text, NOT_OUR_WORDS)))
    }
    assert found == {}


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_plain_english(page: str) -> None:
    """Without the fenced blocks: what a command prints is a matter of its messages."""
    assert list(_unwanted(prose(page), NOT_OUR_WORDS)) == []


def _remarks(source: str) -> Iterator[tuple[int, str]]:
    """The docstrings and comments of a file, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as text)):
                yield node.lineno, text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The plan reports it.", []),
        ("it tells nobody", ["tells", "nobody"]),
        ("Mend the manifest", ["Mend"]),
        ("an amendment is foretold", []),
        ("wait until it is at\nrest", ["at\nrest"]),
        ("breaks constraint 6", ["constraint 6"]),
        ("breaks constraint {number}", ["constraint {number}"]),
        ("breaks {constraint}", []),
    ],
)
def test_the_words_are_found(text: str, found: list[str]) -> None:
    words = [word.partition(" -> ")[0] for word in _unwanted(text, NOT_IN_MESSAGES)]
    assert words == found
