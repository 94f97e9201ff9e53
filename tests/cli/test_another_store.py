"""Records of one data store are not used for another data store with the same IDs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.cli.conftest import Command
from tests.cli.outside import STORE, imported, in_the_first_form, manifest, settings, write
from tests.documents import IMAGE_SET_ID, document

DESCRIBED = "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"


@contextmanager
def trial(folder: Path, description: str, *, versions: int = 1) -> Iterator[Emulator]:
    """A data store with one image set, which another program then wrote to up to a version."""
    with Emulator(folder, Options(update_seconds=0.0)) as emulator:
        emulator.service.ensure_datastore(STORE, "research")
        imported(emulator, document(study={"StudyDescription": "CT"}))
        for _ in range(1, versions):
            write(emulator, IMAGE_SET_ID, {"Study": {"DICOM": {"StudyDescription": description}}})
        yield emulator


def described(emulator: Emulator) -> str:
    answer = emulator.service.call(
        "GetImageSetMetadata", {"datastoreId": STORE, "imageSetId": IMAGE_SET_ID}
    )
    raw = json.loads(gzip.decompress(answer["imageSetMetadataBlob"]))
    return str(raw["Study"]["DICOM"]["StudyDescription"])


@pytest.fixture
def recorded(tmp_path: Path, reconcile: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose record, version 2 converged, is that of a trial emulator."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.chdir(root)
    manifest(root, "a.yaml", DESCRIBED)
    with trial(tmp_path / "trial", "CT", versions=1) as emulator:
        settings(root, emulator)
        assert reconcile("apply", "--auto-approve").code == 0
        assert reconcile("plan", "--detailed-exitcode").code == 0
    return root


def entry(root: Path) -> dict[str, Any]:
    (path,) = (root / "records" / STORE).glob("??.json")
    (found,) = json.loads(path.read_text())["entries"]
    return dict(found)


@pytest.mark.parametrize("versions", [2, 3], ids=["the-recorded-version", "a-later-version"])
def test_a_value_of_the_real_store_is_not_overwritten(
    recorded: Path, tmp_path: Path, reconcile: Command, versions: int
) -> None:
    """The same version number, or a higher one, of an image set that was never recorded."""
    with trial(tmp_path / "real", "ABDOMEN", versions=versions) as emulator:
        settings(recorded, emulator)
        planned = reconcile("plan", "--detailed-exitcode")
        assert planned.code == 2
        assert f"OVERWRITES_DRIFT@{versions}" in planned.out
        applied = reconcile("apply", "--auto-approve")
        assert applied.code == 1
        assert "✗ drifted " in applied.out
        assert described(emulator) == "ABDOMEN"


@pytest.mark.parametrize("versions", [1, 2, 3], ids=["lower", "equal", "higher"])
def test_after_consent_the_entry_is_that_of_the_real_store(
    recorded: Path, tmp_path: Path, reconcile: Command, versions: int
) -> None:
    """Also where the record of the other store has the higher version."""
    if versions == 1:  # the record goes up to version 5
        with Emulator(tmp_path / "trial", Options(update_seconds=0.0)) as emulator:
            settings(recorded, emulator)
            for _ in range(3):
                text = {"PatientComments": "x"}
                write(emulator, IMAGE_SET_ID, {"Patient": {"DICOM": text}})
            assert reconcile("apply", "--auto-approve").code == 0
        assert entry(recorded)["versionId"] == "5"
    with trial(tmp_path / "real", "ABDOMEN", versions=versions) as emulator:
        settings(recorded, emulator)
        manifest(recorded, "a.yaml", f"{DESCRIBED}allow: [OVERWRITES_DRIFT@{versions}]\n")
        assert reconcile("apply", "--auto-approve").code == 0
        found = entry(recorded)
        assert found["versionId"] == str(versions + 1)
        assert found["previousVersionId"] == str(versions)
        assert reconcile("plan", "--detailed-exitcode").out.endswith(
            "Plan: nothing to do, 1 converged.\nReads made: 1 GetImageSet.\n"
        )


def test_what_the_real_store_shows_converged_replaces_the_entry(
    recorded: Path, tmp_path: Path, reconcile: Command
) -> None:
    with trial(tmp_path / "real", "CT CHEST", versions=2) as emulator:
        before = entry(recorded)
        settings(recorded, emulator)
        planned = reconcile("plan")
        assert "1 GetImageSetMetadata" in planned.out  # never converged without a read
        assert reconcile("apply", "--auto-approve").code == 0
        after = entry(recorded)
        assert (after["versionId"], before["versionId"]) == ("2", "2")
        assert after["createdAt"] != before["createdAt"]
        assert "Reads made: 1 GetImageSet." in reconcile("plan").out


def test_a_version_before_it_of_another_store_is_not_told_as_the_one_before(
    recorded: Path, tmp_path: Path, reconcile: Command
) -> None:
    with trial(tmp_path / "real", "CT CHEST", versions=4) as emulator:
        settings(recorded, emulator)
        assert reconcile("apply", "--auto-approve").code == 0
        assert (entry(recorded)["versionId"], entry(recorded)["previousVersionId"]) == ("4", "")


def test_an_entry_of_the_old_form_holds_by_its_updated_at(
    recorded: Path, tmp_path: Path, reconcile: Command
) -> None:
    in_the_first_form(recorded)
    with Emulator(tmp_path / "trial", Options(update_seconds=0.0)) as emulator:
        settings(recorded, emulator)
        assert "Reads made: 1 GetImageSet." in reconcile("plan").out
        assert reconcile("apply", "--auto-approve").code == 0
        assert entry(recorded)["createdAt"]  # rewritten in the form of today, where it belongs
        assert not list((recorded / "records" / "research").glob("*.json"))


def test_an_entry_of_the_old_form_is_not_believed_for_another_store(
    recorded: Path, tmp_path: Path, reconcile: Command
) -> None:
    in_the_first_form(recorded)
    with trial(tmp_path / "real", "ABDOMEN", versions=2) as emulator:
        settings(recorded, emulator)
        assert reconcile("apply", "--auto-approve").code == 1
        assert described(emulator) == "ABDOMEN"


def test_an_entry_of_the_old_form_without_any_time_proves_nothing(
    recorded: Path, tmp_path: Path, reconcile: Command
) -> None:
    in_the_first_form(recorded, updatedAt=None)
    with Emulator(tmp_path / "trial", Options(update_seconds=0.0)) as emulator:
        settings(recorded, emulator)
        manifest(recorded, "a.yaml", DESCRIBED.replace("CHEST", "HEAD"))
        assert reconcile("apply", "--auto-approve").code == 1
        assert described(emulator) == "CT CHEST"


def test_no_run_on_some_manifests_takes_the_values_of_the_real_store_for_ours(
    recorded: Path, tmp_path: Path, reconcile: Command
) -> None:
    """After a trial on an emulator: an apply of one of two manifests, then of all."""
    manifest(recorded, "b.yaml", "present: {Patient: {DICOM: {PatientComments: ours}}}\n")
    with Emulator(tmp_path / "trial", Options(update_seconds=0.0)) as emulator:
        settings(recorded, emulator)
        assert reconcile("apply", "--auto-approve").code == 0
    with trial(tmp_path / "real", "ABDOMEN", versions=2) as emulator:
        settings(recorded, emulator)
        reconcile("apply", "manifests/b.yaml", "--auto-approve")
        assert reconcile("apply", "--auto-approve").code == 1
        assert described(emulator) == "ABDOMEN"
