"""Which paths each call of an action changes, for the record of an action that ended early."""

from __future__ import annotations

from reconciler.core.dicom.dictionary import attribute_path
from reconciler.core.model.change import Change
from reconciler.core.model.plan import Action, Step
from reconciler.core.plan.checker import made


def sent_paths(action: Action, step: Step) -> tuple[tuple[str, str], ...]:
    """The (image set, path) of each change that a call makes, sorted.

    A study-wide call makes the changes of Patient and Study level on every image set of the study,
    each of which may spell the key in another way.
    """
    return tuple(sorted((change.image_set_id, _path(change)) for change in made(action, step)))


def recordable_paths(action: Action, step: Step) -> tuple[tuple[str, str], ...]:
    """Those of the changes that a call makes whose path a record may hold, sorted.

    A malformed UID may contain a name. A record holds it only if a manifest does. Without it, what
    was asked by `"*"` keeps its baseline.
    """
    asked = {path for member in action.members for path in member.asked}
    return tuple(
        sorted(
            (change.image_set_id, _path(change))
            for change in made(action, step)
            if change.address.is_well_formed or _path(change) in asked
        )
    )


def _path(change: Change) -> str:
    return attribute_path(change.address, change.tag, change.key)


def paths_of_study(action: Action) -> frozenset[str]:
    """The Patient and Study paths that manifests ask of the study of an action."""
    if not any(step.study_wide for step in action.steps):
        return frozenset()
    return frozenset(path for one in action.members for path in one.asked if path.count("/") == 1)
