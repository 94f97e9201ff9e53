"""A correction of studies costs one call a study, however many manifests ask for it."""

from __future__ import annotations

from collections import Counter

from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Estimate
from tests.documents import document, instance, series
from tests.pipeline.repository import Repository

STUDIES, MEMBERS = 8, 8
NECK = "present: {Study: {DICOM: {StudyDescription: NECK}}}\n"
SEX = "allow: [CHANGES_PATIENT_IDENTITY]\npresent: {Patient: {DICOM: {PatientSex: O}}}\n"
OWN = "present: {Study: {Series: {'*': {Instances: {'*': {DICOM: {KVP: '110'}}}}}}}\n"


def name(study: int, member: int) -> str:
    return f"{study:016d}{member:016d}"


def loaded(repository: Repository) -> list[str]:
    """All primary image sets of the studies."""
    for study in range(STUDIES):
        for member in range(MEMBERS):
            uid = f"1.2.{study}.{member + 1}"
            content = document(
                series(uid, [instance(f"{uid}.1")]),
                image_set_id=name(study, member),
                patient={"PatientID": f"P{study}"},
                study={"StudyInstanceUID": f"1.2.{study}"},
            )
            repository.load(content, primary=True)
    return [name(study, member) for study in range(STUDIES) for member in range(MEMBERS)]


def test_one_call_a_study_whichever_manifests_ask_and_own_calls_follow(
    repository: Repository,
) -> None:
    names = loaded(repository)
    # Three manifests ask something of each study; each names other members of it.
    repository.manifest("odd.yaml", NECK, *names[1::2])
    repository.manifest("even.yaml", NECK, *names[::2])
    repository.manifest("sex.yaml", SEX, *(name(study, 3) for study in range(STUDIES)))
    repository.manifest("own.yaml", OWN, name(0, 0), name(0, 5))
    plan = repository.plan()
    assert [action.blocks for action in plan.actions if action.blocks] == []
    assert [len(action.members) for action in plan.actions] == [MEMBERS] * STUDIES
    kinds = [[step.study_wide for step in action.steps] for action in plan.actions]
    assert kinds == [[True, False, False], *[[True]] * (STUDIES - 1)]
    assert plan.without_study_wide == Estimate(STUDIES * MEMBERS, 0.0)

    before = Counter(repository.port.counts())
    applied = repository.apply(plan)
    sent = Counter(repository.port.counts()) - before
    assert {one.result for one in applied.outcomes} == {Result.CONVERGED}
    assert sent["UpdateImageSetMetadata"] == STUDIES + 2
    versions = Counter(repository.version(one) for one in names)
    assert versions == {"2": STUDIES * MEMBERS - 2, "3": 2}
    again = repository.plan()
    assert (again.actions, again.unchanged[0].image_sets) == ((), len(names))
    assert again.without_study_wide is None
