"""The options of an emulator: how the service behaves, and where it listens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.emulator.http.connection import BOUNDS, Bounds
from reconciler.emulator.operations.service import UPDATE_SECONDS
from reconciler.emulator.rules.behaviours import Behaviours
from reconciler.emulator.trouble.faults import FaultSet
from reconciler.emulator.trouble.quotas import OFF, Limits

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the emulated service behaves.

    `update_seconds` is how long an update takes. `s3_root` is the folder that stands for S3 in
    import jobs. `now` gives the time in epoch seconds. Only faults of latency call `sleep`.
    """

    update_seconds: float = UPDATE_SECONDS
    behaviours: Behaviours = field(default_factory=Behaviours)
    s3_root: Path | None = None
    limits: Limits = OFF
    faults: FaultSet = field(default_factory=FaultSet)
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Where an emulator listens, and how much it takes from its clients.

    `port` 0 takes a free port. `names` are the host names that the emulator answers for, besides
    those of the loopback interface and the address that it listens on. Web pages of `origins` may
    call it.
    """

    host: str = HOST
    port: int = 0
    names: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    bounds: Bounds = BOUNDS


DEFAULTS = Options()
LOOPBACK = Listener()
