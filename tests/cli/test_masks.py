"""No live value, live key or text of the service reaches output that may be stored.

Every image set here holds the same two made-up words, wherever a document or a service can hold
text. Whatever a command prints or leaves behind is searched for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest

from reconciler.core.model.address import STUDY, instance_at
from reconciler.core.model.change import Block, Op
from reconciler.core.model.observed import Summary
from reconciler.core.model.outcome import Outcome, Result
from reconciler.core.model.plan import Plan, Status, Step
from reconciler.core.model.results import Applied
from reconciler.core.model.settings import Datastore, Redact
from reconciler.core.report.file import to_json
from reconciler.core.review import review, review_applied, review_search
from reconciler.core.search import FIELDS
from reconciler.edges import aws
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.trouble.faults import Fault, FaultSet
from reconciler.render import json as as_json
from reconciler.render import text
from reconciler.render.outcomes import outcome_lines, report_lines
from reconciler.render.plan_json import plan_json_lines
from reconciler.render.search import chosen_lines, usual_lines
from reconciler.render.step_summary import step_summary
from reconciler.render.style import Look
from tests.cli import samples
from tests.cli.conftest import Command, Ran
from tests.documents import document, instance, series
from tests.printed import plan_json

DATASTORE_ID = "0123456789abcdef0123456789abcdef"
ODD, FAILS, REFUSED, REVERTED, DRIFTED = (f"{number:032x}" for number in range(1, 6))
SECRET = re.compile("zyxwood|quillon|7719", re.IGNORECASE)
# The ways in which a service may repeat values: one component, upper case, the value before.
MESSAGE = "Zyxwood is not allowed: QUILLON was 7719"

ODD_DOCUMENT = document(
    series(
        "2.25.1",
        [
            instance("Zyxwood^Quillon", ImageComments="Zyxwood 7719")
            | {"DICOMVRs": {"00090010": "LO", "00091001": "Quillon"}}
        ],
        Modality="ZYXWOOD",
        SeriesNumber="Quillon",
        BodyPartExamined="QUILLON 1961-02-03",
        PatientPosition=["HFS", "ZYXWOOD"],
        SoftwareVersions=["Zyxwood 7719"],
        ManufacturerModelName="Quillon",
        SpatialResolution="7719 mm",
    ),
    image_set_id=ODD,
    patient={"PatientName": "Zyxwood^Quillon", "PatientID": "7719"},
    study={"StudyInstanceUID": "2.25.77"},
)
ODD_MANIFEST = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {ODD}
force: true
allow: [CHANGES_OBJECT]
present:
  Study:
    Series:
      "*":
        DICOM:
          Modality: CT
          SeriesNumber: "1"
          BodyPartExamined: CHEST
          PatientPosition: HFS
          SoftwareVersions: ["1"]
          ManufacturerModelName: Model
          SpatialResolution: "1"
        Instances:
          "*":
            DICOM: {{ImageComments: none, InstanceNumber: "7"}}
absent:
  Patient: {{DICOM: [PatientComments]}}
"""
# Blocked, since the document states no VR for it that DICOM has.
PRIVATE_MANIFEST = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {ODD}
force: true
present: {{Study: {{Series: {{"*": {{Instances: {{"*": {{DICOM: {{"00091001": "1"}}}}}}}}}}}}}}
"""
ABSENT_MANIFEST = """\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {}
absent: {{Patient: {{DICOM: [PatientComments]}}}}
"""
REVERT_MANIFEST = f"""\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: {REVERTED}
revertToVersionId: "1"
allow: [CHANGES_PATIENT_IDENTITY]
"""


class Front(ThreadingHTTPServer):
    """A proxy that refuses updates of one image set with a message of the service."""

    daemon_threads = True
    behind = ""


class Handler(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if REFUSED in self.path and "updateImageSetMetadata" in self.path:
            answer = json.dumps({"message": MESSAGE}).encode()
            self._send(400, {"x-amzn-ErrorType": "ValidationException"}, answer)
            return
        request = Request(self.server.behind + self.path, body, dict(self.headers.items()))
        with urlopen(request) as answered:
            headers = {"Content-Type": answered.headers["Content-Type"]}
            if encoding := answered.headers["Content-Encoding"]:
                headers["Content-Encoding"] = encoding
            self._send(answered.status, headers, answered.read())

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing."""


