"""Manifests of kind ImageSets: what they select and ask, and one message for what is wrong."""

from __future__ import annotations

import pytest

from reconciler.core.ask import Validated, validate
from reconciler.core.ask.selectors import repeated
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.selector import Expected, Selector
from reconciler.edges.manifests import parse
from tests.unit.test_validate import CHECKER, ID, SETTINGS

HEAD = "apiVersion: reconciler/v1\nkind: ImageSets\ndatastore: research\n"
NAMED = HEAD + "name: wrong-id\n"
ASKS = "present: {Patient: {DICOM: {PatientSex: O}}}\n"
SELECTS = "select: {PatientID: 00123}\n"


def validated(text: str) -> Validated:
    loaded = parse(text, "m.yaml")
    assert not loaded.problems
    return validate(loaded.documents, SETTINGS, CHECKER)


def selector(text: str) -> Selector:
    result = validated(NAMED + text)
    assert not result.problems
    (found,) = result.selectors
    return found


def problems(text: str) -> str:
    result = validated(text)
    assert not (result.asks or result.selectors)
    return "\n".join(str(problem).removeprefix("m.yaml:") for problem in result.problems)


def test_values_are_the_text_that_stands_in_the_file() -> None:
    found = selector(
        "select: {PatientID: 00123, isPrimary: true, createdAt: 2026-01-01..}\n"
        'where: {PatientName: No, StudyDescription: "", StudyDate: 20260101}\n' + ASKS
    )
    assert found.select == (
        ("PatientID", "00123"),
        ("createdAt", "2026-01-01.."),
        ("isPrimary", "true"),
    )
    assert found.where == (
        ("PatientName", "No"),
        ("StudyDate", "20260101"),
        ("StudyDescription", ""),
    )
    assert (found.name, found.datastore, str(found.place)) == ("wrong-id", "research", "m.yaml:4:7")
    assert found.ask.image_set_id == ""
    assert [claim.value.raw for claim in found.ask.claims if claim.value] == ["O"]


def test_only_select_and_where_decide_the_digest() -> None:
    one = selector(SELECTS + ASKS)
    for same in (
        'select: {"PatientID": "00123"}\n' + ASKS,
        SELECTS + "expect: 4\nallowEmpty: true\nreason: x\n" + ASKS.replace(" O", " M"),
    ):
        assert selector(same).digest == one.digest
    for other in (
        "select: {PatientID: 123}\n" + ASKS,
        SELECTS + "where: {Modality: CT}\n" + ASKS,
    ):
        assert selector(other).digest != one.digest
    assert "00123" not in repr(one) and one.digest not in repr(one)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Expected()),
        ("expect: 12\n", Expected(12, 12)),
        ('expect: "12"\n', Expected(12, 12)),
        ("expect: {atMost: 12}\nallowEmpty: true\n", Expected(None, 12, True)),
        ("allowEmpty: false\n", Expected()),
    ],
)
def test_what_is_expected(text: str, expected: Expected) -> None:
    assert selector(SELECTS + text + ASKS).expected == expected


def test_a_consent_by_version_names_its_image_set() -> None:
    found = selector(f"{SELECTS}{ASKS}allow: ['OVERWRITES_DRIFT@5:{ID}', STUDY_WIDE]\n")
    (source,) = found.ask.sources
    assert source.allow == (
        Consent(Hazard.OVERWRITES_DRIFT, "5", ID),
        Consent(Hazard.STUDY_WIDE),
    )
    assert problems(f"{NAMED}{SELECTS}{ASKS}allow: [OVERWRITES_DRIFT@5]\n") == (
        "7:9: OVERWRITES_DRIFT@5 does not say which of the image sets of this manifest it applies "
        "to\n    Write `OVERWRITES_DRIFT@5:<imageSetId>`, or remove it. `reconcile plan` prints "
        "the line to add."
    )


