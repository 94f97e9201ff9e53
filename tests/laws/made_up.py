"""Records full of made-up names, in every field that may hold live text (`fields.py`)."""

from __future__ import annotations

import types
from enum import Enum
from pathlib import PurePath
from typing import Any, Union, get_args, get_origin

from hypothesis import strategies as st

from reconciler.core.errors import ServiceError
from reconciler.core.model.value import Value
from reconciler.core.review.mask import HARMLESS
from tests.laws.fields import (
    CLEAR,
    DECISIONS,
    LABELLED,
    MASKED,
    NEVER,
    Decision,
    hints_of,
    is_record,
)

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
        cls,
        **{name: _field(f"{cls.__name__}.{name}", hint) for name, hint in hints_of(cls).items()},
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
    if is_record(hint):
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
