"""Decision 0002: every open question has an answer, switches that exist, and a test."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import fields

from reconciler.edges import schemas
from reconciler.emulator.rules.behaviours import Behaviours
from tests.docs.markdown import read
from tests.otherwise.worlds import WORLDS

DECISION = ".github/decisions/0002-where-aws-is-silent.md"
NOT_NOTICED = "cannot be noticed"


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the table under a heading, by the number of the question."""
    section = read(DECISION).split(heading)[1].split("\n## ")[0]
    return {
        cells[0].strip(): cells[1:]
        for line in section.splitlines()
        if re.match(r"\| U\d+ \|", line)
        for cells in [line.strip("|").split("|")]
    }


QUESTIONS = rows("# 2. Where AWS is silent")
OTHERWISE = rows("## If the service behaves otherwise")


def named(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def test_the_questions_name_rules_and_switches_that_exist() -> None:
    settings = schemas.load("reconciler")["properties"]
    rules = {rule for cells in QUESTIONS.values() for rule in named(cells[2])}
    assert rules <= {*settings, *settings["rules"]["properties"]}
    switches = {switch for cells in QUESTIONS.values() for switch in named(cells[3])}
    assert switches <= {switch.name for switch in fields(Behaviours)}


def test_every_question_says_what_happens_otherwise() -> None:
    assert list(QUESTIONS) == list(OTHERWISE) == [f"U{n}" for n in range(1, len(QUESTIONS) + 1)]


def test_what_happens_otherwise_has_a_test_or_cannot_be_noticed() -> None:
    worlds: dict[str, set[str]] = defaultdict(set)
    for world in WORLDS:
        worlds[world.partition("-")[0]].add(world)
    for question, (words, tests) in OTHERWISE.items():
        found = named(tests)
        assert found or NOT_NOTICED in words, f"{question} has no test"
        assert {one for one in found if one in WORLDS} == worlds[question]
        for test in sorted(set(found) - set(WORLDS)):
            path, _, function = test.partition("::")
            assert path.startswith("tests/") and f"def {function}(" in read(path), test
