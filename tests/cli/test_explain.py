"""`reconcile explain` from outside: text, JSON, errors, and manifests that are valid."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from reconciler.core.dicom.dictionary import by_tag, standard_tags
from reconciler.core.dicom.levels import level_of
from reconciler.core.explain import Explanation, explain, known_words
from reconciler.core.explain.attributes import explain_attribute
from reconciler.core.model.address import Level
from tests.cli.conftest import Command, expect
from tests.documents import IMAGE_SET_ID

WORDS = ["CHANGES_UID", "blocked", "primary", "force", "seriesOnPrimary", "DS"]
ATTRIBUTES = ["PatientName", "001910F9", "PixelData", "ImageType", "1.2.840.10008.1.2.4.202"]
SETTINGS = 'datastores:\n  research:\n    datastoreId: "12345678901234567890123456789012"\n'
OURS = [one for words in known_words().values() for word in words for one in explain(word)]


@pytest.mark.parametrize("word", WORDS + ATTRIBUTES)
def test_text(reconcile: Command, word: str) -> None:
    ran = reconcile("explain", word)
    assert (ran.code, ran.err) == (0, "")
    expect(f"explain-{word}.txt", ran.out)


def test_without_a_word_the_words_are_listed(reconcile: Command) -> None:
    ran = reconcile("explain")
    assert (ran.code, ran.err) == (0, "")
    expect("explain.txt", ran.out)


@pytest.mark.parametrize("one", OURS, ids=lambda one: f"{one.kind}-{one.word}")
def test_no_line_is_wider_than_80_columns(reconcile: Command, one: Explanation) -> None:
    lines = reconcile("explain", one.word).out.splitlines()
    assert [line for line in lines if len(line) > 80 and "https://" not in line] == []


def test_a_word_of_several_words_needs_no_quotes(reconcile: Command) -> None:
    assert reconcile("explain", "expected", "version").code == 0
    assert reconcile("explain", "0010", "0010").out == reconcile("explain", "PatientName").out


def test_json(reconcile: Command) -> None:
    (found,) = json.loads(reconcile("explain", "--json", "CHANGES_UID").out)
    assert found["kind"] == "hazard"
    assert found["consentLine"] == "allow: [CHANGES_UID]"
    assert found["manifest"].startswith("apiVersion: reconciler/v1\n")
    assert "" not in found.values()
    (found,) = json.loads(reconcile("explain", "--json", "Modality").out)
    assert found["facts"]["Level"] == "Series"
    assert "CHANGES_UID" in json.loads(reconcile("explain", "--json").out)["hazard"]


def test_an_unknown_word_is_an_error_with_suggestions(reconcile: Command) -> None:
    ran = reconcile("explain", "CHANGES_UDI")
    assert (ran.code, ran.out) == (1, "")
    first, second = ran.err.splitlines()
    assert first == "error: there is no explanation of 'CHANGES_UDI'"
    assert second.startswith("    Did you mean CHANGES_UID")


def test_it_needs_no_repository(
    reconcile: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert reconcile("explain", "primary").code == 0
    assert list(tmp_path.iterdir()) == []


def test_the_shell_completes_words() -> None:
    asked = {
        "_RECONCILE_COMPLETE": "complete_bash",
        "COMP_WORDS": "reconcile explain CHANGES_U",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-m", "reconciler"],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["CHANGES_UID"]


def _validate(reconcile: Command, folder: Path, manifests: Iterable[str]) -> None:
    """Each manifest gets an image set or a name of its own, so that none contradicts another."""
    numbered = [
        text.replace(IMAGE_SET_ID, f"{number:032x}").replace("name: wrong", f"name: wrong-{number}")
        for number, text in enumerate(manifests)
    ]
    subjects = {re.search("(?:imageSetId|name): (.*)", text)[1] for text in numbered}  # type: ignore[index]
    assert len(subjects) == len(numbered)
    (folder / "manifests").mkdir()
    (folder / "manifests" / "all.yaml").write_text("---\n".join(numbered), encoding="utf-8")
    ran = reconcile("validate")
    assert (ran.code, ran.err) == (0, "")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the data store that the examples name."""
    (tmp_path / "reconciler.yaml").write_text(f"{SETTINGS}    endpoint: emulator\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_manifest_of_a_word_is_valid(reconcile: Command, repository: Path) -> None:
    _validate(reconcile, repository, [one.manifest for one in OURS if one.manifest])


def test_every_manifest_of_an_attribute_is_valid(reconcile: Command, repository: Path) -> None:
    above = [tag for tag in standard_tags() if level_of(tag) is not Level.INSTANCE]
    others = [0x001910F9, 0x00190010, 0x60023000, 0x00080002]
    # All of them take 13 seconds.
    tags = dict.fromkeys([*above, *standard_tags()[::7], *others])
    found = [explain_attribute(by_tag(tag)).manifest for tag in tags]
    _validate(reconcile, repository, [manifest for manifest in found if manifest])


@pytest.mark.parametrize(
    "one", [one for one in OURS if one.settings], ids=lambda one: f"{one.kind}-{one.word}"
)
def test_settings_of_a_word_are_valid(
    reconcile: Command, repository: Path, one: Explanation
) -> None:
    with (repository / "reconciler.yaml").open("a") as file:
        file.write(one.settings)
    assert reconcile("datastores").code == 0
