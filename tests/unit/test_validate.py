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
    assert source.own == ID


@pytest.mark.parametrize("names", [f"imageSetId: {ID}", f"imageSetIds: [{ID}]"])
def test_one_image_set_is_meant_with_or_without_its_id(names: str) -> None:
    head = HEAD.replace(f"imageSetId: {ID}", names)
    for allow in ("OVERWRITES_DRIFT@5", f"OVERWRITES_DRIFT@5:{ID}"):
        text = (
            f"{head}allow: [{allow}, {allow}]\npresent: {{Patient: {{DICOM: {{PatientName: a}}}}}}"
        )
        ((source,),) = [found.sources for found in validated(text).asks]
        assert source.allow == (Consent(Hazard.OVERWRITES_DRIFT, "5", ID),)
        assert source.own == ID


def test_a_list_says_whose_drift_may_be_overwritten() -> None:
    text = HEAD.replace(f"imageSetId: {ID}", f"imageSetIds: [{ID}, {OTHER}]")
    text += f"allow: [OVERWRITES_DRIFT@5:{OTHER}, OVERWRITES_DRIFT@6:{ID}]\n"
    result = validated(text + "present: {Patient: {DICOM: {PatientName: a}}}")
    assert [source.own for found in result.asks for source in found.sources] == ["", ""]
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
        "    Write `apiVersion: reconciler/v1`. This version of reconcile reads no other.",
    ),
    "kind of a selection that names image sets": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSets\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "1:1: this manifest has no name\n"
        "    Add `name: wrong-patient-id`.\n"
        "1:1: this manifest has no select\n"
        "    Add `select: …`.\n"
        "1:1: this manifest names image sets, but is of kind ImageSets\n"
        "    Write `kind: ImageSet`, or remove the image sets: `select` finds them.",
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
        "2:7: unknown kind 'Plan'\n    Write `kind: ImageSet` or `kind: ImageSets`.",
    ),
    "kind is a list": (
        "apiVersion: reconciler/v1\n"
        "kind: [ImageSet]\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "2:1: kind must be ImageSet or ImageSets",
    ),
    "kind is null": (
        "apiVersion: reconciler/v1\n"
        "kind: ~\n"
        "datastore: research\n"
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "2:7: kind is empty: it takes ImageSet or ImageSets\n    Fill it, or delete the key too.",
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
        "3:12: reconciler.yaml has no data store 'x'\n    Write one of: research.",
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
        "3:12: datastore is empty: it takes text\n    Fill it, or delete the key too.",
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
        "4:13: imageSetId is not an imageSetId: it needs 32 characters, each 0-9 or a-z",
    ),
    "image set null": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetId: \n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "4:12: imageSetId is empty: it takes text\n    Fill it, or delete the key too.",
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
        "4:1: imageSetIds names no image set\n    Fill it, or delete the key too.",
    ),
    "image sets: one twice": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetIds:\n"
        "- ea92b0d8838c72a3f25d00d13616f87e\n"
        "- ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "6:3: 'ea92b0d8838c72a3f25d00d13616f87e' is a duplicate of m.yaml:5:3\n"
        "    Remove one of the two.",
    ),
    "image sets: text": (
        "apiVersion: reconciler/v1\n"
        "kind: ImageSet\n"
        "datastore: research\n"
        "imageSetIds: ea92b0d8838c72a3f25d00d13616f87e\n"
        "present: {Patient: {DICOM: {PatientName: a}}}",
        "4:14: imageSetIds takes a list, not text\n"
        "    Write each entry on its own line, beginning with `- `.",
    ),
    "force: text": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nforce: 'true'",
        "6:8: force takes true or false, not text\n    Write `true` or `false`, without quotes.",
    ),
    "force: yes": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nforce: yes",
        "6:8: force takes true or false, not text\n    Write `true` or `false`, without quotes.",
    ),
    "reason null": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nreason:",
        "6:8: reason is empty: it takes text\n    Fill it, or delete the key too.",
    ),
    "reason a list": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nreason: [a]",
        "6:1: reason takes text, not a list",
    ),
    "allow": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        "allow: [REMOVES_INSTANCES, OVERWRITES_DRIFT, OVERWRITES_DRIFT@0, FORCE, "
        "STUDY_WIDE@2, foo, ~]",
        "6:9: 'REMOVES_INSTANCES' is not a hazard\n"
        "    Did you mean REMOVES_INSTANCE?\n"
        "6:28: OVERWRITES_DRIFT needs the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "`OVERWRITES_DRIFT@5`.\n"
        "6:46: OVERWRITES_DRIFT needs the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "`OVERWRITES_DRIFT@5`.\n"
        "6:66: FORCE is not allowed under `allow`\n"
        "    Remove it from `allow`: `force: true` is the consent.\n"
        "6:73: STUDY_WIDE takes no version\n"
        "    Write `STUDY_WIDE`.\n"
        "6:87: 'foo' is not a hazard\n"
        "    Write one of: STUDY_WIDE, REMOVES_INSTANCE, REMOVES_SERIES, CHANGES_UID, "
        "CHANGES_OBJECT, CHANGES_PATIENT_IDENTITY, SPLIT_UPDATE, MERGES_PATIENTS, "
        "OVERWRITES_DRIFT, ACCEPTS_UNVERIFIED.\n"
        "6:92: entry 7 of allow is empty: it takes text\n"
        "    Fill it, or delete the key too.",
    ),
    "allow: drift of a list": (
        HEAD.replace(f"imageSetId: {ID}", f"imageSetIds: [{ID}, {OTHER}]")
        + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        f"allow: [OVERWRITES_DRIFT@5, OVERWRITES_DRIFT, OVERWRITES_DRIFT@5:{ID}]",
        "6:9: OVERWRITES_DRIFT@5 does not say which of the 2 image sets of this manifest "
        "it applies to\n"
        "    Write `OVERWRITES_DRIFT@5:<imageSetId>`, or remove it. `reconcile plan` "
        "prints the line to add.\n"
        "6:29: OVERWRITES_DRIFT needs the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "`OVERWRITES_DRIFT@5:<imageSetId>`.",
    ),
    "allow: drift of another image set": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        f"allow: [OVERWRITES_DRIFT@5:{OTHER}, 'OVERWRITES_DRIFT@5:', OVERWRITES_DRIFT@5:EA92, "
        f'"OVERWRITES_DRIFT@5:{ID}\\n", OVERWRITES_DRIFT@:{ID}]',
        "6:62: '' is not an imageSetId: it needs 32 characters, each 0-9 or a-z\n"
        "    Write the imageSetId of the image set, or remove the line. `reconcile plan` "
        "prints the line to add.\n"
        "6:85: 'EA92' is not an imageSetId: it needs 32 characters, each 0-9 or a-z\n"
        "    Write the imageSetId of the image set, or remove the line. `reconcile plan` "
        "prints the line to add.\n"
        "6:110: 'ea92b0d8838c72a3f25d00d13616f87e\n"
        "' is not an imageSetId: it needs 32 characters, each 0-9 or a-z\n"
        "    Write the imageSetId of the image set, or remove the line. `reconcile plan` "
        "prints the line to add.\n"
        "6:167: OVERWRITES_DRIFT needs the version whose values may be overwritten\n"
        "    Write it with the version that `reconcile plan` prints, such as "
        "`OVERWRITES_DRIFT@5`.",
    ),
    "allow: drift, without an image set": (
        HEAD.replace(f"imageSetId: {ID}", "imageSetId:")
        + "present: {Patient: {DICOM: {PatientName: a}}}\n"
        f"allow: [OVERWRITES_DRIFT@5, 'OVERWRITES_DRIFT@5:{ID}']",
        "4:12: imageSetId is empty: it takes text\n    Fill it, or delete the key too.",
    ),
    "allow: text": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\nallow: SPLIT_UPDATE",
        "6:8: allow takes a list, not text\n"
        "    Write each entry on its own line, beginning with `- `.",
    ),
    "unknown key": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}}}\npriority: 1",
        "6:1: unknown key 'priority'\n"
        "    Allowed here: apiVersion, kind, datastore, imageSetId, imageSetIds, name, "
        "select, where, expect, allowEmpty, reason, present, absent, revertToVersionId, force, "
        "allow.",
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
        "    Write one of: research.\n"
        "4:13: imageSetId is not an imageSetId: it needs 32 characters, each 0-9 or a-z\n"
        "5:28: 'PatientsName' is not a DICOM keyword\n"
        "    Did you mean PatientName?\n"
        "6:8: force takes true or false, not text\n"
        "    Write `true` or `false`, without quotes.",
    ),
}

