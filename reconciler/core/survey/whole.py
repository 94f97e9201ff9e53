"""Completes the survey of a data store: its studies and new PatientIDs, after its image sets."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias, TypeVar

from reconciler.core.model.diff import Diff
from reconciler.core.model.settings import Rules
from reconciler.core.plan import PatientRows, Study
from reconciler.core.survey.known import Known
from reconciler.core.survey.needs import Survey
from reconciler.core.survey.patient import new_patient_ids, survey_patient
from reconciler.core.survey.study import Studied, studies_of, survey_study

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The result for one data store: a diff for each ask, and the studies that were read.

    `patients` is what SearchImageSets lists with each PatientID that an image set gets. `unknown`
    are image sets whose diff would need a further call. `base` is the result for the asks of the
    base of a pull request, None without a base. `retiered` are the image sets that the reads moved
    to the Frequent Access tier, as far as the service states their tier. `began` is the time of the
    service before the first read, in epoch seconds; None if it was not asked for or not stated.
    """

    diffs: tuple[Diff, ...]
    studies: tuple[Study, ...]
    patients: Mapping[str, PatientRows] = field(default_factory=dict, repr=False)
    unknown: frozenset[str] = frozenset()
    base: Surveyed | None = None
    retiered: tuple[str, ...] = ()
    began: int | None = None

    def without(self, image_sets: Collection[str]) -> Surveyed:
        """The result without the diffs of some image sets that are in no study."""
        left = tuple(found for found in self.diffs if found.image_set_id not in image_sets)
        return replace(self, diffs=left)


class Run(Protocol):
    """Runs surveys. The result of a survey that cannot be answered is None."""

    def __call__(self, surveys: Sequence[Survey[T]]) -> Sequence[T | None]:
        """Return the results in the order of the surveys."""
        ...


# What is known of a study already, for the image sets that manifests ask for; None if nothing is.
Early: TypeAlias = Callable[[str, Collection[str]], Studied | None]


def _nothing(_: str, __: Collection[str]) -> None:
    return None


def completed(
    diffs: Sequence[Diff], known: Known, rules: Rules, run: Run, early: Early = _nothing
) -> Surveyed:
    """Survey the studies of image sets, then the PatientIDs that image sets get.

    `early` are studies that were surveyed with their image sets: they are not surveyed again.
    """
    own = {found.image_set_id: found for found in diffs}
    asked = studies_of(diffs)
    found_early = {uid: early(uid, names) for uid, names in asked.items()}
    left = [uid for uid, one in found_early.items() if one is None]
    late = run([survey_study(uid, asked[uid], own, known, rules) for uid in left])
    found_late = dict(zip(left, late, strict=True))
    studied = [one or found_late[uid] for uid, one in found_early.items()]
    own.update((found.image_set_id, found) for one in studied if one for found in one.diffs)
    studies = tuple(one.study for one in studied if one is not None and one.study is not None)
    ids = new_patient_ids(own.values(), studies)
    rows = run([survey_patient(one) for one in ids])
    patients = {name: one for name, one in zip(ids, rows, strict=True) if one is not None}
    unknown = {
        name
        for names, one in zip(asked.values(), studied, strict=True)
        if one is None
        for name in names
    }
    if len(patients) < len(ids):
        unknown |= _not_searched([*own.values(), *_siblings(studies)], patients)
    diffs = tuple(own[found.image_set_id] for found in diffs)
    return Surveyed(diffs, studies, patients, frozenset(unknown))


def _siblings(studies: Sequence[Study]) -> list[Diff]:
    return [one for study in studies for one in study.siblings]


def _not_searched(diffs: Sequence[Diff], patients: Mapping[str, PatientRows]) -> set[str]:
    """The image sets that get a PatientID of which it is unknown whether another patient has it."""
    return {
        found.image_set_id
        for found in diffs
        if any(one not in patients for one in new_patient_ids([found], ()))
    }
