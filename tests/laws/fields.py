"""How every field of a plan, an outcome and a search that may hold live text reaches an output.

A field that is added to the model needs a row in `DECISIONS` (`test_masks.py` fails without one).
The row also decides what the laws put into the field: live text wherever it is not `CLEAR`.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any, ForwardRef, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from reconciler.core.errors import ServiceError
from reconciler.core.model import change, observed, outcome, plan
from reconciler.core.model.results import Applied
from reconciler.core.model.value import Document, Value
from reconciler.core.review.mask import HARMLESS

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
    "Action.released": LABELLED,
    "Address.instance": LABELLED,
    "Address.series": LABELLED,
    "Applied.commit": CLEAR,
    "Applied.plan_digest": CLEAR,  # keyed
    "Applied.problems": CLEAR,  # their message and hint, which are ours; `said` never
    "Applied.recorded": CLEAR,
    "Basis.commit": CLEAR,
    "Basis.paths": CLEAR,
    "Basis.rules": CLEAR,
    "Block.hint": CLEAR,  # our words, free of live text: tests/unit/test_live_text.py
    "Block.image_set_id": CLEAR,
    "Block.message": CLEAR,
    "Block.path": LABELLED,
    "Change.after": MASKED,
    "Change.before": MASKED,
    "Change.force_reasons": CLEAR,
    "Change.image_set_id": CLEAR,
    "Change.key": LABELLED,
    "Change.vr": LABELLED,
    "HazardUse.consent": CLEAR,
    "HazardUse.image_set_id": CLEAR,
    "Landed.image_set_id": CLEAR,
    "Landed.previous_version_id": CLEAR,
    "Landed.version_id": CLEAR,
    "Member.ask_digest": NEVER,  # not keyed: it gives values back
    "Member.asked": LABELLED,
    "Member.image_set_id": CLEAR,
    "Member.origin_version_id": CLEAR,
    "Member.pin": CLEAR,
    "Member.previous_version_id": CLEAR,
    "Note.image_set_id": CLEAR,
    "Note.message": CLEAR,
    "Observed.document": NEVER,
    "Observed.good_version": CLEAR,
    "Observed.origin": CLEAR,
    "Outcome.message": CLEAR,
    "Outcome.said": NEVER,  # the service's own text may echo values
    "Place.file": CLEAR,
    "Plan.dropped": CLEAR,
    "Properties.image_set_id": CLEAR,
    "Properties.message": NEVER,
    "Properties.state": CLEAR,
    "Properties.version_id": CLEAR,
    "Properties.workflow_status": CLEAR,
    "Step.datastore_id": CLEAR,
    "Step.expected": NEVER,  # the digests, which are not keyed; the IDs beside them are shown
    "Step.image_set_id": CLEAR,
    "Step.pin": CLEAR,
    "Step.removable": MASKED,
    "Step.revert_to": CLEAR,
    "Step.study_instance_uid": MASKED,
    "Step.updatable": MASKED,
    "Summary.image_set_id": CLEAR,
    "Summary.tags": MASKED,
    "Summary.version_id": CLEAR,
    "Unread.hint": CLEAR,
    "Unread.message": CLEAR,
}

# --- which fields there are -----------------------------------------------------------------------


def text_fields() -> set[str]:
    """`Class.field` for all fields that may hold text, in the model and the types that it uses."""
    return {
        f"{cls.__name__}.{name}"
        for cls in _reachable()
        for name, hint in _hints(cls).items()
        if holds_text(hint)
    }


def _reachable() -> set[type]:
    found: set[type] = set()
    left = [one for module in MODULES for one in vars(module).values() if _is_record(one)]
    left += RECORDS
    while left:
        cls = left.pop()
        if cls not in found:
            found.add(cls)
            left += [one for hint in _hints(cls).values() for one in _parts(hint)]
    return found


def _is_record(hint: Any) -> bool:
    """A dataclass of the model. A value or a document is one thing, whatever is in it."""
    return isinstance(hint, type) and is_dataclass(hint) and hint not in (Value, Document)


def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _parts(hint: Any) -> Iterator[type]:
    if _is_record(hint):
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


# --- what the laws put into them ------------------------------------------------------------------

# A number that is shown where the mask allows numbers, and nowhere else in a generated plan.
NUMBER = 51234
secrets = st.integers(0, 9).map(lambda number: f"Zyxwood^Quillon {number}")
values = st.recursive(
    st.one_of(secrets, st.sampled_from(["CT", "HFS", "", None, NUMBER, str(NUMBER)])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(st.one_of(secrets, st.just("PatientName")), inner, max_size=2),
    ),
    max_leaves=4,
)
_clear = st.sampled_from(["1", "2", "3"])  # some must be versions, and few make some alike
_paths = st.tuples(st.sampled_from(["Patient", "Study/Series"]), secrets).map("/".join)
_TEXTS: dict[Decision, st.SearchStrategy[str]] = {
    CLEAR: _clear,
    LABELLED: st.one_of(secrets, _paths, st.sampled_from(["PatientName", "00191001", "2.25.1"])),
    MASKED: secrets,
    NEVER: secrets,
}
_TAGS = [None, 0x00100010, 0x00191001, *sorted(HARMLESS)[::20], 0x00280010]
_SEARCH = ["DICOMPatientName", "DICOMStudyInstanceUID", "DICOMSeriesModality", "DICOMSomethingNew"]
# Fields whose type is wider than their values.
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "Applied.problems": st.lists(
        secrets.map(lambda said: ServiceError("our words", "next", said=said)), max_size=2
    ).map(tuple),
    "Applied.recorded": st.lists(
        st.sampled_from(["records/1/a.json", "reconciler.key"]).map(PurePath), max_size=2
    ).map(tuple),
    "Change.tag": st.sampled_from(_TAGS),
    "Step.expected": st.dictionaries(_clear, secrets, min_size=1).map(lambda d: tuple(d.items())),
    "Summary.tags": st.lists(st.tuples(st.sampled_from(_SEARCH), secrets), max_size=3).map(tuple),
}


def records(cls: type) -> st.SearchStrategy[Any]:
    """Any record of a type, full of text that must not be shown."""
    return st.builds(
        cls, **{name: _field(f"{cls.__name__}.{name}", hint) for name, hint in _hints(cls).items()}
    )


def _field(name: str, hint: Any) -> st.SearchStrategy[Any]:
    if name in _FIELDS:
        return _FIELDS[name]
    return _of(hint, _TEXTS[DECISIONS.get(name, CLEAR)], least=int(name == "Action.members"))


def _of(hint: Any, texts: st.SearchStrategy[str], least: int = 0) -> st.SearchStrategy[Any]:
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return st.one_of(*(_of(part, texts) for part in parts))
    if origin is tuple and parts[-1] is Ellipsis:
        return st.lists(_of(parts[0], texts), min_size=least, max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(_of(part, texts) for part in parts))
    return _leaf(hint, texts)


def _leaf(hint: Any, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    if _is_record(hint):
        return records(hint)
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    plain: dict[type, st.SearchStrategy[Any]] = {
        str: texts,
        bool: st.booleans(),
        int: st.integers(0, 9),
        float: st.sampled_from([0.0, 4.0]),
        types.NoneType: st.none(),
        Value: values.map(Value),
    }
    return plain[hint]
