"""Makes any number of synthetic image sets: realistic shape, invented patients, the same for the
same seed.

Each image set is made of its number alone. So image sets can be made in chunks, in any order, and
again after an interruption, and memory holds one chunk at most.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Any, TypeAlias

Document: TypeAlias = dict[str, Any]

_ROOT = "1.2.826.0.1.3680043.10.1491"
_FAMILY = ("Garcia", "Müller", "Okafor", "Nguyen", "Smith", "Rossi", "Kowalski", "Silva", "Sato",
           "Haddad", "Larsen", "O'Brien")  # fmt: skip
_GIVEN = ("Gloria", "Jürgen", "Ada", "Minh", "John", "Lucia", "Jan", "Ana", "Yuki", "Omar",
          "Ingrid", "Niamh")  # fmt: skip
# Modality, SOP class, body part, description, rows.
_KINDS = (
    ("CT", "1.2.840.10008.5.1.4.1.1.2", "CHEST", "CT CHEST WITH CONTRAST", 512),
    ("MR", "1.2.840.10008.5.1.4.1.1.4", "HEAD", "MR BRAIN", 256),
    ("US", "1.2.840.10008.5.1.4.1.1.6.1", "ABDOMEN", "US ABDOMEN", 480),
    ("CR", "1.2.840.10008.5.1.4.1.1.1", "HAND", "CR HAND LEFT", 1024),
)
_MAKERS = (("SIEMENS", "SOMATOM Force"), ("GE MEDICAL SYSTEMS", "Discovery MR750"),
           ("Philips", "EPIQ 7C"), ("FUJIFILM Corporation", "FDR Smart"))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeding:
    """Numbers of image sets, studies and instances to make.

    `instances` is per image set. `non_primary_percent` of the image sets are made as if their
    import had conflicted. Raises ValueError where the numbers do not fit.
    """

    image_sets: int
    studies: int
    instances: int = 2
    non_primary_percent: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.studies <= self.image_sets <= 10**9:
            raise ValueError("there must be at least one study, and an image set for each of them")
        if not 1 <= self.instances <= 1000:
            raise ValueError("an image set must have between 1 and 1000 instances")
        if not 0 <= self.non_primary_percent <= 100:
            raise ValueError("the percentage of non-primary image sets must be between 0 and 100")

    def image_set_id(self, number: int) -> str:
        """The ID of an image set.

        IDs are spread over the whole range, as the IDs of the service are.
        """
        return hashlib.sha256(f"{self.seed}/{number}".encode()).hexdigest()[:32]

    def is_primary(self, number: int) -> bool:
        """Whether an image set is non-primary: evenly spread, for any number of image sets."""
        share = self.non_primary_percent
        return number * share // 100 == (number + 1) * share // 100

    def document(self, number: int) -> Document:
        """The metadata document of an image set; `number` counts from 0."""
        study = number * self.studies // self.image_sets
        of_study = random.Random(f"{self.seed}/study/{study}")  # noqa: S311
        of_series = random.Random(f"{self.seed}/series/{number}")  # noqa: S311
        kind, maker = of_study.randrange(len(_KINDS)), of_series.choice(_MAKERS)
        study_uid = f"{_ROOT}.{self.seed}.{study}"
        series_uid = f"{study_uid}.{number}"
        date = f"{of_study.randint(2005, 2025)}{of_study.randint(1, 12):02}15"
        return {
            "SchemaVersion": "1.1",
            "ImageSetID": self.image_set_id(number),
            "Patient": {"DICOM": _patient(of_study, study)},
            "Study": {
                "DICOM": _study(of_study, study, study_uid, date, _KINDS[kind][3]),
                "Series": {
                    series_uid: {
                        "DICOM": _series(of_series, number, series_uid, date, kind, maker),
                        "Instances": dict(
                            _instance(of_series, f"{series_uid}.{position}", position, date, kind)
                            for position in range(1, self.instances + 1)
                        ),
                    }
                },
            },
        }


def _patient(of: random.Random, study: int) -> Document:
    return {
        "PatientName": f"{of.choice(_FAMILY)}^{of.choice(_GIVEN)}",
        "PatientID": f"{of.randrange(10**8):08}",
        "PatientBirthDate": f"{of.randint(1930, 2010)}{of.randint(1, 12):02}{of.randint(1, 28):02}",
        "PatientSex": of.choice(("F", "M", "O")),
        "PatientComments": None,
        "EthnicGroup": None,
        "IssuerOfPatientID": "HOSPITAL" if study % 3 else None,
    }


def _study(of: random.Random, study: int, uid: str, date: str, description: str) -> Document:
    return {
        "StudyInstanceUID": uid,
        "StudyDate": date,
        "StudyTime": f"{of.randint(7, 18):02}{of.randint(0, 59):02}{of.randint(0, 59):02}.000",
        "AccessionNumber": f"A{study:09}",
        "StudyID": str(study),
        "StudyDescription": description,
        "ReferringPhysicianName": f"{of.choice(_FAMILY)}^{of.choice(_GIVEN)}^^Dr",
        "PatientAge": f"{of.randint(1, 95):03}Y",
        "PatientWeight": str(of.randint(40, 120)),
        "ProcedureCodeSequence": [
            {
                "CodeValue": f"{of.randrange(10**6):06}",
                "CodingSchemeDesignator": "L",
                "CodeMeaning": description,
            }
        ],
    }


def _series(
    of: random.Random, number: int, uid: str, date: str, kind: int, maker: tuple[str, str]
) -> Document:
    return {
        "SeriesInstanceUID": uid,
        "SeriesNumber": f"{number % 20 + 1} ",
        "Modality": _KINDS[kind][0],
        "SeriesDescription": f"{_KINDS[kind][2]} {of.randint(1, 5)}.0",
        "SeriesDate": date,
        "BodyPartExamined": _KINDS[kind][2],
        "PatientPosition": "HFS",
        "Manufacturer": maker[0],
        "ManufacturerModelName": maker[1],
        "InstitutionName": "St. Elsewhere",
        "StationName": f"STATION{of.randint(1, 9)}",
        "DeviceSerialNumber": f"{of.randrange(10**6)}",
        "SoftwareVersions": [f"VA{of.randint(10, 50)}A"],
        "OperatorsName": None,
        "FrameOfReferenceUID": f"{uid}.0",
        "PositionReferenceIndicator": None,
    }


def _instance(
    of: random.Random, uid: str, position: int, date: str, kind: int
) -> tuple[str, Document]:
    rows = _KINDS[kind][4]
    return uid, {
        "DICOM": {
            "MediaStorageSOPClassUID": _KINDS[kind][1],
            "MediaStorageSOPInstanceUID": uid,
            "TransferSyntaxUID": "1.2.840.10008.1.2.1",
            "ImplementationClassUID": f"{_ROOT}.1",
            "SpecificCharacterSet": ["ISO_IR 192"],
            "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
            "SOPClassUID": _KINDS[kind][1],
            "SOPInstanceUID": uid,
            "ContentDate": date,
            "AcquisitionTime": f"{of.randint(7, 18):02}{position % 60:02}00.000",
            "SliceThickness": "1.25",
            "KVP": "120 ",
            "InstanceNumber": str(position),
            "ImagePositionPatient": ["-250.0", "-250.0", f"{position * 1.25}"],
            "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0 "],
            "PatientOrientation": None,
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "Rows": rows,
            "Columns": rows,
            "PixelSpacing": ["0.976562", "0.976562"],
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "PixelRepresentation": 0,
            "WindowCenter": ["40"],
            "WindowWidth": ["400 "],
            "RescaleIntercept": "-1024 ",
            "RescaleSlope": "1 ",
            "ReferencedImageSequence": [
                {
                    "ReferencedSOPClassUID": _KINDS[kind][1],
                    "ReferencedSOPInstanceUID": f"{uid}.0",
                }
            ],
            "00190010": "SYNTHETIC 1.0",
            "00191001": f"{of.random():.4f}",
            "00191002": "AAE=",
        },
        "DICOMVRs": {"00190010": "LO", "00191001": "DS", "00191002": "OB"},
        "StoredTransferSyntaxUID": "1.2.840.10008.1.2.4.202",
        "ChecksumType": "DECOMPRESSED",
        "ImageFrames": [
            {
                "ID": f"{of.getrandbits(128):032x}",
                "PixelDataChecksumFromBaseToFullResolution": [
                    {"Width": rows, "Height": rows, "Checksum": of.getrandbits(32)}
                ],
                "MinPixelValue": 0,
                "MaxPixelValue": of.randint(1000, 4095),
                "FrameSizeInBytes": rows * rows * 2,
            }
        ],
    }
