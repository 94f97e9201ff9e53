"""The version of every format that the reconciler reads or writes: manifests, plans, records."""

from __future__ import annotations

API_VERSION = "reconciler/v1"
