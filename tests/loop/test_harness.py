"""The parts of the harness do what GitHub does, as far as the workflows rely on it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loop.commands import commands
from tests.loop.expressions import Progress, evaluate, filled, holds

CONTEXT: dict[str, Any] = {
    "github": {"event_name": "push", "event": {"number": 12}, "sha": ""},
    "steps": {"page": {"outputs": {"url": "https://x"}}},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("github.event_name == 'push'", True),
        ("github.event_name != 'push' || github.event.number", 12),
        ("github.sha || 'it''s empty'", "it's empty"),
        ("github.event.pull_request.head", None),
        ("!(github.sha && always())", True),
        ("steps.page.outputs.url", "https://x"),
        ("steps.other.outputs.url", None),
    ],
)
def test_expressions(text: str, value: object) -> None:
    assert evaluate(text, CONTEXT, Progress()) == value


def test_a_text_is_filled_in() -> None:
    assert filled("n-${{ github.event.number }}${{ github.no }}!", CONTEXT) == "n-12!"


def test_a_condition_needs_success_unless_it_asks_for_another_state() -> None:
    failed = Progress(has_failed=True)
    assert not holds(None, CONTEXT, failed)
    assert not holds("github.event_name == 'push'", CONTEXT, failed)
    assert holds("${{ !cancelled() }}", CONTEXT, failed)
    assert holds("failure() && github.event_name == 'push'", CONTEXT, failed)
    assert holds("github.event_name == 'push'", CONTEXT, Progress())


def test_an_unknown_context_is_an_error() -> None:
    with pytest.raises(KeyError):
        evaluate("matrix.os", CONTEXT, Progress())


def test_commands_of_an_output() -> None:
    output = "\n".join(
        [
            "::error file=a.yaml,line=1::wrong",
            "text ::error::inside",
            "::stop-commands::abc",
            "::error::of the tool",
            "::other::",
            "::abc::",
            "##[warning]older",
        ]
    )
    assert commands(output) == ["::error file=a.yaml,line=1::wrong", "##[warning]older"]
