"""What `reconcile explain` knows: every word of ours, and every attribute of DICOM."""

from __future__ import annotations

import json

import pytest

from reconciler.core.dicom.dictionary import by_tag, standard_tags
from reconciler.core.dicom.vr import ALL_VRS, FLOAT_VRS, INTEGER_RANGES, problems
from reconciler.core.errors import ReconcilerError
from reconciler.core.explain import Explanation, Kind, explain, known_words, words_beginning
from reconciler.core.explain.attributes import explain_attribute
from reconciler.core.explain.samples import VRS
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.outcome import Result
from reconciler.core.model.plan import Status
from reconciler.core.model.settings import Rules
from reconciler.edges import schemas

OURS = [one for words in known_words().values() for word in words for one in explain(word)]
OWN_TEXT = (Kind.HAZARD, Kind.STATUS, Kind.OUTCOME, Kind.RULE)


def of(text: str) -> Explanation:
    """The only meaning of a word."""
    (found,) = explain(text)
    return found


def facts(text: str) -> dict[str, str]:
    """The facts about a word with one meaning."""
    return dict(of(text).facts)


def refusal(text: str) -> ReconcilerError:
    """The error for a word without a meaning."""
    with pytest.raises(ReconcilerError) as refused:
        explain(text)
    return refused.value


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.HAZARD, list(Hazard)),
        (Kind.STATUS, list(Status)),
        (Kind.OUTCOME, list(Result)),
        (Kind.RULE, [name for name, _ in Rules().named]),
    ],
)
def test_every_word_of_the_model_is_explained(kind: Kind, words: list[str]) -> None:
    """A hazard that is added to the model needs a text in `hazard_texts`."""
    assert list(known_words()[kind]) == words


def test_every_key_of_a_manifest_is_explained() -> None:
    assert set(schemas.load("manifest")["properties"]) <= set(known_words()[Kind.KEY])


def test_every_vr_is_explained_and_its_sample_fits() -> None:
    assert set(known_words()[Kind.VR]) == ALL_VRS
    for vr, text in VRS.items():
        is_number = vr in FLOAT_VRS or vr in INTEGER_RANGES
        assert problems(vr, "1", json.loads(text.sample) if is_number else text.sample) == ()


@pytest.mark.parametrize("one", OURS, ids=lambda one: f"{one.kind}-{one.word}")
def test_an_explanation_says_what_it_means_and_leads_on(one: Explanation) -> None:
    assert one.summary
    if one.kind in OWN_TEXT:
        assert one.meaning
        assert one.todo
    if one.kind is Kind.HAZARD:
        assert one.consent
        assert one.manifest
    for word in one.see:
        assert explain(word)
        assert word != one.word


@pytest.mark.parametrize("one", OURS, ids=lambda one: f"{one.kind}-{one.word}")
def test_a_word_and_its_aliases_lead_to_it(one: Explanation) -> None:
    for spelling in (one.word, one.word.upper(), f"`{one.word}`", *one.aliases):
        assert one in explain(spelling)


@pytest.mark.parametrize(
    "spelling",
    [
        "PatientName",
        "patientname",
        "PATIENTNAME",
        "Patient's Name",
        "patient name",
        "00100010",
        "(0010,0010)",
        "(0010, 0010)",
        "0010,0010",
        "0010 0010",
        "0x00100010",
        " PatientName ",
    ],
)
def test_an_attribute_is_known_by_every_usual_spelling(spelling: str) -> None:
    found = of(spelling)
    assert (found.kind, found.word) == (Kind.ATTRIBUTE, "PatientName")
    assert facts(spelling)["Tag"] == "(0010,0010)"


@pytest.mark.parametrize("spelling", ["60xx3000", "(60xx,3000)", "0x60xx3000", "OverlayData"])
def test_a_repeating_group_is_its_first_group(spelling: str) -> None:
    assert facts(spelling)["Tag"] == "(6000,3000)"


def test_what_a_steward_asks_about_an_attribute() -> None:
    found = facts("PatientSex")
    assert found["Level"] == "Patient"
    assert found["VR"].startswith("CS, Code String")
    assert found["VM"] == "1"
    assert found["Defined terms"] == "M, F, O"
    assert "all primary image sets of the study" in found["Primary image sets"]
    assert found["Other image sets"] == "yes"
    assert found["Hazards"] == "CHANGES_PATIENT_IDENTITY"
    assert "Needs `force: true`" not in found
    assert of("PatientSex").manifest.endswith("PatientSex: F\nallow: [CHANGES_PATIENT_IDENTITY]\n")


def test_series_level_and_uids_of_primary_image_sets_are_refused() -> None:
    assert "seriesOnPrimary" in facts("SeriesDescription")["Primary image sets"]
    assert "uidsOnPrimary" in facts("SOPInstanceUID")["Primary image sets"]
    assert facts("WindowCenter")["Primary image sets"] == "yes"


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("ImageType", "multi-valued attribute"),
        ("ProcedureCodeSequence", "sequence"),
        ("StudyID", "identifier"),
        ("001910F9", "private element"),
        ("SyntheticData", "newer than DICOM 2022b"),
        ("00080002", "not in the DICOM standard"),
    ],
)
def test_force_is_explained(word: str, why: str) -> None:
    assert why in facts(word)["Needs `force: true`"]
    assert "\nforce: true\n" in of(word).manifest


