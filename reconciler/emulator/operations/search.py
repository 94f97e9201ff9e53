"""SearchImageSets: one or two filters, sort, pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
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
from reconciler.emulator.store.index import study_time
from reconciler.emulator.store.studies import Totals, study_totals
from reconciler.emulator.wire.errors import invalid

_MOST_RESULTS = 50
_DEFAULT_SORT = {"sortField": "updatedAt", "sortOrder": "DESC"}
_SORT_COLUMNS = {
    "updatedAt": "s.updated_at",
    "createdAt": "s.created_at",
    "DICOMStudyDateAndTime": "s.study_datetime",
}
_TEXT_COLUMNS = {
    "DICOMPatientId": "s.patient_id",
    "DICOMAccessionNumber": "s.accession_number",
    "DICOMStudyId": "s.study_id",
    "DICOMStudyInstanceUID": "s.study_uid",
}
_SERIES = (
    "EXISTS (SELECT 1 FROM search_series e WHERE e.datastore_id = s.datastore_id "
    "AND e.series_uid = ? AND e.image_set_id = s.image_set_id AND e.version = s.version)"
)
# Later than any time of day in the form of `index.study_time`.
_END_OF_DAY = "~"
Condition = tuple[str, list[Any]]


def search_image_sets(context: Context, parameters: Parameters) -> Result:
    """SearchImageSets: a page of summaries. `version` is an integer here, and no state is shown."""
    criteria = parameters.get("searchCriteria", {})
    sort = criteria.get("sort", _DEFAULT_SORT)
    filters = criteria.get("filters", [])
    if len(filters) > context.behaviours.search_filters:
        raise invalid("There are more filters than the service takes.")
    conditions = [_condition(context, part) for part in filters]
    limit = parameters.get("maxResults", _MOST_RESULTS)
    asked = _digest(criteria)
    now = context.now()
    conditions.append(("s.visible_from <= ?", [now]))
    conditions.append(("(s.visible_until IS NULL OR s.visible_until > ?)", [now]))
    after = _after(parameters.get("nextToken"), sort, asked)
    with context.store.snapshot() as connection:
        require_datastore(context, connection, parameters["datastoreId"])
        rows = connection.execute(
            *_query(parameters["datastoreId"], [*conditions, *after], sort, limit + 1)
        ).fetchall()
        totals = _totals(context, connection, parameters["datastoreId"], rows[:limit])
    result: Result = {
        "imageSetsMetadataSummaries": [_summary(context, row, now, totals) for row in rows[:limit]],
        "sort": sort,
    }
    if len(rows) > limit:
        last = rows[limit - 1]
        result["nextToken"] = page_token([asked, last["sort_value"], last["image_set_id"]])
    return result


def _query(
    datastore_id: str, conditions: list[Condition], sort: dict[str, str], limit: int
) -> tuple[str, list[Any]]:
    column, order = _SORT_COLUMNS[sort["sortField"]], sort["sortOrder"]
    where = " AND ".join(text for text, _ in conditions)
    values = [value for _, given in conditions for value in given]
    # Every part of this text is a constant of this module. Values from the client are bound.
    statement = (
        f"SELECT s.*, {column} AS sort_value, i.accessed_at FROM search_index s "  # noqa: S608
        "JOIN image_sets i ON i.datastore_id = s.datastore_id AND i.id = s.image_set_id "
        f"WHERE s.datastore_id = ? AND {where} "
        f"ORDER BY {column} {order}, s.image_set_id {order} LIMIT ?"
    )
    return statement, [datastore_id, *values, limit]


def _digest(criteria: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(criteria, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _after(token: str | None, sort: dict[str, str], asked: str) -> list[Condition]:
    kind = str if sort["sortField"] == "DICOMStudyDateAndTime" else float
    position = page_position(token, str, kind, str)
    if position is None:
        return []
    if position[0] != asked:
        raise invalid("The nextToken belongs to other search criteria.")
    comparison = ">" if sort["sortOrder"] == "ASC" else "<"
    column = _SORT_COLUMNS[sort["sortField"]]
    return [(f"({column}, s.image_set_id) {comparison} (?, ?)", position[1:])]


def _condition(context: Context, given: dict[str, Any]) -> Condition:
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
    text, bound = attributes[name](*(value[name] for value in values))
    if name == "updatedAt" and not context.behaviours.first_version_has_updated_at:
        text += " AND s.version > 1"
    return text, bound


def _equals(column: str) -> Callable[..., Condition]:
    return lambda value: (f"{column} = ?", [value])


def _equals_text(column: str) -> Callable[..., Condition]:
    return lambda value: (f"{column} = ?", [value.strip(" \0")])


def _between(column: str) -> Callable[..., Condition]:
    return lambda lower, upper: (f"{column} BETWEEN ? AND ?", [lower, upper])


def _study_moment(moment: dict[str, str], default: str) -> str:
    time = moment.get("DICOMStudyTime")
    return moment["DICOMStudyDate"] + (study_time(time) if time else default)


def _at_study_moment(moment: dict[str, str]) -> Condition:
    if moment.get("DICOMStudyTime"):
        return "s.study_datetime = ?", [_study_moment(moment, "")]
    return _between_study_moments(moment, moment)


def _between_study_moments(lower: dict[str, str], upper: dict[str, str]) -> Condition:
    bounds = [_study_moment(lower, ""), _study_moment(upper, _END_OF_DAY)]
    return "s.study_datetime BETWEEN ? AND ?", bounds


_EQUAL: dict[str, Callable[..., Condition]] = {
    **{name: _equals_text(column) for name, column in _TEXT_COLUMNS.items()},
    "DICOMSeriesInstanceUID": lambda uid: (_SERIES, [uid]),
    "createdAt": _equals("s.created_at"),
    "updatedAt": _equals("s.updated_at"),
    "isPrimary": _equals("s.is_primary"),
    "DICOMStudyDateAndTime": _at_study_moment,
}
_BETWEEN: dict[str, Callable[..., Condition]] = {
    "createdAt": _between("s.created_at"),
    "updatedAt": _between("s.updated_at"),
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
