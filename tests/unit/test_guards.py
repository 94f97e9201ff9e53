"""Changes of image sets that may be primary: the service does not say (decision 0002, U25)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.diff.guards import NOT_SAID, UNKNOWN_HINT
from reconciler.core.model.settings import Permission
from tests.documents import SERIES_UID, document
from tests.planning import A, Stage

ONE = f"imageSetId: {A}\n"
DESCRIBED = ONE + "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"
IN_SERIES = (
    ONE + f"present: {{Study: {{Series: {{{SERIES_UID}: {{DICOM: {{SeriesNumber: 2}}}}}}}}}}\n"
)
ON_INSTANCE = (
    ONE + f"present: {{Study: {{Series: {{{SERIES_UID}: {{Instances: {{{SERIES_UID}.1: "
    "{DICOM: {InstanceNumber: 5}}}}}}}\n"
)
REVERT = ONE + 'revertToVersionId: "1"\n'


def staged(**rules: Any) -> Stage:
    """Version 2 of an image set differs from version 1 at the Study level."""
    stage = Stage(**rules)
    stage.service.put(document(image_set_id=A), primary=None)
    stage.service.foreign(A, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="X"))
    return stage


def blocks(stage: Stage, manifest: str) -> list[tuple[str, str]]:
    return [(block.message, block.hint) for block in stage.diff(manifest).blocks]


def test_a_change_at_the_study_level_is_refused() -> None:
    ((message, hint),) = blocks(staged(), DESCRIBED)
    assert message.startswith(f"{NOT_SAID}. Patient and Study level of a primary image set ")
    assert hint == UNKNOWN_HINT


def test_a_change_that_a_primary_image_set_does_not_allow_is_refused() -> None:
    ((message, _),) = blocks(staged(), IN_SERIES)
    assert message.startswith(f"{NOT_SAID}: Series-level attributes of a primary image set ")
    assert blocks(staged(series_on_primary=Permission.ALLOW), IN_SERIES) == []


def test_a_change_that_both_kinds_allow_is_allowed() -> None:
    assert blocks(staged(), ON_INSTANCE) == []


@pytest.mark.parametrize("permission", [Permission.REFUSE, Permission.ALLOW])
def test_a_revert_at_the_study_level_needs_a_rule(permission: Permission) -> None:
    found = blocks(staged(revert_on_primary=permission), REVERT)
    if permission is Permission.ALLOW:
        assert found == []
    else:
        ((message, hint),) = found
        assert message.startswith(f"{NOT_SAID}. Patient and Study level ")
        assert "revertOnPrimary: allow" in hint