ASKS: dict[str, tuple[str, str]] = {
    "nothing asked": (
        HEAD,
        "1:1: this manifest asks for nothing\n    Add `present`, `absent` or `revertToVersionId`.",
    ),
    "empty": (
        HEAD + "present: {}",
        "5:1: present asks for nothing\n    Add `Patient` or `Study`, or delete the key too.",
    ),
    "null": (
        HEAD + "present:",
        "5:9: present is empty: it takes the keys `Patient` and `Study`\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "list": (
        HEAD + "present: [a]",
        "5:1: present takes the keys `Patient` and `Study`, not a list",
    ),
    "only SchemaVersion": (
        HEAD + "present: {SchemaVersion: 1.1}",
        "5:1: present asks for nothing\n    Add `Patient` or `Study`, or delete the key too.",
    ),
    "unknown level": (
        HEAD + "present: {DatastoreID: a, Patient: {DICOM: {PatientName: a}}}",
        "5:11: unknown key 'DatastoreID'\n    Allowed here: SchemaVersion, Patient, Study.",
    ),
    "case of a key": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {Dicom: {ImageComments: a}}}}}}}",
        "5:52: unknown key 'Dicom'\n    Did you mean DICOM?",
    ),
    "null level": (
        HEAD + "present: {Patient: }",
        "5:20: Patient is empty: it takes the key `DICOM`\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
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
        "5:20: revertToVersionId is empty: it takes text\n    Fill it, or delete the key too.",
    ),
    "revert to a word": (
        HEAD + "revertToVersionId: latest",
        "5:20: revertToVersionId is not a version number: write a whole number from 1",
    ),
    "revert to 0": (
        HEAD + "revertToVersionId: 0",
        "5:20: revertToVersionId is not a version number: write a whole number from 1",
    ),
    "a section in place of a UID": (
        HEAD + "present: {Study: {Series: {DICOM: {Modality: CT}}}}",
        "5:28: 'DICOM' is the name of a section: write a UID or \"*\", and this key below it\n"
        "5:36: unknown key 'Modality'\n    Allowed here: DICOM, Instances.",
    ),
    "an empty UID": (
        HEAD + "present: {Study: {Series: {'': {DICOM: {Modality: CT}}}}}",
        "5:28: '<text(1-8)>' is empty",
    ),
    "a malformed UID that asks nothing": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {Doe^John: {}}}}}}",
        "5:46: '<text(1-8)>' asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "Series a list in present": (
        HEAD + "present: {Study: {Series: [1.2]}}",
        '5:19: Series takes a SeriesInstanceUID or "*" with keys below it, not a list',
    ),
    "an instance that asks nothing": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {}}}}}}",
        "5:46: '1.3' asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "a series that asks nothing": (
        HEAD + "present: {Study: {Series: {'*': {}}}}",
        "5:28: '*' asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
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
        "5:42: PatientName (0010,0010): the value is missing\n"
        '    Write `""` for present but empty, or `"null"` for that text. To remove the '
        "attribute, list it under `absent`.",
    ),
    "list for VM 1": (
        HEAD + "present: {Patient: {DICOM: {PatientName: [a]}}}",
        "5:42: PatientName (0010,0010): takes one value (VM 1), not a list\n"
        "    Write the value on the same line, after the colon.",
    ),
    "mapping for a value": (
        HEAD + "present: {Patient: {DICOM: {PatientName: {Alphabetic: a}}}}",
        "5:42: PatientName (0010,0010): takes a value, not keys with values\n"
        "    Write the value on the same line, after the colon.",
    ),
    "impossible date": (
        HEAD + "present: {Patient: {DICOM: {PatientBirthDate: 20240230}}}",
        "5:47: PatientBirthDate (0010,0030): the value is not an existing date\n"
        "    Fix the value. Only `force: true` sends it unchanged.",
    ),
    "not a number": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {Rows: abc}}}}}}}",
        "5:66: Rows (0028,0010): takes a whole number (VR US)\n    Write it with digits.",
    ),
    "out of range": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {Rows: 70000}}}}}}}",
        "5:66: Rows (0028,0010): the value is outside 0 to 65535\n"
        "    Fix the value. Only `force: true` sends it unchanged.",
    ),
    "backslash": (
        HEAD + "present: {Patient: {DICOM: {OtherPatientNames: a\\b}}}",
        "5:48: OtherPatientNames (0010,1001): a backslash in the value separates several "
        "values\n"
        "    Write the values as a list: [A, B].",
    ),
    "wrong level": (
        HEAD + "present: {Patient: {DICOM: {StudyDate: 20240101}}}",
        "5:29: HealthImaging keeps StudyDate (0008,0020) at Study level, not at Patient\n"
        "    Move the line to the Study level.",
    ),
    "wrong level by tag": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00080060': CT}}}}}}}",
        "5:60: HealthImaging keeps Modality (0008,0060) at Series level, not at Instance\n"
        "    Move the line to the Series level.",
    ),
    "private too high": (
        HEAD + "present: {Patient: {DICOM: {'00190010': a}}}",
        "5:29: (0019,0010) is private: it can change at Instance only, not at Patient\n"
        "    Move the line to the Instance level.",
    ),
    "generated": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {PixelData: ''}}}}}}}",
        "5:60: PixelData can never be changed: HealthImaging generates it\n    Remove the line.",
    ),
    "pixel data": (
        HEAD
        + "absent: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: [FloatPixelData, '7fe00009']"
        "}}}}}}",
        "5:59: FloatPixelData (7FE0,0008) can never be changed: it holds pixel data\n"
        "    Remove the line.\n"
        "5:75: DoubleFloatPixelData (7FE0,0009) can never be changed: it holds pixel data\n"
        "    Remove the line.",
    ),
    "pixel data of an icon": (
        HEAD + "force: true\npresent: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: "
        "{IconImageSequence: [{Rows: 2, PixelData: AAE=, '00091001': [{7FE00008: a}]}]}}}}}}}",
        "6:90: IconImageSequence (0088,0200): PixelData (7FE0,0010) can never be changed: it holds "
        "pixel data\n"
        "    Remove the line.\n"
        "6:121: (0009,1001): FloatPixelData (7FE0,0008) can never be changed: it holds pixel "
        "data\n"
        "    Remove the line.",
    ),
    "no tags": (
        HEAD + "force: true\npresent: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: "
        "{'00010010': a, 'ffff0010': b, 'FFFEE000': c, "
        "ReferencedImageSequence: [{'00071001': d, CommandField: 1}]}}}}}}}",
        "6:60: (0001,0010) is not a valid tag: DICOM has no attributes in this group\n"
        "    Remove the line.\n"
        "6:75: (FFFF,0010) is not a valid tag: DICOM has no attributes in this group\n"
        "    Remove the line.\n"
        "6:90: (FFFE,E000) is not a valid tag: DICOM has no attributes in this group\n"
        "    Remove the line.\n"
        "6:132: ReferencedImageSequence (0008,1140): (0007,1001) is not a valid tag: DICOM has no "
        "attributes in this group\n"
        "    Remove the line.\n"
        "6:147: ReferencedImageSequence (0008,1140): CommandField (0000,0100) belongs to network "
        "messages; no image set has it\n"
        "    Remove the line.",
    ),
    "of messages": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {CommandField: 1}}}}}}}",
        "5:60: CommandField (0000,0100) belongs to network messages; no image set has it\n"
        "    Remove the line.",
    ),
    "twice": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a, '00100010': b}}}",
        "5:45: PatientName (0010,0010) is a duplicate of m.yaml:5:29\n"
        "    A keyword and its tag mean the same attribute. Remove one of the two lines.",
    ),
    "twice by case": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'0019100A': a, "
        "'0019100a': b}}}}}}}",
        "5:75: (0019,100A) is a duplicate of m.yaml:5:60\n"
        "    A keyword and its tag mean the same attribute. Remove one of the two lines.",
    ),
    "nothing asked": (
        HEAD + "present: {Patient: {DICOM: {}}}",
        "5:21: DICOM asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "all null": (
        HEAD + "present:\n  Patient:\n    DICOM:\n",
        "7:11: DICOM is empty: it takes keywords with values, such as `Keyword: value`\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "a list of keywords": (
        HEAD + "present: {Patient: {DICOM: [PatientName]}}",
        "5:21: DICOM takes keywords with values, such as `Keyword: value`, not a list",
    ),
    "SOPInstanceUID with a letter, forced": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {SOPInstanceUID: "
        "1.2.a}}}}}}}\n"
        "force: true",
        "5:76: SOPInstanceUID (0008,0018): the value is not a UID (numbers without "
        "leading zeros, joined by dots)\n"
        "    Write a valid UID. HealthImaging identifies the study, series or instance by it.",
    ),
    "SOPInstanceUID empty": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {SOPInstanceUID: "
        "''}}}}}}}",
        "5:76: SOPInstanceUID (0008,0018) cannot be empty\n    Write the new UID here.",
    ),
    "inside a sequence": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {SourceImageSequence: "
        "[{PatientsName: a}, {CodeValue: ~}]}}}}}}}",
        "5:83: SourceImageSequence (0008,2112): 'PatientsName' is not a DICOM keyword\n"
        "    Did you mean PatientName?\n"
        "5:113: CodeValue (0008,0100): the value is missing\n"
        '    Write `""` for present but empty, or `"null"` for that text. To remove the '
        "attribute, list it under `absent`.",
    ),
    "DICOMVRs unknown VR": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': ds}}}}}}}",
        "5:87: the VR of (0019,1010) does not exist\n"
        "    Write two capital letters, such as DS or LO.",
    ),
    "DICOMVRs null": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': ~}}}}}}}",
        "5:87: the VR of (0019,1010) does not exist\n"
        "    Write two capital letters, such as DS or LO.",
    ),
    "DICOMVRs a list": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': [DS]}}}}}}}",
        "5:87: 00191010 takes text, not a list",
    ),
    "DICOMVRs without its attribute": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191011': DS}}}}}}}",
        "5:87: DICOMVRs has (0019,1011), but the DICOM block beside it does not\n"
        '    Add "00191011" to the DICOM block, or remove this line.',
    ),
    "DICOMVRs that does not fit": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'00191010': a}, "
        "DICOMVRs: {'00191010': US}}}}}}}",
        "5:72: (0019,1010): takes a whole number (VR US)\n    Write it with digits.",
    ),
    "DICOMVRs against the dictionary": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: a}, "
        "DICOMVRs: {'00204000': LO}}}}}}}",
        "5:90: ImageComments (0020,4000) always has VR LT\n"
        "    Remove the line: DICOMVRs is for private elements.",
    ),
    "DICOMVRs by keyword": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: a}, "
        "DICOMVRs: {ImageComments: LT}}}}}}}",
        "5:90: 'ImageComments' is not a tag: write eight hex digits, such as \"001910F9\"",
    ),
    "DICOMVRs twice": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {'0019100a': a}, "
        "DICOMVRs: {'0019100A': LO, '0019100a': LO}}}}}}}",
        "5:103: the VR of (0019,100A) is a duplicate of m.yaml:5:87\n"
        "    Remove one of the two lines.",
    ),
    "DICOMVRs empty": (
        HEAD + "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: a}, "
        "DICOMVRs: {}}}}}}}",
        "5:79: DICOMVRs asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "DICOMVRs above instances": (
        HEAD + "present: {Patient: {DICOM: {PatientName: a}, DICOMVRs: {'00100010': PN}}}",
        "5:46: DICOMVRs is allowed at Instance level only\n"
        "    Remove it. It is for private elements, which can change at Instance level only.",
    ),
}

