"""The imports of a command: each tenth of a second is paid at every start."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from reconciler import pipeline
from reconciler.edges import schemas
from reconciler.core.ask import manifest_checker
manifest_checker(schemas.load("manifest"))
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def imported() -> frozenset[str]:
    """The modules of a process that is ready to check manifests."""
    ran = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    return frozenset(ran.stdout.split())


@pytest.mark.parametrize("module", ["jsonschema", "boto3", "pydicom", "git", "rich.console"])
def test_nothing_slow_is_imported_before_it_is_needed(
    imported: frozenset[str], module: str
) -> None:
    assert "reconciler.pipeline" in imported
    assert module not in imported
