"""Decides what a plan must look at, after a scan of the data store. Pure."""

from reconciler.core.scan.moved import Moved, moved

__all__ = ["Moved", "moved"]
