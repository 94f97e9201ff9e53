"""Without the key, no value can be guessed from the stored output of a run.

There are 40,000 likely birth dates: an unkeyed digest over a birth date gives it back in less than
a second. The attacker here knows everything but that date: the program, the manifest, the rest of
the document.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler import pipeline
from reconciler.core.dicom.content import canonical_attributes, content_digest, digest
from reconciler.core.diff.locate import renames
from reconciler.core.diff.paths import ask_digest, claim_path, request_digests, sealed
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.key import KEY_BYTES, Key, Use
from reconciler.core.model.plan import Action
from reconciler.core.model.record import Evidence, Unverified
from reconciler.core.model.value import Document, Json, canonical_json
from reconciler.core.plan import action_digest
from reconciler.core.plan.file import loads
from reconciler.edges.settings import read_settings
from reconciler.emulator.http.server import Emulator
from tests.cli.conftest import DATASTORE_ID, Command
from tests.documents import document, instance, series

LIVE, ASKED, THERE = (letter * 32 for letter in "abc")
SECRET = "19561103"
DATES = [(date(1900, 1, 1) + timedelta(day)).strftime("%Y%m%d") for day in range(40_542)]
BORN = f"present: {{Patient: {{DICOM: {{PatientBirthDate: '{SECRET}'}}}}}}\n"
MANIFESTS = {
    # The document has the birth date, and no manifest asks for it.
    LIVE: "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n",
    # A manifest asks for it, and the document has another date.
    ASKED: f"{BORN}allow: [CHANGES_PATIENT_IDENTITY]\n",
    # A manifest asks for it and the document has it, so that only a record is written.
    THERE: BORN,
}
# Text that may be a digest, or a part of one.
_SHORTEST = 16
_HEX = re.compile(r"[0-9a-f]{16,}")
# A key that is easy to guess. HMAC without a key is the same (RFC 2104: padded with zeros).
ZERO = Key(bytes(KEY_BYTES))

Stored = dict[str, str]


def born(content: dict[str, Any], when: str) -> dict[str, Any]:
    """The document with another birth date; the rest is shared, not copied."""
    patient = {**content["Patient"]["DICOM"], "PatientBirthDate": when}
    return {**content, "Patient": {**content["Patient"], "DICOM": patient}}


def document_of(name: str) -> dict[str, Any]:
    """The document that the service has of it at first."""
    own = f"1.2.3.{ord(name[0])}"
    return document(
        series(own, [instance(f"{own}.1", private=False)]),
        image_set_id=name,
        patient={"PatientBirthDate": "19700101" if name == ASKED else SECRET},
    )


def documents_of(name: str) -> list[dict[str, Any]]:
    """Its documents that hold the secret, before and after the update."""
    before = document_of(name)
    if name != LIVE:
        return [born(before, SECRET)]
    study = {**before["Study"]["DICOM"], "StudyDescription": "CT CHEST"}
    return [before, {**before, "Study": {**before["Study"], "DICOM": study}}]


@pytest.fixture
def archive(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository of three manifests, with the image sets that they are about."""
    shutil.rmtree(workspace / "manifests")
    (workspace / "manifests").mkdir()
    with Emulator(workspace / ".reconcile" / "emulator") as emulator:
        for name, body in MANIFESTS.items():
            content = document_of(name)
            emulator.service.load(DATASTORE_ID, content, image_set_id=name, primary=False)
            head = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
            text = f"{head}imageSetId: {name}\n{body}"
            (workspace / "manifests" / f"{name[0]}.yaml").write_text(text)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(workspace / "summary.md"))
    git(workspace, "init", "--quiet")
    git(workspace, "config", "user.name", "Steward")
    git(workspace, "config", "user.email", "steward@example.org")
    git(workspace, "add", "manifests", "reconciler.yaml")
    git(workspace, "commit", "--quiet", "-m", "Ask")
    return workspace


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run(reconcile: Command, root: Path, manifests: str, plan: str) -> Stored:
    """Plan and apply; every output that may be stored, by its name. The plan file is none."""
    commands = {
        "plan": ("plan", manifests),
        "plan --json": ("plan", manifests, "--json"),
        "plan --json --show-values": ("plan", manifests, "--json", "--show-values"),
        "plan --out": ("plan", manifests, "--out", plan),
        "show --json": ("show", plan, "--json"),
        "show --json --show-values": ("show", plan, "--json", "--show-values"),
        "apply": ("apply", plan, "--record", "commit", "--json", "--report", "report.json"),
    }
    stored = {}
    for name, arguments in commands.items():
        ran = reconcile(*arguments)
        assert ran.code == 0, (name, ran.err)
        stored[name] = ran.out + ran.err
    stored["report"] = (root / "report.json").read_text()
    stored["step summary"] = (root / "summary.md").read_text()
    stored["records and commits"] = git(
        root, "log", "-p", "--format=%B", "HEAD", "--", "records", ":!reconciler.key"
    )
    return stored


def ask_of(root: Path, name: str) -> ImageSetAsk:
    asks = pipeline.check(read_settings(root / "reconciler.yaml")).asks
    return next(ask for ask in asks if ask.image_set_id == name)


@dataclass(frozen=True)
class Form:
    """One digest that the code makes: its text with the secret in it, and its key."""

    text: bytes
    key: Key | None = None

    def of(self, text: bytes) -> str:
        if self.key is None:
            return f"sha256:{hashlib.sha256(text).hexdigest()}"
        return f"hmac-sha256:{hmac.digest(self.key.secret, text, 'sha256').hex()}"


