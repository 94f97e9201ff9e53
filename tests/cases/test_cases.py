"""Every folder here is a case: manifests × observed × recorded -> the plan, to the byte."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.resolve import resolve
from reconciler.core.diff.paths import ask_digest, asked_paths
from reconciler.core.errors import NotFoundError
from reconciler.core.model.ask import ImageSetAsk
from reconciler.core.model.observed import Properties, SearchPage, Summary
from reconciler.core.model.plan import Basis, Plan, Step
from reconciler.core.model.record import RULES_VERSION, Entry, as_baselines
from reconciler.core.model.search_filter import Filters
from reconciler.core.model.settings import Datastore, Redact, Settings
from reconciler.core.model.value import Document
from reconciler.core.plan import Found, build, eta_seconds, with_digests, without_study_wide
from reconciler.core.plan.checker import edited
from reconciler.core.plan.file import dumps, loads
from reconciler.core.ports import ImageSets
from reconciler.core.review import review
from reconciler.core.survey import Known, Surveyed
from reconciler.edges import schemas
from reconciler.edges.manifests import load
from reconciler.observe.driver import Store, observe
from reconciler.render.style import Look
from reconciler.render.text import plan_lines
from tests.documents import DATASTORE_ID, KEY

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/observed.json"))
DATASTORE = Datastore("research", DATASTORE_ID, "us-east-1")
CHECKER = manifest_checker(schemas.load("manifest"))
UPDATE = bool(os.environ.get("UPDATE_CASES"))


CREATED_AT = 1_700_000_000.0


def updated_at(version_id: str) -> float:
    """The time of a version: each version a second after the one before."""
    return CREATED_AT + int(version_id)


def tags_of(document: dict[str, Any]) -> dict[str, str]:
    """What SearchImageSets shows of a document, without what counts series."""
    patient, study = document["Patient"]["DICOM"], document["Study"]["DICOM"]
    found = {
        "DICOMStudyInstanceUID": study["StudyInstanceUID"],
        "DICOMPatientId": patient.get("PatientID"),
        "DICOMPatientName": patient.get("PatientName"),
        "DICOMPatientBirthDate": patient.get("PatientBirthDate"),
    }
    return {name: value for name, value in found.items() if value}


class Observed(ImageSets):
    """The image sets of a case's observed.json, read-only."""

    def __init__(self, rows: dict[str, Any]) -> None:
        self._rows = rows

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        row = self._rows.get(image_set_id)
        if row is None or int(version_id or 1) > int(row["versionId"]):
            raise NotFoundError("no such image set", code="ResourceNotFoundException")
        failed = version_id in row.get("failed", [])
        return Properties(
            image_set_id=image_set_id,
            version_id=version_id or row["versionId"],
            state=row["state"],
            workflow_status="UPDATE_FAILED" if failed else row["workflowStatus"],
            is_primary=row["isPrimary"],
            message=row.get("message", ""),
            updated_at=updated_at(version_id or row["versionId"]),
            created_at=CREATED_AT,
        )

    def metadata(self, image_set_id: str, version_id: str) -> Document:
        row = self._rows[image_set_id]
        documents = {**row.get("history", {}), row["versionId"]: row["document"]}
        if version_id not in documents:
            raise NotFoundError("no such version", code="ResourceNotFoundException")
        return Document(documents[version_id])

    def versions(self, image_set_id: str) -> tuple[Properties, ...]:
        return (self.get(image_set_id),)

    def pages(self, filters: Filters = ()) -> Iterator[SearchPage]:
        """A study has its primary image sets alone, as if the others were not listed."""
        yield SearchPage(tuple(self._rows_of(filters)), None, is_last=True)

    def _rows_of(self, filters: Filters) -> Iterator[Summary]:
        for image_set_id, row in self._rows.items():
            tags = tags_of(row["document"])
            if all(tags.get(name) == value for name, value in filters) and (
                row["isPrimary"] or "DICOMPatientId" in dict(filters)
            ):
                yield Summary(
                    image_set_id, row["versionId"], row["isPrimary"], None, (*tags.items(),)
                )

    def update(self, step: Step) -> str:
        raise AssertionError("planning writes nothing")


def asks_of(case: Path, files: list[Path], settings: Settings) -> tuple[ImageSetAsk, ...]:
    loaded = load(case, files)
    validated = validate(loaded.documents, settings, CHECKER)
    resolved = resolve(validated.asks)
    assert (*loaded.problems, *validated.problems, *resolved.problems) == ()
    return tuple(resolved.asks)


def recorded(case: Path, asks: tuple[ImageSetAsk, ...]) -> dict[str, Entry]:
    path = case / "recorded.json"
    rows = json.loads(path.read_text()) if path.exists() else {}
    by_id = {ask.image_set_id: ask for ask in asks}
    return {
        image_set_id: Entry(
            datastore_id=DATASTORE_ID,
            image_set_id=image_set_id,
            version_id=row["versionId"],
            previous_version_id=row["previousVersionId"],
            updated_at=updated_at(row["versionId"]),
            created_at=CREATED_AT,
            asked=as_baselines(
                dict.fromkeys(row["asked"] or asked_paths(by_id[image_set_id]), row["versionId"])
            ),
            ask_digest="sha256:other" if row["asked"] else ask_digest(by_id[image_set_id]),
            rules_version=RULES_VERSION,
        )
        for image_set_id, row in rows.items()
    }


def plan_of(case: Path, files: list[Path]) -> Plan:
    settings = Settings(root=case, manifests=".", datastores=(DATASTORE,))
    asks = asks_of(case, files, settings)
    port = Observed(json.loads((case / "observed.json").read_text()))
    (seen,) = observe([Store(port, asks, Known(recorded(case, asks)))], settings.rules)
    assert isinstance(seen, Surveyed)
    managed = {ask.image_set_id: ask for ask in asks}
    found = Found(DATASTORE, seen.diffs, seen.studies, managed, seen.patients)
    actions = with_digests(build(found, settings), KEY)
    return Plan(
        Basis("", RULES_VERSION),
        actions,
        eta_seconds=eta_seconds(actions, settings),
        without_study_wide=without_study_wide(actions, settings),
    )


def expect(path: Path, content: str) -> None:
    if UPDATE:
        path.write_text(content, encoding="utf-8")
    assert content == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_plan(name: str) -> None:
    case = HERE / name
    files = sorted(case.glob("*.yaml"))
    plan = plan_of(case, files)
    data = dumps(plan)
    assert dumps(plan_of(case, files[::-1])) == data
    assert loads(data) == plan
    assert edited(plan) == ""
    expect(case / "plan.json", data.decode())
    lines = plan_lines(review(plan, Redact.NONE), Look(color=False, width=100))
    expect(case / "plan.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "name", [name for name in CASES if (HERE / name / "request.json").exists()]
)
def test_request_is_the_guides(name: str) -> None:
    case = HERE / name
    plan = plan_of(case, sorted(case.glob("*.yaml")))
    expected = json.loads((case / "request.json").read_text())
    assert len(plan.steps) == len(expected)
    for step, request in zip(plan.steps, expected, strict=True):
        for member, blob in (
            ("updatableAttributes", step.updatable),
            ("removableAttributes", step.removable),
        ):
            guide = request.get(member)
            # Some examples of the guide hold spaces after colons; JSON does not see them.
            assert (blob is None) == (guide is None)
            if blob is not None:
                assert blob == guide or blob == json.dumps(json.loads(guide), separators=(",", ":"))
        assert step.revert_to == request.get("revertToVersionId")
        assert step.pin == request["latestVersionId"]
        assert step.force is request["force"]
        assert not step.study_wide
