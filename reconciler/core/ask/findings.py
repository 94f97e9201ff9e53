"""What is found about attributes and their values, computed once for each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from reconciler.core.model.form import Asked
from reconciler.core.model.memo import Memo

T = TypeVar("T")

# The most attributes with values to know.
_MOST = 10_000


class Findings(Generic[T]):
    """The findings of a function. Few of the values in a fleet differ."""

    def __init__(self, function: Callable[[Asked], T]) -> None:
        self._function = function
        self._known = Memo(function, _MOST)

    def of(self, asked: Asked) -> T:
        """Return the findings about an attribute and its value."""
        # Lists have no hash, and `1` and `1.0` would be the same key.
        is_text = asked.raw is None or isinstance(asked.raw, str)
        return self._known[asked] if is_text else self._function(asked)