BAD = {
    "nothing is selected": (
        HEAD + ASKS,
        "1:1: this manifest has no name\n    Add `name: wrong-patient-id`.\n"
        "1:1: this manifest has no select\n    Add `select: …`.",
    ),
    "an empty selection": (
        NAMED + "select: {}\n" + ASKS,
        "5:1: select selects nothing\n    Fill it, or delete the key too.",
    ),
    "an unknown filter": (
        NAMED + "select: {Modality: CT}\n" + ASKS,
        "5:10: unknown key 'Modality'\n    Allowed here: SeriesInstanceUID, StudyInstanceUID, "
        "AccessionNumber, PatientID, StudyID, StudyDateAndTime, createdAt, isPrimary.",
    ),
    "a misspelt keyword": (
        NAMED + SELECTS + "where: {Modalty: CT}\n" + ASKS,
        "6:9: unknown key 'Modalty'\n    Did you mean Modality?",
    ),
    "a value with a sign": (
        NAMED + "select: {PatientID: SECRET*}\n" + ASKS,
        "5:21: select: the value of PatientID has a `*` or a `?`\n"
        "    Write the whole value here. `where` takes `*` and `?`.",
    ),
    "a masked value": (
        NAMED + "select: {PatientID: <LO text(3-4)>}\n" + ASKS,
        "5:21: select: the value of PatientID stands for a masked value, it is no value itself\n"
        '    Write the value. `--show-values` shows live values. For `(empty)`, write `""`.',
    ),
    "no date": (
        NAMED + SELECTS + "where: {PatientBirthDate: SECRET}\n" + ASKS,
        "6:27: where: the value of PatientBirthDate is neither a date nor a range\n"
        "    Write 2026-01-31, 2026-01-01..2026-01-31, 2026-01-01.. or ..2026-01-31.",
    ),
    "null": (
        NAMED + "select: {PatientID: ~}\n" + ASKS,
        "5:21: PatientID is empty: it takes text\n    Fill it, or delete the key too.",
    ),
    "a revert": (
        NAMED + SELECTS + 'revertToVersionId: "1"\n',
        "1:1: this manifest has revertToVersionId, but is of kind ImageSets\n"
        "    A version number has another meaning in every image set. Write `kind: ImageSet` and "
        "list the image sets in `imageSetIds`.",
    ),
    "nothing is asked": (
        NAMED + SELECTS,
        "1:1: this manifest asks for nothing\n    Add `present` or `absent`.",
    ),
    "a number that is none": (
        NAMED + SELECTS + "expect: some\n" + ASKS,
        "6:9: expect is not a number of image sets: write a whole number from 1, or `{atMost: N}`",
    ),
    "another bound": (
        NAMED + SELECTS + "expect: {atLeast: 2}\n" + ASKS,
        "6:1: expect has no atMost\n    Add `atMost: 100`.\n"
        "6:10: unknown key 'atLeast'\n    Allowed here: atMost.",
    ),
    "a name with a space": (
        HEAD + "name: Wrong ID\n" + SELECTS + ASKS,
        "4:7: name is not a name for a selection: it needs at most 63 characters, each a-z, 0-9 "
        "or a hyphen inside",
    ),
    "a selection of kind ImageSet": (
        NAMED.replace("ImageSets", "ImageSet") + SELECTS + ASKS,
        "1:1: this manifest selects image sets, but is not of kind ImageSets\n"
        "    Write `kind: ImageSets`. For named image sets, remove `name`, `select`, `where`, "
        "`expect` and `allowEmpty`.",
    ),
    "what is wrong in every manifest": (
        NAMED + SELECTS + "present: {Patient: {DICOM: {StudyID: 1}}}\n",
        "6:29: HealthImaging keeps StudyID (0020,0010) at Study level, not at Patient\n"
        "    Move the line to the Study level.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_selection(case: str) -> None:
    text, expected = BAD[case]
    assert problems(text) == expected
    assert "SECRET" not in expected


def test_contradictions_inside_of_a_selection_are_found_without_a_search() -> None:
    text = (
        "absent: {Study: {Series: {1.2: {Instances: [1.3]}}}}\n"
        'present: {Study: {Series: {"1.2": {Instances: {"1.3": {DICOM: {ImageComments: x}}}}}}}\n'
    )
    assert "which m.yaml:6:45 removes" in problems(NAMED + SELECTS + text)


def test_names_are_unique_in_a_data_store() -> None:
    text = NAMED + SELECTS + ASKS
    selectors = validated(f"{text}---\n{text}---\n{text}").selectors
    assert [str(one) for one in repeated(selectors)] == [
        f"m.yaml:{line}:7: the name wrong-id is a duplicate of m.yaml:4:7\n"
        "    Choose another name: records keep image sets by it."
        for line in (11, 18)
    ]
