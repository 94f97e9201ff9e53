"""`reconcile demo`: the whole cycle, run for real, in a place that is thrown away.

Every command that it shows is a process of its own, as if somebody typed it.
"""

from __future__ import annotations

import sys
import time

from reconciler.core.errors import EXIT_ERROR, EXIT_OK
from reconciler.demo.place import temporary_clone
from reconciler.demo.stage import Failed, Stage
from reconciler.demo.story import STORY


def run(*, keep: bool = False, json: bool = False, color: bool = False) -> int:
    """Tell the story. Returns an exit code: 1 as soon as a command does not do as told."""
    began = time.monotonic()
    with temporary_clone(keep=keep) as folder:
        stage = Stage(folder, quiet=json, color=color)
        try:
            for chapter in STORY:
                chapter(stage)
        except Failed as failed:
            stage.say(f"The demo stops here: {failed}")
            return EXIT_ERROR
        finally:
            if json:
                stage.print_json()
        stage.say(f"That took {time.monotonic() - began:.0f} seconds. {_left(keep, str(folder))}")
    sys.stdout.flush()
    return EXIT_OK


def _left(keep: bool, folder: str) -> str:
    if keep:
        return f"The clone is yours to play with: {folder}"
    return "The clone is gone again; `reconcile demo --keep` keeps it."
