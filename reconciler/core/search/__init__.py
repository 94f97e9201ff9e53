"""Search image sets: criteria as people write them, the filter for the service, columns. Pure."""

from reconciler.core.search.fields import FIELDS, PROPERTIES, fields
from reconciler.core.search.parse import criteria, time_criteria
from reconciler.core.search.query import Query

__all__ = ["FIELDS", "PROPERTIES", "Query", "criteria", "fields", "time_criteria"]
