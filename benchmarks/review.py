"""How long the outputs of a large plan take, and how much memory: a process for each format.

python benchmarks/review.py [IMAGE_SETS] [--runs N] [--against FOLDER]

Measured is the way from the plan in memory to the finished text, with the imports of the renderer;
how the plan is read from a file is not. `--against` is another checkout, whose runs alternate with
those of this one: other programs slow both down alike. Its ratio is of the processor times.

Every image set has four changes: one that all of them share, one with a new value of its own, one
of a sequence, and one that replaces one of seven values.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from statistics import median
from typing import NamedTuple

from reconciler.core.dicom.dictionary import by_key
from reconciler.core.errors import Place
from reconciler.core.model.address import PATIENT, series_at
from reconciler.core.model.change import Change, Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Basis, HazardUse, Member, Plan, Status, Step
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json, Value
from reconciler.core.review import Review, review
from reconciler.pipeline.collector import paused

DATASTORE_ID = "1" * 32
UID = "1.2.826.0.1.3680043.8.498"


def _change(name: str, key: str, tag: int, before: Json, after: Json) -> Change:
    return Change(
        image_set_id=name,
        op=Op.UPDATE,
        address=PATIENT,
        key=key,
        tag=tag,
        vr="LO",
        before=Value(before),
        after=Value(after),
        place=Place("manifests/fleet.yaml", 12, 7),
        is_stated=True,
    )


def _digits(text: str) -> str:
    """32 hexadecimal digits: like real identifiers, they hardly compress."""
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def _uid(text: str) -> str:
    """A UID of up to 64 characters."""
    return f"{UID}.{int(_digits(text), 16) % 10**38}"


def _action(number: int) -> Action:
    name, study = _digits(f"{number}"), _uid(f"study {number % 2000}")
    place = Place("manifests/ids.yaml", number, 7)
    items: list[Json] = [{"PatientID": f"{number}", "IssuerOfPatientID": "A"}]
    others: list[Json] = [{"PatientID": f"{number}", "IssuerOfPatientID": "B"}]
    identity = (Hazard.CHANGES_PATIENT_IDENTITY,)
    changes = (
        replace(
            _change(name, "PatientSex", 0x00100040, "O" if number % 500 else "U", "F"),
            vr="CS",
            hazards=identity,
        ),
        replace(
            _change(name, "PatientID", 0x00100020, f"P{number:06}", f"STUDY7-{number:06}"),
            hazards=identity,
            place=place,
        ),
        replace(
            _change(name, "OtherPatientIDsSequence", 0x00101002, items, others),
            vr="SQ",
            hazards=(Hazard.FORCE,),
            is_stated=False,
        ),
        replace(
            _change(name, "SeriesDescription", 0x0008103E, f"HEAD {number % 7}", "CT HEAD"),
            address=series_at(_uid(f"series {number}")),
        ),
    )
    return Action(
        datastore="research",
        datastore_id=DATASTORE_ID,
        status=Status.UPDATE,
        members=(Member(name, "1", asked=("Patient/PatientSex",), study_instance_uid=study),),
        changes=changes,
        hazards=tuple(HazardUse(hazard, name, consented=True) for hazard in identity),
        steps=(Step(DATASTORE_ID, name, "1", ((name, "sha256:00"),), updatable="{}"),),
    )


def made(count: int) -> Plan:
    """A plan of that many image sets."""
    basis = Basis("5f0c1d2e3b4a59687786a5b4c3d2e1f001122334", 2, is_clean=True)
    return Plan(basis, tuple(map(_action, range(1, count + 1))), eta_seconds=count * 4.0)


def _text(shown: Review) -> str:
    from reconciler.render.style import Look
    from reconciler.render.text import plan_lines

    return "\n".join(plan_lines(shown, Look(width=80)))


def _markdown(shown: Review) -> str:
    from reconciler.render.markdown import comment

    return comment(shown)


def _html(shown: Review) -> str:
    from reconciler.render.html import page

    with paused():  # as the command line does
        return page(shown, "https://example.org/hospital/metadata/blob/main")


def _json(shown: Review) -> str:
    from reconciler.render.plan_json import plan_json_lines

    return "\n".join(plan_json_lines(shown))


def _github(shown: Review) -> str:
    from reconciler.render.annotations import commands

    return "\n".join(commands(shown))


FORMATS: Mapping[str, Callable[[Review], str]] = {
    "text": _text,
    "markdown": _markdown,
    "html": _html,
    "json": _json,
    "github": _github,
}


class Run(NamedTuple):
    """What one process measured: wall and processor time, memory beyond the plan, and bytes."""

    seconds: float
    cpu: float
    megabytes: float
    size: int


def measure(name: str, count: int) -> Run:
    """Render one format."""
    gc.set_threshold(50_000, 50, 1_000)  # as the command line does
    plan = made(count)
    by_key("PatientID")  # reading a plan has loaded the dictionary
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, cpu = time.perf_counter(), time.process_time()
    text = FORMATS[name](review(plan, Redact.IDENTIFYING, shows_stated=True))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return Run(seconds, cpu, more, len(text.encode()))


def measured(folder: Path, name: str, count: int) -> Run:
    """Render one format with the code of a checkout. The peak of memory is that of a process."""
    ran = subprocess.run(
        [sys.executable, str(folder / "benchmarks/review.py"), str(count), "--only", name],
        check=True,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(folder)},
    )
    return Run(*json.loads(ran.stdout))


def row(name: str, runs: Sequence[Run], old: Sequence[Run]) -> str:
    """The least and the median time of the runs of a format, and their peak of memory."""
    wall, cpu = [one.seconds for one in runs], [one.cpu for one in runs]
    before = [one.cpu for one in old]
    compared = (
        f"{min(before):6.2f} {median(before):6.2f} x {median(before) / median(cpu):.1f}"
        if before
        else ""
    )
    peak = max(one.megabytes for one in runs)
    times = f"{min(wall):6.2f} {median(wall):6.2f} {min(cpu):8.2f} {median(cpu):6.2f}"
    return f"{name:10} {times} {peak:7.0f} {runs[0].size:12,}   {compared}"


def main() -> None:
    """Run each format in processes of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("image_sets", nargs="?", type=int, default=10_000)
    parser.add_argument("--only", choices=sorted(FORMATS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--against", type=Path)
    chosen = parser.parse_args()
    if chosen.only:
        print(json.dumps(measure(chosen.only, chosen.image_sets)))
        return
    here = Path(__file__).resolve().parents[1]
    print("           wall s: min, median; processor s: min, median; MB; bytes; the other checkout")
    for name in FORMATS:
        runs: list[Run] = []
        old: list[Run] = []
        for _ in range(chosen.runs):
            runs.append(measured(here, name, chosen.image_sets))
            if chosen.against:
                old.append(measured(chosen.against.resolve(), name, chosen.image_sets))
        print(row(name, runs, old), flush=True)


if __name__ == "__main__":
    main()
