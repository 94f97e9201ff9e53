"""One manifest document while it is read: what was found in it so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.core.ask.as_json import Path
from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.address import Address
from reconciler.core.model.ask import Claim, ClaimKind, Source
from reconciler.core.model.node import MappingNode
from reconciler.core.model.value import Value


@dataclass(slots=True)
class Reading:
    """Claims and problems of one document. `told` are the paths the problems are about."""

    document: MappingNode
    source: Source
    claims: list[Claim] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    told: set[Path] = field(default_factory=set)

    def problem(self, path: Path, place: Place, message: str, hint: str = "") -> None:
        """Note a problem; the schema then says nothing more about that path."""
        self.note(path, Diagnostic(place, message, hint))

    def note(self, path: Path, *problems: Diagnostic) -> None:
        """Note problems of one path."""
        self.problems += problems
        if problems:
            self.told.add(path)

    def claim(
        self,
        kind: ClaimKind,
        address: Address,
        place: Place,
        *,
        tag: int | None = None,
        value: Value | None = None,
        vr: str | None = None,
    ) -> None:
        """Note one thing that is asked."""
        self.claims.append(Claim(kind, address, tag, value, vr, place, self.source))
