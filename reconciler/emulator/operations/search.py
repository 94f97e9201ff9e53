"""SearchImageSets: one or two filters, sort, pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any

import orjson

from reconciler.emulator.operations.context import (
    Context,
    Parameters,
    Result,
    page_position,
    page_token,
    require_datastore,
)
from reconciler.emulator.operations.imagesets import storage_tier
from reconciler.emulator.store.found import Range, Wanted, page
from reconciler.emulator.store.index import study_time
from reconciler.emulator.store.studies import Totals, study_totals
from reconciler.emulator.wire.errors import invalid

_MOST_RESULTS = 50
_DEFAULT_SORT = {"sortField": "updatedAt", "sortOrder": "DESC"}
_SORT_COLUMNS = {
    "updatedAt": "updated_at",
    "createdAt": "created_at",
    "DICOMStudyDateAndTime": "study_datetime",
}
_TEXT_COLUMNS = {
    "DICOMPatientId": "patient_id",
    "DICOMAccessionNumber": "accession_number",
    "DICOMStudyId": "study_id",
    "DICOMStudyInstanceUID": "study_uid",
}
# Later than any time of day in the form of `index.study_time`.
_END_OF_DAY = "~"


@dataclass(frozen=True, slots=True)
class _Filter:
    """A filter of a request: a column with its value, the UID of a series, or a range."""

    equal: tuple[tuple[str, Any], ...] = ()
    series: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()
    is_changed: bool = False


def search_image_sets(context: Context, parameters: Parameters) -> Result:
    """SearchImageSets: a page of summaries. `version` is an integer here, and no state is shown."""
    criteria = parameters.get("searchCriteria", {})
    sort = criteria.get("sort", _DEFAULT_SORT)
    limit = parameters.get("maxResults", _MOST_RESULTS)
    asked, now = _digest(criteria), context.now()
    filters = _filters(context, criteria.get("filters", []))
    wanted = Wanted(
        datastore_id=parameters["datastoreId"],
        now=now,
        sort=_SORT_COLUMNS[sort["sortField"]],
        is_descending=sort["sortOrder"] == "DESC",
        limit=limit + 1,
        equal=tuple(pair for one in filters for pair in one.equal),
        series=tuple(uid for one in filters for uid in one.series),
        ranges=tuple(part for one in filters for part in one.ranges),
        is_changed=any(one.is_changed for one in filters),
        after=_after(parameters.get("nextToken"), sort, asked),
    )
    with context.store.snapshot() as connection:
        require_datastore(context, connection, wanted.datastore_id)
        rows = page(connection, wanted)
        totals = _totals(context, connection, wanted.datastore_id, rows[:limit])
    result: Result = {
        "imageSetsMetadataSummaries": [_summary(context, row, now, totals) for row in rows[:limit]],
        "sort": sort,
    }
    if len(rows) > limit:
        last = rows[limit - 1]
        result["nextToken"] = page_token([asked, last["sort_value"], last["image_set_id"]])
    return result


def _filters(context: Context, given: list[dict[str, Any]]) -> list[_Filter]:
    if len(given) > context.behaviours.search_filters:
        raise invalid("There are more filters than the service takes.")
    return [_filter(context, one) for one in given]


def _digest(criteria: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(criteria, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _after(token: str | None, sort: dict[str, str], asked: str) -> tuple[Any, str] | None:
    kind = str if sort["sortField"] == "DICOMStudyDateAndTime" else float
    position = page_position(token, str, kind, str)
    if position is None:
        return None
    if position[0] != asked:
        raise invalid("The nextToken belongs to other search criteria.")
    return position[1], position[2]


def _filter(context: Context, given: dict[str, Any]) -> _Filter:
    operator, values = given["operator"], given["values"]
    names = {name for value in values for name in value}
    if len(names) != 1:
        raise invalid("The values of a filter must be of one attribute.")
    (name,) = names
    if len(values) != (1 if operator == "EQUAL" else 2):
        raise invalid("EQUAL takes one value, BETWEEN takes two.")
    attributes = _EQUAL if operator == "EQUAL" else _BETWEEN
    if name not in attributes:
        raise invalid(f"{operator} cannot be used with {name}.")
    found = attributes[name](*(value[name] for value in values))
    if name == "updatedAt" and not context.behaviours.first_version_has_updated_at:
        return replace(found, is_changed=True)
    return found


def _equals(column: str) -> Callable[..., _Filter]:
    return lambda value: _Filter(equal=((column, value),))


def _equals_text(column: str) -> Callable[..., _Filter]:
    return lambda value: _Filter(equal=((column, value.strip(" \0")),))


def _between(column: str) -> Callable[..., _Filter]:
    return lambda lower, upper: _Filter(ranges=(Range(column, lower, upper),))


def _at(column: str) -> Callable[..., _Filter]:
    return lambda value: _Filter(ranges=(Range(column, value, value),))


def _study_moment(moment: dict[str, str], default: str) -> str:
    time = moment.get("DICOMStudyTime")
    return moment["DICOMStudyDate"] + (study_time(time) if time else default)


def _at_study_moment(moment: dict[str, str]) -> _Filter:
    if moment.get("DICOMStudyTime"):
        return _at("study_datetime")(_study_moment(moment, ""))
    return _between_study_moments(moment, moment)


def _between_study_moments(lower: dict[str, str], upper: dict[str, str]) -> _Filter:
    bounds = _study_moment(lower, ""), _study_moment(upper, _END_OF_DAY)
    return _between("study_datetime")(*bounds)


_EQUAL: dict[str, Callable[..., _Filter]] = {
    **{name: _equals_text(column) for name, column in _TEXT_COLUMNS.items()},
    "DICOMSeriesInstanceUID": lambda uid: _Filter(series=(uid,)),
    "createdAt": _at("created_at"),
    "updatedAt": _at("updated_at"),
    "isPrimary": _equals("is_primary"),
    "DICOMStudyDateAndTime": _at_study_moment,
}
_BETWEEN: dict[str, Callable[..., _Filter]] = {
    "createdAt": _between("created_at"),
    "updatedAt": _between("updated_at"),
    "DICOMStudyDateAndTime": _between_study_moments,
}


def _totals(
    context: Context, connection: Connection, datastore_id: str, rows: Iterable[Any]
) -> Totals:
    """The totals of every study of a page. Without a StudyInstanceUID there is no study."""
    studies = {row["study_uid"] for row in rows} - {""}
    primary_only = context.behaviours.study_totals == "primary"
    return study_totals(connection, datastore_id, studies, primary_only=primary_only)


def _summary(context: Context, row: Any, now: float, totals: Totals) -> Result:
    summary: Result = {
        "imageSetId": row["image_set_id"],
        "version": row["version"],
        "createdAt": row["created_at"],
        "lastAccessedAt": row["accessed_at"],
        "storageTier": storage_tier(row["accessed_at"], now),
        "DICOMTags": orjson.loads(row["tags"]) | totals.get(row["study_uid"], {}),
    }
    if "SearchImageSets" in context.behaviours.is_primary_in:
        summary["isPrimary"] = bool(row["is_primary"])
    if row["version"] > 1 or context.behaviours.first_version_has_updated_at:
        summary["updatedAt"] = row["updated_at"]
    return summary
