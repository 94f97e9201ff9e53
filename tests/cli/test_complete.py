"""Completion as a shell asks for it: the installed command, with the line typed so far."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(sys.executable).with_name("reconcile")
STORE = "0123456789abcdef0123456789abcdef"
SETTINGS = (
    "datastores:\n"
    f"  research:\n    datastoreId: {STORE}\n    region: us-east-1\n"
    f"  archive:\n    datastoreId: {'b' * 32}\n    region: us-east-1\n"
)


def offered(place: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words."""
    done = subprocess.run(
        [COMMAND],
        cwd=place,
        env={
            **os.environ,
            "_RECONCILE_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(("reconcile", *words)),
            "COMP_CWORD": str(len(words)),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder below that of reconciler.yaml."""
    (tmp_path / "reconciler.yaml").write_text(SETTINGS)
    (tmp_path / "manifests").mkdir()
    return tmp_path / "manifests"


def record(place: Path, *ids: str) -> None:
    """Records as they are written: by the first two characters of the ID."""
    for name in {one[:2] for one in ids}:
        rows = "".join(
            f'    {{\n      "imageSetId": "{one}",\n      "versionId": "1"\n    }},\n'
            for one in ids
            if one.startswith(name)
        )
        path = place.parent / "records" / STORE / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'{{\n  "entries": [\n{rows}  ]\n}}\n')


A, B = "aa" + "1" * 30, "ab" + "2" * 30


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("sea",), ["search"]),
        (("search", "--datastore", ""), ["archive", "research"]),
        (("plan", "--datastore", "res"), ["research"]),
        (("import", "--datastore", "a"), ["archive"]),
        (("schema", "rec"), ["record", "record-layout", "reconciler"]),
        (("explain", "CHANGES_UI"), ["CHANGES_UID"]),
        (("explain", "PatientSexN"), ["PatientSexNeutered"]),
        (("import", "--image-set", "a"), [A, B]),
        (("plan", "--image-set", "ab"), [B]),
        (("show", "--image-set", "abc"), []),
        (("import", "--image-set", "?"), []),
        (("search", "--fields", "imageSetId,Mod"), ["imageSetId,Modality"]),
        (("plan", ""), []),  # bash then offers files
    ],
)
def test_a_shell_offers(place: Path, words: tuple[str, ...], expected: list[str]) -> None:
    record(place, A, B)
    assert offered(place, *words) == expected


@pytest.mark.parametrize(
    "settings", ["datastores: [", "datastores:\n  research: 7\n", "", "\0\udcff", None]
)
@pytest.mark.parametrize("option", ["--datastore", "--image-set"])
def test_settings_that_cannot_be_read_offer_nothing(
    place: Path, settings: str | None, option: str
) -> None:
    path = place.parent / "reconciler.yaml"
    path.unlink()
    if settings is not None:
        path.write_text(settings, errors="surrogateescape")
    assert offered(place, "plan", option, "") == []


def test_the_settings_that_the_command_line_names_are_used(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SETTINGS.replace("archive", "clinic"))
    assert "clinic" in offered(place, "plan", "--config", str(other), "--datastore", "")


def test_ten_thousand_records_are_quick(place: Path) -> None:
    """The time of the processor: others may keep the machine busy."""
    ids = [f"{number % 256:02x}{number:030d}" for number in range(10_000)]
    record(place, *ids)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = offered(place, "import", "--image-set", "")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert sorted(found) == sorted(ids)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert seconds < 1.5  # most of it is the start of Python and Typer
