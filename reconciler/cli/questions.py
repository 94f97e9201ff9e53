"""The questions of `reconcile init` on a terminal. What is typed is checked with all the rest."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.cli import screen
from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.core.model.settings import Settings
    from reconciler.init.answers import Forge, Given


def ask_what_is_missing(given: Given, settings: Settings | None) -> Given:
    """Ask for what neither the options nor an existing reconciler.yaml state."""
    forge = given.forge or _ask_forge()
    given = replace(given, forge=forge)
    if forge and not given.repository:
        given = replace(given, repository=_ask("Repository on the host (OWNER/NAME):"))
    if settings:
        return given
    return replace(
        given,
        account=given.account or _ask("AWS account of the data stores (12 digits):"),
        region=given.region or _ask("Region of the data stores [us-east-1]:") or "us-east-1",
        datastores=given.datastores or tuple(_ask_datastores()),
    )


def _ask_forge() -> Forge | None:
    from reconciler.init.answers import Forge

    word = _ask("Where is the repository: github, gitlab or nowhere [nowhere]?").lower()
    if word in ("", "nowhere"):
        return None
    if word not in list(Forge):
        raise ReconcilerError(f"{word!r} is not one of github, gitlab and nowhere")
    return Forge(word)


def _ask_datastores() -> list[str]:
    """NAME=ID, until an empty line."""
    found: list[str] = []
    question = "Data store, as NAME=ID:"
    while answer := _ask(question):
        found.append(answer)
        question = "Another data store, or nothing to end:"
    return found


def _ask(question: str) -> str:
    screen.ask(question)
    return sys.stdin.readline().strip()
