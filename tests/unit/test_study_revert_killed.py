"""Reverts of a study whose run is killed, or of which one call fails: the next run finishes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.core.errors import RejectedError
from reconciler.core.model.outcome import Result
from tests.unit.test_attempts import FIRST, OWN, SECOND, UPDATE, AskedStudy

BOTH = (FIRST, SECOND)


@pytest.fixture
def reverted(tmp_path: Path) -> AskedStudy:
    """Both members are at version 2, which manifests revert to version 1."""
    study = AskedStudy(tmp_path)
    study.service.delete(OWN)
    for name in BOTH:
        study.service.foreign(name, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="X"))
        text = {
            "apiVersion": "reconciler/v1",
            "kind": "ImageSet",
            "datastore": "research",
            "imageSetId": name,
            "revertToVersionId": "1",
        }
        (study.root / "manifests" / f"{name}.yaml").write_text(json.dumps(text))
    return study


def descriptions(study: AskedStudy) -> list[str]:
    return [study.service.document(name)["Study"]["DICOM"]["StudyDescription"] for name in BOTH]


def finish(study: AskedStudy) -> None:
    """The next run reverts what is left, each image set once, and records both."""
    study.service.calm()
    applied = study.apply()
    assert all(outcome.result.is_good for outcome in applied.outcomes), applied.outcomes
    assert len(set(descriptions(study))) == 1
    assert [study.service.version(name) for name in BOTH] == ["3", "3"]
    assert study.records() == dict.fromkeys(BOTH, ("2", "3"))
    assert study.plan().steps == ()


def test_both_are_reverted_and_recorded(reverted: AskedStudy) -> None:
    finish(reverted)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", BOTH)
def test_a_kill_at_a_call(reverted: AskedStudy, name: str, when: str) -> None:
    reverted.killed(UPDATE, when, name)
    finish(reverted)


@pytest.mark.parametrize("name", BOTH)
def test_a_kill_while_reading_back(reverted: AskedStudy, name: str) -> None:
    reverted.killed("GetImageSetMetadata", "after", name, reverted.plan())
    finish(reverted)


def test_a_call_that_fails_is_reported_and_nothing_is_sent_after_it(reverted: AskedStudy) -> None:
    reverted.service.fail_update("no")
    applied = reverted.apply()
    assert [(one.step.image_set_id, one.result) for one in applied.outcomes] == [
        (FIRST, Result.FAILED),
        (SECOND, Result.NOT_ATTEMPTED),
    ]
    assert descriptions(reverted) == ["X", "X"]


def test_after_a_second_call_that_is_refused_the_next_run_reverts_it(reverted: AskedStudy) -> None:
    def refuse() -> None:
        raise RejectedError("no", code="ValidationException")

    reverted.service.inject(UPDATE, refuse, image_set_id=SECOND)
    applied = reverted.apply()
    assert [one.result for one in applied.outcomes] == [Result.CONVERGED, Result.FAILED]
    assert descriptions(reverted)[1] == "X"
    assert set(reverted.records()) == {FIRST, SECOND}
    (left,) = reverted.plan().runnable
    assert [step.image_set_id for step in left.steps] == [SECOND]
    finish(reverted)
