"""Parse the options of `reconcile emulator start`: switches, quotas and faults."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.core.errors import ReconcilerError
from reconciler.emulator.http.options import Options
from reconciler.emulator.operations import sts
from reconciler.emulator.rules.behaviours import with_settings
from reconciler.emulator.trouble.faults import FaultSet, parse_fault, parse_faults
from reconciler.emulator.trouble.quotas import DOCUMENTED, OFF, Limits, parse_limits
from reconciler.emulator.wire.protocol import medical_imaging

_QUOTAS_EXAMPLE = 'Example: {"rates": {"GetImageSet": {"perSecond": 2, "burst": 4}}}'
_FAULTS_EXAMPLE = 'Example: {"faults": [{"kind": "throttle", "operation": "GetImageSet"}]}'
_QUOTAS = {"documented": DOCUMENTED, "off": OFF}


@dataclass(frozen=True, slots=True)
class Given:
    """The options as given on the command line."""

    update_seconds: float
    s3_root: Path | None
    switches: Sequence[str]
    quotas: str
    quota_factor: float
    faults_file: Path | None
    faults: Sequence[str]

    def options(self) -> Options:
        """The options of an `Emulator`. Raises ReconcilerError for an invalid option."""
        if not math.isfinite(self.update_seconds):
            raise ReconcilerError("--update-seconds must be a number of seconds")
        if self.s3_root is not None and not self.s3_root.is_dir():
            raise ReconcilerError(f"--s3-root {self.s3_root} is not a folder")
        try:
            behaviours = with_settings(self.switches)
        except ValueError as error:
            raise ReconcilerError(
                f"--set {error}", "`reconcile emulator behaviours` lists the switches."
            ) from None
        return Options(
            update_seconds=self.update_seconds,
            s3_root=self.s3_root,
            behaviours=behaviours,
            limits=self._limits(),
            faults=self._faults(),
        )

    def _limits(self) -> Limits:
        if not (math.isfinite(self.quota_factor) and self.quota_factor > 0):
            raise ReconcilerError("--quota-factor must be a number above 0")
        limits = _QUOTAS.get(self.quotas)
        if limits is None:
            path = Path(self.quotas)
            try:
                limits = parse_limits(_bytes(path, "--quotas takes documented, off or a file."))
            except ValueError as error:
                raise ReconcilerError(f"--quotas {path}: {error}", _QUOTAS_EXAMPLE) from None
        return limits.scaled(self.quota_factor)

    def _faults(self) -> FaultSet:
        operations = (*medical_imaging().operations, sts.OPERATION)
        found = FaultSet()
        if self.faults_file:
            try:
                found = parse_faults(_bytes(self.faults_file), operations)
            except ValueError as error:
                message = f"--faults {self.faults_file}: {error}"
                raise ReconcilerError(message, _FAULTS_EXAMPLE) from None
        try:
            for text in self.faults:
                found = found.with_more(parse_fault(text, operations))
        except ValueError as error:
            raise ReconcilerError(
                f"--fault {error}",
                "Example: --fault throttle,operation=GetImageSet,probability=0.1",
            ) from None
        return found


def _bytes(path: Path, hint: str = "") -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReconcilerError(f"{path} cannot be read: {error.strerror}", hint) from None
