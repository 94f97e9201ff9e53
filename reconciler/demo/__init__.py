"""`reconcile demo`: run the whole workflow in a temporary clone.

Every command runs in its own process, as if it were typed in a shell.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from reconciler.core.errors import EXIT_ERROR, EXIT_OK
from reconciler.demo.place import temporary_clone
from reconciler.demo.stage import Failed, Output, Stage
from reconciler.demo.story import STORY, Chapter

__all__ = ["Output", "run"]


def run(output: Output, *, keep: bool = False, story: Sequence[Chapter] = STORY) -> int:
    """Run the chapters. Returns the exit code: 1 if a command does not end as expected."""
    began = time.monotonic()
    with temporary_clone(keep=keep) as folder:
        stage = Stage(folder, output)
        try:
            for chapter in story:
                chapter(stage)
        except Failed as failed:
            stage.say(f"The demo failed: {failed}")
            return EXIT_ERROR
        finally:
            if output.as_json:
                stage.print_json()
        stage.say(
            f"The demo took {time.monotonic() - began:.0f} seconds. {_left(keep, str(folder))}"
        )
    return EXIT_OK


def _left(keep: bool, folder: str) -> str:
    if keep:
        return f"The clone is kept in {folder}"
    return "The clone is removed. `reconcile demo --keep` keeps it."
