"""Where `make clients` installs clients that we did not write, each kind in its own folder."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from reconciler.emulator.http.server import Emulator
from tests.processes import SECONDS

REPOSITORY = Path(__file__).parents[2]
PYTHON_CLIENTS = REPOSITORY / ".venv-clients"
NPM_CLIENTS = REPOSITORY / ".npm-clients"


def installed(folder: Path) -> Path:
    """The folder of some clients. Made now if `make test` has not made it."""
    if not (folder / ".installed-from-lock").exists():
        with (REPOSITORY / "requirements-clients.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of several workers one installs
            made = subprocess.run(
                ["make", folder.name, f"PYTHON={sys.executable}"],
                cwd=REPOSITORY, capture_output=True, text=True, timeout=5 * SECONDS,
            )  # fmt: skip
        if made.returncode:
            without(f"`make {folder.name}` failed: {made.stderr.strip().splitlines()[-1]}")
    return folder


def node() -> str:
    """The Node.js of this machine."""
    return shutil.which("node") or without("Node.js is not installed")


def without(reason: str) -> NoReturn:
    """End a test whose client is missing: skip it, or fail where CLIENT_TESTS=1 asks for it."""
    if os.environ.get("CLIENT_TESTS") == "1":
        pytest.fail(f"{reason}. CLIENT_TESTS=1 makes the tests with clients mandatory.")
    pytest.skip(reason)


def environment(emulator: Emulator) -> dict[str, str]:
    """The environment of docs/emulator.md, and nothing of the environment of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL_MEDICAL_IMAGING": emulator.endpoint,
        "AWS_ENDPOINT_URL_STS": emulator.endpoint,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
