"""An update that was accepted and stored otherwise stays blocked until a manifest accepts it.

The service here stores other content than it was sent, without a word.
"""

from __future__ import annotations

import gzip
import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.cli.outside import STORE, World, imported, manifest, world
from tests.documents import IMAGE_SET_ID, document, instance, series

COMMENTS = "present:\n  Patient:\n    DICOM: {PatientComments: note}\n"


@pytest.fixture
def reconcile(reconcile_at_once: Command) -> Command:
    """No operation of the data store takes time."""
    return reconcile_at_once


def live(store: World, level: str) -> dict[str, Any]:
    """The attributes of Patient or Study level as the service shows them."""
    address = {"datastoreId": STORE, "imageSetId": IMAGE_SET_ID}
    answer = store.emulator.service.call("GetImageSetMetadata", address)
    return dict(json.loads(gzip.decompress(answer["imageSetMetadataBlob"]))[level]["DICOM"])


def content(**patient: Any) -> dict[str, Any]:
    found = document(series("1.2.3", [instance("1.2.3.4")]))
    found["Patient"]["DICOM"].update(patient)
    return found


def test_a_lost_attribute_stays_blocked(tmp_path: Path, reconcile: Command) -> None:
    """The service applies our change and drops an attribute that no manifest asks for."""
    with world(tmp_path, reconcile, keeps_empty=False) as store:
        imported(store.emulator, content(EthnicGroup=None))
        manifest(store.root, "a.yaml", COMMENTS)
        assert "unverified" in store.apply(code=1)
        entry = store.entry()
        assert [one["versionId"] for one in entry["unverified"]] == ["2"]
        assert entry["unverified"][0]["paths"] == ["Patient/PatientComments"]
        assert entry["unverified"][0]["requests"]["Patient/PatientComments"].startswith("hmac-")
        action = store.action()
        assert action["status"] == "blocked"
        assert (
            "Patient/EthnicGroup",
            "EthnicGroup was removed in version 2, and the update did not ask for it",
        ) in [(block["path"], block["message"]) for block in action["blocks"]]
        assert [use["consent"] for use in action["hazards"]] == ["allow: [ACCEPTS_UNVERIFIED@2]"]
        store.apply(code=1)
        assert store.version() == "2"


def lost(folder: Path, reconcile: Command) -> AbstractContextManager[World]:
    """A world after an update that lost an attribute."""
    return world(folder, reconcile, keeps_empty=False)


def accepts(body: str, *consents: str) -> str:
    return f"allow: [{', '.join(consents)}]\n{body}"


def test_acceptance_makes_the_version_the_baseline(tmp_path: Path, reconcile: Command) -> None:
    with lost(tmp_path, reconcile) as store:
        imported(store.emulator, content(EthnicGroup=None))
        manifest(store.root, "a.yaml", COMMENTS)
        store.apply(code=1)
        manifest(store.root, "a.yaml", accepts(COMMENTS, "ACCEPTS_UNVERIFIED@1"))
        assert store.action()["status"] == "blocked"
        manifest(store.root, "a.yaml", accepts(COMMENTS, "ACCEPTS_UNVERIFIED@2"))
        assert store.action()["status"] == "converged"
        store.apply()
        entry = store.entry()
        assert "unverified" not in entry
        assert entry["asked"] == {"Patient/PatientComments": "2"}
        # What was accepted once needs no consent any more.
        manifest(store.root, "a.yaml", COMMENTS)
        assert store.unchanged() == 1
        store.apply()
        assert store.version() == "2"


def test_a_consent_may_repair_in_the_same_plan(tmp_path: Path, reconcile: Command) -> None:
    with lost(tmp_path, reconcile) as store:
        imported(store.emulator, content(EthnicGroup=None, PatientState="here"))
        manifest(store.root, "a.yaml", COMMENTS)
        store.apply(code=1)
        repair = COMMENTS.replace("note}", "note, EthnicGroup: there}")
        manifest(store.root, "a.yaml", repair)
        store.apply(code=1)
        manifest(store.root, "a.yaml", accepts(repair, "ACCEPTS_UNVERIFIED@2"))
        store.apply()
        assert live(store, "Patient")["EthnicGroup"] == "there"
        assert "unverified" not in store.entry()


def test_a_revert_may_repair_in_the_same_plan(tmp_path: Path, reconcile: Command) -> None:
    with lost(tmp_path, reconcile) as store:
        imported(store.emulator, content(EthnicGroup=None))
        manifest(store.root, "a.yaml", COMMENTS)
        store.apply(code=1)
        back = 'revertToVersionId: "1"\n'
        manifest(store.root, "a.yaml", back)
        assert store.action()["status"] == "blocked"
        manifest(store.root, "a.yaml", accepts(back, "ACCEPTS_UNVERIFIED@2"))
        store.apply()
        assert store.version() == "3"
        assert "EthnicGroup" in live(store, "Patient")
        assert "unverified" not in store.entry()


