"""The files of all manifests -> one ask for each image set, or every problem of every file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.forms import Forms
from reconciler.core.ask.resolve import resolve
from reconciler.core.ask.schema import Checker
from reconciler.core.ask.selectors import repeated
from reconciler.core.errors import MAX_PROBLEMS, Diagnostic, InputError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.form import Asks, Filled, Outline
from reconciler.core.model.selector import Selector
from reconciler.core.model.settings import Settings
from reconciler.core.source import Sources
from reconciler.edges import schemas
from reconciler.edges.manifests import Loaded, Outlines


class Reading:
    """Manifests while they are read. It keeps what they ask, but no documents.

    A manifest that differs from others in values and UIDs alone is read as they are, without a
    check of all that they have in common: nearly all manifests of a fleet. Every other one is
    parsed and checked.
    """

    def __init__(self, settings: Settings) -> None:
        self.warnings: list[Diagnostic] = []
        self.selectors: list[Selector] = []
        self._settings = settings
        self._outlines = Outlines()
        self._forms = Forms()
        self._outline: Outline | None = None  # of the last file
        self._found: list[ImageSetAsk | Filled] = []
        self._problems: list[Diagnostic] = []
        self._wrong = 0
        self._sources = Sources()

    def takes(self, content: bytes, name: str) -> bool:
        """Whether a file is a valid manifest of a known form, which needs no parser."""
        self._outline = self._outlines.of(content)
        filled = self._forms.filled(self._outline, name) if self._outline else None
        if filled:
            self._found.append(filled)
        return filled is not None

    def add(self, loaded: Loaded) -> None:
        """Check the documents of a file that was parsed."""
        self._problems += loaded.problems
        self.warnings += loaded.warnings
        # Where the check stops, the problems of reading are still missing.
        documents = loaded.documents if self._wrong <= MAX_PROBLEMS else ()
        validated = validate(documents, self._settings, _checker())
        self._found += validated.asks
        self.selectors += validated.selectors
        self._problems += validated.problems
        self._wrong += len(validated.problems)
        if loaded.problems or validated.problems:
            self._sources.add(loaded.sources)
        if self._outline and loaded.is_ordinary and not loaded.warnings:
            self._learn(self._outline, validated.asks, loaded)

    def _learn(self, outline: Outline, asks: Sequence[ImageSetAsk], loaded: Loaded) -> None:
        if len(loaded.documents) == len(asks) == 1:
            self._forms.learn(outline, asks[0], loaded.files[0])

    def asks(self, read_again: Callable[[str], Loaded]) -> Asks:
        """The asks of all manifests. Raises InputError with every problem.

        `read_again` reads a file again: one that contradicts another, and whose line is shown.
        """
        resolved = resolve(self._found)
        of_several = (*resolved.problems, *repeated(self.selectors))
        if problems := (*self._problems, *of_several):
            for name in sorted({one.place.file for one in of_several}):
                self._sources.add(read_again(name).sources)
            raise InputError(problems, self._sources)
        return resolved.asks


@cache
def _checker() -> Checker:
    return manifest_checker(schemas.load("manifest"))
