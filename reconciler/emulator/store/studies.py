"""The number of series and instances of a study, over all its image sets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import TypeAlias

# The numbers of DICOMTags, by the StudyInstanceUID.
Totals: TypeAlias = Mapping[str, Mapping[str, int]]

_SHOWN = "s.datastore_id = ? AND s.visible_until IS NULL AND s.is_primary >= ? AND s.study_uid IN"
# CROSS JOIN: SQLite begins with the studies (https://www.sqlite.org/optoverview.html, section 6.3).
# Without it, SQLite would go through all series of the data store for each study.
_SERIES = f"""
SELECT s.study_uid, COUNT(DISTINCT e.series_uid) FROM search_index s CROSS JOIN search_series e
  ON e.datastore_id = s.datastore_id AND e.image_set_id = s.image_set_id AND e.version = s.version
WHERE {_SHOWN}"""  # noqa: S608
# Two image sets may hold the same instance: it is counted twice.
_INSTANCES = f"""
SELECT s.study_uid,
  SUM(json_extract(CAST(s.tags AS TEXT), '$.DICOMNumberOfStudyRelatedInstances'))
FROM search_index s WHERE {_SHOWN}"""  # noqa: S608


def study_totals(
    connection: sqlite3.Connection,
    datastore_id: str,
    study_uids: Iterable[str],
    *,
    primary_only: bool,
) -> Totals:
    """Count each study as it is now, also what the search does not show yet."""
    uids = sorted(study_uids)
    group = f" ({', '.join('?' * len(uids))}) GROUP BY s.study_uid"
    where = [datastore_id, int(primary_only), *uids]
    series = dict(connection.execute(_SERIES + group, where).fetchall())
    instances = dict(connection.execute(_INSTANCES + group, where).fetchall())
    return {
        uid: {
            "DICOMNumberOfStudyRelatedSeries": series.get(uid, 0),
            "DICOMNumberOfStudyRelatedInstances": instances.get(uid) or 0,
        }
        for uid in uids
    }
