"""The manifests of which merges ask what no apply has seen to yet."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.model.plan import Plan
from reconciler.core.model.settings import Settings
from reconciler.edges import git
from reconciler.pipeline.last_applied import applied_before, last_applied
from reconciler.pipeline.record_branch import entries_of


def touched(settings: Settings, plan: Plan) -> frozenset[str] | None:
    """The manifests of which merges have asked what is not applied; None if nothing is applied yet.

    They changed since the last applied commit. Its apply may have failed or been killed half-way.
    So what it was to apply counts, too, for image sets whose entries do not state that commit.
    """
    root = Path(settings.root)
    last = last_applied(settings)
    if not last or not git.has_commit(root, last):
        return None
    left = _left_by(settings, plan, last)
    earlier = applied_before(settings, last)
    if earlier:
        left &= _changed_since(settings, earlier)
    return _changed_since(settings, last) | left


def _left_by(settings: Settings, plan: Plan, commit: str) -> frozenset[str]:
    """The manifests of actions with an image set whose entry does not state a commit as applied."""
    actions = (*plan.runnable, *plan.held)
    stores = {one.datastore for one in actions}
    entries = entries_of(settings, map(settings.datastore, sorted(stores)))
    done = {
        (name, entry.image_set_id)
        for name, some in entries.items()
        for entry in some.values()
        if entry.applied_commit == commit
    }
    return frozenset(
        place.file
        for action in actions
        if not done.issuperset((action.datastore, one) for one in action.image_sets)
        for place in action.places
    )


def _changed_since(settings: Settings, commit: str) -> frozenset[str]:
    root = Path(settings.root)
    changed = git.differing(root, commit, "HEAD", root / settings.manifests)
    return frozenset(path.relative_to(root).as_posix() for path in changed)
