"""validate: what a manifest asks, and one good message for everything that is wrong with it."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from reconciler.core.ask import Validated, manifest_checker, validate
from reconciler.core.ask.as_json import place_of
from reconciler.core.dicom.dictionary import by_key
from reconciler.core.errors import Place
from reconciler.core.model.address import PATIENT, STUDY, Address, instance_at, series_at
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk
from reconciler.core.model.hazard import Consent, Hazard
from reconciler.core.model.node import MappingNode, Scalar
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.model.value import Json
from reconciler.edges import schemas
from reconciler.edges.manifests import parse

ID = "ea92b0d8838c72a3f25d00d13616f87e"
OTHER = "0123456789abcdef0123456789abcdef"
HEAD = f"apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\nimageSetId: {ID}\n"
SETTINGS = Settings(PurePath("/"), "manifests", (Datastore("research", OTHER, "us-east-1"),))
CHECKER = manifest_checker(schemas.load("manifest"))


def validated(text: str) -> Validated:
    loaded = parse(text, "m.yaml")
    assert not loaded.problems
    return validate(loaded.documents, SETTINGS, CHECKER)


def ask(text: str) -> ImageSetAsk:
    result = validated(HEAD + text)
    assert not result.problems
    (found,) = result.asks
    return found


def told(claim: Claim) -> tuple[ClaimKind, Address, str, Json]:
    """A claim without its places."""
    key = f"{claim.tag:08X}" if claim.tag is not None else ""
    value = claim.value.raw if claim.value else "(any)"
    return claim.kind, claim.address, key, value


def present(text: str) -> list[Json]:
    """The values of a document that asks for instance attributes only."""
    found = ask(f"present: {{Study: {{Series: {{1.2: {{Instances: {{1.3: {{{text}}}}}}}}}}}}}")
    return [claim.value.raw if claim.value else None for claim in found.claims]


def problems(text: str) -> str:
    result = validated(text)
    assert result.asks == ()
    return "\n".join(str(problem).removeprefix("m.yaml:") for problem in result.problems)


GUIDE = """\
reason: Name misspelt at registration, RAD-1234
present:
  SchemaVersion: 1.1
  Patient:
    DICOM:
      PatientName: Garcia^Gloria
  Study:
    DICOM:
      StudyDescription: CT CHEST
    Series:
      "*":
        DICOM: {Modality: CT}
        Instances:
          1.2.840.99.1.7:
            DICOM: {"001910F9": "97"}
            DICOMVRs: {"001910F9": DS}
absent:
  Study:
    DICOM: [ReferringPhysicianName]
    Series:
      1.2.840.99.1:
        DICOM: {SeriesDescription: Axial, "0008103F": ""}
        Instances: [1.2.840.99.1.8]
      1.2.840.99.2: {}
      1.2.840.99.3:
        Instances: {1.2.840.99.3.1: {}}
