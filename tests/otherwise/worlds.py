"""How the service may behave otherwise than assumed, and what the cycle says then.

The keys begin with the number of a question of decision 0002.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.model.settings import Permission
from tests.otherwise import scenes
from tests.otherwise.cycle import UPDATE, Stage
from tests.otherwise.scenes import COMMENTED, DESCRIBED, A, B

Act = Callable[[Stage], None]
THEIRS = "CHANGED BY ANOTHER PROCESS"


@dataclass(frozen=True, kw_only=True)
class World:
    """Switches and faults of the emulator, what is there, and what three pairs say.

    Each of `says` has the statuses and results of one pair of plan and apply. `faults` last for the
    first pair. `before` happens before the first plan, `meanwhile` between the first plan and its
    apply, `later` after the first pair. `words` are in the report of the first pair.
    """

    says: tuple[str, str, str]
    scene: Act = scenes.one
    switches: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Mapping[str, Any], ...] = ()
    before: Act | None = None
    meanwhile: Act | None = None
    later: Act | None = None
    words: tuple[str, ...] = ()


CONVERGED = ("converged", "converged", "converged")
FAILED = ("failed", "failed", "failed")
BLOCKED_AFTER = ("unverified", "blocked", "blocked")
HELD_BACK = ("conflict", "drifted", "drifted")
OVER = "our update created version 3 over a change of another process"
UPDATE_FAILED = {"kind": "update-failed"}


def described(on: Stage, name: str = A, **more: Any) -> None:
    """Another process changes the attribute that is asked for."""
    on.another_writes(name, DESCRIBED[0], THEIRS, **more)


def commented(on: Stage) -> None:
    """Another process changes an attribute that no manifest asks for."""
    on.another_writes(A, "Patient/PatientState", THEIRS)


def locked(on: Stage) -> None:
    """Another process changes the same attribute, which takes a while."""
    described(on, seconds=20.0)


def locked_before(on: Stage) -> None:
    """Another process changes another attribute, which takes a while."""
    on.another_writes(A, "Patient/PatientState", THEIRS, seconds=20.0)


def in_place(on: Stage) -> None:
    """Another process changes the attribute, and the number of the version stays."""
    on.another_writes(A, DESCRIBED[0], THEIRS, makes_version=False)


def rest(on: Stage) -> None:
    """A minute passes."""
    on.clock.sleep(60.0)


def later_changed_and_failed(on: Stage) -> None:
    """Another process changes the attribute, and its next update fails."""
    described(on)
    on.send(A, {"Study": {"DICOM": {"StudyID": "1"}}})


def imported(on: Stage) -> None:
    """An import adds an instance to the image set."""
    on.imports(A, f"{scenes.SERIES}.3")


def in_the_window(name: str, keyword: str) -> Mapping[str, Any]:
    """Another process writes right before the update is applied."""
    attributes = {"Study": {"DICOM": {keyword: THEIRS}}}
    return {
        "kind": "foreign-write",
        "operation": UPDATE,
        "target": name,
        "attributes": attributes,
        "nth": 1,
    }


def series_allowed(on: Stage) -> None:
    """A rule allows what the service refuses."""
    on.rules(series_on_primary=Permission.ALLOW)
    series_described(on)


def series_described(on: Stage) -> None:
    block = f'"{scenes.SERIES}": {{DICOM: {{SeriesDescription: x}}}}'
    body = f"present: {{Study: {{Series: {{{block}}}}}}}\n"
    scenes.primary(on, body, (f"Series/{scenes.SERIES}/SeriesDescription", "x"))


def unforced(on: Stage) -> None:
    """A rule allows a removal that the service wants forced."""
    on.rules(removals_need_force=False)
    scenes.removed(on, "WindowCenter")


def commented_study(on: Stage) -> None:
    scenes.study(on, COMMENTED)


def held_by_b(on: Stage) -> None:
    """The sibling holds already what is asked."""
    scenes.study(on, held_by_b=DESCRIBED[1])


WORLDS: dict[str, World] = {
    "U1-violations-are-a-400": World(
        scene=series_allowed, switches={"constraint_errors": "validation"}, says=FAILED
    ),
    "U1-violations-are-an-update-failed": World(scene=series_allowed, says=FAILED),
    "U2-locked-is-a-404": World(
        switches={"locked_before_pin": False}, meanwhile=locked, says=HELD_BACK
    ),
    "U2-locked-is-a-409": World(meanwhile=locked, says=HELD_BACK),
    "U3-another-value-is-removed-too": World(
        scene=scenes.removed, switches={"removal_value_must_match": False}, says=CONVERGED
    ),
    "U3-values-must-match-with-their-padding": World(scene=scenes.removed, says=CONVERGED),
    "U4-null-removes": World(
        scene=lambda on: scenes.one(on, ("Study/StudyDescription", "")),
        switches={"null_in_updates": "removes"},
        says=BLOCKED_AFTER,
    ),
    "U5-padding-is-dropped": World(
        scene=lambda on: scenes.one(on, ("Study/StudyDescription", "CT CHEST ")),
        switches={"stored_text": "trimmed"},
        says=CONVERGED,
    ),
    "U6-the-schema-version-must-be-text": World(
        switches={"schema_version_types": ("text",)}, says=FAILED
    ),
    "U6-the-schema-version-is-mandatory": World(
        switches={"schema_version_required": True, "schema_version_types": ("number",)},
        says=CONVERGED,
    ),
    "U7-the-key-stays": World(
        scene=scenes.renamed, switches={"rekey_on_uid_change": False}, says=CONVERGED
    ),
    "U7-the-key-moves": World(scene=scenes.renamed, says=CONVERGED),
    "U8-a-series-cannot-be-removed": World(
        scene=scenes.without_a_series, switches={"remove_series": False}, says=FAILED
    ),
    "U8-the-last-cannot-be-removed": World(scene=scenes.without_its_last_series, says=FAILED),
    "U9-a-failed-version-has-no-content": World(
        switches={"failed_version_metadata": "missing"},
        faults=(UPDATE_FAILED,),
        says=("failed", "converged", "converged"),
    ),
    "U9-a-failed-update-makes-no-version": World(
        switches={"failed_update_makes_version": False},
        faults=(UPDATE_FAILED,),
        # What became of version 1 is unknown: its updatedAt is another one now.
        says=("failed", "drifted", "drifted"),
        words=("the update failed and created no version",),
    ),
    "U9-drift-before-a-failed-version-without-content": World(
        switches={"failed_version_metadata": "missing"},
        later=later_changed_and_failed,
        says=("converged", "drifted", "drifted"),
    ),
    "U10-no-content-while-locked": World(
        switches={"unversioned_read_while_updating": "conflict"},
        before=locked_before,
        later=rest,
        says=("busy", "converged", "converged"),
    ),
    "U11-patient-level-is-not-study-wide": World(
        scene=commented_study, switches={"study_wide_levels": ("Study",)}, says=FAILED
    ),
    "U11-series-level-of-a-primary-is-taken": World(
        scene=series_described,
        switches={"primary_bans": False},
        says=("blocked", "blocked", "blocked"),
    ),
    "U12-a-sibling-changes-in-the-window": World(
        scene=scenes.study,
        faults=(in_the_window(B, "StudyDescription"),),
        says=("conflict", "converged", "converged"),
    ),
    "U13-the-limit-is-lower": World(switches={"payload_limit_bytes": 50}, says=FAILED),
    "U14-search-is-behind": World(
        scene=scenes.study, switches={"search_lag_seconds": 500.0}, says=CONVERGED
    ),
    "U15-oldest-first": World(
        switches={"versions_order": "oldest-first"},
        faults=({**in_the_window(A, "PatientState"), "moment": "after"},),
        says=CONVERGED,
    ),
    "U16-the-update-wins": World(
        scene=scenes.contradicting,
        switches={"same_key_twice": "update-wins"},
        says=("error", "error", "error"),
    ),
    "U17-private-elements-above-the-instance": World(scene=scenes.with_private, says=CONVERGED),
    "U18-fields-that-nothing-describes": World(
        switches={"undescribed_fields": True}, says=CONVERGED
    ),
    "U19-a-missing-data-store-is-a-403": World(
        scene=scenes.without_a_data_store,
        switches={"missing_datastore_code": "AccessDeniedException"},
        says=("error", "error", "error"),
        words=("it does not exist, or the credentials have no permission",),
    ),
    "U21-another-update-between-plan-and-apply": World(meanwhile=described, says=HELD_BACK),
    "U21-an-import-between-plan-and-apply": World(
        scene=scenes.voltage,
        meanwhile=imported,
        says=("conflict", "converged", "converged"),
    ),
    "U22-an-equal-update-makes-no-version": World(
        scene=held_by_b,
        switches={"equal_update_makes_version": False},
        says=CONVERGED,
    ),
    "U23-removals-need-no-force": World(
        scene=scenes.removed_by_force, switches={"removals_need_force": False}, says=CONVERGED
    ),
    "U23-removals-need-force-though-a-rule-denies-it": World(scene=unforced, says=FAILED),
    "U24-version-1-has-no-updated-at": World(
        switches={"first_version_has_updated_at": False}, says=CONVERGED
    ),
    "U29-the-number-comes-late": World(switches={"number_lag_seconds": 20.0}, says=CONVERGED),
    "U29-the-content-comes-late": World(switches={"content_lag_seconds": 3.0}, says=CONVERGED),
    "U29-there-is-no-content-at-first": World(
        switches={"content_lag_seconds": 3.0, "content_until_then": "missing"}, says=CONVERGED
    ),
    "U29-the-content-comes-much-later": World(
        switches={"content_lag_seconds": 40.0, "content_until_then": "missing"},
        later=rest,
        says=("unresolved", "converged", "converged"),
    ),
    "U29-the-old-content-stays-for-long": World(
        switches={"content_lag_seconds": 40.0}, later=rest, says=BLOCKED_AFTER
    ),
    "U30-force-skips-the-version": World(
        scene=scenes.forced,
        switches={"pin_checked_with_force": False},
        faults=(in_the_window(A, "StudyDescription"),),
        says=BLOCKED_AFTER,
        words=(OVER,),
    ),
    "U30-force-skips-the-version-of-the-same-attribute": World(
        scene=lambda on: scenes.forced(on, DESCRIBED),
        switches={"pin_checked_with_force": False},
        faults=(in_the_window(A, "StudyDescription"),),
        says=BLOCKED_AFTER,
        words=(OVER,),
    ),
    "U30-force-skips-the-version-and-the-answer-is-lost": World(
        scene=scenes.forced,
        switches={"pin_checked_with_force": False},
        faults=(
            in_the_window(A, "StudyDescription"),
            {"kind": "reset-after", "operation": UPDATE, "nth": 1},
        ),
        says=("conflict", "converged", "converged"),
        words=("went from version 1 to 3: another process changed it",),
    ),
    "U31-our-update-makes-no-version": World(
        switches={"update_makes_version": False},
        says=BLOCKED_AFTER,
        words=("changed version 1 itself and created no version",),
    ),
    "U31-another-update-between-plan-and-apply-makes-no-version": World(
        meanwhile=in_place,
        says=("stale", "converged", "converged"),
        words=("its updatedAt differs",),
    ),
    "U31-another-update-after-ours-makes-no-version": World(
        later=in_place, says=("converged", "drifted", "drifted")
    ),
    "U32-siblings-are-left": World(
        scene=scenes.study,
        switches={"siblings_of_study_wide": "left"},
        says=BLOCKED_AFTER,
        words=("the study-wide update left it out",),
    ),
    "U32-a-failure-raises-siblings": World(
        scene=scenes.study,
        switches={"siblings_of_failed": "failed"},
        faults=(UPDATE_FAILED,),
        says=("failed", "converged", "converged"),
    ),
    "U32-a-failure-changes-siblings": World(
        scene=scenes.study,
        switches={"siblings_of_failed": "changed"},
        faults=(UPDATE_FAILED,),
        says=("failed", "converged", "converged"),
    ),
    "U33-values-are-normalised": World(
        switches={"stored_text": "capitals"},
        scene=lambda on: scenes.one(on, ("Study/StudyDescription", "ct chest")),
        says=BLOCKED_AFTER,
    ),
    "U33-checksums-change": World(
        scene=scenes.with_checksums, switches={"service_fields": "changed"}, says=BLOCKED_AFTER
    ),
    "U33-fields-are-added": World(
        scene=scenes.of_2023,
        switches={"service_fields": "added"},
        says=CONVERGED,
        words=("the service added StoredTransferSyntaxUID",),
    ),
    "U33-empty-values-are-dropped": World(switches={"keeps_empty": False}, says=BLOCKED_AFTER),
    "U34-removals-have-no-effect": World(
        scene=scenes.removed, switches={"removals_take_effect": False}, says=BLOCKED_AFTER
    ),
    "U34-of-two-parts-the-removal-alone": World(
        scene=scenes.both_parts,
        switches={"applied_of_two": ("removableAttributes",)},
        says=BLOCKED_AFTER,
    ),
    "U34-of-two-parts-the-update-alone": World(
        scene=scenes.both_parts,
        switches={"applied_of_two": ("updatableAttributes",)},
        says=BLOCKED_AFTER,
    ),
}
