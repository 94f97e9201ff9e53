"""Updates that the service does not accept: the outcome says whether a version was used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.cli.outside import imported, manifest, world
from tests.documents import IMAGE_SET_ID, SERIES_UID, document, instance, series

UID = f"{SERIES_UID}.1"
# The service asks for force where the settings expect that it does not.
REMOVAL = f"""\
absent:
  Study:
    Series: {{"{SERIES_UID}": {{Instances: {{"{UID}": {{DICOM: [AnatomicRegionSequence]}}}}}}}}
"""


def outcome(folder: Path, reconcile: Command, **switches: Any) -> tuple[str, str]:
    """What an apply of a saved plan prints, and the version of the image set after it."""
    with world(folder, reconcile, **switches) as here:
        settings = here.root / "reconciler.yaml"
        settings.write_text(settings.read_text() + "rules: {removalsNeedForce: false}\n")
        imported(here.emulator, document(series(SERIES_UID, [instance(UID)])))
        manifest(here.root, "a.yaml", REMOVAL)
        assert reconcile("plan", "--out", "plan.json").code == 0
        printed = here.apply("plan.json", code=1)
        return printed, here.version()


@pytest.mark.parametrize(
    "switches", [{"constraint_errors": "validation"}, {"payload_limit_bytes": 10}], ids=str
)
def test_a_refusal_at_once_creates_no_version(
    tmp_path: Path, reconcile: Command, switches: dict[str, Any]
) -> None:
    printed, version = outcome(tmp_path, reconcile, **switches)
    assert f"failed             image set {IMAGE_SET_ID}  planned at version 1\n" in printed
    assert "the service rejects" in printed or "exceeds a quota" in printed
    assert "    No version was created.\n" in printed
    assert version == "1"


def test_a_failure_later_creates_a_version(tmp_path: Path, reconcile: Command) -> None:
    printed, version = outcome(tmp_path, reconcile)
    assert f"image set {IMAGE_SET_ID}: the failed update created version 2" in printed
    assert "No version was created" not in printed
    assert version == "2"


def test_a_failure_later_without_a_version(tmp_path: Path, reconcile: Command) -> None:
    printed, version = outcome(tmp_path, reconcile, failed_update_makes_version=False)
    assert f"image set {IMAGE_SET_ID}: the update failed and created no version" in printed
    assert version == "1"
