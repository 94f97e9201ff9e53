"""A data store full of marks, and a repository of manifests that ask for other marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from reconciler.edges.aws.watch import take_over_logs
from reconciler.edges.debug_log import silent
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.trouble.faults import Fault, FaultSet
from tests.canary import documents
from tests.canary.documents import ident, live
from tests.canary.marks import EARLIER, LISTED, LIVE
from tests.canary.place import DATASTORE_ID, Place, settings, write_outside
from tests.canary.service import ANSWERS, COMMON, Answer, echo, front
from tests.cli.conftest import Command, reconcile_at_once
from tests.cli.outside import git

__all__ = ["reconcile_at_once"]

ODD, PRIVATE, DRIFTED, REMOVED, REVERTED = range(1, 6)
STUDY = (6, 7)
# The image sets whose update the service refuses or fails, by what is asked of them.
KINDS = {"update": 0x100, "removal": 0x200, "revert": 0x300, "study-wide": 0x400}
FAILS = 0x80  # the update is accepted and ends as UPDATE_FAILED
Makes = Callable[..., Place]


def answers(kind: str, *, every: bool) -> dict[int, Answer]:
    """The answers to the updates of a kind, by image set: the common one, and a share of `every`.

    What becomes of an answer does not depend on the kind, so not every pair is needed.
    """
    others = [name for name in ANSWERS if name != COMMON] if every else []
    names = (COMMON, *others[list(KINDS).index(kind) :: len(KINDS)])
    return {KINDS[kind] + number: ANSWERS[name] for number, name in enumerate(names)}


def refused(kind: str, *, every: bool) -> tuple[int, ...]:
    """The image sets of a kind that get an answer that echoes, then the one whose update fails."""
    return (*answers(kind, every=every), KINDS[kind] + FAILS)


@pytest.fixture
def makes(
    tmp_path: Path, reconcile_at_once: Command, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Makes]:
    """Makes a place with these settings."""
    monkeypatch.setenv("RECONCILE_DEBUG", "1")
    # The key of the fingerprints is found like a value, in whatever form it is printed.
    monkeypatch.setenv("RECONCILE_KEY", (LIVE.word.encode() + bytes(range(200, 230))).hex())
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(root / "summary.md"))
    with ExitStack() as stack:
        emulator = stack.enter_context(Emulator(tmp_path / "data", Options(**_options())))
        proxy = stack.enter_context(front(emulator.endpoint))

        def make(redact: str, comment: str, *, every: bool = False) -> Place:
            """`comment` is a line of the settings; `every` answer is given, or one of a kind."""
            _fill(emulator, every)
            for kind in KINDS:
                found = answers(kind, every=every)
                proxy.updates |= {ident(number): one for number, one in found.items()}
            settings(root, proxy.endpoint, redact, comment)
            (root / ".gitignore").write_text(".reconcile/\nreport.json\nsummary.md\n")
            _manifests(root, every)
            git(root, "init", "-q", "-b", "main")
            git(root, "config", "user.name", "Steward")
            git(root, "config", "user.email", "steward@example.org")
            git(root, "add", ".")
            git(root, "commit", "-q", "-m", "Ask")
            return Place(root, reconcile_at_once, proxy, emulator)

        yield make
    take_over_logs(silent)


def _options() -> dict[str, Any]:
    fails = tuple(
        Fault(
            kind="update-failed",
            operations=("UpdateImageSetMetadata",),
            image_set_id=ident(first + FAILS),
            # A revert needs a second version first, which another program makes.
            nth=(2,) if kind == "revert" else (),
            message=echo(),
        )
        for kind, first in KINDS.items()
    )
    return {"update_seconds": 0.0, "faults": FaultSet(fails)}


def _fill(emulator: Emulator, every: bool) -> None:
    names = {kind: refused(kind, every=every) for kind in KINDS}
    emulator.service.ensure_datastore(DATASTORE_ID, "research")
    for number in (ODD, PRIVATE):
        _load(emulator, number, documents.odd(number))
    for number in (DRIFTED, REMOVED, *names["update"], *names["removal"]):
        _load(emulator, number, live(number))
    for number in (REVERTED, *names["revert"]):
        _load(emulator, number, live(number, EARLIER))
        person = {"PatientName": LIVE.person, "PatientComments": LIVE.text, "PatientSex": "M"}
        write_outside(emulator, number, {"Patient": {"DICOM": person}})
    for number in (*STUDY, *names["study-wide"]):
        _load(emulator, number, live(number), primary=True)


def _load(
    emulator: Emulator, number: int, content: dict[str, Any], *, primary: bool = False
) -> None:
    emulator.service.load(DATASTORE_ID, content, image_set_id=ident(number), primary=primary)


def _manifests(root: Path, every: bool) -> None:
    names = {kind: refused(kind, every=every) for kind in KINDS}
    files = {
        "odd.yaml": documents.asks_of_odd(ODD),
        "update.yaml": documents.update(DRIFTED, *names["update"]),
        "removal.yaml": documents.removal(REMOVED, *names["removal"]),
        "revert.yaml": documents.revert(REVERTED, *names["revert"]),
        "selected.yaml": documents.selection(
            "of-a-mark",
            f"PatientID: {LISTED.word}, AccessionNumber: {LISTED.number}",
            f"PatientName: '{LISTED.word}*', PatientBirthDate: {LISTED.date}",
        ),
        "study.yaml": documents.update(*STUDY, *names["study-wide"]),
    }
    folder = root / "manifests"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