@dataclass
class Place:
    """A repository whose data store is full of the two words, and what was printed in it."""

    folder: Path
    reconcile: Command
    summary: Path
    endpoint: str

    def manifest(self, text: str, name: str = "one.yaml") -> Path:
        path = self.folder / "manifests" / name
        path.write_text(text, encoding="utf-8")
        return path

    def settings(self, redact: str) -> None:
        (self.folder / "reconciler.yaml").write_text(
            f"redact: {redact}\nlockTimeout: 1m\ndatastores:\n  research:\n"
            f'    datastoreId: "{DATASTORE_ID}"\n'
            f"    region: us-east-1\n    endpoint: {self.endpoint}\n",
            encoding="utf-8",
        )

    def run(self, *arguments: str | Path) -> Ran:
        """Run a command. Assert that neither its output nor the files it leaves hold a word."""
        ran = self.reconcile(*arguments)
        assert not SECRET.search(ran.out), ran.out
        assert not SECRET.search(ran.err), ran.err
        for path in self.stored():
            text = path.read_text(encoding="utf-8")
            assert not SECRET.search(text), f"{path}: {text}"
        return ran

    def stored(self) -> Iterator[Path]:
        """The files that others may read: all but manifests and plans, which are for the owner."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.parent.name != "manifests" and path.name != "plan.json":
                yield path


@pytest.fixture
def place(tmp_path: Path, reconcile: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    folder = tmp_path / "repository"
    (folder / "manifests").mkdir(parents=True)
    summary = folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.chdir(folder)
    fault: dict[str, Any] = {
        "kind": "update-failed",
        "operations": ("UpdateImageSetMetadata",),
        "message": MESSAGE,
    }
    faults = FaultSet(
        (
            Fault(image_set_id=FAILS, **fault),
            Fault(image_set_id=REVERTED, nth=(2,), **fault),
        )
    )
    with (
        Emulator(tmp_path / "data", Options(update_seconds=0.0, faults=faults)) as emulator,
        Front(("127.0.0.1", 0), Handler) as front,
    ):
        emulator.service.ensure_datastore(DATASTORE_ID)
        emulator.service.load(DATASTORE_ID, ODD_DOCUMENT, image_set_id=ODD, primary=False)
        for name in (FAILS, REFUSED, REVERTED, DRIFTED):
            patient = {
                "PatientName": "Zyxwood^Quillon",
                "PatientID": "7719",
                "PatientComments": "Quillon 7719",
            }
            emulator.service.load(
                DATASTORE_ID,
                document(image_set_id=name, patient=patient),
                image_set_id=name,
                primary=False,
            )
        front.behind = emulator.endpoint
        Thread(target=front.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{front.server_address[1]}"
        place = Place(folder, reconcile, summary, endpoint)
        place.settings("identifying")
        yield place
        front.shutdown()


def write_outside(place: Place, image_set_id: str, **patient: str) -> None:
    """An update by another program."""
    store = Datastore("research", DATASTORE_ID, "us-east-1", endpoint=place.endpoint)
    port = aws.connect(store, endpoint=place.endpoint)
    payload = {"SchemaVersion": 1.1, "Patient": {"DICOM": patient}}
    pin = port.get(image_set_id).version_id
    port.update(Step(DATASTORE_ID, image_set_id, pin, (), updatable=json.dumps(payload)))
    while port.get(image_set_id).state == "LOCKED":
        pass


@pytest.mark.parametrize("redact", ["identifying", "all"])
def test_values_that_do_not_fit_and_keys_that_are_text(place: Place, redact: str) -> None:
    place.settings(redact)
    place.manifest(ODD_MANIFEST)
    assert "BodyPartExamined" in place.run("plan").out
    assert json.loads(place.run("plan", "--json").out)["masked"] is True
    place.run("plan", "--out", "plan.json")
    place.run("show", "plan.json")
    place.run("show", "plan.json", "--json")
    ran = place.run("apply", "plan.json", "--report", "report.json")
    assert (ran.code, "converged" in place.summary.read_text()) == (0, True)
    assert place.run("plan").out.startswith("Plan: nothing to do")


def test_the_vr_that_a_document_states(place: Place) -> None:
    place.manifest(PRIVATE_MANIFEST)
    assert "1 blocked" in place.run("plan").out
    place.run("plan", "--json")
    assert place.run("apply", "--auto-approve", "--report", "report.json", "--json").code == 1


def test_what_a_harmless_value_is_changed_from_is_still_shown(place: Place) -> None:
    place.manifest(ODD_MANIFEST)
    assert '"1 " → ' in place.run("plan").out  # InstanceNumber


@pytest.mark.parametrize(
    ("name", "code"), [(FAILS, "UPDATE_FAILED"), (REFUSED, "ValidationException")]
)
def test_the_words_of_the_service(place: Place, name: str, code: str) -> None:
    place.manifest(ABSENT_MANIFEST.format(name))
    ran = place.run("apply", "--auto-approve", "--report", "report.json")
    assert ran.code == 1
    assert code in ran.out
    assert code in (place.folder / "report.json").read_text()
    assert code.replace("_", "\\_") in place.summary.read_text()
    place.run("plan")
    place.run("apply", "--auto-approve", "--report", "report.json", "--json")


def test_a_failed_update_names_the_command_that_shows_its_message(place: Place) -> None:
    place.manifest(ABSENT_MANIFEST.format(FAILS))
    ran = place.run("apply", "--auto-approve", "--report", "report.json")
    command = (
        f"aws medical-imaging get-image-set --datastore-id {DATASTORE_ID} --image-set-id {FAILS} "
        f"--version-id 2 --region us-east-1 --endpoint-url {place.endpoint}"
    )
    assert command in ran.out
    assert command in (place.folder / "report.json").read_text()
    assert command in " ".join(place.run("plan").out.split())  # the failed version is noted


def test_a_revert_that_fails_echoes_what_no_request_held(place: Place) -> None:
    write_outside(place, REVERTED, PatientName="Somebody", PatientID="1")
    place.manifest(REVERT_MANIFEST)
    place.run("plan")
    place.run("plan", "--json")
    ran = place.run("apply", "--auto-approve", "--report", "report.json")
    assert (ran.code, "UPDATE_FAILED" in ran.out) == (1, True)
    assert place.run("apply", "--auto-approve", "--report", "report.json").code == 0


def test_drift(place: Place) -> None:
    place.manifest(ABSENT_MANIFEST.format(DRIFTED).replace("absent", "present").replace(
        "[PatientComments]", "{PatientComments: plain}"
    ))  # fmt: skip
    assert place.run("apply", "--auto-approve").code == 0
    write_outside(place, DRIFTED, PatientComments="Zyxwood came later")
    assert "drifted" in place.run("plan").out
    place.run("plan", "--json")
    assert place.run("apply", "--auto-approve", "--report", "report.json").code == 1


@pytest.mark.parametrize("redact", ["identifying", "all"])
def test_search(place: Place, redact: str) -> None:
    place.settings(redact)
    assert ODD in place.run("search").out
    assert ODD in place.run("search", "--json").out


def test_where_values_may_be_shown_the_service_is_quoted_and_never_stored(place: Place) -> None:
    place.manifest(ABSENT_MANIFEST.format(FAILS))
    ran = place.reconcile("apply", "--auto-approve", "--show-values", "--report", "report.json")
    assert f"the service says: {MESSAGE}" in ran.out
    for path in place.stored():
        assert not SECRET.search(path.read_text(encoding="utf-8")), path


def test_import_of_an_image_set_is_never_masked(place: Place) -> None:
    ran = place.run("import", "--image-set", ODD, "--mask-values")
    assert (ran.code, ran.out) == (1, "")
    assert "cannot mask them" in ran.err
    assert "Remove --mask-values" in ran.err
    place.settings("all")
    ran = place.run("import", "--image-set", ODD)
    assert (ran.code, ran.out) == (1, "")
    assert "--show-values" in ran.err
    assert "Zyxwood" in place.reconcile("import", "--image-set", ODD, "--show-values").out


def test_import_without_a_flag_prints_values_also_into_a_pipe(place: Place) -> None:
    """Printing values is its purpose: its output becomes a manifest."""
    assert "Zyxwood" in place.reconcile("import", "--image-set", ODD).out


# --- every renderer, over plans and outcomes that hold a word wherever text can be --------------

SEARCH_TAGS = """
DICOMPatientId DICOMPatientName DICOMPatientBirthDate DICOMPatientSex DICOMStudyInstanceUID
DICOMStudyId DICOMStudyDescription DICOMAccessionNumber DICOMSeriesInstanceUID DICOMSeriesModality
DICOMSeriesBodyPart DICOMSeriesNumber DICOMStudyDate DICOMStudyTime DICOMSomethingNew
"""
LABEL = re.compile("<masked [0-9]+>")


def odd_plan() -> Plan:
    """Changes whose keys, VR, addresses and values are all live text."""
    where = instance_at("Zyxwood 1961", "Quillon^7719")
    changes = (
        samples.change(Op.UPDATE, "Zyxwood^Quillon", None, "Zyxwood", "Quillon", address=where),
        samples.change(Op.REMOVE, "Zyxwood^Quillon", None, ["7719"], address=STUDY),
        samples.change(Op.ADD, "Quillon", None, after={"Zyxwood": "7719"}),
        samples.change(Op.UPDATE, "Rows", 0x00280010, 128, "7719", vr="Zyxwood"),
        samples.change(Op.UPDATE, "Modality", 0x00080060, "ZYXWOOD", "QUILLON", vr="CS"),
        samples.change(Op.UPDATE, "KVP", 0x00180060, ["120", "7719"], "120", vr="DS"),
        samples.change(Op.UPDATE, "ImageType", 0x00080008, ["ORIGINAL", "ZYXWOOD"], ["DERIVED"]),
        samples.change(Op.UPDATE, "SOPClassUID", 0x00080016, "2.25.7719", "1.2.840.10008.1.1"),
        samples.change(Op.UPDATE, "001910F9", 0x001910F9, "Zyxwood", "7719", send_vr=True),
        samples.change(Op.REMOVE_INSTANCE, "", None, address=where),
    )
    path = f"{where.path()}/Zyxwood^Quillon"
    one = samples.action(Status.UPDATE, 1, *changes, released=(path, "Patient/PatientName"))
    block = Block(samples.ident(2), "why", "what next", samples.MANIFEST, path)
    two = samples.action(Status.BLOCKED, 2, changes[0], blocks=(block,))
    return samples.plan(replace(one, members=(replace(one.members[0], asked=(path,)),)), two)


def odd_outcomes(plan: Plan) -> list[Outcome]:
    step = plan.steps[0]
    return [Outcome(step, result, "our words", (), MESSAGE) for result in Result]


@pytest.mark.parametrize("redact", [Redact.IDENTIFYING, Redact.ALL])
@pytest.mark.parametrize("columns", [40, 120])
def test_every_renderer_masks(redact: Redact, columns: int) -> None:
    look, plan = Look(width=columns), odd_plan()
    outcomes = odd_outcomes(plan)
    applied = Applied(replace(plan, actions=plan.actions[1:]), tuple(outcomes))
    assert applied.held
    reviewed, ended = review(plan, redact), review_applied(applied, redact)
    summary = Summary(
        ODD, "1", False, None, tuple((tag, "Zyxwood 7719") for tag in SEARCH_TAGS.split())
    )
    found = review_search({"research": [summary]}, redact)
    rendered = {
        "plan": "\n".join(text.plan_lines(reviewed, look)),
        "plan --json": "\n".join(plan_json_lines(reviewed)),
        "outcomes": "\n".join(line for one in ended.outcomes for line in outcome_lines(one, look)),
        "report": "\n".join(report_lines(ended, look)),
        "report file": json.dumps(to_json(ended, 1)),
        "step summary": step_summary(ended),
        "search": "\n".join(usual_lines(found, look, names_datastore=True)),
        "search --fields": "\n".join(chosen_lines(found, look, FIELDS)),
        "search --json": json.dumps(as_json.image_sets(found)),
        "repr": repr(summary),
    }
    leaks = {name: SECRET.findall(shown) for name, shown in rendered.items()}
    assert {name: found for name, found in leaks.items() if found} == {}
    assert LABEL.search(rendered["plan"])


def test_one_key_has_one_label() -> None:
    """A reviewer sees which changes have the same key."""
    shown = plan_json(review(odd_plan(), Redact.IDENTIFYING))
    changes: list[dict[str, Any]] = json.loads(json.dumps(shown))["actions"][0]["changes"]
    labels = [change["path"].rpartition("/")[2] for change in changes]
    assert labels[0] == labels[1] != labels[2]
    assert all(LABEL.fullmatch(label) for label in labels[:3])
    assert labels[3:9] == ["Rows", "Modality", "KVP", "ImageType", "SOPClassUID", "001910F9"]


def test_a_label_is_no_key_for_a_script() -> None:
    shown: Any = plan_json(review(odd_plan(), Redact.IDENTIFYING))
    changes = shown["actions"][0]["changes"]
    assert [change["key"] for change in changes[:4]] == [None, None, None, "Rows"]
    assert ["key" in change.get("masked", ()) for change in changes[:4]] == [
        True,
        True,
        True,
        False,
    ]
    for change in changes:
        fields = ("series", "instance", "key", "vr")
        assert [name for name in fields if change[name] is None] == change.get("masked", [])
        assert not any(LABEL.search(str(change[name])) for name in fields)
    whole: Any = plan_json(review(odd_plan(), Redact.NONE))
    assert not any("masked" in change for change in whole["actions"][0]["changes"])


def test_where_values_are_shown_keys_are_shown() -> None:
    shown = "\n".join(text.plan_lines(review(odd_plan(), Redact.NONE), Look()))
    assert "Zyxwood^Quillon" in shown
    assert not LABEL.search(shown)
