"""Terraform: a plan of resources of which none has changed, without a call to any service."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

from benchmarks.fleet.bench import Bench
from benchmarks.fleet.measure import run
from benchmarks.fleet.rows import Row, numbers, shown

MOST = 10_000
_IN_FILE = 100
_RESOURCE = """\
resource "terraform_data" "r{number}" {{
  input = {{ patient_name = "Garcia^Gloria", study = "CT CHEST", number = {number} }}
}}
"""


def terraform(bench: Bench) -> Iterator[Row]:
    """`terraform plan`, where Terraform is installed."""
    if shutil.which("terraform") is None:
        return
    count = min(bench.fleet.size, MOST)
    folder = bench.folder / "terraform"
    folder.mkdir()
    for start in range(0, count, _IN_FILE):
        text = "".join(_RESOURCE.format(number=one) for one in range(start, start + _IN_FILE))
        (folder / f"resources-{start:06}.tf").write_text(text)
    run(["terraform", "init", "-input=false"], folder)
    run(["terraform", "apply", "-auto-approve", "-input=false"], folder)
    cost = run(["terraform", "plan", "-input=false", "-detailed-exitcode"], folder)
    shown_version = subprocess.run(
        ["terraform", "version"], check=True, capture_output=True, text=True
    ).stdout
    version = re.match(r"Terraform v(\S+)", shown_version)
    case = f"Terraform {version[1] if version else ''}, {count:,} unchanged `terraform_data`"
    yield Row("terraform", case, shown(cost), numbers={**numbers(cost), "resources": count})
