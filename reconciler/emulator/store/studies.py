"""The number of series and instances of a study, over all its image sets."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import TypeAlias

# The numbers of DICOMTags, by the StudyInstanceUID.
Totals: TypeAlias = Mapping[str, Mapping[str, int]]

_SERIES = """
SELECT COUNT(DISTINCT e.series_uid) FROM search_index s JOIN search_series e
  ON e.datastore_id = s.datastore_id AND e.image_set_id = s.image_set_id AND e.version = s.version
WHERE s.datastore_id = ? AND s.study_uid = ? AND s.visible_until IS NULL AND s.is_primary >= ?
"""
# Two image sets may hold the same instance: it is counted twice.
_INSTANCES = """
SELECT SUM(json_extract(CAST(s.tags AS TEXT), '$.DICOMNumberOfStudyRelatedInstances'))
FROM search_index s
WHERE s.datastore_id = ? AND s.study_uid = ? AND s.visible_until IS NULL AND s.is_primary >= ?
"""


def study_totals(
    connection: sqlite3.Connection,
    datastore_id: str,
    study_uids: Iterable[str],
    *,
    primary_only: bool,
) -> Totals:
    """Count each study as it is now, also what the search does not show yet."""
    found = {}
    for uid in study_uids:
        where = (datastore_id, uid, int(primary_only))
        (series,) = connection.execute(_SERIES, where).fetchone()
        (instances,) = connection.execute(_INSTANCES, where).fetchone()
        found[uid] = {
            "DICOMNumberOfStudyRelatedSeries": series,
            "DICOMNumberOfStudyRelatedInstances": instances or 0,
        }
    return found