class Attacker:
    """Recomputes every digest that the code makes, with another date in place of the secret.

    The attacker also knows everything else in the plan file `saved`. The texts are written out
    here, so that each guess costs a few hashes; `exact` checks them against the code.
    """

    def __init__(self, root: Path, name: str, saved: Path) -> None:
        self._forms: list[tuple[Form, str]] = []
        raw = json.loads(saved.read_bytes())
        del raw["digest"]
        raw.pop("seal", None)
        for content in documents_of(name):
            self._exact(canonical_json(form_of(content)), content_digest(Document(content)))
        if name != LIVE:
            self._asked(ask_of(root, name))
            for action in loads(saved.read_bytes()).actions:
                if action.image_set_id == name and action.changes:
                    self._acting(action)
        whole = self._exact(canonical_json(raw), digest(raw))
        self._keyed(Use.PLAN, whole, ZERO.digest(Use.PLAN, whole))

    def digests(self, when: str) -> Iterator[str]:
        """All digests of a guess: unkeyed, and under keys that are easy to guess."""
        known: list[tuple[bytes, bytes]] = [(SECRET.encode(), when.encode())]
        for form, true in self._forms:
            text = form.text
            for old, new in known:
                text = text.replace(old, new)
            guessed = form.of(text)
            if form.key is None:  # the other digests are part
                known.append((true.encode(), guessed.encode()))
            yield guessed

    def _exact(self, text: bytes, true: str, key: Key | None = None) -> str:
        form = Form(text, key)
        assert form.of(text) == true, "the code takes another digest than this test knows"
        self._forms.append((form, true))
        return true

    def _keyed(self, use: Use, value: Json, true: str) -> None:
        self._exact(f"reconciler/v1/{use}\0".encode() + canonical_json(value), true, ZERO)

    def _asked(self, ask: ImageSetAsk) -> None:
        (claim,) = ask.claims
        value = self._exact(canonical_json([SECRET]), digest([SECRET]))
        row: Json = [claim_path(claim), str(claim.kind), claim.vr or "", value]
        text = canonical_json({"claims": [row], "revert": None})
        asked = self._exact(text, ask_digest(ask))
        finding = Evidence(DATASTORE_ID, ask.image_set_id, "1", "", None, ask_digest=asked)
        about: Json = [DATASTORE_ID, ask.image_set_id, asked]
        self._keyed(Use.ASK, about, sealed(finding, ZERO).ask_digest)
        ((path, one),) = request_digests(ask, renames(ask.claims)).items()
        wanted: Json = [str(claim.kind), claim.vr or "", value]
        request = self._exact(
            canonical_json([self._exact(canonical_json(wanted), digest(wanted))]), one
        )
        unverified = sealed(
            replace(finding, unverified=Unverified("1", (path,), ((path, request),))), ZERO
        ).unverified
        assert unverified is not None
        about = [DATASTORE_ID, ask.image_set_id, request]
        self._keyed(Use.ASK, about, dict(unverified.requests)[path])

    def _acting(self, action: Action) -> None:
        changes: Json = [
            [one.image_set_id, one.path(), str(one.op), SECRET] for one in action.changes
        ]
        hazards = sorted((str(one.hazard), one.image_set_id) for one in action.hazards)
        # The state before there were keys.
        body: dict[str, Json] = {
            "datastoreId": action.datastore_id,
            "members": [[one.image_set_id, one.pin] for one in action.members],
            "hazards": [list(one) for one in hazards],
            "changes": changes,
        }
        self._exact(canonical_json(body), digest(body))
        body |= {
            "members": [[one.image_set_id, one.pin, one.updated_at] for one in action.members],
            "hazards": [[*one, True] for one in hazards],
        }
        self._keyed(Use.ACTION, body, action_digest(action, ZERO))


def form_of(content: dict[str, Any]) -> Json:
    """What a digest of content is over, of a document with one series of one instance."""
    ((series_uid, block),) = content["Study"]["Series"].items()
    ((instance_uid, image),) = block["Instances"].items()
    images: dict[str, Json] = {
        "Frames": [[frame["ID"], None] for frame in image["ImageFrames"]],
        "StoredTransferSyntaxUID": image["StoredTransferSyntaxUID"],
    }
    inner = digest({"DICOM": canonical_attributes(image), **images})
    outer: Json = {"DICOM": canonical_attributes(block), "Instances": [[instance_uid, inner]]}
    return {
        "Patient": canonical_attributes(content["Patient"]),
        "Study": canonical_attributes(content["Study"]),
        "Series": [[series_uid, digest(outer)]],
    }


def test_no_stored_output_gives_a_birth_date_back(reconcile: Command, archive: Path) -> None:
    """Live, asked, and asked where it is there: before the repository has a key, and after."""
    first = run(reconcile, archive, f"manifests/{THERE[0]}.yaml", "first.json")
    second = run(reconcile, archive, "manifests", "second.json")
    stored = {**{f"{name}, first run": text for name, text in first.items()}, **second}
    found: dict[str, set[str]] = {}
    for name, text in stored.items():
        for hexadecimal in _HEX.findall(text):
            for end in (hexadecimal[:_SHORTEST], hexadecimal[-_SHORTEST:]):
                found.setdefault(end, set()).add(name)
    told = set()
    for name in MANIFESTS:
        attacker = Attacker(archive, name, archive / "second.json")
        for when in DATES:
            for guessed in attacker.digests(when):
                for end in (guessed[-64:][:_SHORTEST], guessed[-_SHORTEST:]):
                    told |= {(when, output) for output in found.get(end, ())}
    assert told == set()
