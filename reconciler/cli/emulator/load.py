"""Load files into a running emulator. A file name is often the name of a patient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.cli import screen
from reconciler.cli.emulator import client
from reconciler.core.errors import EXIT_ERROR, EXIT_OK
from reconciler.core.model.settings import Redact
from reconciler.emulator.files.ingest import Ingested, Problem, ingest
from reconciler.emulator.files.storage import storage


def run(
    endpoint: str,
    datastore_id: str,
    paths: Sequence[Path],
    *,
    primary: bool | None,
    show_values: bool | None,
) -> int:
    """Load image sets, print one line of JSON for each, and report every file that gave none."""
    loader = client.connect(endpoint, datastore_id)
    kept: list[str] = []
    stored_as = storage(loader.lossless_format())
    ingested = ingest(paths, lambda frame: kept.append(loader.keep(frame).problem), stored_as)
    missing = [problem for problem in kept if problem]
    _report(ingested, paths, show_values)
    screen.note(*(f"a frame is left out: {problem}" for problem in missing))
    complete = not ingested.refused and not missing
    for image_set in ingested.image_sets:
        answer = loader.load(image_set, primary=primary)
        if answer.problem:
            complete = False
            screen.error(f"image set {image_set.image_set_id}: {answer.problem}", answer.hint)
        else:
            screen.say([answer.line])
    if not (ingested.image_sets or ingested.refused):
        screen.note("nothing to load: give DICOM files, folders of them, or metadata documents")
    return EXIT_OK if complete and ingested.image_sets else EXIT_ERROR


def _report(ingested: Ingested, paths: Sequence[Path], show_values: bool | None) -> None:
    """Report files that gave no image set; by number where values are masked on stderr."""
    problems = (*ingested.refused, *ingested.repeated)
    if screen.mask(None, show_values, notes=True) is Redact.NONE:
        screen.note(*map(str, problems))
    elif problems:
        numbers = {**_numbered("path", paths), **_numbered("file", ingested.files)}
        screen.note(*(_masked(problem, numbers) for problem in problems))
        screen.note(
            "Files are numbered in the order of their paths. Add --show-values to show file names."
        )


def _numbered(noun: str, paths: Sequence[Path]) -> dict[Path, str]:
    return {path: f"{noun} {number} of {len(paths)}" for number, path in enumerate(paths, 1)}


def _masked(problem: Problem, numbers: dict[Path, str]) -> str:
    reason = problem.reason
    if problem.first:
        reason = reason.replace(str(problem.first), numbers[problem.first])
    return f"{numbers[problem.path]}: {reason}"
