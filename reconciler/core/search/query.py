"""A search: one filter for the service, and all other criteria for the summaries that it returns.

The model of SearchImageSets states that it takes one filter at most (decision 0002, U26).
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.model.observed import Summary
from reconciler.core.model.search_filter import Filters
from reconciler.core.search.criteria import NEVER_SENT, Criterion, rank


@dataclass(frozen=True, slots=True, repr=False)
class Query:
    """The criteria of a search; an image set must meet all of them."""

    criteria: tuple[Criterion, ...] = ()

    @property
    def filters(self) -> Filters:
        """The most selective criterion that the service can check; () if it can check none."""
        one = self._sent()
        if one is None or one.sent is None:
            return ()
        return ((_ATTRIBUTES.get(one.name, one.name), one.sent),)

    def holds(self, row: Summary) -> bool:
        """Whether a summary that the service returned meets every criterion."""
        sent = self._sent()
        return all(one.holds(row) for one in self.criteria if one is not sent or not one.is_settled)

    def _sent(self) -> Criterion | None:
        best = min(self.criteria, key=rank, default=None)
        return None if best is None or rank(best) == NEVER_SENT else best


# Names of filters, if they are not those of the criteria.
_ATTRIBUTES = MEMBERS | dict.fromkeys(("StudyDate", "StudyDateAndTime"), "DICOMStudyDateAndTime")