@pytest.mark.parametrize(
    ("switches", "body"),
    [
        ({"stored_text": "capitals"}, COMMENTS),
        ({"removals_take_effect": False}, "absent:\n  Patient:\n    DICOM: [EthnicGroup]\n"),
        ({"null_in_updates": "removes"}, COMMENTS.replace("note", '""')),
        (
            {"applied_of_two": ("updatableAttributes",)},
            f"{COMMENTS}absent:\n  Patient:\n    DICOM: [EthnicGroup]\n",
        ),
        (
            {"applied_of_two": ("removableAttributes",)},
            f"{COMMENTS}absent:\n  Patient:\n    DICOM: [EthnicGroup]\n",
        ),
    ],
    ids=["normalised", "removal-ignored", "null-deletes", "updates-only", "removals-only"],
)
def test_a_value_stored_otherwise_is_not_sent_again(
    tmp_path: Path, reconcile: Command, switches: dict[str, Any], body: str
) -> None:
    """Three runs make one version at most, also with the consent."""
    with world(tmp_path, reconcile, **switches) as store:
        imported(store.emulator, content(EthnicGroup="there"))
        manifest(store.root, "a.yaml", body)
        assert "unverified" in store.apply(code=1)
        for allow in ((), ("ACCEPTS_UNVERIFIED@2",), ("ACCEPTS_UNVERIFIED@2",)):
            manifest(store.root, "a.yaml", accepts(body, *allow))
            action = store.action()
            assert action["status"] == "blocked"
            assert "the service stores another value: ask for that value" in [
                block["message"] for block in action["blocks"]
            ]
            store.apply(code=1)
        assert store.version() == "2"


def test_asking_for_what_is_stored_ends_the_block(tmp_path: Path, reconcile: Command) -> None:
    with world(tmp_path, reconcile, stored_text="capitals") as store:
        imported(store.emulator, content())
        manifest(store.root, "a.yaml", COMMENTS)
        store.apply(code=1)
        manifest(
            store.root, "a.yaml", accepts(COMMENTS.replace("note", "NOTE"), "ACCEPTS_UNVERIFIED@2")
        )
        store.apply()
        assert store.version() == "2"
        assert "unverified" not in store.entry()


def test_another_value_is_sent_once(tmp_path: Path, reconcile: Command) -> None:
    with world(tmp_path, reconcile, stored_text="capitals") as store:
        imported(store.emulator, content())
        manifest(store.root, "a.yaml", COMMENTS)
        store.apply(code=1)
        other = COMMENTS.replace("note", "other")
        manifest(store.root, "a.yaml", other)
        store.apply(code=1)
        assert store.version() == "2"
        manifest(store.root, "a.yaml", accepts(other, "ACCEPTS_UNVERIFIED@2"))
        store.apply(code=1)
        assert store.version() == "3"
        store.apply(code=1)
        manifest(store.root, "a.yaml", accepts(other, "ACCEPTS_UNVERIFIED@3"))
        store.apply(code=1)
        assert store.version() == "3"


def test_an_attribute_of_another_manifest_goes_on(tmp_path: Path, reconcile: Command) -> None:
    """A run on other manifests is not held back, and clears nothing."""
    with lost(tmp_path, reconcile) as store:
        imported(store.emulator, content(EthnicGroup=None))
        manifest(store.root, "a.yaml", COMMENTS)
        store.apply(code=1)
        other = manifest(
            store.root, "b.yaml", "present:\n  Study:\n    DICOM: {StudyDescription: HEAD}\n"
        )
        store.apply(str(other.relative_to(store.root)))
        assert store.version() == "3"
        assert [one["versionId"] for one in store.entry()["unverified"]] == ["2"]
        assert store.action()["status"] == "blocked"
        # The consent must stand where the paths are asked for.
        manifest(
            store.root,
            "b.yaml",
            accepts(
                "present:\n  Study:\n    DICOM: {StudyDescription: HEAD}\n", "ACCEPTS_UNVERIFIED@2"
            ),
        )
        assert store.action()["status"] == "blocked"


def test_a_deleted_line_does_not_hide_it(tmp_path: Path, reconcile: Command) -> None:
    with lost(tmp_path, reconcile) as store:
        imported(store.emulator, content(EthnicGroup=None))
        manifest(store.root, "a.yaml", COMMENTS)
        store.apply(code=1)
        body = "present:\n  Study:\n    DICOM: {StudyDescription: HEAD}\n"
        manifest(store.root, "a.yaml", body)
        assert store.action()["status"] == "blocked"
        manifest(store.root, "a.yaml", accepts(body, "ACCEPTS_UNVERIFIED@2"))
        store.apply()
        assert "unverified" not in store.entry()


def test_the_same_value_under_another_name_of_its_place_is_not_sent_again(
    tmp_path: Path, reconcile: Command
) -> None:
    every = 'Series: {"*": {Instances: {"*": {DICOM: {ImageComments: note}}}}}'
    one = every.replace('"*"', '"1.2.3"', 1).replace('"*"', '"1.2.3.4"', 1)
    half = every.replace('"*"', '"1.2.3"', 1)
    with world(tmp_path, reconcile, stored_text="capitals") as store:
        imported(store.emulator, content())
        manifest(store.root, "a.yaml", f"present: {{Study: {{{every}}}}}\n")
        store.apply(code=1)
        for spelt in (one, half):
            body = f"present: {{Study: {{{spelt}}}}}\n"
            manifest(store.root, "a.yaml", accepts(body, "ACCEPTS_UNVERIFIED@2"))
            store.apply(code=1)
            assert store.version() == "2"
