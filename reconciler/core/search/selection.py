"""The keys of `select` and `where` in a manifest of kind ImageSets, as criteria of a search."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.dicom.dictionary import by_key
from reconciler.core.dicom.search_tags import MEMBERS
from reconciler.core.search.criteria import Criterion, OfDate, OfText, OfTime
from reconciler.core.search.moments import OfPrimary, OfStudyMoment, OfWhole
from reconciler.core.search.query import Query
from reconciler.core.search.ranges import FORMS, BadRange, TimeRange, time_range

_WILDCARDS = re.compile(r"[*?]")
_WHOLE_HINT = "Write the whole value here. `where` takes `*` and `?`."
_UID = re.compile("[0-9.]+")
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True, repr=False)
class Unusable:
    """Why a value is no criterion, and what to do; `corrected` is what it probably means, or ""."""

    message: str
    hint: str = ""
    corrected: str = ""


def of_select(key: str, text: str) -> Criterion | Unusable:
    """The criterion of a line of `select`: one that the service can check, too."""
    return SELECT[key](key, text)


def of_where(keyword: str, text: str) -> Criterion | Unusable:
    """The criterion of a line of `where`: of an attribute that a summary states."""
    if by_key(keyword).vr != "DA" or not text:
        return OfText(keyword, text)
    found = time_range(text)
    if isinstance(found, BadRange) or "T" in text:
        return Unusable("is neither a date nor a range", FORMS)
    return OfDate(keyword, found)


def query_of(select: Iterable[tuple[str, str]], where: Iterable[tuple[str, str]]) -> Query:
    """The search of a valid selector: one filter goes to the service, the most selective one."""
    found = [*(of_select(*line) for line in select), *(of_where(*line) for line in where)]
    return Query(tuple(one for one in found if not isinstance(one, Unusable)))


def _text(key: str, text: str) -> Criterion | Unusable:
    if not text:
        return Unusable("is empty", "Write the value to search for, or delete the line.")
    if _WILDCARDS.search(text):
        return Unusable("has a `*` or a `?`", _WHOLE_HINT)
    if key.endswith("UID") and not _UID.fullmatch(text):
        return Unusable("is not a UID", "The service finds only UIDs of digits and dots.")
    found = OfWhole(key, text)
    return Unusable("is too long for a search") if found.sent is None else found


def _created(key: str, text: str) -> Criterion | Unusable:
    return _ranged(text, lambda found: OfTime(key, found))


def _studied(_: str, text: str) -> Criterion | Unusable:
    return _ranged(text, OfStudyMoment)


def _primary(_: str, text: str) -> Criterion | Unusable:
    wanted = _BOOLEANS.get(text.casefold())
    return Unusable("is neither true nor false") if wanted is None else OfPrimary(wanted)


def _ranged(text: str, made: Callable[[TimeRange], Criterion]) -> Criterion | Unusable:
    found = time_range(text)
    if isinstance(found, BadRange):
        return Unusable("is neither a date nor a range", FORMS, found.corrected)
    return made(found)


# What `select` takes: the filters of SearchImageSets that do not change with every update
# (botocore: SearchByAttributeValue). DICOM's keywords stand for AWS's names.
SELECT: Mapping[str, Callable[[str, str], Criterion | Unusable]] = {
    "SeriesInstanceUID": _text,
    "StudyInstanceUID": _text,
    "AccessionNumber": _text,
    "PatientID": _text,
    "StudyID": _text,
    "StudyDateAndTime": _studied,
    "createdAt": _created,
    "isPrimary": _primary,
}
WHERE = tuple(MEMBERS)
