"""Changes of image sets that are primary, or may be (decision 0002, U11 and U25)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.diff.guards import NOT_SAID, UNKNOWN_HINT
from reconciler.core.errors import Place
from reconciler.core.model.plan import Status
from reconciler.core.model.settings import Permission
from tests.documents import SERIES_UID, document, instance, series
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


# --- a revert obeys the rules for primary image sets -----------------------------------------

NEW_UID = f"{SERIES_UID}.9"


def at_series_level(raw: dict[str, Any]) -> None:
    raw["Study"]["Series"][SERIES_UID]["DICOM"].update(SeriesDescription="X")


def of_an_instance(raw: dict[str, Any]) -> None:
    instances = raw["Study"]["Series"][SERIES_UID]["Instances"]
    instances[NEW_UID] = instances.pop(f"{SERIES_UID}.1")
    instances[NEW_UID]["DICOM"]["SOPInstanceUID"] = NEW_UID


def without_a_series(raw: dict[str, Any]) -> None:
    raw["Study"]["Series"].popitem()


def below_series_level(raw: dict[str, Any]) -> None:
    raw["Study"]["Series"][SERIES_UID]["Instances"][f"{SERIES_UID}.1"]["DICOM"].update(KVP="90")


REVERTED = [
    (at_series_level, "Series-level attributes of a primary image set", "series_on_primary"),
    (of_an_instance, "SOPInstanceUID of a primary image set", "uids_on_primary"),
    (without_a_series, "a series of a primary image set", "series_on_primary"),
]


def reverted(change: Any, primary: bool | None, **rules: Any) -> Stage:
    stage = Stage(**rules)
    other = f"{SERIES_UID}0"
    blocks = [series(uid, [instance(f"{uid}.{one}") for one in (1, 2)])
              for uid in (SERIES_UID, other)]  # fmt: skip
    stage.service.put(document(*blocks, image_set_id=A), primary=primary)
    stage.service.foreign(A, change)
    return stage


@pytest.mark.parametrize("primary", [True, None])
@pytest.mark.parametrize(("change", "message", "rule"), REVERTED)
def test_a_revert_changes_only_what_a_primary_image_set_allows(
    change: Any, message: str, rule: str, primary: bool | None
) -> None:
    found = reverted(change, primary).diff(REVERT)
    assert found.status is Status.BLOCKED
    (block,) = found.blocks
    said = "" if primary else f"{NOT_SAID}: "
    assert block.message.startswith(f"{said}{message}")
    assert block.place == Place("a.yaml", 5, 1)
    assert reverted(change, primary, **{rule: Permission.ALLOW}).diff(REVERT).blocks == ()
    assert reverted(change, False).diff(REVERT).blocks == ()


@pytest.mark.parametrize("primary", [True, None])
def test_a_revert_below_series_level_is_allowed(primary: bool | None) -> None:
    assert reverted(below_series_level, primary).diff(REVERT).blocks == ()
