"""How an action stood at the base of a pull request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StatusAtBase(StrEnum):
    """A `Status` at the base, or why there is none."""

    CONVERGED = "converged"
    UPDATE = "update"
    DRIFTED = "drifted"
    BUSY = "busy"
    BLOCKED = "blocked"
    # No manifest of the base asks for the image set.
    UNMANAGED = "unmanaged"
    # To decide it would take a call of the service that the plan did not make.
    UNKNOWN = "unknown"

    @property
    def is_held(self) -> bool:
        """Whether the image set would have stayed as it is, and not as it was asked for."""
        return self in _HELD


_HELD = frozenset({StatusAtBase.DRIFTED, StatusAtBase.BUSY, StatusAtBase.BLOCKED})


@dataclass(frozen=True, slots=True)
class AtBase:
    """An action, decided by what the base asks and records, from the same answers of the service.

    `asks_changed` says that manifests now ask, or consent to, something else of its image sets.
    """

    status: StatusAtBase
    asks_changed: bool
