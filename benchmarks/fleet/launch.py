"""Runs a command and writes what it took to a file, as JSON.

python -I -S launch.py FILE COMMAND...

Linux counts the memory of the process that starts a command as memory of the command, up to its
`exec`. So that process must be small: this one imports almost nothing.
"""

import os
import sys
import time

result, *command = sys.argv[1:]
begin = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ)
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - begin
code = os.waitstatus_to_exitcode(status)
with open(result, "w", encoding="ascii") as file:  # noqa: PTH123
    file.write(f"[{code}, {wall}, {used.ru_utime + used.ru_stime}, {used.ru_maxrss}]")
