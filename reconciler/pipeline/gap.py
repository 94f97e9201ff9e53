"""Reads the versions that no record states, to see which of them a lost run of ours made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.core.dicom.shape import misshapen
from reconciler.core.errors import ServiceError
from reconciler.core.model.plan import Plan
from reconciler.core.model.reviewed import Reviewed
from reconciler.core.model.settings import Settings
from reconciler.core.model.workflow_status import State
from reconciler.core.reviewed import Gap, Made, gaps, made
from reconciler.pipeline.edges import Edges
from reconciler.pipeline.record_branch import entries_of
from reconciler.pipeline.reviewed import key_for_reviews


def made_by_lost_runs(
    settings: Settings, plan: Plan, edges: Edges, reviews: Sequence[Reviewed]
) -> tuple[Made, ...]:
    """The versions in the gap between records and service that hold what reviews approved.

    Only image sets of the plan that are at a later version than their review are read.
    """
    stores = sorted({action.datastore for action in plan.actions})
    entries = entries_of(settings, map(settings.datastore, stores))
    found: dict[tuple[str, str, str], Made] = {}
    for gap in gaps(plan, reviews, entries):
        for one in _read(settings, edges, gap):
            found.setdefault((gap.datastore_id, gap.image_set_id, gap.version_id), one)
    return tuple(found[subject] for subject in sorted(found))


def _read(settings: Settings, edges: Edges, gap: Gap) -> Iterator[Made]:
    """Yield the version if it is ours. A version that cannot be read stays as the plan shows it."""
    try:
        port = edges.ports(settings.datastore(gap.datastore))
        properties = port.get(gap.image_set_id, gap.version_id)
        if properties.state != State.ACTIVE or properties.workflow_status.endswith("FAILED"):
            return
        before = port.metadata(gap.image_set_id, gap.pin)
        after = port.metadata(gap.image_set_id, gap.version_id)
    except ServiceError:
        return
    if misshapen(before) or misshapen(after):
        return
    key = key_for_reviews(Path(settings.root))
    found = made(gap, properties, before, after, key)
    if found is not None:
        yield found
