"""One manifest document while it is read: its claims and problems so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.ask.as_json import Path
from reconciler.core.errors import MAX_PROBLEMS, Diagnostic, Place, Replacement
from reconciler.core.model.ask import Claim, Source
from reconciler.core.model.node import MappingNode


class TooManyError(Exception):
    """More than MAX_PROBLEMS: the rest of this document is not checked."""


@dataclass(slots=True)
class Draft:
    """Claims and problems of one document. `reported` are the paths that have a problem."""

    document: MappingNode
    source: Source
    claims: list[Claim] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    reported: set[Path] = field(default_factory=set)

    def problem(
        self,
        path: Path,
        place: Place,
        message: str,
        hint: str = "",
        replacement: Replacement | None = None,
    ) -> None:
        """Add a problem. The schema check then reports nothing more about that path."""
        self.note(path, Diagnostic(place, message, hint, replacement))

    def note(self, path: Path, *problems: Diagnostic) -> None:
        """Add problems of one path. Raises TooManyError beyond MAX_PROBLEMS."""
        self.problems += problems[: max(0, MAX_PROBLEMS + 1 - len(self.problems))]
        if problems:
            self.reported.add(path)
        if len(self.problems) > MAX_PROBLEMS:
            raise TooManyError

    def claim(self, claim: Claim) -> None:
        """Add one claim."""
        self.claims.append(claim)
