"""Several runs write the same record file at once: no entry is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reconciler.edges import records

WRITER = """
import sys
from pathlib import Path
from reconciler.edges import records
from reconciler.core.model.record import Entry

root, first = Path(sys.argv[1]), int(sys.argv[2])
sys.stdin.readline()
for number in range(first, first + 25):
    name = f"aa{number:030x}"
    entry = Entry("1" * 32, name, "2", "1", None, (), "sha256:0")
    records.write(root, "1" * 32, {name: [lambda _, entry=entry: entry]})
"""


def test_no_entry_is_lost(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(first)], stdin=subprocess.PIPE
        )
        for first in (0, 25, 50, 75)
    ]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write(b"go\n")
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    assert len(records.read(tmp_path, "1" * 32)) == 100
