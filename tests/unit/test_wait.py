"""The waiting table against the service's own enums."""

from __future__ import annotations

import itertools

import botocore.session
import pytest

from reconciler.core.model.workflow_status import TABLE, Verdict, verdict


def enum(shape: str) -> list[str]:
    model = botocore.session.get_session().get_service_model("medical-imaging")
    return list(model.shape_for(shape).enum)


STATES = enum("ImageSetState")
STATUSES = enum("ImageSetWorkflowStatus")


def test_the_table_is_total_over_the_model_and_nothing_else() -> None:
    assert set(TABLE) == set(itertools.product(STATES, [*STATUSES, ""]))


@pytest.mark.parametrize("status", STATUSES)
def test_locked_is_never_the_end(status: str) -> None:
    assert verdict("LOCKED", status) is Verdict.KEEP


@pytest.mark.parametrize("status", STATUSES)
def test_deleted_is_gone_whatever_the_status(status: str) -> None:
    assert verdict("DELETED", status) is Verdict.GONE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("UPDATED", Verdict.DONE),
        ("CREATED", Verdict.DONE),
        ("COPIED", Verdict.DONE),
        ("IMPORTED", Verdict.DONE),
        ("UPDATE_FAILED", Verdict.FAILED),
        ("COPY_FAILED", Verdict.FAILED),
        ("IMPORT_FAILED", Verdict.FAILED),
        ("UPDATING", Verdict.KEEP),
        ("UPDATING_FOR_STUDY_CONSISTENCY", Verdict.KEEP),
        ("COPYING", Verdict.KEEP),
        ("COPYING_WITH_READ_ONLY_ACCESS", Verdict.KEEP),
        ("IMPORTING", Verdict.KEEP),
        ("DELETING", Verdict.KEEP),
        ("DELETED", Verdict.GONE),
        ("", Verdict.DONE),
    ],
)
def test_active_goes_by_the_workflow_status(status: str, expected: Verdict) -> None:
    assert verdict("ACTIVE", status) is expected


def test_what_a_later_model_adds_is_waited_for() -> None:
    assert verdict("ACTIVE", "REINDEXING") is Verdict.KEEP
    assert verdict("FROZEN", "UPDATED") is Verdict.KEEP
