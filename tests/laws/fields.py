"""How every field of a plan, an outcome and a search that may hold live text reaches an output.

A field that is added to the model needs a row in `DECISIONS` (`test_masks.py` fails without one).
The row also decides what the laws put into the field (`made_up.py`): live text wherever it is not
`CLEAR`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, ForwardRef, get_args, get_type_hints

from reconciler.core.model import change, observed, outcome, plan
from reconciler.core.model.results import Applied
from reconciler.core.model.value import Document, Value

MODULES = (change, observed, outcome, plan)
# Records of other modules. The rest of `results` holds manifests, which are ours.
RECORDS = (Applied,)


class Decision(Enum):
    """How the text of a field reaches an output that may be stored."""

    CLEAR = "as it is: ours, an ID of the service, or a name in a file of the repository"
    LABELLED = "as it is where DICOM defines it; a label (`review.labels`) for anything else"
    MASKED = "through the mask alone (`review.mask`)"
    NEVER = "not at all"


CLEAR, LABELLED, MASKED, NEVER = Decision

DECISIONS: dict[str, Decision] = {
    "Action.datastore": CLEAR,
    "Action.datastore_id": CLEAR,
    "Action.digest": CLEAR,  # keyed
    "Action.patient_unproven": CLEAR,
    "Action.released": LABELLED,
    "Address.instance": LABELLED,
    "Address.series": LABELLED,
    "Applied.commit": CLEAR,
    "Applied.plan_digest": CLEAR,  # keyed
    "Applied.problems": CLEAR,  # their message and hint, which are ours; `said` never
    "Applied.recorded": CLEAR,
    "Applied.unrecorded": CLEAR,
    "Basis.commit": CLEAR,
    "Basis.paths": CLEAR,
    "Basis.rules": CLEAR,
    "Basis.settings_digest": CLEAR,  # reconciler.yaml holds no DICOM value
    "Block.hint": CLEAR,  # our words, free of live text: tests/unit/test_live_text.py
    "Block.image_set_id": CLEAR,
    "Block.message": CLEAR,
    "Block.path": LABELLED,
    "Change.after": MASKED,
    "Change.before": MASKED,
    "Change.baseline": CLEAR,
    "Change.consent_versions": CLEAR,
    "Change.creator": MASKED,
    "Change.force_reasons": CLEAR,
    "Change.image_set_id": CLEAR,
    "Change.key": LABELLED,
    "Change.vr": LABELLED,
    "HazardUse.consent": CLEAR,
    "HazardUse.image_set_id": CLEAR,
    "HazardUse.version_id": CLEAR,
    "Landed.image_set_id": CLEAR,
    "Landed.previous_version_id": CLEAR,
    "Landed.version_id": CLEAR,
    "Member.arn": CLEAR,
    "Member.ask_digest": NEVER,  # not keyed: it gives values back
    "Member.asked": LABELLED,
    "Member.image_set_id": CLEAR,
    "Member.origin_version_id": CLEAR,
    "Member.patient_id": NEVER,
    "Member.pin": CLEAR,
    "Member.previous_version_id": CLEAR,
    "Member.refuted": CLEAR,
    "Member.released": NEVER,  # those of the action are shown
    "Member.renamed": NEVER,
    "Member.requests": NEVER,  # not keyed either
    "Member.selected_by": NEVER,  # not keyed either
    "Member.study_instance_uid": MASKED,
    "Note.image_set_id": CLEAR,
    "Note.message": CLEAR,
    "Observed.document": NEVER,
    "Observed.good_version": CLEAR,
    "Observed.origin": CLEAR,
    "Outcome.message": CLEAR,
    "Outcome.said": NEVER,  # the service's own text may echo values
    "Overtaken.reason": CLEAR,
    "Place.file": CLEAR,
    "Plan.selector_digests": NEVER,  # not keyed: they give values back
    "Properties.arn": CLEAR,
    "Properties.image_set_id": CLEAR,
    "Properties.message": NEVER,
    "Properties.state": CLEAR,
    "Properties.version_id": CLEAR,
    "Properties.storage_tier": CLEAR,
    "Properties.workflow_status": CLEAR,
    "Published.branch": CLEAR,
    "Published.missing": CLEAR,  # IDs and versions
    "Recorded.datastore": CLEAR,
    "Recorded.datastore_id": CLEAR,
    "Released.datastore": CLEAR,
    "Released.datastore_id": CLEAR,
    "Released.image_set_id": CLEAR,
    "Selection.datastore": CLEAR,
    "Selection.datastore_id": CLEAR,
    "Selection.hint": CLEAR,  # our words
    "Selection.leaving": CLEAR,
    "Selection.name": CLEAR,  # a name in a file of the repository
    "Selection.problem": CLEAR,  # our words, and those of an error
    "Since.base": CLEAR,
    "Later.datastore": CLEAR,
    "Since.unplanned": CLEAR,  # places in reconciler.yaml, and our words
    "Since.problem": CLEAR,  # places in files of the repository, and our words
    "Since.consents": CLEAR,  # lines of `allow:` and `force:` in files of the repository
    "Step.datastore_id": CLEAR,
    "Step.expected": NEVER,  # the digests, which are not keyed; the IDs beside them are shown
    "Step.image_set_id": CLEAR,
    "Step.pin": CLEAR,
    "Step.removable": MASKED,
    "Step.revert_to": CLEAR,
    "Step.study_instance_uid": MASKED,
    "Step.updatable": MASKED,
    "Stop.datastore": CLEAR,
    "Stop.datastore_id": CLEAR,
    "StoreIdentity.account_id": CLEAR,
    "StoreIdentity.datastore_id": CLEAR,
    "StoreIdentity.endpoint": CLEAR,
    "StoreIdentity.name": CLEAR,
    "StoreIdentity.region": CLEAR,
    "StudyMembers.study_instance_uid": NEVER,
    "StudyMembers.versions": NEVER,
    "Summary.image_set_id": CLEAR,
    "Summary.storage_tier": CLEAR,
    "Summary.tags": MASKED,
    "Summary.version_id": CLEAR,
    "Unchanged.datastore": CLEAR,
    "Unchanged.datastore_id": CLEAR,
    "Unread.datastore": CLEAR,
    "Unread.datastore_id": CLEAR,
    "Unread.hint": CLEAR,
    "Unread.message": CLEAR,
    "Unverified.paths": NEVER,
    "Unverified.requests": NEVER,
    "Unverified.version_id": NEVER,
}

# --- which fields there are -----------------------------------------------------------------------


def text_fields() -> set[str]:
    """`Class.field` for all fields that may hold text, in the model and the types that it uses."""
    return {
        f"{cls.__name__}.{name}"
        for cls in _reachable()
        for name, hint in hints_of(cls).items()
        if holds_text(hint)
    }


def records_with_values() -> set[str]:
    """The records that hold what no renderer may reach: values, or a record that holds values."""
    found = {name.partition(".")[0] for name, how in DECISIONS.items() if how in (MASKED, NEVER)}
    known = _reachable()
    while grown := {cls.__name__ for cls in known if _names_of_parts(cls) & found} - found:
        found |= grown
    return found


def _names_of_parts(cls: type) -> set[str]:
    return {part.__name__ for hint in hints_of(cls).values() for part in _parts(hint)}


def _reachable() -> set[type]:
    found: set[type] = set()
    left = [one for module in MODULES for one in vars(module).values() if is_record(one)]
    left += RECORDS
    while left:
        cls = left.pop()
        if cls not in found:
            found.add(cls)
            left += [one for hint in hints_of(cls).values() for one in _parts(hint)]
    return found


def is_record(hint: Any) -> bool:
    """A dataclass of the model. A value or a document is one thing, whatever is in it."""
    return isinstance(hint, type) and is_dataclass(hint) and hint not in (Value, Document)


def hints_of(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _parts(hint: Any) -> Iterator[type]:
    if is_record(hint):
        yield hint
    for part in get_args(hint):
        yield from _parts(part)


def holds_text(hint: Any) -> bool:
    """Whether a value of this type may be text or hold text, records of their own apart."""
    if get_args(hint):
        return any(holds_text(part) for part in get_args(hint))
    if isinstance(hint, str | ForwardRef):  # `Json` names itself
        return True
    if isinstance(hint, type) and issubclass(hint, BaseException | PurePath):
        return True
    return hint in (str, bytes, list, dict, object, Any, Value, Document)
