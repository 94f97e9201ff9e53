"""The pages of an operation, by nextToken.

The paginator of botocore notices a token that comes twice in a row, but no longer circle of tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, Generic, TypeVar

from reconciler.core.errors import UnreadableError
from reconciler.edges.aws.problems import Target, translated

_PAGE = 50  # the maximum of maxResults in the service model
T = TypeVar("T")


class Pages(Iterator[T], Generic[T]):
    """What `read` makes of each answer to `call`. After an error, `next` asks for the page again.

    Raises the errors of `translated`, and UnreadableError if a nextToken comes again.
    """

    def __init__(
        self,
        operation: str,
        call: Callable[..., dict[str, Any]],
        request: dict[str, Any],
        read: Callable[[dict[str, Any]], T],
        target: Target,
        image_set_id: str = "",
    ) -> None:
        self._operation = operation
        self._call = call
        self._request: dict[str, Any] | None = {**request, "maxResults": _PAGE}
        self._read = read
        self._target = target
        self._image_set_id = image_set_id
        self._tokens: set[bytes] = set()

    def __next__(self) -> T:
        """Make the next call."""
        if self._request is None:
            raise StopIteration
        with translated(self._operation, self._target, self._image_set_id):
            answer = self._call(**self._request)
            page = self._read(answer)
        self._request = self._following(self._request, answer.get("nextToken"))
        return page

    def _following(self, request: dict[str, Any], token: object) -> dict[str, Any] | None:
        """Return the request for the page after this, None for the last page."""
        if not token:
            return None
        known = _digest(token)
        if known in self._tokens:
            raise UnreadableError(
                f"{self._operation}: {self._target.title}: the service gives the same nextToken "
                "again",
                "The list is not complete. Run the command again.",
                operation=self._operation,
            )
        self._tokens.add(known)
        return {**request, "nextToken": token}


def _digest(token: object) -> bytes:
    """A token of any length in few bytes: a search of a million image sets has 20,000."""
    return blake2b(str(token).encode("utf-8", "surrogatepass"), digest_size=16).digest()