force: true
allow: [REMOVES_INSTANCE, CHANGES_PATIENT_IDENTITY, OVERWRITES_DRIFT@5]
"""


def test_every_form_of_a_claim() -> None:
    found = ask(GUIDE)
    series, instance = "1.2.840.99.1", "1.2.840.99.1.8"
    assert [told(claim) for claim in found.claims] == [
        (ClaimKind.PRESENT, PATIENT, "00100010", "Garcia^Gloria"),
        (ClaimKind.PRESENT, STUDY, "00081030", "CT CHEST"),
        (ClaimKind.PRESENT, series_at("*"), "00080060", "CT"),
        (ClaimKind.PRESENT, instance_at("*", "1.2.840.99.1.7"), "001910F9", "97"),
        (ClaimKind.ABSENT, STUDY, "00080090", "(any)"),
        (ClaimKind.ABSENT, series_at(series), "0008103E", "Axial"),
        (ClaimKind.ABSENT, series_at(series), "0008103F", None),
        (ClaimKind.REMOVED, instance_at(series, instance), "", "(any)"),
        (ClaimKind.REMOVED, series_at("1.2.840.99.2"), "", "(any)"),
        (ClaimKind.REMOVED, instance_at("1.2.840.99.3", "1.2.840.99.3.1"), "", "(any)"),
    ]
    assert [claim.vr for claim in found.claims if claim.vr] == ["DS"]


def test_the_source_says_why_and_what_is_consented_to() -> None:
    (source,) = ask(GUIDE).sources
    assert source.place == Place("m.yaml", 1, 1)
    assert source.reason == "Name misspelt at registration, RAD-1234"
    assert source.force is True
    assert source.allow == (
        Consent(Hazard.CHANGES_PATIENT_IDENTITY),
        Consent(Hazard.OVERWRITES_DRIFT, "5", ID),
        Consent(Hazard.REMOVES_INSTANCE),
    )
    assert source.several is False


@pytest.mark.parametrize("names", [f"imageSetId: {ID}", f"imageSetIds: [{ID}]"])
def test_one_image_set_is_meant_with_or_without_its_id(names: str) -> None:
    head = HEAD.replace(f"imageSetId: {ID}", names)
    for allow in ("OVERWRITES_DRIFT@5", f"OVERWRITES_DRIFT@5:{ID}"):
        text = (
            f"{head}allow: [{allow}, {allow}]\npresent: {{Patient: {{DICOM: {{PatientName: a}}}}}}"
        )
        ((source,),) = [found.sources for found in validated(text).asks]
        assert source.allow == (Consent(Hazard.OVERWRITES_DRIFT, "5", ID),)
        assert source.several is False


def test_a_list_says_whose_drift_may_be_overwritten() -> None:
    text = HEAD.replace(f"imageSetId: {ID}", f"imageSetIds: [{ID}, {OTHER}]")
    text += f"allow: [OVERWRITES_DRIFT@5:{OTHER}, OVERWRITES_DRIFT@6:{ID}]\n"
    result = validated(text + "present: {Patient: {DICOM: {PatientName: a}}}")
    assert [source.several for found in result.asks for source in found.sources] == [True, True]
    assert result.asks[0].sources[0].allow == (
        Consent(Hazard.OVERWRITES_DRIFT, "5", OTHER),
        Consent(Hazard.OVERWRITES_DRIFT, "6", ID),
    )


def test_a_claim_stands_where_its_key_stands() -> None:
    (claim,) = ask("present:\n  Patient:\n    DICOM:\n      PatientName: a\n").claims
    assert claim.place == Place("m.yaml", 8, 7)


def test_one_ask_for_each_image_set() -> None:
    text = HEAD.replace(f"imageSetId: {ID}", f"imageSetIds: [{OTHER}, {ID}]")
    result = validated(text + "present: {Patient: {DICOM: {PatientName: a}}}")
    assert [(found.datastore, found.image_set_id) for found in result.asks] == [
        ("research", OTHER),
        ("research", ID),
    ]
    assert len({found.claims for found in result.asks}) == 1


def test_a_revert() -> None:
    found = ask("revertToVersionId: 1")
    assert found.revert is not None
    assert (found.revert.version_id, found.revert.place) == ("1", Place("m.yaml", 5, 1))
    assert found.claims == ()


def test_an_image_set_id_of_digits_needs_no_quotes() -> None:
    digits = "1234567890" * 3 + "12"
    result = validated(HEAD.replace(ID, digits) + "revertToVersionId: 2")
    assert result.asks[0].image_set_id == digits


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("PatientID: 00123", "00123"),
        ("PatientName: Null^No", "Null^No"),
        ("PatientID: NO", "NO"),
        ("PatientID: true", "true"),
        ('PatientID: "null"', "null"),
        ('PatientID: ""', None),
        ("PatientID: 1_000", "1_000"),
        ("OtherPatientNames: A^B", ["A^B"]),
        ("OtherPatientNames: [A^B, C^D]", ["A^B", "C^D"]),
    ],
)
def test_yaml_never_types_a_dicom_value(line: str, value: Json) -> None:
    (claim,) = ask(f"present: {{Patient: {{DICOM: {{{line}}}}}}}").claims
    assert claim.value is not None
    assert claim.value.raw == value


def test_the_vr_decides_the_json_type() -> None:
    assert present("DICOM: {Rows: 512, ImageType: [A, B], FrameTime: 1.10}") == [
        512,
        ["A", "B"],
        "1.10",
    ]


def test_a_private_value_without_a_vr_stays_text_until_it_is_observed() -> None:
    assert present("DICOM: {'00191010': 97, '00191011': [1, 2]}") == ["97", ["1", "2"]]
    assert present("DICOM: {'00191010': 97}, DICOMVRs: {'00191010': US}") == [97]


def test_dicomvrs_may_repeat_the_dictionary() -> None:
    assert present("DICOM: {ImageComments: a}, DICOMVRs: {'00204000': LT}") == ["a"]


def test_force_lets_a_value_that_does_not_fit_its_vr_pass() -> None:
    text = "present: {Patient: {DICOM: {PatientBirthDate: 20240230}}}\nforce: true"
    (claim,) = ask(text).claims
    assert claim.value is not None
    assert claim.value.raw == "20240230"


def test_what_is_expected_of_something_absent_need_not_fit_its_vr() -> None:
    (claim,) = ask("absent: {Patient: {DICOM: {PatientBirthDate: 20240230}}}").claims
    assert (claim.kind, claim.tag) == (ClaimKind.ABSENT, by_key("PatientBirthDate").tag)


def test_a_named_uid_beside_a_star_is_no_contradiction() -> None:
    found = ask(
        "present: {Study: {Series: {'*': {DICOM: {Modality: MR}}}}}\n"
        "absent: {Study: {Series: {1.2: {DICOM: [Modality]}, 1.3: {}}}}"
    )
    assert len(found.claims) == 3


def test_a_document_with_a_problem_does_not_hide_the_others() -> None:
    good, bad = HEAD + "revertToVersionId: 1\n", HEAD + "revertToVersionId: x\n"
    result = validated(f"{good}---\n{bad}---\n{bad}---\n{good}")
    assert len(result.asks) == len(result.problems) == 2


HEADS: dict[str, tuple[str, str]] = {
    "nothing": (
        "{}\n",
        "1:1: this manifest asks for nothing\n"
        "    Add `present`, `absent` or `revertToVersionId`.\n"
        "1:1: this manifest has no apiVersion\n"
        "    Add `apiVersion: reconciler/v1`.\n"
        "1:1: this manifest has no datastore\n"
        "    Add `datastore: research`.\n"
        "1:1: this manifest has no kind\n"
        "    Add `kind: ImageSet`.\n"
        "1:1: this manifest names no image set\n"
        "    Add `imageSetId: …`, or `imageSetIds: […]` for several.",
    ),
    "apiVersion": (
        "apiVersion: reconciler/v2\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "1:13: apiVersion must be reconciler/v1, not 'reconciler/v2'\n"
        "    This version of reconcile knows no other.",
    ),
    "kind of later": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSets\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "2:7: kind ImageSets (select) is not supported yet\n"
        "    Use `kind: ImageSet` and name the image sets in `imageSetIds`.",
    ),
    "kind misspelt": (
        "apiVersion: reconciler/v1\n"
        "kind: Imageset\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "2:7: unknown kind 'Imageset'\n    Did you mean ImageSet?",
    ),
    "kind unknown": (
        "apiVersion: reconciler/v1\n"
        "kind: Plan\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "2:7: unknown kind 'Plan'\n    Write `kind: ImageSet`.",
    ),
    "kind is a list": (
        "apiVersion: reconciler/v1\n"
        "kind: [ImageSet]\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "2:1: kind must be ImageSet",
    ),
    "kind is null": (
        "apiVersion: reconciler/v1\n"
        "kind: ~\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "2:7: kind is empty: it takes ImageSet\n    Delete the key too, or fill it.",
    ),
    "datastore misspelt": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: reserach\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "3:12: reconciler.yaml has no data store 'reserach'\n    Did you mean research?",
    ),
    "datastore unknown": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: x\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "3:12: reconciler.yaml has no data store 'x'\n    There are: research.",
    ),
    "datastore missing": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "1:1: this manifest has no datastore\n    Add `datastore: research`.",
    ),
    "datastore is null": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: ~\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "3:12: datastore is empty: it takes text\n    Delete the key too, or fill it.",
    ),
    "image set missing": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "1:1: this manifest names no image set\n"
        "    Add `imageSetId: …`, or `imageSetIds: […]` for several.",
    ),
    "image set misspelt": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetID: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "4:1: unknown key 'imageSetID'\n    Did you mean imageSetId?",
    ),
    "image set in capitals": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetId: EA92B0D8838C72A3F25D00D13616F87E\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "4:13: imageSetId is not an imageSetId: 32 characters, each 0-9 or a-z",
    ),
    "image set null": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetId: \n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "4:12: imageSetId is empty: it takes text\n    Delete the key too, or fill it.",
    ),
    "image set twice": (
        HEAD + "imageSetIds: [ea92b0d8838c72a3f25d00d13616f87e]\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "1:1: this manifest has both imageSetId and imageSetIds\n    Keep one of the two.",
    ),
    "image sets: none": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetIds: []\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "4:1: imageSetIds names no image set\n    Delete the key too, or fill it.",
    ),
    "image sets: one twice": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetIds:\n"
        "- ea92b0d8838c72a3f25d00d13616f87e\n"
        "- ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "6:3: 'ea92b0d8838c72a3f25d00d13616f87e' stands here again, first at m.yaml:5:3\n"
        "    Keep one of the two.",
    ),
    "image sets: text": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetIds: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "4:14: imageSetIds must be a list, not text",
    ),
    "force: text": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nforce: 'true'",
        "6:8: force must be true or false, not text",
    ),
    "force: yes": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nforce: yes",
        "6:8: force must be true or false, not text",
    ),
    "reason null": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nreason:",
        "6:8: reason is empty: it takes text\n    Delete the key too, or fill it.",
    ),
    "reason a list": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nreason: [a]",
        "6:1: reason must be text, not a list",
    ),
    "allow": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        "allow: [REMOVES_INSTANCES, OVERWRITES_DRIFT, OVERWRITES_DRIFT@0, FORCE, "
        "STUDY_WIDE@2, foo, ~]",
        "6:9: 'REMOVES_INSTANCES' is not a hazard\n"
        "    Did you mean REMOVES_INSTANCE?\n"
        "6:28: OVERWRITES_DRIFT names the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "OVERWRITES_DRIFT@5.\n"
        "6:46: OVERWRITES_DRIFT names the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "OVERWRITES_DRIFT@5.\n"
        "6:66: FORCE is not consented to by name\n"
        "    Remove it from `allow`: `force: true` is the consent to it.\n"
        "6:73: STUDY_WIDE takes no version\n"
        "    Write STUDY_WIDE.\n"
        "6:87: 'foo' is not a hazard\n"
        "    Known: STUDY_WIDE, REMOVES_INSTANCE, REMOVES_SERIES, CHANGES_UID, "
        "CHANGES_PATIENT_IDENTITY, SPLIT_UPDATE, OVERWRITES_DRIFT.\n"
        "6:92: allow[6] is empty: it takes text\n"
        "    Delete the key too, or fill it.",
    ),
    "allow: drift of a list": (
        HEAD.replace(f"imageSetId: {ID}", f"imageSetIds: [{ID}, {OTHER}]")
        + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        f"allow: [OVERWRITES_DRIFT@5, OVERWRITES_DRIFT, OVERWRITES_DRIFT@5:{ID}]",
        "6:9: OVERWRITES_DRIFT@5 does not say which of the 2 image sets of this manifest may be "
        "overwritten\n"
        "    Write OVERWRITES_DRIFT@5:<imageSetId>, or take it out: `reconcile plan` prints the "
        "line to add.\n"
        "6:29: OVERWRITES_DRIFT names the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "OVERWRITES_DRIFT@5:<imageSetId>.",
    ),
    "allow: drift of another image set": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        f"allow: [OVERWRITES_DRIFT@5:{OTHER}, 'OVERWRITES_DRIFT@5:', OVERWRITES_DRIFT@5:EA92, "
        f'"OVERWRITES_DRIFT@5:{ID}\\n", OVERWRITES_DRIFT@:{ID}]',
        f"6:9: this manifest does not name the image set {OTHER}\n"
        "    Write one that this manifest names, or take it out: `reconcile plan` prints the line "
        "to add.\n"
        "6:62: '' is not an imageSetId: 32 characters, each 0-9 or a-z\n"
        "    Write one that this manifest names, or take it out: `reconcile plan` prints the line "
        "to add.\n"
        "6:85: 'EA92' is not an imageSetId: 32 characters, each 0-9 or a-z\n"
        "    Write one that this manifest names, or take it out: `reconcile plan` prints the line "
        "to add.\n"
        f"6:110: '{ID}\n' is not an imageSetId: 32 characters, each 0-9 or a-z\n"
        "    Write one that this manifest names, or take it out: `reconcile plan` prints the line "
        "to add.\n"
        "6:167: OVERWRITES_DRIFT names the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "OVERWRITES_DRIFT@5.",
    ),
    "allow: drift, without an image set": (
        HEAD.replace(f"imageSetId: {ID}", "imageSetId:")
        + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        f"allow: [OVERWRITES_DRIFT@5, 'OVERWRITES_DRIFT@5:{ID}']",
        "4:12: imageSetId is empty: it takes text\n    Delete the key too, or fill it.",
    ),
    "allow: text": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nallow: SPLIT_UPDATE",
        "6:8: allow must be a list, not text",
    ),
    "unknown key": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\npriority: 1",
        "6:1: unknown key 'priority'\n"
        "    Known here: apiVersion, kind, datastore, imageSetId, imageSetIds, reason, "
        "present, absent, revertToVersionId, force, allow.",
    ),
    "misspelt key": (
        HEAD + "absnet: {Patient: {DICOM: [PatientName]}}",
        "5:1: unknown key 'absnet'\n    Did you mean absent?",
    ),
    "several at once": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: x\n"
        "imageSetId: 1\n"
        "absent: {Patient: {DICOM: [PatientsName]}}\n"
        "force: no",
        "3:12: reconciler.yaml has no data store 'x'\n"
        "    There are: research.\n"
        "4:13: imageSetId is not an imageSetId: 32 characters, each 0-9 or a-z\n"
        "5:28: 'PatientsName' is not a DICOM keyword\n"
        "    Did you mean PatientName?\n"
        "6:8: force must be true or false, not text",
    ),
}

ASKS: dict[str, tuple[str, str]] = {
    "nothing asked": (
        HEAD,
        "1:1: this manifest asks for nothing\n    Add `present`, `absent` or `revertToVersionId`.",
    ),
    "empty": (
        HEAD + "present: {}",
        "5:1: present asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or add `Patient` or `Study`.",
    ),
    "null": (
        HEAD + "present:",
        "5:9: present is empty: it takes a mapping\n"
        "    A deleted line never removes anything: delete the key too, or fill it.",
    ),
    "list": (
        HEAD + "present: [a]",
        "5:1: present must be a mapping, not a list",
    ),
    "only SchemaVersion": (
        HEAD + "present: {SchemaVersion: 1.1}",
        "5:1: present asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or add `Patient` or `Study`.",
    ),
    "unknown level": (
        HEAD + "present: {DatastoreID: a, Patient: {DICOM: {PatientName: a}}}",
        "5:11: unknown key 'DatastoreID'\n    Known here: SchemaVersion, Patient, Study.",
    ),
    "case of a key": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {Dicom: {ImageComments: a}}}}}}}",
        "5:52: unknown key 'Dicom'\n    Did you mean DICOM?",
    ),
    "null level": (
        HEAD + "present: {Patient: }",
        "5:20: Patient is empty: it takes a mapping\n"
        "    A deleted line never removes anything: delete the key too, or fill it.",
    ),
    "revert and present": (
        HEAD + "revertToVersionId: 1\npresent: {Patient: {DICOM: {PatientName: a}}}",
        "1:1: this manifest has revertToVersionId beside present or absent\n"
        "    A revert asks for the whole content of that version: keep one of them.",
    ),
    "revert and absent": (
        HEAD + "revertToVersionId: 1\nabsent: {Patient: {DICOM: [PatientName]}}",
        "1:1: this manifest has revertToVersionId beside present or absent\n"
        "    A revert asks for the whole content of that version: keep one of them.",
    ),
    "revert to nothing": (
        HEAD + "revertToVersionId: ~",
        "5:20: revertToVersionId is empty: it takes text\n    Delete the key too, or fill it.",
    ),
    "revert to a word": (
        HEAD + "revertToVersionId: latest",
        "5:20: revertToVersionId is not a versionId: a whole number from 1",
    ),
    "revert to 0": (
        HEAD + "revertToVersionId: 0",
        "5:20: revertToVersionId is not a versionId: a whole number from 1",
    ),
    "UID with a letter": (
        HEAD + "present: {Study: {Series: {1.2.x: {DICOM: {Modality: CT}}}}}",
        "5:28: '1.2.x' is neither a UID nor \"*\"",
    ),
    "UID too long": (
        HEAD + "present: {Study: {Series: "
        "{1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1: {DICOM: "
        "{Modality: CT}}}}}",
        "5:28: '1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.…' is "
        "longer than 64 characters",
    ),
    "two stars": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {'**': {DICOM: {ImageComments: "
        "a}}}}}}}",
        "5:46: '**' is neither a UID nor \"*\"",
    ),
    "Series a list in present": (
        HEAD + "present: {Study: {Series: [1.2]}}",
        "5:19: Series must be a mapping, not a list",
    ),
    "an instance that asks nothing": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {}}}}}}",
        "5:46: '1.3' asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "a series that asks nothing": (
        HEAD + "present: {Study: {Series: {'*': {}}}}",
        "5:28: '*' asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
}

ATTRIBUTES: dict[str, tuple[str, str]] = {
    "unknown keyword": (
        HEAD + "present: {Patient: {DICOM: {PatientsName: a}}}",
        "5:29: 'PatientsName' is not a DICOM keyword\n    Did you mean PatientName?",
    ),
    "tag with a comma": (
        HEAD + "present: {Patient: {DICOM: {'0010,0010': a}}}",
        "5:29: '0010,0010' is not a DICOM keyword\n    Write \"00100010\" or PatientName.",
    ),
    "null": (
        HEAD + "present: {Patient: {DICOM: {PatientName: null}}}",
        "5:42: PatientName (0010,0010): null is not a value\n"
        '    `""` makes the attribute present but empty, an entry under `absent` removes '
        'it, and quotes ("null") make it the text.',
    ),
    "list for VM 1": (
        HEAD + "present: {Patient: {DICOM: {PatientName: [a]}}}",
        "5:42: PatientName (0010,0010): has VM 1 and takes one value, not a list\n"
        "    Drop the list.",
    ),
    "mapping for a value": (
        HEAD + "present: {Patient: {DICOM: {PatientName: {Alphabetic: a}}}}",
        "5:42: PatientName (0010,0010): VR PN takes a value, not a mapping",
    ),
    "impossible date": (
        HEAD + "present: {Patient: {DICOM: {PatientBirthDate: 20240230}}}",
        "5:47: PatientBirthDate (0010,0030): the value is not a day of the calendar\n"
        "    Mend the value; only `force: true` sends it as it is (constraint 6).",
    ),
    "not a number": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {Rows: abc}}}}}}}",
        "5:66: Rows (0028,0010): VR US takes a whole number",
    ),
    "out of range": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {Rows: 70000}}}}}}}",
        "5:66: Rows (0028,0010): the value is outside 0 to 65535\n"
        "    Mend the value; only `force: true` sends it as it is (constraint 6).",
    ),
    "backslash": (
        HEAD + "present: {Patient: {DICOM: {OtherPatientNames: a\\b}}}",
        "5:48: OtherPatientNames (0010,1001): a backslash separates values\n"
        "    Write a list, one value each: [A, B].",
    ),
    "wrong level": (
        HEAD + "present: {Patient: {DICOM: {StudyDate: 20240101}}}",
        "5:29: StudyDate (0008,0020) belongs to Study, not Patient (constraint 8)\n"
        "    Move the line to that level.",
    ),
    "wrong level by tag": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00080060': CT}}}}}}}",
        "5:60: Modality (0008,0060) belongs to Series, not Instance (constraint 8)\n"
        "    Move the line to that level.",
    ),
    "private too high": (
        HEAD + "present: {Patient: {DICOM: {'00190010': a}}}",
        "5:29: (0019,0010) is private and can change at Instance only, not Patient "
        "(constraint 1)\n"
        "    Move the line to that level.",
    ),
    "generated": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {PixelData: ''}}}}}}}",
        "5:60: PixelData can never be changed: what HealthImaging generates itself can "
        "never be changed (constraint 2)\n"
        "    Remove the line.",
    ),
    "of messages": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {CommandField: 1}}}}}}}",
        "5:60: CommandField (0000,0100) is an element of messages and stands in no image "
        "set\n"
        "    Remove the line.",
    ),
    "twice": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a, '00100010': b}}}",
        "5:45: PatientName (0010,0010) stands here again, first at m.yaml:5:29\n"
        "    A keyword and its tag are one attribute: keep one of the two.",
    ),
    "twice by case": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'0019100A': a, "
        "'0019100a': b}}}}}}}",
        "5:75: (0019,100A) stands here again, first at m.yaml:5:60\n"
        "    A keyword and its tag are one attribute: keep one of the two.",
    ),
    "nothing asked": (
        HEAD + "present: {Patient: {DICOM: {}}}",
        "5:21: DICOM asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "all null": (
        HEAD + "present:\n  Patient:\n    DICOM:\n",
        "7:11: DICOM is empty: it takes a mapping\n"
        "    A deleted line never removes anything: delete the key too, or fill it.",
    ),
    "a list of keywords": (
        HEAD + "present: {Patient: {DICOM: [PatientName]}}",
        "5:21: DICOM must be a mapping, not a list",
    ),
    "SOPInstanceUID with a letter, forced": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {SOPInstanceUID: "
        "1.2.a}}}}}}}\n"
        "force: true",
        "5:76: SOPInstanceUID (0008,0018): the value is not a UID: numbers without "
        "leading zeros, joined by dots\n"
        "    Write a UID: HealthImaging finds the study, series or instance by it.",
    ),
    "SOPInstanceUID empty": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {SOPInstanceUID: "
        "''}}}}}}}",
        "5:76: SOPInstanceUID (0008,0018) cannot be empty\n    Write the new UID.",
    ),
    "inside a sequence": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {SourceImageSequence: "
        "[{PatientsName: a}, {CodeValue: ~}]}}}}}}}",
        "5:83: SourceImageSequence (0008,2112): 'PatientsName' is not a DICOM keyword\n"
        "    Did you mean PatientName?\n"
        "5:113: CodeValue (0008,0100): null is not a value\n"
        '    `""` makes the attribute present but empty, an entry under `absent` removes '
        'it, and quotes ("null") make it the text.',
    ),
    "DICOMVRs unknown VR": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': ds}}}}}}}",
        "5:87: the VR of (0019,1010) is not one of PS3.5\n"
        "    Two capital letters, such as DS or LO.",
    ),
    "DICOMVRs null": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': ~}}}}}}}",
        "5:87: the VR of (0019,1010) is not one of PS3.5\n"
        "    Two capital letters, such as DS or LO.",
    ),
    "DICOMVRs a list": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': [DS]}}}}}}}",
        "5:87: 00191010 must be text, not a list",
    ),
    "DICOMVRs without its attribute": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191011': DS}}}}}}}",
        "5:87: DICOMVRs states a VR for (0019,1011), which DICOM does not ask for\n"
        '    Add "00191011" to the DICOM block beside it, or remove the line.',
    ),
    "DICOMVRs that does not fit": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': US}}}}}}}",
        "5:72: (0019,1010): VR US takes a whole number",
    ),
    "DICOMVRs against the dictionary": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: a}, "
        "DICOMVRs: {'00204000': LO}}}}}}}",
        "5:90: ImageComments (0020,4000) has VR LT\n"
        "    Remove it: DICOMVRs is for private elements.",
    ),
    "DICOMVRs by keyword": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: a}, "
        "DICOMVRs: {ImageComments: LT}}}}}}}",
        "5:90: 'ImageComments' is not a tag: DICOMVRs has eight hex digits as keys",
    ),
    "DICOMVRs twice": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'0019100a': a}, "
        "DICOMVRs: {'0019100A': LO, '0019100a': LO}}}}}}}",
        "5:103: the VR of (0019,100A) stands here again, first at m.yaml:5:87\n"
        "    Keep one of the two.",
    ),
    "DICOMVRs empty": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: a}, "
        "DICOMVRs: {}}}}}}}",
        "5:79: DICOMVRs asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "DICOMVRs above instances": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}, DICOMVRs: {'00100010': PN}}}",
        "5:46: DICOMVRs stands at instances only\n"
        "    It is for private elements, which change at Instance only (constraint 1).",
    ),
}

REMOVALS: dict[str, tuple[str, str]] = {
    "Instances: []": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: []}}}}",
        "5:33: Instances asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "Instances: {}": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {}}}}}",
        "5:33: Instances asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "Instances:": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: }}}}",
        "5:44: Instances is empty: it takes a list or a mapping\n"
        "    A deleted line never removes anything: delete the key too, or fill it.",
    ),
    "Series: []": (
        HEAD + "absent: {Study: {Series: []}}",
        "5:18: Series asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "Series: text": (
        HEAD + "absent: {Study: {Series: 1.2}}",
        "5:26: Series must be a list or a mapping, not text",
    ),
    "instance: null": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {1.3: ~}}}}}",
        "5:50: '1.3' is empty: it takes a mapping\n"
        "    A deleted line never removes anything: delete the key too, or fill it.",
    ),
    "DICOM: []": (
        HEAD + "absent: {Study: {Series: {1.2: {DICOM: []}}}}",
        "5:33: DICOM asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "DICOM: {}": (
        HEAD + "absent: {Study: {Series: {1.2: {DICOM: {}}}}}",
        "5:33: DICOM asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "DICOM: null": (
        HEAD + "absent: {Study: {Series: {1.2: {DICOM: ~}}}}",
        "5:40: DICOM is empty: it takes a list or a mapping\n"
        "    A deleted line never removes anything: delete the key too, or fill it.",
    ),
    "DICOM: text": (
        HEAD + "absent: {Patient: {DICOM: PatientName}}",
        "5:27: DICOM must be a list or a mapping, not text",
    ),
    "DICOM: null, list": (
        HEAD + "absent: {Patient: {DICOM: }}",
        "5:27: DICOM is empty: it takes a list or a mapping\n"
        "    A deleted line never removes anything: delete the key too, or fill it.",
    ),
    "keyword: list": (
        HEAD + "absent: {Patient: {DICOM: [[PatientName]]}}",
        "5:28: DICOM[0] must be text, not a list",
    ),
    "level: {}": (
        HEAD + "absent: {Patient: {}}",
        "5:10: Patient asks for nothing: a deleted line never removes anything\n"
        "    Delete the key too, or fill it.",
    ),
    "expected value: null": (
        HEAD + "absent: {Patient: {DICOM: {PatientName: ~}}}",
        "5:41: PatientName (0010,0010): null is not a value\n"
        '    `""` makes the attribute present but empty, an entry under `absent` removes '
        'it, and quotes ("null") make it the text.',
    ),
    "keywords": (
        HEAD + "absent: {Patient: {DICOM: [PatientsName, StudyDate, '00100010', PatientName, "
        "PixelData, '00190010']}}",
        "5:28: 'PatientsName' is not a DICOM keyword\n"
        "    Did you mean PatientName?\n"
        "5:42: StudyDate (0008,0020) belongs to Study, not Patient (constraint 8)\n"
        "    Move the line to that level.\n"
        "5:65: PatientName (0010,0010) stands here again, first at m.yaml:5:53\n"
        "    A keyword and its tag are one attribute: keep one of the two.\n"
        "5:78: PixelData can never be changed: what HealthImaging generates itself can "
        "never be changed (constraint 2)\n"
        "    Remove the line.\n"
        "5:89: (0019,0010) is private and can change at Instance only, not Patient "
        "(constraint 1)\n"
        "    Move the line to that level.",
    ),
    "its UID": (
        HEAD + "absent: {Study: {DICOM: [StudyInstanceUID]}}",
        "5:26: StudyInstanceUID (0020,000D) cannot be absent\n"
        "    Every document, series and instance has one; `present` can change it.",
    ),
    "every series": (
        HEAD + "absent: {Study: {Series: {'*': {}}}}",
        '5:27: a removal names its series and instances: "*" is not taken\n'
        "    Write the UIDs of what is to go.",
    ),
    "every series, in a list": (
        HEAD + "absent: {Study: {Series: ['*']}}",
        '5:27: a removal names its series and instances: "*" is not taken\n'
        "    Write the UIDs of what is to go.",
    ),
    "every instance": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {'*': {}}}}}}",
        '5:45: a removal names its series and instances: "*" is not taken\n'
        "    Write the UIDs of what is to go.",
    ),
    "an instance in every series": (
        HEAD + "absent: {Study: {Series: {'*': {Instances: [1.3]}}}}",
        '5:45: a removal names its series and instances: "*" is not taken\n'
        "    Write the UIDs of what is to go.",
    ),
    "UID with a letter": (
        HEAD + "absent: {Study: {Series: [1.2.x]}}",
        "5:27: Series[0] is not a UID: numbers joined by dots",
    ),
    "twice": (
        HEAD + "absent: {Study: {Series: [1.2, 1.2]}}",
        "5:32: Study/Series/1.2 is removed here again, first at m.yaml:5:27\n"
        "    Keep one of the two.",
    ),
    "present and absent": (
        HEAD + "absent: {Patient: {DICOM: [PatientName]}}\n"
        "present: {Patient: {DICOM: {'00100010': a}}}",
        "5:28: PatientName (0010,0010) is asked to be absent here and present at "
        "m.yaml:6:29\n"
        "    Keep one of the two.",
    ),
    "below a removed series": (
        HEAD + "absent: {Study: {Series: [1.2]}}\n"
        "present: {Study: {Series: {1.2: {DICOM: {Modality: CT}, Instances: {1.3: "
        "{DICOM: {ImageComments: a}}}}, '*': {DICOM: {Modality: MR}}}}}",
        "6:42: this stands below Study/Series/1.2, which m.yaml:5:27 removes\n"
        "    Ask for attributes of what stays, or for the removal: not for both.\n"
        "6:83: this stands below Study/Series/1.2, which m.yaml:5:27 removes\n"
        "    Ask for attributes of what stays, or for the removal: not for both.",
    ),
    "below a removed instance": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {1.3: {}}}}}}\n"
        "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: "
        "a}}}}}}}",
        "6:60: this stands below Study/Series/1.2/Instances/1.3, which m.yaml:5:45 "
        "removes\n"
        "    Ask for attributes of what stays, or for the removal: not for both.",
    ),
    "VR alone": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {1.3: {DICOMVRs: {'00190010': LO}}}}}}}",
        "5:62: DICOMVRs states a VR for (0019,0010), which DICOM does not ask for\n"
        '    Add "00190010" to the DICOM block beside it, or remove the line.',
    ),
}


@pytest.mark.parametrize("case", HEADS)
def test_heads(case: str) -> None:
    text, expected = HEADS[case]
    assert problems(text) == expected


@pytest.mark.parametrize("case", ASKS)
def test_asks(case: str) -> None:
    text, expected = ASKS[case]
    assert problems(text) == expected


@pytest.mark.parametrize("case", ATTRIBUTES)
def test_attributes(case: str) -> None:
    text, expected = ATTRIBUTES[case]
    assert problems(text) == expected


@pytest.mark.parametrize("case", REMOVALS)
def test_removals(case: str) -> None:
    text, expected = REMOVALS[case]
    assert problems(text) == expected


def test_no_message_holds_a_value() -> None:
    secret = "Secret^Name"
    text = HEAD + (
        f"reason: [{secret}]\n"
        f"present: {{Patient: {{DICOM: {{PatientBirthDate: {secret}, PatientSex: [{secret}], "
        f"OtherPatientNames: '{secret}\\x', PatientName: {{a: {secret}}}}}}}}}\n"
        f"absent: {{Study: {{DICOM: {secret}, Series: {secret}}}}}\n"
        f"force: {secret}\nallow: {secret}\nimageSetIds: {secret}\nrevertToVersionId: {secret}\n"
    )
    assert "Secret" not in problems(text)


class Key(str):
    """A key that counts how often it is compared with another one."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Key.compared += 1
        return super().__eq__(other)

    __hash__ = str.__hash__


def test_places_of_many_keys_take_no_look_at_all_the_others() -> None:
    count = 1000
    nodes = [Scalar(Key(f"key{n}"), Place("m.yaml", n), True) for n in range(count)]
    document = MappingNode(tuple((one, one) for one in nodes), Place("m.yaml"))
    Key.compared = 0
    assert [place_of(document, (f"key{n}",)).line for n in range(count)] == list(range(count))
    assert Key.compared < 5 * count