REMOVALS: dict[str, tuple[str, str]] = {
    "Instances: []": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: []}}}}",
        "5:33: Instances asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "Instances: {}": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {}}}}}",
        "5:33: Instances asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "Instances:": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: }}}}",
        "5:44: Instances is empty: it takes a list of SOPInstanceUIDs, or a "
        "SOPInstanceUID with keys below it\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "Series: []": (
        HEAD + "absent: {Study: {Series: []}}",
        "5:18: Series asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "Series: text": (
        HEAD + "absent: {Study: {Series: 1.2}}",
        "5:26: Series takes a list of SeriesInstanceUIDs, or a SeriesInstanceUID with "
        "keys below it, not text",
    ),
    "instance: null": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {1.3: ~}}}}}",
        "5:50: '1.3' is empty: it takes the keys `DICOM`, `DICOMVRs`\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "DICOM: []": (
        HEAD + "absent: {Study: {Series: {1.2: {DICOM: []}}}}",
        "5:33: DICOM asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "DICOM: {}": (
        HEAD + "absent: {Study: {Series: {1.2: {DICOM: {}}}}}",
        "5:33: DICOM asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "DICOM: null": (
        HEAD + "absent: {Study: {Series: {1.2: {DICOM: ~}}}}",
        "5:40: DICOM is empty: it takes a list of keywords\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "DICOM: text": (
        HEAD + "absent: {Patient: {DICOM: PatientName}}",
        "5:27: DICOM takes a list of keywords, not text",
    ),
    "DICOM: null, list": (
        HEAD + "absent: {Patient: {DICOM: }}",
        "5:27: DICOM is empty: it takes a list of keywords\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "keyword: list": (
        HEAD + "absent: {Patient: {DICOM: [[PatientName]]}}",
        "5:28: entry 1 of DICOM takes a keyword alone (write `- Keyword`, without a "
        "colon), not a list",
    ),
    "level: {}": (
        HEAD + "absent: {Patient: {}}",
        "5:10: Patient asks for nothing\n"
        "    Fill it, or delete the key too. An empty key removes nothing.",
    ),
    "expected value: null": (
        HEAD + "absent: {Patient: {DICOM: {PatientName: ~}}}",
        "5:41: PatientName (0010,0010): the value is missing\n"
        '    Write `""` for present but empty, or `"null"` for that text. To remove the '
        "attribute, list it under `absent`.",
    ),
    "keywords": (
        HEAD + "absent: {Patient: {DICOM: [PatientsName, StudyDate, '00100010', PatientName, "
        "PixelData, '00190010']}}",
        "5:28: 'PatientsName' is not a DICOM keyword\n"
        "    Did you mean PatientName?\n"
        "5:42: HealthImaging keeps StudyDate (0008,0020) at Study level, not at Patient\n"
        "    Move the line to the Study level.\n"
        "5:65: PatientName (0010,0010) is a duplicate of m.yaml:5:53\n"
        "    A keyword and its tag mean the same attribute. Remove one of the two lines.\n"
        "5:78: PixelData can never be changed: HealthImaging generates it\n"
        "    Remove the line.\n"
        "5:89: (0019,0010) is private: it can change at Instance only, not at Patient\n"
        "    Move the line to the Instance level.",
    ),
    "its UID": (
        HEAD + "absent: {Study: {DICOM: [StudyInstanceUID]}}",
        "5:26: StudyInstanceUID (0020,000D) cannot be removed\n"
        "    Every study, series and instance needs its UID. To change the UID, use `present`.",
    ),
    "every series": (
        HEAD + "absent: {Study: {Series: {'*': {}}}}",
        '5:27: "*" is not allowed in a removal of series or instances\n'
        "    Write the UID of each series or instance to remove.",
    ),
    "every series, in a list": (
        HEAD + "absent: {Study: {Series: ['*']}}",
        '5:27: "*" is not allowed in a removal of series or instances\n'
        "    Write the UID of each series or instance to remove.",
    ),
    "every instance": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {'*': {}}}}}}",
        '5:45: "*" is not allowed in a removal of series or instances\n'
        "    Write the UID of each series or instance to remove.",
    ),
    "an instance in every series": (
        HEAD + "absent: {Study: {Series: {'*': {Instances: [1.3]}}}}",
        '5:45: "*" is not allowed in a removal of series or instances\n'
        "    Write the UID of each series or instance to remove.",
    ),
    "a section in place of a UID": (
        HEAD + "absent: {Study: {Series: [DICOM]}}",
        "5:27: entry 1 of Series is the name of a section: write a UID as the document has it",
    ),
    "a malformed UID twice": (
        HEAD + "absent: {Study: {Series: [Doe John, Doe John]}}",
        "5:37: the removal of Study/Series/<text(1-8)> is a duplicate of m.yaml:5:27\n"
        "    Remove one of the two lines.",
    ),
    "twice": (
        HEAD + "absent: {Study: {Series: [1.2, 1.2]}}",
        "5:32: the removal of Study/Series/1.2 is a duplicate of m.yaml:5:27\n"
        "    Remove one of the two lines.",
    ),
    "present and absent": (
        HEAD + "absent: {Patient: {DICOM: [PatientName]}}\n"
        "present: {Patient: {DICOM: {'00100010': a}}}",
        "5:28: PatientName (0010,0010) is under `absent` here, but under `present` at "
        "m.yaml:6:29\n"
        "    Remove one of the two lines.",
    ),
    "below a removed series": (
        HEAD + "absent: {Study: {Series: [1.2]}}\n"
        "present: {Study: {Series: {1.2: {DICOM: {Modality: CT}, Instances: {1.3: "
        "{DICOM: {ImageComments: a}}}}, '*': {DICOM: {Modality: MR}}}}}",
        "6:42: this line is below Study/Series/1.2, which m.yaml:5:27 removes\n"
        "    Remove this line, or the line that removes the series or instance.\n"
        "6:83: this line is below Study/Series/1.2, which m.yaml:5:27 removes\n"
        "    Remove this line, or the line that removes the series or instance.",
    ),
    "below a removed instance": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {1.3: {}}}}}}\n"
        "present: {Study: {Series: {1.2: {Instances: {1.3: {DICOM: {ImageComments: "
        "a}}}}}}}",
        "6:60: this line is below Study/Series/1.2/Instances/1.3, which m.yaml:5:45 removes\n"
        "    Remove this line, or the line that removes the series or instance.",
    ),
    "VR alone": (
        HEAD + "absent: {Study: {Series: {1.2: {Instances: {1.3: {DICOMVRs: {'00190010': LO}}}}}}}",
        "5:62: DICOMVRs has (0019,0010), but the DICOM block beside it does not\n"
        '    Add "00190010" to the DICOM block, or remove this line.',
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
