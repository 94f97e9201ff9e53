"""The imports of a command: each tenth of a second is paid at every start."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["jsonschema", "boto3", "pydicom", "git", "rich.console"])
def test_nothing_slow_is_imported_before_it_is_needed(module: str) -> None:
    code = (
        "import sys\n"
        "from reconciler import pipeline\n"
        "from reconciler.edges import schemas\n"
        "from reconciler.core.ask import manifest_checker\n"
        "manifest_checker(schemas.load('manifest'))\n"
        f"sys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
