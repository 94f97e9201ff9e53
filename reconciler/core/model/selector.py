"""A manifest of kind ImageSets: what it asks, and of which image sets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.core.errors import Place
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.record import SelectedBy

# Keys and values of `select` or `where`, sorted by key.
Lines: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """How many image sets a selector is to select. None is no bound.

    `allows_empty` says that it may select none.
    """

    least: int | None = None
    most: int | None = None
    allows_empty: bool = False


@dataclass(frozen=True, slots=True)
class Selector:
    """One manifest of kind ImageSets. `place` is the line of its name.

    `ask` is what it asks of each image set that it selects; it names none itself. `digest` is over
    `select` and `where`. It is not keyed, and it is never shown: a PatientID is guessed from it.
    """

    name: str
    place: Place
    ask: ImageSetAsk
    select: Lines = field(repr=False)
    where: Lines = field(default=(), repr=False)
    expected: Expected = Expected()
    digest: str = field(default="", repr=False)

    @property
    def datastore(self) -> str:
        """The name of its data store in reconciler.yaml."""
        return self.ask.datastore

    def of(self, image_set_id: str, selected_by: SelectedBy, *, is_recalled: bool) -> ImageSetAsk:
        """What it asks of one image set. Without `replace`, which is slow: it may be a million."""
        ask = self.ask
        return ImageSetAsk(
            ask.datastore,
            image_set_id,
            ask.sources,
            ask.claims,
            left_out=ask.left_out,
            selected_by=selected_by,
            is_recalled=is_recalled,
        )
