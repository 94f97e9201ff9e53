"""Every source that the code cites is one that a reader of the repository can open."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.markdown import REPOSITORY, read

FOLDERS = ("reconciler", "tests", "scripts", "benchmarks")
SOURCES = sorted(path for name in FOLDERS for path in (REPOSITORY / name).rglob("*.py"))
DECISIONS = {path.name[:4]: path.name for path in (REPOSITORY / ".github/decisions").glob("*.md")}
QUESTIONS = frozenset(
    re.findall(r"^\| (U\d+) \|", read(f".github/decisions/{DECISIONS['0002']}"), re.M)
)
# The test runs offline: a page that is new to the code is opened once, then added here.
GUIDE = "https://docs.aws.amazon.com/healthimaging/latest/devguide/"
PAGES = frozenset(
    {
        "cost-optimization.html",
        "dicom-metadata-constraints.html",
        "endpoints-quotas.html",
        "metadata-normalization.html",
        "supported-transfer-syntaxes.html",
        "throttling-limits.html",
        "understanding-image-sets.html",
        "update-image-set-metadata.html",
    }
)

_LINE_BREAK = re.compile(r"\s*\n[ \t]*(?:#:? ?)?")
_DECISION = re.compile(r"\bdecision (\d+)", re.I)
_QUESTION = re.compile(r"\bU\d{1,2}\b")
_PAGE = re.compile(re.escape(GUIDE) + r"([\w-]*(?:\.\w+)?)")
_DOCUMENT = re.compile(r"(?<![\w/.-])(?:docs|\.github)/[\w./-]+\.md\b")
# A section needs its part of the DICOM standard. Private notes are not in the repository.
_NOT_HERE = re.compile(
    r"(?<!PS3\.\d )(?<!PS3\.\d\d )§|\bdesign:|\(design\b|\bupdate page\b|\bdevguide,"
)


def unresolved(text: str) -> Iterator[str]:
    """The citations of a source file that lead nowhere. A citation may go on in the next line."""
    joined = _LINE_BREAK.sub(" ", text)
    numbers = _DECISION.findall(joined)
    yield from (f"decision {number}" for number in numbers if number not in DECISIONS)
    for question in _QUESTION.findall(joined):
        if question not in QUESTIONS or "0002" not in numbers:
            yield question
    yield from (page for page in _PAGE.findall(joined) if page not in PAGES)
    yield from (path for path in _DOCUMENT.findall(joined) if not (REPOSITORY / path).is_file())
    for found in _NOT_HERE.finditer(joined):
        yield joined[max(0, found.start() - 30) : found.end() + 10]


def test_every_citation_leads_somewhere() -> None:
    found = {
        str(path.relative_to(REPOSITORY)): wrong
        for path in SOURCES
        if path.name != "test_citations.py"
        and (wrong := list(unresolved(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "# see decision 0002",
        '"""Sends the number 1.1 (decision\n0002, U6)."""',
        "# both blobs (decision\n# 0002, U13)",
        '"""What is open (decision 0002).\n\n    `remove_last`: U8. `payload_bytes`: U13.\n    """',
        "# PS3.5 §6.2 and PS3.10 §7.1",
        f"# {GUIDE}cost-optimization.html.",
        "# how to reach it: docs/emulator.md.",
    ],
)
def test_a_citation_that_resolves_passes(text: str) -> None:
    assert list(unresolved(text)) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("# decision 9999", ["decision 9999"]),
        ("# (decision\n# 0002, U99)", ["U99"]),
        ("# what is open (U11)", ["U11"]),
        ("# decision 0001, U11", ["U11"]),
        (f"# {GUIDE}no-such-page.html", ["no-such-page.html"]),
        ("# docs/no-such-page.md", ["docs/no-such-page.md"]),
    ],
)
def test_a_citation_that_leads_nowhere_is_found(text: str, wrong: list[str]) -> None:
    assert list(unresolved(text)) == wrong


@pytest.mark.parametrize(
    "text",
    [
        "# (healthimaging\n# §4)",
        "# the form of §3.2",
        "# (design: The plan)",
        "# as the update page says",
        "# 10 KB (devguide, quotas)",
    ],
)
def test_notes_that_are_not_in_the_repository_are_no_source(text: str) -> None:
    assert list(unresolved(text)) != []
