"""JSON whose values are kept exactly, or refused: for metadata documents and parts of them.

orjson reads an integer beyond 64 bits as a float and writes NaN as null. `json` keeps integers, but
takes NaN, takes the last of two equal keys, and reads 1e400 as infinity.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import orjson

# Nested lists and objects. orjson writes at most 254 levels.
MOST_LEVELS = 250
# A number with any other digit than 0 before its exponent.
_NOT_ZERO = re.compile(r"-?[0.]*[1-9]")
# Half of a surrogate pair, in the only form in which UTF-8 can hold it.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """Text that is not read. The message begins with a verb and holds no value."""


def loads(text: bytes, most_levels: int = MOST_LEVELS) -> Any:
    """Read JSON. Raises JsonError for text that is not JSON, or not kept exactly."""
    try:
        value = json.loads(
            text.decode("utf-8-sig"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_double,
        )
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except JsonError:
        raise
    except UnicodeError:
        raise JsonError("is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"is not JSON (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise _too_deep(most_levels) from None
    except ValueError:  # int(), which takes at most 4300 digits: docs.python.org/3/library/stdtypes
        raise JsonError("has an integer of more than 4300 digits") from None
    if _is_deep(value, most_levels):
        raise _too_deep(most_levels)
    return value


def dumps(value: Any, *, sort_keys: bool = False) -> bytes:
    """Write JSON, always the same bytes for the same value."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None)
    except orjson.JSONEncodeError:  # an integer beyond 64 bits
        return json.dumps(value, sort_keys=sort_keys, allow_nan=False).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise JsonError("has the same key twice in one object")
    return mapping


def _refuse_constant(name: str) -> NoReturn:
    raise JsonError(f"holds {name}, which JSON does not allow")


def _double(text: str) -> float:
    number = float(text)
    if math.isinf(number) or (number == 0 and _NOT_ZERO.match(text)):
        raise JsonError("has a number beyond the range of a double")
    return number


def _is_deep(value: Any, most_levels: int) -> bool:
    """Whether lists and objects are nested deeper. Level by level: a recursion could overflow."""
    level = [value]
    for _ in range(most_levels + 1):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def _too_deep(most_levels: int) -> JsonError:
    return JsonError(f"is nested deeper than {most_levels} levels")