def test_history_keeps_what_is_removed() -> None:
    assert "HISTORY_KEEPS_VALUES" in facts("PatientName")["If it is removed"]
    assert "an error" in facts("StudyInstanceUID")["If it is removed"]


def test_where_there_is_no_list_of_terms() -> None:
    assert "Defined terms" not in facts("StudyDescription")
    assert "PS3.6, table A-1" in facts("SOPClassUID")["Defined terms"]
    assert facts("SpecificCharacterSet")["Defined terms"].startswith("GB18030, GBK")


def test_private_elements_and_their_creators() -> None:
    element, creator = of("(0019,10F9)"), of("00190010")
    assert element.summary.startswith("a private element")
    assert facts("(0019,10F9)")["Private creator"].startswith("(0019,0010)")
    assert '"00190010": ACME\n' in element.manifest
    assert '"001910F9": LO\n' in element.manifest
    assert creator.summary.startswith("a private creator")
    assert "Private creator" not in dict(creator.facts)


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("PixelData", "HealthImaging generates it"),
        ("FloatPixelData", "it holds pixel data"),
        ("00000100", "network messages"),
        ("FFFEE000", "not a valid tag"),
    ],
)
def test_what_never_changes_has_no_manifest(word: str, why: str) -> None:
    assert why in facts(word)["Change"]
    assert of(word).manifest == ""
    assert "Other image sets" not in facts(word)


def test_a_sequence_of_unknown_items_says_how_to_start() -> None:
    assert of("ReferencedImageSequence").manifest == ""
    assert "reconcile import" in " ".join(of("ReferencedImageSequence").todo.split())


def test_every_attribute_of_dicom_is_explained() -> None:
    for tag in standard_tags():
        found = explain_attribute(by_tag(tag))
        assert found.summary
        # 76 fit beside the indentation. Some keywords are so long that no value fits beside them.
        width = max(76, len(found.word) + 40)
        assert all(len(line) <= width for line in found.manifest.splitlines()), found.word
        assert found.manifest or found.todo or "Change" in dict(found.facts), found.word


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("OVERWRITES_DRIFT@5", ["OVERWRITES_DRIFT"]),
        ("OVERWRITES_DRIFT@5:ea92b0d8838c72a3f25d00d13616f87e", ["OVERWRITES_DRIFT"]),
        ("changes uid", ["CHANGES_UID"]),
        ("force: true", ["force"]),
        ("FORCE", ["FORCE", "force"]),
        ("blocked", ["blocked", "blocked"]),
        ("STUDY_WIDE", ["STUDY_WIDE", "study-wide"]),
        ("includeStudyImageSets", ["study-wide"]),
        ('"*"', ["*"]),
        ("Study", ["level"]),
        ("PatientName: Garcia^Gloria", ["PatientName"]),
    ],
)
def test_what_a_text_of_a_plan_or_manifest_means(text: str, words: list[str]) -> None:
    assert [one.word for one in explain(text)] == words


@pytest.mark.parametrize("text", ["1.2.840.10008.5.1.4.1.1.2", "CTImageStorage", "ctimagestorage"])
def test_a_registered_uid_has_a_name(text: str) -> None:
    found = of(text)
    assert (found.kind, found.summary) == (Kind.UID, "CT Image Storage")
    assert dict(found.facts)["Type"] == "SOP Class"
    assert found.see == ("SOPClassUID",)


def test_a_uid_that_no_standard_registers() -> None:
    assert refusal("1.2.840.99.1.7").message == "the DICOM standard does not register this UID"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("CHANGES_UIDS", "CHANGES_UID"),
        ("drifed", "drift"),
        ("PatientNmae", "PatientName"),
        ("seriesOnPrimry", "seriesOnPrimary"),
    ],
)
def test_an_unknown_word_suggests_others(text: str, meant: str) -> None:
    assert refusal(text).message == f"there is no explanation of '{text}'"
    assert meant in refusal(text).hint.partition("?")[0]


@pytest.mark.parametrize("text", ["", "  ", "@", "qqqqqqqq", "\x1b[2J", "ü" * 10_000])
def test_a_word_like_no_other(text: str) -> None:
    assert "`reconcile explain` without a word" in refusal(text).hint
    assert len(refusal(text).message) < 120


def test_completion() -> None:
    assert words_beginning("CHANGES_U") == ("CHANGES_UID",)
    assert "PatientName" in words_beginning("PatientN")
    assert "CHANGES_UID" in words_beginning("")
    assert "PatientName" not in words_beginning("")
    assert all(" " not in word for word in words_beginning(""))
