"""Decides image sets as the base of a pull request asked for them.

What the service answered for the plan decides both: the same surveys run on the same answers, with
the asks, records and rules of the base. No call is made for the base. An image set that would need
a further call is unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.diff import Diff
from reconciler.core.model.settings import Rules
from reconciler.core.survey.image_set import survey
from reconciler.core.survey.known import Known
from reconciler.core.survey.needs import Survey
from reconciler.core.survey.replay import Given, T, replayed
from reconciler.core.survey.whole import Surveyed, completed


@dataclass(frozen=True, slots=True)
class Base:
    """What the base asks of the image sets of a data store, and what it knows of them."""

    asks: Mapping[str, ImageSetAsk]
    known: Known
    rules: Rules

    def decides_as(self, image_set_id: str, ask: ImageSetAsk, known: Known, rules: Rules) -> bool:
        """Whether the survey of an image set gets the same input as at the base."""
        return (
            self.asks.get(image_set_id) == ask
            and self.known.entries.get(image_set_id) == known.entries.get(image_set_id)
            and (self.rules, self.known.of_studies) == (rules, known.of_studies)
        )

    def diff(self, image_set_id: str, given: Given) -> Diff | None:
        """Compare an image set with what the base asks; None if it does not, or it is unknown."""
        ask = self.asks.get(image_set_id)
        return replayed(survey(ask, self.known, self.rules), given) if ask is not None else None

    def completed(self, found: Mapping[str, Diff], given: Given) -> Surveyed:
        """Survey the studies of the base, too. `found` are the diffs that are known."""

        def run(surveys: Sequence[Survey[T]]) -> Sequence[T | None]:
            return [replayed(one, given) for one in surveys]

        diffs = [found[name] for name in sorted(self.asks) if name in found]
        seen = completed(diffs, self.known, self.rules, run)
        return _with_unknown(seen, self.asks.keys() - found.keys())


def _with_unknown(seen: Surveyed, unread: Collection[str]) -> Surveyed:
    """What is unknown of one member of a study may decide about the others."""
    unknown = seen.unknown.union(unread)
    for study in seen.studies:
        members = {one.properties.image_set_id for one in study.members}
        if members & unknown:
            unknown |= members
    return replace(seen, unknown=unknown)
