"""How long `reconcile validate` takes to refuse hostile manifests, and with how much memory.

python benchmarks/hostile.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = f"""\
datastores:
  research:
    datastoreId: "{"1" * 32}"
    region: us-east-1
"""
HEAD = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {"a" * 32}
"""
INSTANCES = f"""{HEAD}
present:
  Study:
    Series:
      "*":
        Instances:
          "*":
            DICOM:
"""
MANY = range(100_000)


def manifests() -> dict[str, str]:
    """By what is hostile in it, a file below its limit of 16 MiB."""
    keys = "".join(f"      PatientNam{number}: v\n" for number in MANY)
    return {
        "100,000 unknown keys": HEAD + "".join(f"key{number}: v\n" for number in MANY),
        "100,000 unknown attributes": f"{HEAD}present:\n  Patient:\n    DICOM:\n{keys}",
        "a value of 14 MB": f"{INSTANCES}              ImageComments: {'A' * 14_000_000}\n",
        "3,000,000 list items": f"{INSTANCES}              ImageType: [{'A, ' * 3_000_000}A]\n",
        "3,000,000 aliases": f"a: [{'*a, ' * 3_000_000}]\n",
        "100,000 bad documents": "---\nfoo: bar\n" * len(MANY),
        "1,000,000 equal keys": "a: 1\n" * 1_000_000,
    }


def refused(folder: Path) -> tuple[float, float]:
    """Seconds of the processor and peak MB of the command, which refuses the manifests."""
    command = [sys.executable, "-P", "-m", "reconciler", "validate"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 1:
        raise SystemExit(f"exit code {process.returncode} instead of 1")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "reconciler.yaml").write_text(SETTINGS)
        (folder / "manifests").mkdir()
        for kind, text in manifests().items():
            (folder / "manifests" / "hostile.yaml").write_text(text)
            seconds, megabytes = refused(folder)
            print(f"{kind:<28}{seconds:5.1f} s {megabytes:6.0f} MB")


if __name__ == "__main__":
    main()
