"""Image sets and manifests that hold a mark wherever a document or a manifest can hold a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from reconciler.core.dicom.dictionary import Attribute, by_tag, standard_tags
from reconciler.core.dicom.levels import level_of
from reconciler.core.model.address import Level
from reconciler.core.review.mask import HARMLESS
from tests.canary.marks import LISTED, LIVE, STATED, Mark
from tests.documents import document, instance, series

HEAD = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
CONSENT = """\
force: true
allow: [CHANGES_OBJECT, CHANGES_UID, CHANGES_PATIENT_IDENTITY, SPLIT_UPDATE, REMOVES_INSTANCE]
"""


def ident(number: int) -> str:
    return f"{number:032x}"


def every_vr() -> dict[str, str]:
    """A keyword of the Instance level for every VR that a scalar can have."""
    found: dict[str, str] = {}
    for attribute in map(by_tag, standard_tags()):
        if _is_usable(attribute):
            found.setdefault(attribute.vr, attribute.keyword)
    return found


def _is_usable(attribute: Attribute) -> bool:
    is_plain = bool(attribute.keyword) and not (attribute.retired or attribute.is_newer)
    is_a_value = is_plain and attribute.tag >> 16 > 0x0008 and attribute.vr not in ("SQ", "AT")
    is_single = is_a_value and not attribute.is_multi and attribute.tag not in HARMLESS
    return is_single and level_of(attribute.tag) is Level.INSTANCE


def nested(mark: Mark) -> list[dict[str, Any]]:
    """A sequence in a sequence, with a name, a code and private elements."""
    inner = {"PersonName": mark.person, "CodeMeaning": mark.text, "CodeValue": mark.word}
    return [
        {
            "PersonIdentificationCodeSequence": [inner],
            "InstitutionName": mark.text,
            "PersonTelephoneNumbers": [mark.number, mark.given],
        }
    ]


def live(image_set: int, mark: Mark = LIVE, **patient: str) -> dict[str, Any]:
    """A document of one instance; the study is its own."""
    uid = f"1.2.840.99.77.{image_set}"
    return document(
        series(f"{uid}.1", [instance(f"{uid}.1.1", private=False)]),
        image_set_id=ident(image_set),
        patient={
            "PatientName": mark.person,
            "PatientID": mark.number,
            "PatientBirthDate": mark.date,
            "PatientComments": mark.text,
            "OtherPatientIDsSequence": [{"PatientID": mark.number, "IssuerOfPatientID": mark.word}],
            **patient,
        },
        study={"StudyInstanceUID": uid, "StudyDescription": mark.text, "StudyID": mark.word},
    )


def odd(image_set: int, mark: Mark = LIVE) -> dict[str, Any]:
    """A document with every VR, nested and private elements, and values that do not fit."""
    made = live(image_set)
    ((_, block),) = made["Study"]["Series"].items()
    block["DICOM"] |= {
        # They do not fit: each is in the list of attributes that may be shown.
        "Modality": mark.upper,
        "SeriesNumber": mark.given,
        "BodyPartExamined": f"{mark.upper} {mark.date}",
        "PatientPosition": ["HFS", mark.upper],
        "SpatialResolution": f"{mark.number} mm",
        "SoftwareVersions": [mark.text],
        "SeriesDescription": mark.text,
    }
    ((_, image),) = block["Instances"].items()
    image["DICOM"] |= {keyword: mark.of(vr) for vr, keyword in every_vr().items()}
    image["DICOM"] |= {
        "ContentCreatorIdentificationCodeSequence": nested(mark),
        "OperatorIdentificationSequence": nested(mark),
        "ImageType": ["ORIGINAL", mark.upper],
        "ImageComments": mark.text,
        "Rows": mark.word,
        # Private elements of a made-up and of a known creator, and keys that DICOM lacks.
        "00090010": mark.text,
        "00091001": mark.person,
        "00091002": nested(mark),
        "00190010": "GEMS_ACQU_01",
        "00191001": mark.number,
        f"{mark.word}^{mark.given}": mark.text,
        "7FFF1010": mark.text,
    }
    image["DICOMVRs"] = {
        "00090010": "LO", "00091001": "PN", "00091002": "SQ", "00190010": "LO", "00191001": "LO",
        f"{mark.word}^{mark.given}": mark.upper, "7FFF1010": mark.word,
    }  # fmt: skip
    return made


def asks_of_odd(image_set: int) -> str:
    """A manifest that changes what the odd document has: on single lines, lists and sequences."""
    inside = {keyword: STATED.of(vr) for vr, keyword in every_vr().items()}
    image = {
        **inside,
        "ContentCreatorIdentificationCodeSequence": nested(LISTED),
        "ImageType": ["DERIVED", LISTED.upper],
        "ImageComments": STATED.text,
        "Rows": 128,
    }
    in_series = {
        "Modality": "CT",
        "SeriesNumber": "1",
        "BodyPartExamined": "CHEST",
        "PatientPosition": "HFS",
        "SpatialResolution": "1",
        "SoftwareVersions": [LISTED.text],
        "SeriesDescription": STATED.text,
    }
    lines = [
        *_block("DICOM", in_series, 8),
        "        Instances:",
        '          "*":',
        *_block("DICOM", image, 12),
    ]
    removed = "absent:\n  Patient: {DICOM: [PatientComments]}\n  Study: {DICOM: [StudyID]}\n"
    body = "\n".join(lines)
    present = f'present:\n  Study:\n    Series:\n      "*":\n{body}\n'
    return f"{HEAD}imageSetId: {ident(image_set)}\n{CONSENT}{present}{removed}"


def _block(name: str, values: dict[str, Any], indent: int) -> Iterator[str]:
    """Values in JSON, which is YAML, each on a line of its own."""
    yield f"{' ' * indent}{name}:"
    for key, value in values.items():
        text = value if isinstance(value, list) else str(value)
        yield f"{' ' * (indent + 2)}{key}: {json.dumps(text, ensure_ascii=False)}"


def update(*image_sets: int) -> str:
    """A manifest that renames patients, by single lines and by a sequence."""
    return _of(
        image_sets,
        "force: true\nallow: [CHANGES_PATIENT_IDENTITY]\npresent:\n"
        "  Patient:\n    DICOM:\n"
        f"      PatientName: {STATED.person}\n"
        f"      PatientBirthDate: '{STATED.date}'\n"
        "      OtherPatientIDsSequence:\n"
        f"        - {{PatientID: '{LISTED.number}', IssuerOfPatientID: {LISTED.word}}}\n"
        f"  Study: {{DICOM: {{StudyDescription: {STATED.word}}}}}\n",
    )


def removal(*image_sets: int) -> str:
    return _of(
        image_sets,
        "force: true\nallow: [CHANGES_PATIENT_IDENTITY]\n"
        "absent:\n  Patient: {DICOM: [PatientComments, OtherPatientIDsSequence]}\n",
    )


def revert(*image_sets: int) -> str:
    return _of(
        image_sets, "revertToVersionId: '1'\nallow: [CHANGES_PATIENT_IDENTITY, CHANGES_OBJECT]\n"
    )


def _of(image_sets: tuple[int, ...], body: str) -> str:
    ids = "".join(f"  - {ident(one)}\n" for one in image_sets)
    return f"{HEAD}imageSetIds:\n{ids}{body}"


def selection(name: str, select: str, where: str) -> str:
    """A manifest that selects image sets by marks."""
    return (
        f"apiVersion: reconciler/v1\nkind: ImageSets\ndatastore: research\nname: {name}\n"
        f"select: {{{select}}}\nwhere: {{{where}}}\nallowEmpty: true\n"
        "present: {Study: {DICOM: {StudyDescription: CT CHEST}}}\n"
    )


INVALID = {
    "selection.yaml": selection(
        "wrong-values",
        f"PatientID: {LISTED.word}*, StudyInstanceUID: {LISTED.word}, createdAt: {LISTED.date}x, "
        f"StudyDateAndTime: {LISTED.number}, isPrimary: {LISTED.word}",
        f"StudyDate: {LISTED.word}, PatientBirthDate: {LISTED.date}..{LISTED.word}",
    ),
    # Values that fit no VR, of each kind of mistake, and YAML that cannot be read. Messages quote
    # keys and kinds that are not known, so these are no marks.
    "values.yaml": _of(
        (1,),
        "present:\n  Patient:\n    DICOM:\n"
        f"      PatientBirthDate: {LISTED.word}\n      PatientID: [{LISTED.number}, 'x']\n"
        f"      PatientSex: {json.dumps(LISTED.text)}\n"
        f"      NoSuchKeyword: {LISTED.word}\n"
        f"      PatientName: {LISTED.person}\\{LISTED.word}\n"
        f"      PatientComments: {{{LISTED.word}: {LISTED.given}}}\n"
        f"      PatientSize: {LISTED.given}\n      EthnicGroup: {json.dumps(LISTED.text * 3)}\n",
    ),
    "yaml.yaml": f"{HEAD}imageSetId: {ident(1)}\npresent: {{Patient: '{LISTED.word}\n",
    "twice.yaml": f"{HEAD}{HEAD}reason: {json.dumps(LISTED.text)}\nreason: {LISTED.word}\n",
    "other.yaml": "apiVersion: reconciler/v1\nkind: Nothing\n",
    "tag.yaml": f"{HEAD}imageSetId: !{LISTED.word} {LISTED.given}\npresent: *{LISTED.word}\n",
    "contradiction.yaml": (
        _of((2,), f"present: {{Patient: {{DICOM: {{PatientID: {LISTED.word}}}}}}}\n")
        + "---\n"
        + _of((2,), f"present: {{Patient: {{DICOM: {{PatientID: {LISTED.given}}}}}}}\n")
    ),
}
