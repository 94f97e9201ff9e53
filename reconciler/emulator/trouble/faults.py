"""Faults, set for operations, image sets, a probability or the n-th call; seeded.

A fault set is a JSON value, in a faults file and for `PUT /_emulator/faults`: `{"seed": 7,
"faults": [{"kind": "reset-after", "operation": "UpdateImageSetMetadata", "nth": 2}]}`
"""

from __future__ import annotations

import math
import random
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson

from reconciler.emulator.trouble.bad_metadata import FORMS
from reconciler.emulator.wire import exact_json

_WRITES = ("CopyImageSet", "DeleteImageSet", "UpdateImageSetMetadata")
_UPDATE = ("UpdateImageSetMetadata",)
_METADATA = ("GetImageSetMetadata",)
_SEARCH = ("SearchImageSets",)
# The errors of the model that can concern one image set.
_REFUSALS = (
    "AccessDeniedException",
    "ConflictException",
    "ResourceNotFoundException",
    "ValidationException",
)
# Each kind, in the order in which the faults of one call happen: the operations that it can apply
# to (none: any), and the keys that it has besides those of all kinds.
KINDS: dict[str, tuple[tuple[str, ...], frozenset[str]]] = {
    "latency": ((), frozenset({"seconds"})),
    "expired-credentials": ((), frozenset()),
    "throttle": ((), frozenset()),
    "error500": ((), frozenset()),
    "refused": ((), frozenset({"code"})),
    "reset-before": ((), frozenset()),
    "foreign-write": ((), frozenset({"target", "attributes", "moment"})),
    "slow-lock": (_WRITES, frozenset({"seconds"})),
    "endless-lock": (_WRITES, frozenset()),
    "update-failed": (_UPDATE, frozenset({"message"})),
    "stale-search": (_WRITES, frozenset({"seconds"})),
    "missing-row": (_SEARCH, frozenset({"target"})),
    "bad-metadata": (_METADATA, frozenset({"form"})),
    "reset-after": ((), frozenset()),
}
_OF_ALL = frozenset({"kind", "operation", "imageSetId", "nth", "probability", "times"})
_NUMBERS = frozenset({"nth", "probability", "times", "seconds"})
_ID = re.compile(r"[0-9a-z]{32}")
# The pattern that the model gives `message`.
_MESSAGE = re.compile(r"[\w -:`]{1,2048}", re.ASCII)
_SECONDS = 1.0
_FOREIGN = {"Study": {"DICOM": {"StudyDescription": "changed by another process"}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. Without `operations`, `image_set_id` and `nth` it applies to every call.

    `nth` counts the calls that match, from 1. `times` is how often it happens at most. `moment` is
    "before" or "after" the effect of the call. `code` is the error of a refusal. `form` is the kind
    of a bad answer.
    """

    kind: str
    operations: tuple[str, ...] = ()
    image_set_id: str | None = None
    nth: tuple[int, ...] = ()
    probability: float = 1.0
    times: int | None = None
    seconds: float = _SECONDS
    message: str = "The update failed by a fault that is set."
    target: str | None = None
    attributes: dict[str, Any] = field(default_factory=lambda: _FOREIGN)
    moment: str = "before"
    code: str = "ResourceNotFoundException"
    form: str = "not-json"


@dataclass(frozen=True, slots=True)
class FaultSet:
    """Faults and the seed of their probabilities; `given` is the JSON that they were read from."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    given: tuple[dict[str, Any], ...] = ()

    def with_more(self, more: FaultSet) -> FaultSet:
        """These faults, then those of another set, with the seed of this set."""
        return FaultSet(self.faults + more.faults, self.seed, self.given + more.given)


def parse_faults(text: bytes, operations: Iterable[str]) -> FaultSet:
    """Read a faults file. Raises ValueError with the place and what is wrong."""
    try:
        given = exact_json.loads(text)
    except exact_json.JsonError as error:
        raise ValueError(f"it {error}") from None
    if not isinstance(given, dict) or not given.keys() <= {"seed", "faults"}:
        raise ValueError("it must be an object with the keys faults and seed")
    faults, seed = given.get("faults", []), given.get("seed", 0)
    if not isinstance(faults, list) or isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError("faults must be a list, seed a whole number")
    known = frozenset(operations)
    read = tuple(_fault(one, f"faults[{n}]", known) for n, one in enumerate(faults))
    return FaultSet(read, seed, tuple(faults))


def parse_fault(text: str, operations: Iterable[str]) -> FaultSet:
    """Read one fault of the command line: `KIND,name=value,…`. Raises ValueError as `parse_faults`
    does.

    Lists and `attributes` need a faults file.
    """
    kind, *settings = text.split(",")
    given: dict[str, Any] = {"kind": kind}
    for setting in settings:
        name, separator, value = setting.partition("=")
        if not separator:
            raise ValueError(f"{setting} is not a name and its value")
        given[name] = _as_number(value) if name in _NUMBERS else value
    return FaultSet((_fault(given, text, frozenset(operations)),), 0, (given,))


def _as_number(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _fault(given: Any, place: str, known: frozenset[str]) -> Fault:
    if not isinstance(given, dict) or given.get("kind") not in KINDS:
        raise ValueError(f"{place}: kind must be one of {', '.join(KINDS)}")
    kind = given["kind"]
    befalls, own = KINDS[kind]
    unknown = sorted(given.keys() - _OF_ALL - own)
    if unknown:
        raise ValueError(f"{place}: {kind} has no {unknown[0]}")
    fields: dict[str, Any] = {"kind": kind, "operations": befalls}
    for name in given.keys() - {"kind"}:
        member, reader, expected = _MEMBERS[name]
        value = reader(given[name])
        if value is None:
            raise ValueError(f"{place}.{name} must be {expected}")
        fields[member] = value
    for operation in fields["operations"]:
        if operation not in (befalls or known):
            raise ValueError(f"{place}: {kind} cannot happen to {operation}")
    return Fault(**fields)


def _names(value: Any) -> tuple[str, ...] | None:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names) or None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _counts(value: Any) -> tuple[int, ...] | None:
    counts = [_whole(one) for one in (value if isinstance(value, list) else [value])]
    return tuple(one for one in counts if one) if counts and all(counts) else None


def _number(value: Any, most: float = math.inf) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= most and math.isfinite(value) else None


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and _MESSAGE.fullmatch(value) else None


def _one_of(value: Any, choices: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in choices else None


_MEMBERS: dict[str, tuple[str, Any, str]] = {
    "operation": ("operations", _names, "the name of an operation, or a list of them"),
    "imageSetId": ("image_set_id", _id, "an image set ID"),
    "nth": ("nth", _counts, "a number of calls from 1, or a list of them"),
    "probability": ("probability", lambda value: _number(value, 1.0), "between 0 and 1"),
    "times": ("times", _whole, "a whole number from 1"),
    "seconds": ("seconds", _number, "a number of seconds"),
    "message": ("message", _text, "a text that the model allows as message"),
    "target": ("target", _id, "an image set ID"),
    "attributes": (
        "attributes",
        lambda value: value if isinstance(value, dict) and value else None,
        "an object as updatableAttributes has it",
    ),
    "moment": (
        "moment",
        lambda value: value if value in ("before", "after") else None,
        "before or after",
    ),
    "code": ("code", lambda value: _one_of(value, _REFUSALS), f"one of {', '.join(_REFUSALS)}"),
    "form": ("form", lambda value: _one_of(value, tuple(FORMS)), f"one of {', '.join(FORMS)}"),
}


@dataclass(slots=True)
class _Armed:
    fault: Fault
    chance: random.Random
    matched: int = 0
    triggered: int = 0

    def happens(self, operation: str, image_set_id: str | None) -> bool:
        """Whether the fault applies to this call. The call is counted."""
        fault = self.fault
        if fault.operations and operation not in fault.operations:
            return False
        if fault.image_set_id not in (None, image_set_id):
            return False
        self.matched += 1
        # Draw a number for every call that matches, so that `nth` and `times` do not change the
        # sequence.
        drawn = self.chance.random() < fault.probability
        if not drawn or (fault.nth and self.matched not in fault.nth):
            return False
        if fault.times is not None and self.triggered >= fault.times:
            return False
        self.triggered += 1
        return True


class Faults:
    """The faults of one server while it runs."""

    def __init__(self, faults: FaultSet) -> None:
        self._lock = threading.Lock()
        self.replace(faults)

    def replace(self, faults: FaultSet) -> None:
        """Set other faults, with new counts and probabilities."""
        armed = [
            _Armed(fault, random.Random(f"{faults.seed}/{number}"))  # noqa: S311
            for number, fault in enumerate(faults.faults)
        ]
        with self._lock:
            self._set, self._armed = faults, armed

    def of_call(self, operation: str, image_set_id: str | None) -> tuple[Fault, ...]:
        """The faults of this call, in the order in which they happen."""
        with self._lock:
            found = [one.fault for one in self._armed if one.happens(operation, image_set_id)]
        order = list(KINDS)
        return tuple(sorted(found, key=lambda fault: order.index(fault.kind)))

    def describe(self) -> dict[str, Any]:
        """The faults as they were given, with the number of calls that matched and of faults that
        happened."""
        with self._lock:
            counted = [
                {**given, "matched": armed.matched, "triggered": armed.triggered}
                for given, armed in zip(self._set.given, self._armed, strict=True)
            ]
            return {"seed": self._set.seed, "faults": counted}
