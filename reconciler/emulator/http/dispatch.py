"""Takes one call to the service: counts it, throttles it, and applies the faults."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from reconciler.emulator.operations.context import Parameters, Result
from reconciler.emulator.operations.service import Service
from reconciler.emulator.trouble.bad_metadata import spoilt
from reconciler.emulator.trouble.faults import Fault, Faults, FaultSet
from reconciler.emulator.trouble.quotas import OFF, Limits, Quotas
from reconciler.emulator.wire import exact_json
from reconciler.emulator.wire.errors import ApiError

_FOREVER = 100 * 365 * 86_400.0
_REFUSALS = {
    "expired-credentials": (
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ),
    "throttle": ("ThrottlingException", "Rate exceeded"),
    "error500": ("InternalServerException", "An internal error occurred."),
}


class ConnectionReset(Exception):
    """The client gets no answer: its connection is reset."""


class Dispatcher:
    """Calls to a service, with quotas, faults and counters in between."""

    def __init__(
        self,
        service: Service,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        limits: Limits = OFF,
        faults: FaultSet | None = None,
    ) -> None:
        self.service = service
        self.faults = Faults(faults or FaultSet())
        self._sleep = sleep
        self._quotas = Quotas(limits, now, service.behaviours.concurrency_error)
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._errors: dict[str, Counter[str]] = {}

    def counters(self) -> dict[str, Any]:
        """Calls, throttles and errors by code, of every operation that was called."""
        with self._lock:
            return {
                "operations": {
                    name: {
                        "calls": count,
                        "throttled": self._errors.get(name, Counter())["ThrottlingException"],
                        "errors": dict(sorted(self._errors.get(name, Counter()).items())),
                    }
                    for name, count in sorted(self._calls.items())
                }
            }

    def call(self, operation: str, parameters: Parameters) -> Result:
        """`Service.call`. Raises ConnectionReset where a fault asks for it."""
        with self._lock:
            self._calls[operation] += 1
        try:
            return self._call(operation, parameters)
        except ApiError as error:
            with self._lock:
                self._errors.setdefault(operation, Counter())[error.code] += 1
            raise

    def _call(self, operation: str, parameters: Parameters) -> Result:
        image_set_id = parameters.get("imageSetId", parameters.get("sourceImageSetId"))
        faults = self.faults.of_call(operation, image_set_id)
        for fault in faults:
            self._before(fault, parameters, image_set_id)
        self._quotas.take(operation)
        changes = {name: value for fault in faults for name, value in _changes(fault)}
        seconds = changes.get("update_seconds", self.service.update_seconds)
        with self._quotas.slot(operation, parameters.get("datastoreId", ""), seconds):
            result = self.service.call(operation, parameters, **changes)
        for fault in faults:
            self._after(fault, parameters, image_set_id)
            result = _altered(fault, result)
        return result

    def _before(self, fault: Fault, parameters: Parameters, image_set_id: str | None) -> None:
        if fault.kind == "latency":
            self._sleep(fault.seconds)
        elif fault.kind in _REFUSALS:
            raise ApiError(*_REFUSALS[fault.kind])
        elif fault.kind == "refused":
            raise ApiError(fault.code, "The call is refused by a fault that is set.")
        elif fault.kind == "reset-before":
            raise ConnectionReset
        elif fault.kind == "foreign-write" and fault.moment == "before":
            self._foreign_write(fault, parameters, image_set_id)

    def _after(self, fault: Fault, parameters: Parameters, image_set_id: str | None) -> None:
        if fault.kind == "reset-after":
            raise ConnectionReset
        if fault.kind == "foreign-write" and fault.moment == "after":
            self._foreign_write(fault, parameters, image_set_id)

    def _foreign_write(
        self, fault: Fault, parameters: Parameters, image_set_id: str | None
    ) -> None:
        """Make an update as another process would, complete at once.

        If the service refuses it, nothing happens.
        """
        named = {
            "datastoreId": parameters.get("datastoreId", ""),
            "imageSetId": fault.target or image_set_id or "",
        }
        blob = {"updatableAttributes": exact_json.dumps(fault.attributes)}
        with suppress(ApiError):
            pin = self.service.call("GetImageSet", named)["versionId"]
            updates = {"updateImageSetMetadataUpdates": {"DICOMUpdates": blob}}
            self.service.call(
                "UpdateImageSetMetadata",
                {**named, "latestVersionId": pin, **updates},
                update_seconds=0.0,
            )


def _altered(fault: Fault, result: Result) -> Result:
    """The answer as a fault leaves it."""
    if fault.kind == "bad-metadata":
        blob = spoilt(result["imageSetMetadataBlob"], fault.form)
        return {**result, "imageSetMetadataBlob": blob}
    if fault.kind == "missing-row":
        rows = result["imageSetsMetadataSummaries"]
        kept = [row for row in rows if row["imageSetId"] != fault.target]
        return {**result, "imageSetsMetadataSummaries": kept}
    return result


def _changes(fault: Fault) -> list[tuple[str, Any]]:
    """What a fault changes in the service for its call."""
    changes: dict[str, list[tuple[str, Any]]] = {
        "slow-lock": [("update_seconds", fault.seconds)],
        "endless-lock": [("update_seconds", _FOREVER)],
        "update-failed": [("fail_updates_with", fault.message)],
        "stale-search": [("search_lag_seconds", fault.seconds)],
    }
    return changes.get(fault.kind, [])
