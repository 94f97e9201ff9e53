"""Decides what a plan must look at, after a scan of the data store. Pure."""

from reconciler.core.scan.moved import (
    Brief,
    Moved,
    brief_of,
    is_as_recorded,
    moved,
    study_of,
    windows,
)

__all__ = ["Brief", "Moved", "brief_of", "is_as_recorded", "moved", "study_of", "windows"]
