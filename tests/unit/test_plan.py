"""Diffs -> actions: consent, studies, calls, digests, and the plan as a file."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from reconciler.core.dicom.content import content_digest, digest
from reconciler.core.dicom.updates import encode, simulate
from reconciler.core.errors import NotFoundError, Place, PlanFileError
from reconciler.core.model.address import PATIENT, STUDY, instance_at, series_at
from reconciler.core.model.ask import Source
from reconciler.core.model.change import Change, Op
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.key import Key
from reconciler.core.model.observed import Summary
from reconciler.core.model.plan import Action, Basis, Plan, Released, Status
from reconciler.core.model.settings import Datastore, Permission, Settings
from reconciler.core.model.value import Document, Value
from reconciler.core.plan import action_digest, eta_seconds, with_digests
from reconciler.core.plan.checker import contradictions
from reconciler.core.plan.consent import CONSENT, MISSING_SHOWN, By, judge
from reconciler.core.plan.file import dumps, loads, plan_digest
from reconciler.core.plan.split import TooLarge, split
from tests.documents import DATASTORE_ID, KEY, SERIES_UID, document, instance, series
from tests.planning import DATASTORE, A, B, C, Stage, messages

# --- consent ---------------------------------------------------------------------------------

MANIFEST = Place("a.yaml", 1, 1)


def source(*allow: Consent, force: bool = False, file: str = "a.yaml") -> Source:
    return Source(Place(file, 1, 1), force=force, allow=allow, own=A)


def test_every_hazard_has_its_kind_of_consent() -> None:
    kinds = {kind: {h for h, by in CONSENT.items() if by is kind} for kind in By}
    assert set(CONSENT) == set(Hazard)
    assert kinds[By.LINE] == {
        Hazard.REMOVES_ATTRIBUTE,
        Hazard.REVERTS_VERSION,
        Hazard.RESTORES_INSTANCE,
    }
    assert kinds[By.NOTHING] == {Hazard.CHANGES_GROUPING, Hazard.HISTORY_KEEPS_VALUES}
    assert kinds[By.FORCE] == {Hazard.FORCE}
    assert kinds[By.NAME_AND_VERSION] == {
        Hazard.OVERWRITES_DRIFT,
        Hazard.ACCEPTS_UNVERIFIED,
    }


@pytest.mark.parametrize("hazard", list(Hazard))
def test_nothing_but_its_own_consent_lets_a_hazard_pass(hazard: Hazard) -> None:
    everything_else = [Consent(other) for other in Hazard if other is not hazard]
    everything_else += [
        Consent(Hazard.OVERWRITES_DRIFT, *others)
        for others in ((), ("5",), ("6", A), ("5", B), ("", A))
    ]
    unforced = source(*everything_else, force=hazard is not Hazard.FORCE)
    given = judge(hazard, A, [unforced], everything_else, ["5"])
    free = CONSENT[hazard] in (By.LINE, By.NOTHING)
    assert given.consented is free
    assert bool(given.consent) is not free
    assert given.place == (None if free else MANIFEST)


@pytest.mark.parametrize(
    ("hazard", "line", "consent"),
    [
        (Hazard.FORCE, "force: true", source(force=True)),
        (
            Hazard.REMOVES_SERIES,
            "allow: [REMOVES_SERIES]",
            source(Consent(Hazard.REMOVES_SERIES)),
        ),
        (
            Hazard.OVERWRITES_DRIFT,
            "allow: [OVERWRITES_DRIFT@5]",
            source(Consent(Hazard.OVERWRITES_DRIFT, "5", A)),
        ),
    ],
)
def test_the_line_that_is_missing_is_told_and_is_enough(
    hazard: Hazard, line: str, consent: Source
) -> None:
    refused = judge(hazard, A, [source()], [], ["5"])
    assert (refused.consented, refused.consent, refused.place) == (False, line, MANIFEST)
    given = judge(hazard, A, [source(), replace(consent, place=Place("b.yaml"))], [], ["5"])
    assert (given.consented, given.consent) == (True, "")


def test_a_default_of_the_repository_consents() -> None:
    wanted = Consent(Hazard.REMOVES_SERIES)
    assert judge(Hazard.REMOVES_SERIES, A, [source()], [wanted]).consented


# --- one image set ---------------------------------------------------------------------------


def one(image_set_id: str = A, number: int = 1, **study: Any) -> dict[str, Any]:
    uid = f"1.2.{number}"
    block = series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2")])
    return document(block, image_set_id=image_set_id, study=study)


def staged(*documents: dict[str, Any], primary: bool = False, **settings: Any) -> Stage:
    stage = Stage(**settings)
    for each in documents or (one(),):
        stage.put(each, primary=primary)
    return stage


def hazards(action: Action) -> list[tuple[str, str, bool]]:
    return [(str(use.hazard), use.image_set_id[0], use.consented) for use in action.hazards]


NAME = f"imageSetId: {A}\npresent: {{Patient: {{DICOM: {{PatientName: N}}}}}}\n"
CONSENTED = NAME + "allow: [CHANGES_PATIENT_IDENTITY]\n"


def test_without_consent_nothing_is_sent() -> None:
    action = staged().action(NAME)
    assert (action.status, action.steps) == (Status.BLOCKED, ())
    assert hazards(action) == [("CHANGES_PATIENT_IDENTITY", "a", False)]
    (use,) = action.hazards
    assert (use.consent, use.place) == ("allow: [CHANGES_PATIENT_IDENTITY]", MANIFEST)
    assert len(staged().action(CONSENTED).steps) == 1


def test_consent_of_a_manifest_that_asks_something_else_does_not_count() -> None:
    other = f"imageSetId: {A}\npresent: {{Study: {{DICOM: {{StudyDescription: x}}}}}}\n"
    action = staged().action(NAME, other + "allow: [CHANGES_PATIENT_IDENTITY]\n")
    assert action.steps == ()
    # Force of another manifest neither, and one refusal holds the whole call.
    multi = f"imageSetId: {A}\npresent: {{Study: {{DICOM: {{StudyID: x}}}}}}\n"
    assert staged().action(multi, other + "force: true\n").steps == ()
    (step,) = staged().action(multi + "force: true\n", other).steps
    assert step.force


def test_consent_to_drift_lapses_with_the_version() -> None:
    stage = staged()
    stage.run(stage.action(CONSENTED))
    stage.record(CONSENTED)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="M"))
    drift = NAME + "allow: [CHANGES_PATIENT_IDENTITY, OVERWRITES_DRIFT@3]\n"
    held = stage.action(CONSENTED)
    assert (held.status, held.steps) == (Status.DRIFTED, ())
    assert held.hazards[-1].consent == "allow: [CHANGES_PATIENT_IDENTITY, OVERWRITES_DRIFT@3]"
    assert (stage.action(drift).status, len(stage.action(drift).steps)) == (Status.DRIFTED, 1)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="O"))
    lapsed = stage.action(drift)
    assert lapsed.steps == ()
    assert lapsed.hazards[-1].consent == "allow: [CHANGES_PATIENT_IDENTITY, OVERWRITES_DRIFT@4]"


LIST = f"imageSetIds: [{A}, {B}]\npresent: {{Study: {{DICOM: {{StudyDescription: x}}}}}}\n"


def converged(manifest: str, *image_set_ids: str) -> Stage:
    """Everything is as the manifest asks, and recorded, at version 2."""
    stage = staged(*(one(name, number) for number, name in enumerate(image_set_ids, 1)))
    for action in stage.plan(manifest):
        stage.run(action)
    stage.record(manifest)
    return stage


def somebody_describes(stage: Stage, image_set_id: str) -> None:
    stage.service.foreign(image_set_id, lambda d: d["Study"]["DICOM"].update(StudyDescription="y"))


def overwrites(action: Action) -> str:
    """The line that an action lacks; "" where it is carried out."""
    (use,) = [use for use in action.hazards if use.hazard is Hazard.OVERWRITES_DRIFT]
    assert use.consented is bool(action.steps)
    return use.consent


def test_consent_to_drift_of_one_image_set_never_passes_to_another_of_its_list() -> None:
    stage = converged(LIST, A, B)
    somebody_describes(stage, A)
    first, _ = stage.plan(LIST)
    consented = LIST + overwrites(first) + "\n"
    stage.run(stage.plan(consented)[0])
    stage.record(consented)
    assert (stage.service.version(A), stage.service.version(B)) == ("4", "2")
    # Months later, by the same number.
    somebody_describes(stage, B)
    _, second = stage.plan(consented)
    assert (second.status, second.steps) == (Status.DRIFTED, ())
    assert overwrites(second) == f"allow: [OVERWRITES_DRIFT@3:{B}]"
    # The action that reads the consent notes that it is no longer needed.
    assert [note.message for note in second.notes] == [
        f"`allow: OVERWRITES_DRIFT@3:{A}` is not needed"
    ]


def test_the_line_that_a_list_lacks_is_enough_for_all_that_drifted() -> None:
    stage = converged(LIST, A, B)
    for name in (A, B):
        somebody_describes(stage, name)
    line = f"allow: [OVERWRITES_DRIFT@3:{A}, OVERWRITES_DRIFT@3:{B}]"
    assert [overwrites(action) for action in stage.plan(LIST)] == [line, line]
    for allow in (f"allow: [OVERWRITES_DRIFT@3:{A}]", f"allow: ['OVERWRITES_DRIFT@3:{A}']"):
        first, second = stage.plan(LIST + allow + "\n")
        assert (overwrites(first), overwrites(second)) == ("", line)
        assert (first.notes, second.notes) == ((), ())
    assert [overwrites(action) for action in stage.plan(LIST + line + "\n")] == ["", ""]


def test_consent_to_another_version_of_a_member_is_noted_and_leaves_the_line() -> None:
    stage = converged(LIST, A, B)
    somebody_describes(stage, A)
    action, _ = stage.plan(LIST + f"allow: [OVERWRITES_DRIFT@3:{B}, OVERWRITES_DRIFT@2:{A}]\n")
    assert overwrites(action) == f"allow: [OVERWRITES_DRIFT@3:{A}]"
    assert [note.message for note in action.notes] == [
        f"`allow: OVERWRITES_DRIFT@2:{A}` is not needed",
        f"`allow: OVERWRITES_DRIFT@3:{B}` is not needed",
    ]


@pytest.mark.parametrize("names", [f"imageSetId: {A}", f"imageSetIds: [{A}]"])
@pytest.mark.parametrize("spelling", ["OVERWRITES_DRIFT@3", f"OVERWRITES_DRIFT@3:{A}"])
def test_a_manifest_of_one_image_set_takes_either_spelling(names: str, spelling: str) -> None:
    manifest = LIST.replace(LIST.splitlines()[0], names)
    stage = converged(manifest, A)
    somebody_describes(stage, A)
    assert overwrites(stage.action(manifest)) == "allow: [OVERWRITES_DRIFT@3]"
    assert overwrites(stage.action(manifest + f"allow: [{spelling}]\n")) == ""


def test_two_lists_that_name_an_image_set_consent_each_for_itself() -> None:
    """A line of either is enough, and the refusal spells it for the one it points to."""
    single = LIST.replace(LIST.splitlines()[0], f"imageSetId: {A}")
    stage = converged(LIST, A, B)
    stage.record(single, LIST)
    somebody_describes(stage, A)
    short, long = "allow: [OVERWRITES_DRIFT@3]", f"allow: [OVERWRITES_DRIFT@3:{A}]"
    for manifests, line in (((single, LIST), short), ((LIST, single), long)):
        assert overwrites(stage.plan(*manifests)[0]) == line
        first, second = manifests
        assert overwrites(stage.plan(first + line + "\n", second)[0]) == ""


def test_of_many_that_drifted_the_line_takes_the_first_and_its_own() -> None:
    """One line for each action: with all of them a plan would grow with the square of a list."""
    names = [f"{number:032d}" for number in range(MISSING_SHOWN + 10)]
    manifest = LIST.replace(f"{A}, {B}", ", ".join(names))
    stage = converged(manifest, *names)
    for name in names:
        somebody_describes(stage, name)
    lines = [overwrites(action) for action in stage.plan(manifest)]
    drift = "OVERWRITES_DRIFT@3:"
    assert lines[0] == f"allow: [{', '.join(drift + name for name in names[:MISSING_SHOWN])}]"
    assert lines[-1] == f"{lines[0][:-1]}, {drift}{names[-1]}]"
    # What is given stays on the line, so that pasting one after the other comes to an end.
    pasted = [overwrites(action) for action in stage.plan(manifest + lines[-1] + "\n")]
    missing = names[MISSING_SHOWN:-1]
    assert pasted.count("") == MISSING_SHOWN + 1
    assert set(pasted[MISSING_SHOWN:-1]) == {
        f"{lines[-1][:-1]}, {', '.join(drift + name for name in missing)}]"
    }


def test_of_many_that_drifted_none_leaves_another_hazard_off_the_line() -> None:
    names = [f"{number:032d}" for number in range(MISSING_SHOWN + 1)]
    manifest = LIST.replace(f"{A}, {B}", ", ".join(names))
    stage = converged(manifest, *names)
    for name in names:
        somebody_describes(stage, name)
    # Only the first image set holds it.
    gone = "absent: {Study: {Series: {1.2.1: {Instances: [1.2.1.1]}}}}\n"
    actions = stage.plan(manifest + gone)
    assert [len(action.changes) for action in actions[:2]] == [2, 1]
    for action in actions:
        assert overwrites(action).endswith(", REMOVES_INSTANCE]")


def test_drift_without_another_consent_is_blocked() -> None:
    stage = staged()
    stage.run(stage.action(CONSENTED))
    stage.record(CONSENTED)
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="M"))
    assert stage.action(NAME + "allow: [OVERWRITES_DRIFT@3]\n").status is Status.BLOCKED


def test_a_revert_needs_consent_to_what_is_inside() -> None:
    stage = staged()
    stage.service.foreign(A, lambda d: d["Patient"]["DICOM"].update(PatientName="M"))
    stage.service.foreign(A, lambda d: d["Study"]["Series"].update({"1.9": series("1.9", [])}))
    revert = f"imageSetId: {A}\nrevertToVersionId: '1'\n"
    assert hazards(stage.action(revert)) == [
        ("REVERTS_VERSION", "a", True),
        ("REMOVES_SERIES", "a", False),
        ("CHANGES_PATIENT_IDENTITY", "a", False),
    ]
    (step,) = stage.action(revert + "allow: [REMOVES_SERIES, CHANGES_PATIENT_IDENTITY]\n").steps
    assert (step.revert_to, step.pin, step.force, step.study_wide) == ("1", "3", False, False)


def test_a_returning_instance_or_series_is_shown() -> None:
    stage = staged()
    stage.service.foreign(A, lambda d: d["Study"]["Series"]["1.2.1"]["Instances"].popitem())
    revert = f"imageSetId: {A}\nrevertToVersionId: '1'\n"
    action = stage.action(revert)
    assert hazards(action) == [("REVERTS_VERSION", "a", True), ("RESTORES_INSTANCE", "a", True)]
    assert len(action.steps) == 1
    stage.service.foreign(A, lambda d: d["Study"].update(Series={"1.9": series("1.9", [])}))
    assert ("RESTORES_INSTANCE", "a", True) in hazards(stage.action(revert))


def test_unneeded_consent_is_noted_once_and_never_for_what_is_converged() -> None:
    extra = CONSENTED.replace("[", "[REMOVES_SERIES, ") + "force: true\n"
    notes = [note.message for note in staged().action(extra).notes]
    assert notes == [
        "`allow: REMOVES_SERIES` is not needed",
        "`force: true` is not needed",
    ]
    stage = staged()
    stage.run(stage.action(CONSENTED))
    assert stage.action(extra).notes == ()


# --- calls -----------------------------------------------------------------------------------


def update(number: int, size: int = 10, *, tag: int = 0x00204000, op: Op = Op.UPDATE) -> Change:
    return Change(
        image_set_id=A,
        op=op,
        address=instance_at("1.2", f"1.2.{number:03}"),
        key=f"{tag:08X}",
        tag=tag,
        vr="LT",
        before=Value("y" * size) if op is Op.REMOVE else None,
        after=None if op is Op.REMOVE else Value("x" * size),
    )


def test_calls_are_filled_to_the_limit_and_never_beyond() -> None:
    changes = [update(number, 100) for number in range(50)]
    calls = split(changes, 2_000)
    assert [change for call in calls for change in call] == changes
    assert all(encode(call).payload_bytes <= 2_000 for call in calls)
    for call, following in pairwise(calls):
        assert encode([*call, following[0]]).payload_bytes > 2_000


def test_what_fits_exactly_is_one_call() -> None:
    changes = [update(1), update(2)]
    exact = encode(changes).payload_bytes
    assert len(split(changes, exact)) == 1
    assert len(split(changes, exact - 1)) == 2
    assert split([], 10) == []


def test_both_blobs_count() -> None:
    changes = [update(1, 60), update(2, 60, op=Op.REMOVE)]
    blobs = encode(changes)
    assert blobs.updatable is not None
    assert blobs.removable is not None
    assert len(split(changes, blobs.payload_bytes)) == 1
    assert len(split(changes, blobs.payload_bytes - 1)) == 2
    assert blobs.payload_bytes % 4 == 0  # base64


def test_one_blob_has_a_bound_of_its_own() -> None:
    with pytest.raises(TooLarge):
        split([update(1, 30_001)], 1_000_000)
    assert len(split([update(1, 16_000), update(2, 16_000)], 1_000_000)) == 2


def test_one_change_that_alone_is_too_large_is_named() -> None:
    with pytest.raises(TooLarge) as caught:
        split([update(1), update(2, 3_000), update(3)], 2_000)
    assert caught.value.change == update(2, 3_000)
    assert "xxx" not in str(caught.value)


def test_uids_change_last_and_inner_ones_first() -> None:
    uids = [
        replace(update(1, tag=0x0020000D), address=STUDY),
        replace(update(1, tag=0x0020000E), address=series_at("1.2")),
        update(1, tag=0x00080018),
        update(2),
    ]
    (call,) = split(uids, 10_000)
    assert [change.tag for change in call] == [0x00204000, 0x00080018, 0x0020000E, 0x0020000D]


@pytest.mark.parametrize(
    ("renames", "removes", "calls"),
    [
        ("DICOM: {SeriesInstanceUID: 1.2.9}", "Instances: [1.2.1.2]", 2),
        ("DICOM: {SeriesInstanceUID: 1.2.9}", "DICOM: [SeriesNumber]", 2),
        (
            "DICOM: {SeriesInstanceUID: 1.2.9}",
            "Instances: {1.2.1.1: {DICOM: [ImageComments]}}",
            2,
        ),
        (
            "Instances: {1.2.1.1: {DICOM: {SOPInstanceUID: 1.2.9}}}",
            "Instances: {1.2.1.1: {DICOM: [ImageComments]}}",
            2,
        ),
        ("Instances: {1.2.1.1: {DICOM: {SOPInstanceUID: 1.2.9}}}", "Instances: [1.2.1.2]", 1),
    ],
)
def test_what_renames_a_block_never_goes_with_a_removal_in_it(
    renames: str, removes: str, calls: int
) -> None:
    """Were the updates done first, the removal would look for the old UID in vain."""
    manifest = (
        f"imageSetId: {A}\npresent: {{Study: {{Series: {{1.2.1: {{{renames}}}}}}}}}\n"
        f"absent: {{Study: {{Series: {{1.2.1: {{{removes}}}}}}}}}\nforce: true\n"
        "allow: [CHANGES_UID, REMOVES_INSTANCE, SPLIT_UPDATE]\n"
    )
    stage = staged()
    action = stage.action(manifest)
    assert len(action.steps) == calls
    assert ("SPLIT_UPDATE", "a", True) in hazards(action) or calls == 1
    stage.run(action)
    assert stage.action(manifest).status is Status.CONVERGED


def test_splitting_needs_consent_and_pins_each_call_to_the_one_before() -> None:
    long = "x" * 200
    uid = SERIES_UID
    inside = f'{{"*": {{Instances: {{"*": {{DICOM: {{ImageComments: {long}}}}}}}}}}}'
    manifest = f"imageSetId: {A}\npresent: {{Study: {{Series: {inside}}}}}\n"
    live = document(series(uid, [instance(f"{uid}.{n}") for n in range(9)]), image_set_id=A)
    stage = staged(live, payload_bytes=1_600)
    refused = stage.action(manifest)
    assert (refused.status, refused.steps) == (Status.BLOCKED, ())
    assert hazards(refused) == [("SPLIT_UPDATE", "a", False)]
    action = stage.action(manifest + "allow: [SPLIT_UPDATE]\n")
    assert [step.pin for step in action.steps] == [str(n + 1) for n in range(len(action.steps))]
    assert len(action.steps) > 2
    stage.run(action)
    assert stage.action(manifest).status is Status.CONVERGED


# --- consent of several manifests ------------------------------------------------------------

LONG = "x" * 500


def comments(image_set_id: str, *keywords: str, allow: str = "") -> str:
    """Ask for long texts, each of which fills a call of 1,000 bytes."""
    texts = ", ".join(f"{keyword}: {LONG}" for keyword in keywords)
    asked = f"imageSetId: {image_set_id}\npresent: {{Study: {{DICOM: {{{texts}}}}}}}\nforce: true\n"
    return asked + (f"allow: [{allow}]\n" if allow else "")


TWO = ("AdditionalPatientHistory", "ReasonForVisit")


def consents(action: Action, hazard: str) -> list[tuple[str, bool]]:
    """The manifest and the answer of each use of a hazard."""
    return [
        (use.place.file if use.place else "", use.consented)
        for use in action.hazards
        if use.hazard == hazard
    ]


@pytest.mark.parametrize("primary", [False, True])
def test_consent_to_a_split_covers_the_changes_of_its_manifest_alone(primary: bool) -> None:
    stage = staged(primary=primary, payload_bytes=1_000)
    other = asks(A, "StudyDescription: x", "allow: [SPLIT_UPDATE]")
    refused = stage.action(comments(A, *TWO), other)
    assert consents(refused, "SPLIT_UPDATE") == [("a.yaml", False)]
    assert (refused.status, refused.steps) == (Status.BLOCKED, ())
    action = stage.action(comments(A, *TWO, allow="SPLIT_UPDATE"), asks(A, "StudyDescription: x"))
    assert consents(action, "SPLIT_UPDATE") == [("a.yaml", True)]
    assert len(action.steps) == 2
    stage.run(action)


def test_consent_to_a_split_on_a_member_covers_the_changes_of_its_manifest_alone() -> None:
    def own(text: str, allow: str = "") -> str:
        inside = f'{{"*": {{Instances: {{"*": {{DICOM: {{{text}}}}}}}}}}}'
        return f"imageSetId: {B}\npresent: {{Study: {{Series: {inside}}}}}\n{allow}\n"

    stage = a_study(payload_bytes=1_000)
    other = own("AcquisitionNumber: '7'", "allow: [SPLIT_UPDATE]")
    wide = [asks(name, "StudyDescription: x") for name in (A, C)]
    refused = stage.action(own(f"ImageComments: {LONG}"), other, *wide)
    assert consents(refused, "SPLIT_UPDATE") == [("a.yaml", False)]


def test_manifests_of_which_each_goes_out_in_one_call_need_no_consent() -> None:
    stage = staged(payload_bytes=1_000)
    action = stage.action(*(comments(A, keyword) for keyword in TWO))
    assert (len(action.steps), consents(action, "SPLIT_UPDATE")) == (2, [("", True)])
    stage.run(action)


def test_calls_for_different_levels_are_shown_and_need_no_consent() -> None:
    levels = (
        f"Patient: {{DICOM: {{PatientComments: {LONG}}}}}",
        f"Study: {{DICOM: {{ReasonForVisit: {LONG}}}}}",
    )
    stage = staged(payload_bytes=1_000)
    action = stage.action(f"imageSetId: {A}\npresent: {{{', '.join(levels)}}}\n")
    assert (len(action.steps), consents(action, "SPLIT_UPDATE")) == (2, [("", True)])
    stage.run(action)


def test_consent_to_a_split_that_is_only_shown_is_not_needed() -> None:
    stage = staged(payload_bytes=1_000)
    first, second = (comments(A, keyword) for keyword in TWO)
    action = stage.action(first + "allow: [SPLIT_UPDATE]\n", second)
    assert "`allow: SPLIT_UPDATE` is not needed" in [note.message for note in action.notes]


def test_a_study_wide_call_and_an_own_call_are_shown_and_need_no_consent() -> None:
    inside = '{"*": {Instances: {"*": {DICOM: {ImageComments: x}}}}}'
    stage = a_study()
    own = f"imageSetId: {B}\npresent: {{Study: {{Series: {inside}}}}}\n"
    action = stage.action(*(asks(name, "StudyDescription: x") for name in (A, B, C)), own)
    assert [use for use in hazards(action) if use[0] == "SPLIT_UPDATE"] == [
        ("SPLIT_UPDATE", "b", True)
    ]
    assert [step.study_wide for step in action.steps] == [True, False]
    others = tuple(use for use in action.hazards if use.hazard is not Hazard.SPLIT_UPDATE)
    hidden = contradictions(replace(action, hazards=others))
    assert hidden == (f"SPLIT_UPDATE of image set {B} is not shown",)


@pytest.mark.parametrize("consenting", [0, 1])
def test_of_a_change_that_two_manifests_ask_for_either_consents(consenting: int) -> None:
    stage = staged(payload_bytes=1_000)
    allow = ["", ""]
    refused = stage.action(*(comments(A, *TWO, allow=one) for one in allow))
    assert consents(refused, "SPLIT_UPDATE") == [("a.yaml", False)], "one line is enough"
    allow[consenting] = "SPLIT_UPDATE"
    action = stage.action(*(comments(A, *TWO, allow=one) for one in allow))
    assert all(given for _, given in consents(action, "SPLIT_UPDATE"))
    assert len(action.steps) == 2


def test_a_shared_change_does_not_carry_the_consent_to_the_others() -> None:
    stage = staged(payload_bytes=1_000)
    shared = comments(A, TWO[1], allow="SPLIT_UPDATE")
    refused = stage.action(comments(A, *TWO), shared)
    assert ("a.yaml", False) in consents(refused, "SPLIT_UPDATE")


def test_consent_to_change_a_whole_study_covers_the_changes_of_its_manifest_alone() -> None:
    stage = a_study()
    plain = asks(A, "StudyDescription: x")
    refused = stage.action(plain, asks(B, "StudyTime: '120000'", "allow: [STUDY_WIDE]"))
    assert consents(refused, "STUDY_WIDE") == [("a.yaml", False), ("b.yaml", True)]
    assert refused.steps == ()
    same = stage.action(plain, asks(B, "StudyDescription: x", "allow: [STUDY_WIDE]"))
    assert consents(same, "STUDY_WIDE") == [("a.yaml", True)]
    assert len(same.steps) == 1


def test_a_change_names_its_manifests_where_the_action_has_several() -> None:
    stage = staged()
    action = stage.action(asks(A, "StudyDescription: x"), asks(A, "StudyTime: '120000'"))
    assert [[place.file for place in change.manifests] for change in action.changes] == [
        ["b.yaml"],
        ["a.yaml"],
    ]
    assert loads(dumps(Plan(Basis("", 1), (action,)))).actions == (action,)
    assert stage.action(asks(A, "StudyDescription: x")).changes[0].manifests == ()


def test_force_is_sent_with_the_call_that_needs_it_alone() -> None:
    comments = "x" * 600
    manifest = (
        f"imageSetId: {A}\npresent:\n  Study:\n    DICOM: {{StudyID: S9}}\n    Series:\n"
        f'      "*": {{Instances: {{"*": {{DICOM: {{ImageComments: {comments}}}}}}}}}\n'
        "force: true\nallow: [SPLIT_UPDATE]\n"
    )
    stage = staged(payload_bytes=1_300)
    action = stage.action(manifest)
    assert [(step.force, "StudyID" in (step.updatable or "")) for step in action.steps] == [
        (True, True),
        (False, False),
    ]
    stage.run(action)


def test_a_value_beyond_the_limit_is_blocked_without_showing_it() -> None:
    manifest = f"imageSetId: {A}\npresent: {{Patient: {{DICOM: {{PatientComments: {'x' * 900}}}}}}}"
    action = staged(payload_bytes=1_000).action(manifest)
    assert messages(action) == ["this value alone exceeds the payload limit of 1000 bytes"]
    assert action.blocks[0].path == "Patient/PatientComments"


def test_half_a_surrogate_pair_is_removed_as_it_stands() -> None:
    stage = staged(one(StudyDescription="a\ud800b"))
    action = stage.action(f"imageSetId: {A}\nabsent: {{Study: {{DICOM: [StudyDescription]}}}}\n")
    (step,) = action.steps
    assert step.removable is not None
    assert step.removable.encode()
    assert loads(dumps(Plan(Basis("", 1), (action,)))).steps == action.steps
    stage.run(action)


# --- a study ---------------------------------------------------------------------------------


def asks(image_set_id: str, study: str, more: str = "") -> str:
    return f"imageSetId: {image_set_id}\npresent: {{Study: {{DICOM: {{{study}}}}}}}\n{more}\n"


def a_study(**settings: Any) -> Stage:
    return staged(one(A, 1), one(B, 2), one(C, 3), primary=True, **settings)


def test_one_call_moves_the_study_and_says_so() -> None:
    stage = a_study()
    manifests = [asks(name, "StudyDescription: x") for name in (A, B, C)]
    action = stage.action(*manifests)
    (step,) = action.steps
    assert (step.study_wide, step.image_set_id, step.pin) == (True, A, "1")
    assert [name for name, _ in step.expected] == [A, B, C]
    assert hazards(action) == [("STUDY_WIDE", "a", True)]
    assert [change.image_set_id for change in action.changes] == [A, B, C]
    stage.run(action)
    assert {found.status for found in stage.plan(*manifests)} == {Status.CONVERGED}


def test_a_sibling_that_nobody_names_needs_consent() -> None:
    action = a_study().action(asks(B, "StudyDescription: x"), asks(C, "StudyDescription: x"))
    assert hazards(action) == [("STUDY_WIDE", "b", False)]
    assert action.steps == ()
    stage = a_study()
    action = stage.action(asks(B, "StudyDescription: x", "allow: [STUDY_WIDE]"))
    assert [member.image_set_id for member in action.members] == [A, B, C]
    assert [(m.pin, bool(m.ask_digest)) for m in action.members] == [
        ("1", False),
        ("1", True),
        ("1", False),
    ]
    stage.run(action)


def test_own_changes_follow_the_study_and_pin_what_it_produces() -> None:
    stage = a_study()
    own = f'imageSetId: {B}\npresent: {{Study: {{Series: {{"*": {{Instances: {{"*": {{DICOM: '
    own += "{ImageComments: x}}}}}}}\n"
    manifests = [asks(A, "StudyDescription: x"), own, asks(C, "StudyTime: '120000'")]
    action = stage.action(*manifests)
    assert [(s.image_set_id, s.pin, s.study_wide) for s in action.steps] == [
        (A, "1", True),
        (B, "2", False),
    ]
    stage.run(action)
    assert {found.status for found in stage.plan(*manifests)} == {Status.CONVERGED}


def test_the_call_goes_to_an_image_set_that_it_changes() -> None:
    """The first image set holds the value already: it would get a version for nothing."""
    stage = a_study()
    stage.service.foreign(A, lambda raw: raw["Study"]["DICOM"].update(StudyDescription="x"))
    own = f'imageSetId: {A}\npresent: {{Study: {{Series: {{"*": {{Instances: {{"*": {{DICOM: '
    own += "{ImageComments: x}}}}}}}\n"
    action = stage.action(own, *(asks(name, "StudyDescription: x") for name in (A, B, C)))
    assert [(step.image_set_id, step.study_wide) for step in action.steps] == [
        (B, True),
        (A, False),
    ]
    stage.run(action)


def test_splitting_the_study_wide_call_needs_consent_and_pins_on() -> None:
    def manifests(*allow: str) -> list[str]:
        return [
            asks(
                name,
                f"StudyID: S9, AdditionalPatientHistory: {LONG}, ReasonForVisit: x",
                f"force: true\nallow: [{', '.join(allow)}]" if allow else "force: true",
            )
            for name in (A, B, C)
        ]

    stage = a_study(payload_bytes=800)
    refused = stage.action(*manifests())
    assert ("SPLIT_UPDATE", "a", False) in hazards(refused)
    assert refused.steps == ()
    action = stage.action(*manifests("SPLIT_UPDATE"))
    assert [(s.image_set_id, s.pin, s.force) for s in action.steps] == [
        (A, "1", True),
        (A, "2", False),
    ]
    stage.run(action)
    assert {found.status for found in stage.plan(*manifests())} == {Status.CONVERGED}


def test_splitting_a_members_own_changes_needs_consent() -> None:
    own = (
        f'imageSetId: {B}\npresent: {{Study: {{Series: {{"*": {{Instances: {{"*": {{DICOM: '
        f"{{ImageComments: {LONG}}}}}}}}}}}}}}}\n"
    )
    others = [asks(name, "StudyDescription: x") for name in (A, C)]
    stage = a_study(payload_bytes=1_000)
    refused = stage.action(own, *others)
    assert (hazards(refused)[-1], refused.steps) == (("SPLIT_UPDATE", "b", False), ())
    action = stage.action(own + "allow: [SPLIT_UPDATE]\n", *others)
    assert [(s.image_set_id, s.pin) for s in action.steps] == [(A, "1"), (B, "2"), (B, "3")]
    stage.run(action)


def test_members_that_are_asked_differently_are_blocked() -> None:
    action = a_study().action(asks(A, "StudyDescription: x"), asks(B, "StudyDescription: y"))
    assert action.steps == ()
    assert messages(action) == ["this line contradicts a.yaml:5:27, which asks for the same study"]
    # Also where one of the two has what it asks already.
    stage = a_study()
    action = stage.action(asks(A, "StudyDescription: CHEST"), asks(B, "StudyDescription: y"))
    assert messages(action) == ["this line contradicts a.yaml:5:27, which asks for the same study"]


def test_one_value_in_two_spellings_is_shown_as_it_is_sent() -> None:
    stage = a_study()
    manifests = [asks(name, f'StudyDescription: "{text}"') for name, text in
                 ((A, "x"), (B, "x "), (C, "x  "))]  # fmt: skip
    action = stage.action(*manifests)
    assert [c.after.raw for c in action.changes if c.after] == ["x", "x", "x"]


def test_consent_to_drift_counts_for_the_image_set_that_its_manifest_names() -> None:
    stage = staged(one(A, 1), one(B, 2), primary=True)
    plain = [asks(name, "StudyDescription: x") for name in (A, B)]
    stage.run(stage.action(*plain))
    stage.record(*plain)
    for name in (A, B):
        stage.service.foreign(name, lambda d: d["Study"]["DICOM"].update(StudyDescription="y"))
    allow = "allow: [OVERWRITES_DRIFT@3]"
    action = stage.action(asks(A, "StudyDescription: x", allow), plain[1])
    assert hazards(action) == [
        ("STUDY_WIDE", "a", True),
        ("OVERWRITES_DRIFT", "a", True),
        ("OVERWRITES_DRIFT", "b", False),
    ]
    assert (action.status, action.steps) == (Status.DRIFTED, ())
    assert action.hazards[-1].place == Place("b.yaml", 1, 1)
    both = stage.action(*[asks(name, "StudyDescription: x", allow) for name in (A, B)])
    assert len(both.steps) == 1


def test_drift_of_one_member_holds_the_study() -> None:
    stage = staged(one(A, 1), one(B, 2), primary=True)
    plain = [asks(name, "StudyDescription: x") for name in (A, B)]
    stage.run(stage.action(*plain))
    stage.record(*plain)
    stage.service.foreign(B, lambda d: d["Study"]["DICOM"].update(StudyDescription="y"))
    action = stage.action(*plain)
    assert (action.status, action.steps) == (Status.DRIFTED, ())
    assert [(c.image_set_id, c.drifted) for c in action.changes] == [(B, True)]


@pytest.mark.parametrize("locked", [A, B, C])
def test_a_locked_member_makes_the_study_busy(locked: str) -> None:
    stage = a_study()
    stage.service.lock(locked, 100.0)
    manifests = [asks(name, "StudyDescription: x") for name in (A, B)]
    action = stage.action(*manifests, f"imageSetId: {B}\n" + NAME.split("\n", 1)[1])
    assert (action.status, action.steps) == (Status.BUSY, ())
    assert len(action.blocks) == 1
    assert "LOCKED" in action.blocks[0].message
    assert action.blocks[0].image_set_id == locked


def test_a_sibling_of_another_shape_blocks_the_study() -> None:
    stage = a_study()
    stage.service.foreign(C, lambda d: d["Patient"].update(DICOM=None))
    stage.service.search = lambda filters=(): iter(  # type: ignore[method-assign]
        [Summary(name, "1", True, None) for name in (A, B, C)]
    )
    (message,) = messages(stage.action(asks(A, "StudyDescription: x", "allow: [STUDY_WIDE]")))
    assert message.endswith("documented structure at Patient/DICOM")


def test_what_search_tells_is_confirmed() -> None:
    stage = staged(one(A, 1), one(B, 2), primary=True)
    stage.put(one(C, 3), primary=False)
    stage.service.foreign(B, lambda d: d["Study"]["DICOM"].update(StudyInstanceUID="1.9"))
    everything = [A, B, C, "d" * 32]
    stage.service.search = lambda filters=(): iter(  # type: ignore[method-assign]
        [Summary(name, "1", True, None) for name in everything]
    )
    plans = stage.plan(asks(A, "StudyDescription: x"), asks(C, "StudyDescription: x"))
    assert [[m.image_set_id for m in action.members] for action in plans] == [[A], [C]]
    assert [action.steps[0].study_wide for action in plans] == [True, False]


def test_what_search_does_not_list_yet_is_in_the_study_and_holds_it() -> None:
    """Where it does not list what was asked for, it may not list others either."""
    stage = staged(one(A, 1), one(B, 2), primary=True)
    stage.service.search_misses = {B}
    (action,) = stage.plan(asks(A, "StudyDescription: x"), asks(B, "StudyDescription: x"))
    assert [member.image_set_id for member in action.members] == [A, B]
    assert (action.status, action.steps) == (Status.BLOCKED, ())
    (block,) = action.blocks
    assert (block.image_set_id, "does not list this image set yet" in block.message) == (B, True)
    assert "run `reconcile plan` again later" in block.hint


def test_a_primary_without_a_study_uid_is_blocked() -> None:
    stage = staged(one(A, 1, StudyInstanceUID=None), one(B, 2, StudyInstanceUID=None), primary=True)
    plans = stage.plan(*[asks(name, "StudyDescription: x") for name in (A, B)])
    assert [action.steps for action in plans] == [(), ()]
    assert all("has no StudyInstanceUID" in messages(action)[0] for action in plans)


def removes(image_set_id: str, more: str = "") -> str:
    return f"imageSetId: {image_set_id}\nabsent: {{Study: {{DICOM: [StudyID]}}}}\n{more}\n"


def test_only_what_all_hold_alike_can_be_removed() -> None:
    more = "force: true\nallow: [STUDY_WIDE]"
    stage = staged(one(A, 1), one(B, 2), primary=True)
    action = stage.action(removes(B, more))
    assert [change.image_set_id for change in action.changes] == [A, B]
    stage.run(action)
    for other in ("S2", "S1 "):
        unequal = staged(one(A, 1), one(B, 2, StudyID=other), primary=True)
        assert "different values" in messages(unequal.action(removes(B, more)))[0]
    live = one(A, 1)
    del live["Study"]["DICOM"]["StudyID"]
    assert (
        "some have no value"
        in messages(staged(live, one(B, 2), primary=True).action(removes(B, more)))[0]
    )
    spelled = one(A, 1)
    spelled["Study"]["DICOM"]["00200010"] = spelled["Study"]["DICOM"].pop("StudyID")
    assert staged(spelled, one(B, 2), primary=True).action(removes(B, more)).steps == ()


def test_a_revert_goes_with_no_study_wide_call() -> None:
    stage = staged(one(A, 1), one(B, 2), primary=True)
    revert = f"imageSetId: {B}\nrevertToVersionId: '1'\n"
    action = stage.action(asks(A, "StudyDescription: x"), revert)
    assert any("a revert cannot be combined" in message for message in messages(action))


def test_a_revert_alone_does_not_split_a_study() -> None:
    stage = staged(one(A, 1), one(B, 2), primary=True)
    for name in (A, B):
        stage.service.foreign(name, lambda d: d["Study"]["DICOM"].update(StudyDescription="y"))
    revert = f"imageSetId: {A}\nrevertToVersionId: '1'\n"
    assert "would make Patient or Study attributes differ" in messages(stage.action(revert))[0]
    stage.settings = replace(
        stage.settings, rules=replace(stage.settings.rules, revert_on_primary=Permission.ALLOW)
    )
    assert len(stage.action(revert).steps) == 1
    alone = staged(one(A, 1), primary=True)
    alone.service.foreign(A, lambda d: d["Study"]["DICOM"].update(StudyDescription="y"))
    assert len(alone.action(revert).steps) == 1


def test_a_study_is_renamed_by_one_call_where_the_rules_allow() -> None:
    more = "force: true\nallow: [CHANGES_UID]"
    manifests = [asks(name, "StudyInstanceUID: 1.2.77", more) for name in (A, B)]
    refused = staged(one(A, 1), one(B, 2), primary=True).action(*manifests)
    assert "cannot be changed" in messages(refused)[0]
    stage = staged(one(A, 1), one(B, 2), primary=True, uids_on_primary="allow")
    stage.run(stage.action(*manifests))
    assert {found.status for found in stage.plan(*manifests)} == {Status.CONVERGED}


def test_series_level_of_a_primary_is_refused_unless_the_rules_allow() -> None:
    manifest = (
        f'imageSetId: {A}\npresent: {{Study: {{Series: {{"*": {{DICOM: {{Laterality: L}}}}}}}}}}\n'
    )
    refused = staged(primary=True).action(manifest)
    assert "Series-level attributes of a primary" in messages(refused)[0]
    allowed = staged(primary=True, series_on_primary="allow").action(manifest)
    assert [step.study_wide for step in allowed.steps] == [False]


# --- digests, time, the file -----------------------------------------------------------------


def test_the_digest_of_an_action_covers_what_was_approved() -> None:
    action = staged().action(CONSENTED)
    (change,) = action.changes
    (member,) = action.members
    other = [
        replace(action, datastore_id="x"),
        replace(action, members=(replace(member, pin="2"),)),
        replace(action, members=(replace(member, image_set_id=B),)),
        replace(action, members=(replace(member, updated_at=1.0),)),
        replace(action, hazards=()),
        replace(action, hazards=(replace(action.hazards[0], consented=False),)),
        replace(action, changes=()),
        *(
            replace(action, changes=(replace(change, **fields),))
            for fields in (
                {"address": STUDY},
                {"key": "PatientID"},
                {"op": Op.ADD},
                {"after": Value("M")},
                {"after": None},
                {"send_vr": True},
            )
        ),
    ]
    assert len({action_digest(each, KEY) for each in [action, *other]}) == len(other) + 1
    same = [
        replace(action, notes=(), datastore="renamed", status=Status.DRIFTED),
        replace(action, changes=(replace(change, before=Value("z"), place=None),)),
        replace(action, members=(replace(member, ask_digest="x"),)),
    ]
    assert {action_digest(each, KEY) for each in same} == {action.digest}
    assert action_digest(action, Key(bytes(32))) != action.digest


def test_without_a_key_no_action_has_a_digest() -> None:
    actions = staged().plan(CONSENTED)
    bare = tuple(replace(action, digest="") for action in actions)
    assert with_digests(bare, None) == bare
    assert with_digests(bare, KEY) == actions


def test_the_time_is_that_of_the_slowest_quota() -> None:
    def datastore(name: str, region: str, endpoint: str = "", account: str = "") -> Datastore:
        return Datastore(name, "1" * 32, region, account, endpoint)

    settings = Settings(
        root=Stage().settings.root,
        manifests="manifests",
        datastores=(
            datastore("one", "us-east-1"),
            datastore("two", "us-east-1"),
            datastore("other", "eu-west-1"),
            datastore("stated", "eu-west-1", account="2"),
            datastore("local", "us-east-1", "emulator"),
        ),
        account_quotas=(("2/eu-west-1", (("UpdateImageSetMetadata", 2.0),)),),
    )
    action = staged().action(CONSENTED)

    def seconds(*names: str, settings: Settings = settings) -> float:
        return eta_seconds([replace(action, datastore=name) for name in names], settings)

    assert seconds() == seconds("one") == seconds("local", "local") == 0.0
    assert seconds(*["one"] * 1000) == 999 / 0.25
    assert seconds("one", "two", "one") == 8.0  # one goes at once, two at 0.25 a second
    assert seconds("other", "other", "other") == 1.0
    assert seconds("one", "one", "other", "other", "other") == 4.0
    everywhere = replace(settings, quotas=(("UpdateImageSetMetadata", 0.5),))
    assert seconds("local", "local", settings=everywhere) == 2.0
    assert seconds("other", "other", settings=everywhere) == 0.5


def a_plan() -> Plan:
    stage = a_study()
    manifests = [asks(A, "StudyDescription: x", "allow: [STUDY_WIDE]")]
    return Plan(
        Basis("c" * 40, 1), stage.plan(*manifests), (Released("research", DATASTORE_ID, B),), 4.0
    )


def test_a_plan_survives_its_file() -> None:
    plan = a_plan()
    assert loads(dumps(plan)) == plan
    assert dumps(loads(dumps(plan))) == dumps(plan)


def edited(change: Any, *, sealed: bool = False) -> bytes:
    raw = json.loads(dumps(a_plan()))
    change(raw)
    if sealed:
        raw["digest"] = digest({key: raw[key] for key in raw if key != "digest"})
    return json.dumps(raw).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a saved plan"),
        (dumps(a_plan())[:-40], "incomplete or damaged"),
        (dumps(a_plan())[:200], "incomplete or damaged"),
        (b"[" * 100_000, "not a saved plan"),
        (b"\xff\xfe", "not a saved plan"),
        (b"[]", "not a saved plan"),
        (edited(lambda raw: raw.update(kind="Record")), "not a saved plan"),
        (edited(lambda raw: raw.update(apiVersion="reconciler/v2")), "not of reconciler/v1"),
        (edited(lambda raw: raw.update(toolVersion="9.9.9"), sealed=True), "made by version 9.9.9"),
        (edited(lambda raw: raw["actions"][0].update(status="converged")), "was edited"),
        (edited(lambda raw: raw["actions"][0]["steps"][0].update(force=True)), "was edited"),
        (edited(lambda raw: raw.update(extra=1)), "was edited"),
        (edited(lambda raw: raw.pop("digest")), "was edited"),
        (edited(lambda raw: raw.pop("actions"), sealed=True), "does not hold a valid plan"),
        (edited(lambda raw: raw.update(actions=5), sealed=True), "does not hold a valid plan"),
        (edited(lambda raw: raw.update(actions=["x"]), sealed=True), "does not hold a valid plan"),
        (edited(lambda raw: raw.update(basis=None), sealed=True), "does not hold a valid plan"),
        (
            edited(lambda raw: raw["actions"][0]["steps"][0].update(expected=[]), sealed=True),
            "does not hold a valid plan",
        ),
        (
            edited(lambda raw: raw["actions"][0]["changes"][0].update(level=4), sealed=True),
            "does not hold a valid plan",
        ),
        (
            edited(lambda raw: raw["actions"][0].update(status="fine"), sealed=True),
            "does not hold a valid plan",
        ),
    ],
)
def test_a_file_that_is_not_the_plan_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(PlanFileError) as caught:
        loads(data)
    assert message in caught.value.message
    assert "reconcile plan --out" in caught.value.hint
    assert caught.value.__cause__ is None


def test_the_digest_of_a_plan_is_keyed_and_covers_its_file() -> None:
    plan = a_plan()
    assert re.fullmatch("hmac-sha256:[0-9a-f]{64}", plan_digest(plan, KEY))
    other = (plan_digest(replace(plan, released=()), KEY), plan_digest(plan, Key(bytes(32))))
    assert plan_digest(plan, KEY) not in other


def test_no_value_is_in_a_repr() -> None:
    action = staged().action(CONSENTED.replace("PatientName: N", "PatientName: Geheim^Sehr"))
    assert action.steps
    for word in ("Geheim", "Garcia", "Gloria"):
        assert word not in repr(action)
        assert word not in repr(Plan(Basis("", 1), (action,)))


def test_the_data_store_of_an_action_is_the_one_that_was_planned() -> None:
    action = staged().action(CONSENTED)
    assert (action.datastore, action.datastore_id) == (DATASTORE.name, DATASTORE.datastore_id)
    assert action.steps[0].datastore_id == DATASTORE.datastore_id
    assert action.changes[0].address == PATIENT


def test_a_missing_data_store_is_not_taken_for_missing_image_sets() -> None:
    stage = staged()
    (action,) = stage.plan(f"imageSetId: {B}\npresent: {{Patient: {{DICOM: {{PatientSex: F}}}}}}\n")
    assert messages(action) == ["the data store has no such image set"]
    stage.service.missing = True
    with pytest.raises(NotFoundError, match="cannot see the data store"):
        stage.plan(CONSENTED)


def test_a_removed_private_element_leaves_no_vr_behind() -> None:
    before = Document(one())
    change = replace(update(1, op=Op.REMOVE), address=instance_at("1.2.1", "1.2.1.1"))
    after = simulate(before, [replace(change, key="00091001")])
    held = after.raw["Study"]["Series"]["1.2.1"]["Instances"]["1.2.1.1"]  # type: ignore
    assert "00091001" not in held["DICOM"] | held["DICOMVRs"]  # type: ignore
    assert before.raw == one()


def test_an_attribute_that_stands_twice_counts_twice() -> None:
    def digest_with(*pairs: tuple[str, str]) -> str:
        live = one()
        live["Patient"]["DICOM"] = dict(pairs)
        return content_digest(Document(live))

    twice = digest_with(("PatientName", "N"), ("00100010", "M"))
    assert twice == digest_with(("00100010", "M"), ("PatientName", "N"))
    assert digest_with(("PatientName", "N")) == digest_with(("00100010", "N^"))
    others = (
        digest_with(("PatientName", "N")),
        digest_with(("PatientName", "M")),
        digest_with(("PatientName", "M"), ("00100010", "N")),
    )
    assert twice not in others
