"""The imports of a command: each tenth of a second is paid at every start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
from reconciler import pipeline
from reconciler.edges import schemas
from reconciler.core.ask import manifest_checker
manifest_checker(schemas.load("manifest"))
pipeline.plan
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


CHECK = """
import sys
from pathlib import Path
from reconciler import pipeline
from reconciler.edges.settings import read_settings
pipeline.check(read_settings(Path("reconciler.yaml").resolve()))
print(*sys.modules)
"""


@pytest.mark.parametrize("module", ["jsonschema", "numpy", "pydicom", "requests"])
def test_checking_valid_manifests_imports_nothing_slow(module: str) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", CHECK]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    assert module not in ran.stdout.split()


VALIDATE = """
import sys
from reconciler.__main__ import main
sys.argv = ["reconcile", "validate"]
try:
    main()
finally:
    print(*sys.modules)
"""


def test_validate_imports_no_part_of_what_plans_and_applies() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", VALIDATE]
    ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    found = {".".join(name.split(".")[:3]) for name in ran.stdout.split()}
    parts = {f"reconciler.{part}" for part in ("apply", "observe", "core.plan", "edges.git")}
    assert "reconciler.pipeline.check" in found
    assert found.isdisjoint(parts | {"reconciler.pipeline.plan", "reconciler.core.survey"})


HELP = """
import sys
from reconciler.__main__ import main
sys.argv = ["reconcile", "--help"]
try:
    main()
finally:
    print(*sys.modules)
"""


@pytest.mark.parametrize(
    "module",
    ["boto3", "git", "jsonschema", "jsonschema_rs", "pydicom", "reconciler.pipeline", "yaml"],
)
def test_the_help_needs_nothing_of_what_the_commands_import(module: str) -> None:
    ran = subprocess.run([sys.executable, "-c", HELP], check=True, capture_output=True, text=True)
    assert "reconciler.cli.validate" in ran.stdout.split()
    assert module not in ran.stdout.split()
