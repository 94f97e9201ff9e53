"""No command shows or leaves a value where it is masked, with the debug log on.

Marks go through every command, with success and with failure, against a service that repeats
values in every way. See docs/patient-data.md and "In a CI job" in docs/review.md.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from reconciler.cli.app import app
from tests.canary.conftest import DRIFTED, ODD, PRIVATE, REMOVED, REVERTED, STUDY, Makes
from tests.canary.documents import HEAD, INVALID, asks_of_odd, ident, odd
from tests.canary.guesses import guessed
from tests.canary.marks import EARLIER, LISTED, LIVE, OUTSIDE, STATED, Mark
from tests.canary.place import DATASTORE_ID, Place, settings, write, write_outside
from tests.canary.search import digests, found
from tests.canary.service import READS
from tests.cli.outside import git
from tests.processes import bounded

FORMATS = ("text", "markdown", "html", "json", "github")
SAVED = ".reconcile/plan.json"
APPLY = ("--record", "commit", "--report", "report.json")
# What is not run here with success, and why.
ELSEWHERE = {
    ("demo", True): "it has made-up data of its own: tests/cli/test_demo.py",
    ("emulator start", True): "it serves until it is stopped: the last test of this file",
    ("emulator behaviours", False): "it reads nothing, and has no argument to be wrong",
    ("datastores", False): "it reads the settings alone",
}
MODES: dict[str, tuple[str, str, bool, Sequence[Mark]]] = {
    # name: `redact`, a line of the settings, whether it is a CI job, what a plan may show
    "stored": ("identifying", "", False, ()),
    "job, clear": ("none", "comment: clear\n", True, (STATED,)),
    "job, place": ("none", "comment: place\n", True, ()),
    "job, all": ("all", "comment: clear\n", True, ()),
}


@pytest.mark.parametrize("mode", MODES)
def test_no_mark_leaves_where_it_is_masked(
    makes: Makes, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    redact, comment, is_job, may = MODES[mode]
    place = makes(redact, comment)
    if is_job:
        monkeypatch.setenv("CI", "true")
    with place.logging_everything():
        planning(place, may)
        applying(place, may)
        drifting(place, may)
        importing(place)
    place.search_commits()
    assert place.leaks == {}
    if mode == "stored":  # no digest depends on the mode
        seen = {end for content in place.kept.values() for end in digests(content)}
        assert seen
        assert set(guessed(seen)) == set()


def test_every_command_ends_well_and_badly(makes: Makes) -> None:
    """What does not depend on the mode, and whether a command is missing here."""
    place = makes("identifying", "", every=True)
    with place.logging_everything():
        offline(place)
        place.run("plan", "--out", SAVED)
        place.run("show", SAVED)
        edited(place)
        place.run("apply", SAVED, *APPLY)
        assert {"converged", "failed", "unresolved"} <= set(ended(place).values())
        place.run("apply", "--auto-approve", *APPLY)
        place.run("record", "--record", "commit")
        place.run("record", "--record", "commit", "--json")
        reviewing(place)
        unreadable(place)
        importing(place)
        loading(place)
    assert place.leaks == {}
    assert missing(place.ran) == set()


def missing(ran: set[tuple[str, bool]]) -> set[tuple[str, bool]]:
    """The commands that were not run, with success or with failure."""
    wanted = {(name, ends_well) for name in commands() for ends_well in (True, False)}
    return wanted - ran - set(ELSEWHERE)


def commands() -> Iterator[str]:
    """Every command of the command line: `plan`, `emulator load`."""
    tree: Any = typer.main.get_command(app)
    for name, command in tree.commands.items():
        inner = getattr(command, "commands", None)
        yield from (f"{name} {one}" for one in inner) if inner else (name,)


def offline(place: Place) -> None:
    """What reads no data store, and manifests with mistakes of every kind."""
    place.run("validate")
    place.run("validate", "--json")
    write(place.root / "invalid", INVALID)
    for name in INVALID:
        assert place.run("validate", f"invalid/{name}", "--all").code == 1
    assert place.run("validate", "invalid", "--json").code == 1
    assert place.run("plan", "invalid").code == 1
    assert place.run("apply", "invalid", "--auto-approve", *APPLY).code == 1
    assert place.run("record", "invalid", "--record", "commit").code == 1
    place.run("datastores")
    place.run("schema", "report")
    place.run("schema", "nothing")
    place.run("explain", "PatientName")
    place.run("explain", "nothing-like-it")
    place.run("init", "new", "--github")
    aws = ("--aws-account", "123456789012", "--region", "us-east-1")
    ran = place.run("init", "new", *aws, "--datastore", f"research={DATASTORE_ID}")
    assert ran.code == 0, ran.err
    place.run("init", "new", "--check")
    shutil.rmtree(place.root / "new")  # its files were searched
    place.run("demo", "--nothing")
    place.run("emulator", "behaviours")
    place.run("emulator", "start", "--fault", "nothing")


def planning(place: Place, may: Sequence[Mark]) -> None:
    """A plan of every kind of change in every format, read and shown again."""
    ran = place.run("plan", "--out", SAVED, may=may)
    assert ran.code == 0, ran.err
    shown = place.reconcile("show", SAVED, "--json").out
    statuses = {action["status"] for action in json.loads(shown)["actions"]}
    assert statuses == {"update"}
    for format in FORMATS:
        place.run("show", SAVED, "--format", format, may=may)
    place.run("show", SAVED, "--summary", may=may)
    for more in (("--format", "markdown", "--base", "HEAD"), ("--image-set", ident(ODD))):
        place.run("plan", *more, "--detailed-exitcode", may=may)
    for format in ("text", "json"):
        ran = place.run("show", SAVED, "--format", format, "--fingerprints", may=may)
        assert ran.code == 0, ran.err
    place.run("plan", "--show-values" if may else "--mask-values", may=may)


def edited(place: Place) -> None:
    """Saved plans that were cut, edited, or are no plan; each holds values."""
    path = place.root / SAVED
    content = path.read_text(encoding="utf-8")
    for number, wrong in enumerate(
        (content[: len(content) // 2], content.replace(LIVE.word, EARLIER.word), "{}", "[")
    ):
        path.write_text(wrong, encoding="utf-8")
        assert place.run("show", SAVED, name=str(number)).code == 1
        assert place.run("apply", SAVED, *APPLY, name=str(number)).code == 1
    path.write_text(content, encoding="utf-8")


def applying(place: Place, may: Sequence[Mark]) -> None:
    """Updates that succeed, and updates that the service refuses, fails or answers oddly."""
    ran = place.run("apply", SAVED, *APPLY)
    assert ran.code == 1
    good = {ended(place)[ident(one)] for one in (ODD, DRIFTED, REMOVED, REVERTED, STUDY[0])}
    assert good == {"converged"}
    assert "failed" in ended(place).values()
    place.run("apply", "--auto-approve", *APPLY, "--json", may=may)
    place.run("plan", may=may)  # failed versions are noted
    place.front.updates.clear()
    place.run("apply", "manifests/odd.yaml", "--auto-approve", *APPLY, may=may)
    place.run("apply", "manifests/study.yaml", "--auto-approve", *APPLY, "--json", may=may)


def ended(place: Place) -> dict[str, str]:
    """The outcomes of the last apply, by image set."""
    report = json.loads((place.root / "report.json").read_text())
    return {row["imageSetId"]: row["result"] for row in report["outcomes"]}


def drifting(place: Place, may: Sequence[Mark]) -> None:
    """Another program changes a recorded value; a private value is asked of a document."""
    there = {"PatientName": OUTSIDE.person, "PatientBirthDate": OUTSIDE.date}
    write_outside(place.emulator, DRIFTED, {"Patient": {"DICOM": there}})
    private = (
        f"{HEAD}imageSetId: {ident(PRIVATE)}\nforce: true\npresent: {{Study: {{Series: {{'*': "
        f"{{Instances: {{'*': {{DICOM: {{'00091001': {STATED.person}}}}}}}}}}}}}}}\n"
    )
    write(place.root / "manifests", {"private.yaml": private})
    git(place.root, "add", ".")  # a review is of a commit
    git(place.root, "commit", "-q", "-m", "Ask for a private element")
    ran = place.run("plan", "--out", SAVED, may=may)
    assert "drifted" in ran.out
    for format in FORMATS:
        place.run("show", SAVED, "--format", format, may=may)
    review = ".reconcile/review.json"  # it may be published, so it is searched
    assert place.run("plan", "--review", review, "--base", "HEAD~1", may=may).code == 0
    place.run("plan", "--check", review, "--base", "HEAD~1", may=may)
    assert place.run("apply", "--reviewed", review, *APPLY, may=may).code == 1
    assert place.run("apply", "--auto-approve", *APPLY, may=may).code == 1


def reviewing(place: Place) -> None:
    """Reviews of a branch that nothing was pushed to, before and after there is a remote."""
    out = ".reconcile/reviews"
    assert place.run("reviews", "--out", out).code == 1
    host = str(place.root.with_name("host.git"))
    git(place.root, "init", "-q", "--bare", host)
    git(place.root, "remote", "add", "origin", host)
    assert place.run("reviews", "--out", out, "--push").code == 0
    place.run("apply", "--reviewed", out, *APPLY)


def unreadable(place: Place) -> None:
    """Reads that the service refuses with values, and documents that cannot be used."""
    one = "manifests/odd.yaml"
    for name, answer in READS.items():
        place.front.reads = {"getImageSetMetadata": answer}
        place.run("plan", one, name=name)
    for operation in ("getImageSet", "searchImageSets"):
        for name in ("invalid", "denied", "a value as the code", "a page"):
            place.front.reads = {operation: READS[name]}
            run = ("search",) if operation == "searchImageSets" else ("plan", one)
            place.run(*run, name=f"{operation}: {name}")
        place.run("apply", one, "--auto-approve", *APPLY, name=operation)
        place.run("record", one, "--record", "commit", name=operation)
    place.front.reads = {}


def importing(place: Place) -> None:
    place.run("search")
    place.run("search", "--json")
    place.run("search", "--fields", "imageSetId,PatientName,PatientBirthDate,StudyDescription")
    for criterion in (f"PatientID={LIVE.number}", f"PatientName={LIVE.word}*"):
        assert place.run("search", criterion).code == 0
    # Messages quote a keyword and a time that are none, as they were typed: these are no marks.
    for wrong in (f"PatientBirthDate={LIVE.word}", f"Nothing={LIVE.person}", "--created=never"):
        assert place.run("search", wrong).code == 1
    # It prints live values: that is what the command is for.
    place.run("import", "--image-set", ident(ODD), "--show-values", prints_values=True)
    place.run("import", "--image-set", ident(ODD), "--mask-values")
    place.run("import", "--image-set", ident(999))


def loading(place: Place) -> None:
    """Files named like patients, with and without a document in them."""
    folder = place.root / "documents"
    write(
        folder,
        {
            f"{LIVE.word}.json": json.dumps(odd(0x777), ensure_ascii=False),
            f"{LIVE.given}.json": json.dumps(odd(0x778))[:-9],
            f"{LIVE.number}.dcm": LIVE.text,
        },
    )
    where = ("--endpoint", place.emulator.endpoint, "--datastore", DATASTORE_ID)
    assert place.run("emulator", "load", *where, folder / f"{LIVE.word}.json").code == 0
    assert place.run("emulator", "load", *where, folder).code == 1
    place.run("emulator", "seed", *where, "--image-sets", "1")
    place.run("emulator", "seed", *where[:3], "nothing", "--image-sets", "1")


def test_marks_are_found_where_values_are_shown(makes: Makes) -> None:
    """So the test above does not pass because its marks never came near an output."""
    place = makes("identifying", "")
    shown = place.reconcile("plan", "--show-values").out
    page = place.reconcile("plan", "--show-values", "--format", "html").out
    for mark in (LIVE, EARLIER, STATED, LISTED):
        assert found(shown, [mark])
        assert found(page, [mark])
    ran = place.reconcile("apply", "--show-values", "--auto-approve", "--report", "report.json")
    assert found(ran.err + ran.out, [EARLIER])


def test_a_new_command_must_be_run_here() -> None:
    assert missing(set()) == {
        (name, ends_well) for name in commands() for ends_well in (True, False)
    } - set(ELSEWHERE)
    assert {name for name, _ in ELSEWHERE} <= set(commands())
    assert ("plan", True) in missing({("plan", False)})


def test_processes(tmp_path: Path) -> None:
    """An emulator serves, other processes load and apply; none of them prints a mark."""
    write(tmp_path / "documents", {"one.json": json.dumps(odd(ODD))})
    write(tmp_path / "manifests", {"odd.yaml": asks_of_odd(ODD)})
    emulator = start(tmp_path, "emulator", "start", "--data", "data", "--update-seconds", "0")
    assert emulator.stdout is not None
    with bounded(emulator):
        first = emulator.stdout.readline()
        endpoint = next(word for word in first.split() if word.startswith("http"))
        settings(tmp_path, endpoint, "identifying", "")
        where = ("--endpoint", endpoint, "--datastore", DATASTORE_ID)
        printed = [
            text
            for arguments in (
                ("emulator", "load", *where, "--non-primary", "documents"),
                ("plan",),
                ("apply", "--auto-approve", "--report", "report.json"),
            )
            for text in start(tmp_path, *arguments).communicate()
        ]
        emulator.send_signal(signal.SIGTERM)
        printed += [first, *emulator.communicate()]
    assert "1 converged" in "".join(printed)
    printed.append((tmp_path / "report.json").read_text())
    assert found("\n".join(printed), (LIVE, STATED, LISTED)) == set()
    assert "call operation=UpdateImageSetMetadata" in "".join(printed)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=folder,
        env={**os.environ, "RECONCILE_DEBUG": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
