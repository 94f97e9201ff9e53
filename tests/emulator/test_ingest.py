"""DICOM into image sets: JSON types by VR, levels, grouping, and what is refused."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from reconciler.emulator.files.ingest import Ingested, ingest
from reconciler.emulator.operations.samples import default_image_sets, load_default
from reconciler.emulator.operations.service import Service


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pydicom would not write itself is exactly what archives hold."""
    monkeypatch.setattr(config.settings, "_writing_validation_mode", config.IGNORE)


def data_set(**attributes: Any) -> Dataset:
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.SOPInstanceUID = "1.2.3.1"
    made.StudyInstanceUID = "1.2.3"
    made.SeriesInstanceUID = "1.2.3.0"
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def write(path: Path, content: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    content.file_meta = FileMetaDataset()
    content.file_meta.TransferSyntaxUID = syntax
    content.file_meta.MediaStorageSOPClassUID = content.get("SOPClassUID", "1.2")
    content.file_meta.MediaStorageSOPInstanceUID = content.get("SOPInstanceUID", "1.2")
    path.parent.mkdir(parents=True, exist_ok=True)
    content.save_as(path, enforce_file_format=True)
    return path


def document(ingested: Ingested) -> dict[str, Any]:
    assert ingested.refused == ()
    (image_set,) = ingested.image_sets
    return image_set.document


def instance(ingested: Ingested) -> dict[str, Any]:
    (series,) = document(ingested)["Study"]["Series"].values()
    (block,) = series["Instances"].values()
    return dict(block)


def attribute(tmp_path: Path, keyword: str, value: Any, **more: Any) -> Any:
    return instance(ingest([write(tmp_path / "a.dcm", data_set(**{keyword: value}, **more))]))[
        "DICOM"
    ][keyword]


# Keyword, value as pydicom takes it, JSON as HealthImaging writes it.
TYPES = [
    ("StationAETitle", "CT01", "CT01"),  # AE
    ("SelectorASValue", ["010Y"], ["010Y"]),  # AS, VM 1-n
    ("FrameIncrementPointer", [0x00181065], ["00181065"]),  # AT, VM 1-n: a list of one
    ("SelectorATValue", [0x00100010, 0x0020000D], ["00100010", "0020000D"]),
    ("DimensionIndexPointer", 0x00209056, "00209056"),  # AT, VM 1
    ("ImageType", ["ORIGINAL", "PRIMARY", "", "M"], ["ORIGINAL", "PRIMARY", "", "M"]),  # CS
    ("PhotometricInterpretation", "RGB", "RGB"),
    ("ContentDate", "20240229", "20240229"),  # DA
    ("WindowCenter", "40", ["40"]),  # DS, VM 1-n: a list
    ("PixelSpacing", ["0.5", "1.250"], ["0.5", "1.250 "]),  # DS: padding stays
    ("SliceThickness", "1.10", "1.10"),  # DS: text as it is
    ("AcquisitionDateTime", "20240229101112.5+0100", "20240229101112.5+0100"),  # DT
    ("RecommendedDisplayFrameRateInFloat", 1.5, 1.5),  # FL
    ("ExaminedBodyThickness", 2.0, 2),  # FL, a whole number
    ("RevolutionTime", 0.25, 0.25),  # FD
    ("SpiralPitchFactor", 3.0, 3),
    ("InstanceNumber", "007", "007 "),  # IS
    ("DerivationDescription", "x", "x"),  # ST
    ("ImageComments", "a\\b", "a\\b"),  # LT: one value, whatever is in it
    ("AcquisitionDeviceProcessingDescription", "x", "x"),  # LO
    ("ContentCreatorName", "Doe^Jane^^Dr.^", "Doe^Jane^^Dr.^"),  # PN: plain text
    ("AccessoryCode", "C1", "C1"),  # LO
    ("FlowIdentifierSequence", [], None),  # SQ without items
    ("LongCodeValue", "uc", "uc"),  # UC
    ("RetrieveURL", "http://a.example/x", "http://a.example/x"),  # UR
    ("TextValue", "ut", "ut"),  # UT
    ("Rows", 480, 480),  # US
    ("ReferencePixelX0", -7, -7),  # SL
    ("TagAngleSecondAxis", -3, -3),  # SS
    ("SimpleFrameList", [1, 70000], [1, 70000]),  # UL, VM 1-n
    ("SelectorSVValue", [-(2**40)], [-(2**40)]),  # SV
    ("SelectorUVValue", [2**40], [2**40]),  # UV
    ("ContentTime", "101112.123", "101112.123"),  # TM
    ("InstanceCreatorUID", "1.2.840.1", "1.2.840.1"),  # UI
    ("EncapsulatedDocument", b"\x01\x02", "AQI="),  # OB
    ("VectorGridData", struct.pack("<f", 1.0), "AACAPw=="),  # OF
    ("RedPaletteColorLookupTableData", b"\x01\x00\x02\x00", "AQACAA=="),  # OW
    ("SelectorODValue", b"\x00" * 8, "AAAAAAAAAAA="),  # OD
    ("SelectorOLValue", b"\x00" * 4, "AAAAAA=="),  # OL
    ("SelectorOVValue", b"\x00" * 8, "AAAAAAAAAAA="),  # OV
    ("SelectorUNValue", b"\x07\x08", "Bwg="),  # UN
]
EMPTY = ["PatientOrientation", "ImageComments", "Rows", "WindowCenter", "InstanceNumber"]


@pytest.mark.parametrize(("keyword", "value", "expected"), TYPES, ids=lambda one: str(one)[:30])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_json_types_follow_vr_and_vm(
    tmp_path: Path, keyword: str, value: Any, expected: Any, syntax: str
) -> None:
    found = instance(ingest([write(tmp_path / "a.dcm", data_set(**{keyword: value}), syntax)]))
    assert json.dumps(found["DICOM"][keyword]) == json.dumps(expected)
    assert found["DICOMVRs"] == {}


@pytest.mark.parametrize(("keyword", "value", "expected"), TYPES, ids=lambda one: str(one)[:30])
def test_big_endian_files_tell_the_same(
    tmp_path: Path, keyword: str, value: Any, expected: Any
) -> None:
    content = data_set(**{keyword: value})
    words = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}.get(content[keyword].VR)
    if words:
        content[keyword].value = b"".join(
            value[at : at + words][::-1] for at in range(0, len(value), words)
        )
    big = write(tmp_path / "big.dcm", content, ExplicitVRBigEndian)
    assert instance(ingest([big]))["DICOM"][keyword] == expected


def test_every_vr_is_among_the_types() -> None:
    vrs = {pydicom.datadict.dictionary_VR(keyword) for keyword, _, _ in TYPES}
    assert {*pydicom.valuerep.STANDARD_VR} - vrs == {"SH"}  # as LO: AccessionNumber, below


@pytest.mark.parametrize("keyword", EMPTY)
def test_an_empty_element_is_null(tmp_path: Path, keyword: str) -> None:
    assert attribute(tmp_path, keyword, None) is None


@pytest.mark.parametrize("text", [" ", "    "])
@pytest.mark.parametrize("keyword", ["ImageComments", "InstanceNumber", "AccessoryCode"])
def test_nothing_but_padding_is_null(tmp_path: Path, keyword: str, text: str) -> None:
    made = data_set()
    tag = pydicom.datadict.tag_for_keyword(keyword)
    made[tag] = DataElement(tag, "LO", text)
    assert (
        instance(ingest([write(tmp_path / "a.dcm", made, ImplicitVRLittleEndian)]))["DICOM"][
            keyword
        ]
        is None
    )


def test_sequences_are_lists_of_keyword_mappings(tmp_path: Path) -> None:
    purpose = Dataset()
    purpose.CodeValue = "121322"
    source = Dataset()
    source.ReferencedSOPInstanceUID = "1.2.3.9"
    source.ReferencedFrameNumber = "4"
    source.PurposeOfReferenceCodeSequence = [purpose]
    value = attribute(tmp_path, "SourceImageSequence", [source, Dataset()])
    assert value == [
        {
            "ReferencedSOPInstanceUID": "1.2.3.9",
            "ReferencedFrameNumber": ["4 "],
            "PurposeOfReferenceCodeSequence": [{"CodeValue": "121322"}],
        },
        {},
    ]


def test_a_sequence_item_has_its_own_character_set(tmp_path: Path) -> None:
    named, inherits = Dataset(), Dataset()
    named.SpecificCharacterSet = "ISO_IR 192"
    named.CodeMeaning = "Größe"
    inherits.CodeMeaning = "Größe"
    codes = [named, inherits]
    value = attribute(tmp_path, "ConceptCodeSequence", codes, SpecificCharacterSet="ISO_IR 100")
    assert [item["CodeMeaning"] for item in value] == ["Größe", "Größe"]


@pytest.mark.parametrize(
    ("character_set", "name", "expected"),
    [
        ("ISO_IR 192", "Wang^XiaoDong=王^小东", ["ISO_IR 192"]),
        ("ISO_IR 144", "Люкceмбypг", ["ISO_IR 144"]),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎", ["", "ISO 2022 IR 87"]),
        ("GB18030", "Wang=王^小东", ["GB18030"]),
    ],
)
def test_text_is_decoded_by_the_character_set(
    tmp_path: Path, character_set: Any, name: str, expected: list[str]
) -> None:
    made = data_set(SpecificCharacterSet=character_set, PatientName=name)
    found = document(ingest([write(tmp_path / "a.dcm", made)]))
    assert found["Patient"]["DICOM"]["PatientName"] == name
    (series,) = found["Study"]["Series"].values()
    assert series["Instances"]["1.2.3.1"]["DICOM"]["SpecificCharacterSet"] == expected


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        # PS3.5 annex K.2: "^" and "=" end the code extension, so it is repeated after them.
        (0x00100010, "Zhang^XiaoDong=@张^@小东=", "Zhang^XiaoDong=张^小东="),
        # PS3.5 annex K.3: so does the end of a line.
        (0x00204000, "1. @第一行\r\n2. @第\r\n3. end", "1. 第一行\r\n2. 第\r\n3. end"),
        (0x00081080, "@第\\@一\\plain", ["第", "一", "plain"]),
    ],
)
def test_gb_2312_is_decoded(tmp_path: Path, tag: int, text: str, expected: Any) -> None:
    """`@` stands for the escape sequence that designates GB 2312 (PS3.3 table C.12-4)."""
    raw = text.encode("gb2312").replace(b"@", b"\x1b$)A")
    made = data_set(SpecificCharacterSet=["", "ISO 2022 IR 58"])
    made.add_new(tag, "UN", raw)
    found = document(ingest([write(tmp_path / "a.dcm", made)]))
    assert expected in [*levels(found).values()]


def levels(found: dict[str, Any]) -> dict[str, Any]:
    """The attributes of all levels of a document with one instance."""
    (series,) = found["Study"]["Series"].values()
    (block,) = series["Instances"].values()
    return {
        **found["Patient"]["DICOM"], **found["Study"]["DICOM"], **series["DICOM"], **block["DICOM"]
    }  # fmt: skip


def test_a_backslash_inside_of_a_character_separates_nothing(tmp_path: Path) -> None:
    text = "癨"  # 0xB0 0x5C in GB18030 (PS3.5 §6.1.2.3)
    raw = text.encode("gb18030")
    if b"\\" not in raw:
        text = next(
            character
            for character in map(chr, range(0x4E00, 0x9FFF))
            if b"\\" in character.encode("gb18030")
        )
        raw = text.encode("gb18030")
    made = data_set(SpecificCharacterSet="GB18030")
    made.add_new(0x00081080, "UN", raw)  # AdmittingDiagnosesDescription, LO 1-n
    found = document(ingest([write(tmp_path / "a.dcm", made)]))
    assert found["Study"]["DICOM"]["AdmittingDiagnosesDescription"] == [text]


def test_attributes_stand_at_their_levels(tmp_path: Path) -> None:
    made = data_set(
        PatientName="Doe^Jane",
        PatientID="00123 ",
        StudyDate="20240229",
        AccessionNumber="1_000",
        SeriesNumber="1",
        Modality="CT",
        PixelPaddingValue=-2000,
        PixelRepresentation=1,
        StudyComments="at instance level, as the service has it",
    )
    found = document(ingest([write(tmp_path / "a.dcm", made)]))
    assert found["SchemaVersion"] == "1.1"
    assert found["Patient"]["DICOM"] == {"PatientName": "Doe^Jane", "PatientID": "00123"}
    assert found["Study"]["DICOM"] == {
        "StudyDate": "20240229",
        "AccessionNumber": "1_000",
        "StudyInstanceUID": "1.2.3",
    }
    series = found["Study"]["Series"]["1.2.3.0"]
    assert series["DICOM"] == {
        "Modality": "CT",
        "SeriesInstanceUID": "1.2.3.0",
        "SeriesNumber": "1 ",
        "PixelPaddingValue": -2000,
    }
    at_instance = series["Instances"]["1.2.3.1"]["DICOM"]
    assert at_instance["StudyComments"].startswith("at instance level")
    assert at_instance["TransferSyntaxUID"] == ExplicitVRLittleEndian
    assert at_instance["FileMetaInformationVersion"] == "AAE="
    assert isinstance(at_instance["FileMetaInformationGroupLength"], int)


def test_private_elements_are_hex_with_their_vr(tmp_path: Path) -> None:
    made = data_set()
    made.add_new(0x00190010, "LO", "GEMS_ACQU_01")
    made.add_new(0x001910F9, "DS", "97")
    made.add_new(0x001910FA, "UN", b"")
    made.add_new(0x001910FB, "LO", "")
    made.add_new(0x001910FC, "US", [1, 2])
    nested = Dataset()
    nested.add_new(0x00190010, "LO", "GEMS_ACQU_01")
    made.add_new(0x001910FD, "SQ", [nested])
    found = instance(ingest([write(tmp_path / "a.dcm", made)]))
    private = {key: value for key, value in found["DICOM"].items() if key.startswith("0019")}
    assert private == {
        "00190010": "GEMS_ACQU_01",
        "001910F9": "97",
        "001910FA": "",
        "001910FB": None,
        "001910FC": [1, 2],
        "001910FD": [{"00190010": "GEMS_ACQU_01"}],
    }
    assert found["DICOMVRs"] == {
        "00190010": "LO", "001910F9": "DS", "001910FA": "UN", "001910FB": "LO",
        "001910FC": "US", "001910FD": "SQ",
    }  # fmt: skip


def test_private_elements_of_implicit_vr_are_un_but_for_the_creator(tmp_path: Path) -> None:
    made = data_set()
    made.add_new(0x00190010, "LO", "GEMS_ACQU_01")
    made.add_new(0x001910F9, "DS", "97")
    found = instance(ingest([write(tmp_path / "a.dcm", made, ImplicitVRLittleEndian)]))
    assert found["DICOM"]["00190010"] == "GEMS_ACQU_01"
    assert found["DICOM"]["001910F9"] == "OTc="
    assert found["DICOMVRs"] == {"00190010": "LO", "001910F9": "UN"}


def test_unknown_and_repeating_elements_are_hex(tmp_path: Path) -> None:
    made = data_set()
    made.add_new(0x60020010, "US", 12)  # OverlayRows of the second overlay
    made.add_new(0x00080007, "SH", "x")  # in no dictionary
    found = instance(ingest([write(tmp_path / "a.dcm", made)]))
    assert found["DICOM"]["60020010"] == 12
    assert found["DICOM"]["00080007"] == "x"
    assert found["DICOMVRs"] == {"00080007": "SH"}  # an overlay's VR is in the dictionary


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path, number: float) -> None:
    """Null would mean that the element is there and empty."""
    inside = Dataset()
    inside.RevolutionTime = number
    for attributes in (
        {"RevolutionTime": number},
        {"SelectorFLValue": [1.0, number]},
        {"ConceptCodeSequence": [inside]},
    ):
        ingested = ingest([write(tmp_path / "a.dcm", data_set(**attributes))])
        assert ingested.image_sets == ()
        (problem,) = ingested.refused
        assert "holds NaN or Infinity, which JSON does not have" in problem.reason
    assert attribute(tmp_path, "RevolutionTime", 1e300) == 1e300


def image(**attributes: Any) -> Dataset:
    made = data_set(
        Rows=2, Columns=3, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1,
    )  # fmt: skip
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


# Image sets


def test_one_image_set_for_each_series(tmp_path: Path) -> None:
    for number in range(3):
        content = data_set(SOPInstanceUID=f"1.2.3.{number}", InstanceNumber=str(number))
        write(tmp_path / f"deep/er/{number}", content)
    other = data_set(SOPInstanceUID="1.2.4", SeriesInstanceUID="1.2.3.99")
    write(tmp_path / "other.dcm", other)
    ingested = ingest([tmp_path])
    assert [
        list(series["Instances"])
        for image_set in ingested.image_sets
        for series in image_set.document["Study"]["Series"].values()
    ] == [["1.2.3.0", "1.2.3.1", "1.2.3.2"], ["1.2.4"]]
    assert all(i.document["ImageSetID"] == i.image_set_id for i in ingested.image_sets)


@pytest.mark.parametrize(
    "changed",
    [
        {"PatientID": "2"}, {"StudyDate": "20240301"}, {"AccessionNumber": "2"},
        {"StudyID": "2"}, {"SeriesNumber": "2"}, {"StudyInstanceUID": "1.2.9"},
    ],
    ids=lambda changed: next(iter(changed)),
)  # fmt: skip
def test_instances_of_one_series_that_disagree_are_apart(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    write(tmp_path / "a", data_set(PatientID="1", SeriesNumber="1", StudyDate="20240229"))
    content = data_set(
        PatientID="1", SeriesNumber="1", StudyDate="20240229", SOPInstanceUID="1.2.3.2"
    )
    for keyword, value in changed.items():
        setattr(content, keyword, value)
    write(tmp_path / "b", content)
    first, second = ingest([tmp_path]).image_sets
    assert first.image_set_id != second.image_set_id


def test_what_does_not_group_comes_from_the_first_instance(tmp_path: Path) -> None:
    write(tmp_path / "a", data_set(SeriesDescription="first"))
    write(tmp_path / "b", data_set(SeriesDescription="second", SOPInstanceUID="1.2.3.2"))
    (series,) = document(ingest([tmp_path]))["Study"]["Series"].values()
    assert series["DICOM"]["SeriesDescription"] == "first"
    assert list(series["Instances"]) == ["1.2.3.1", "1.2.3.2"]


def test_identifiers_are_made_of_the_content(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.dcm", image(PixelData=b"\0" * 12))
    write(tmp_path / "b" / "y.dcm", image(PixelData=b"\0" * 12))
    one, other = ingest([tmp_path / "a"]), ingest([tmp_path / "b"])
    assert replace(one, files=()) == replace(other, files=())
    assert json.dumps(document(one)) == json.dumps(document(other))


def test_a_repeated_instance_keeps_the_first_path(tmp_path: Path) -> None:
    for name in ("c", "a", "b"):
        write(tmp_path / name, data_set(ImageComments=name))
    ingested = ingest([tmp_path / "c", tmp_path, tmp_path / "b"])
    assert instance(ingested)["DICOM"]["ImageComments"] == "a"
    assert [problem.path.name for problem in ingested.repeated] == ["b", "c"]
    assert str(tmp_path / "a") in ingested.repeated[0].reason


# What is refused


def refusal(path: Path) -> str:
    ingested = ingest([path])
    assert ingested.image_sets == ()
    (problem,) = ingested.refused
    assert problem.path == path
    assert "\n" not in str(problem)
    return problem.reason


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_an_instance_needs_its_uids(tmp_path: Path, keyword: str) -> None:
    content = data_set()
    delattr(content, keyword)
    assert refusal(write(tmp_path / "a", content)) == f"it has no {keyword}"
    content = data_set(**{keyword: "1.2.x"})
    assert refusal(write(tmp_path / "b", content)) == f"its {keyword} is not a UID"


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\0" * 200, b"\xff" * 4096, b"\0" * 128 + b"DICM"]
)
def test_what_is_no_dicom_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert "DICOM" in refusal(tmp_path / "a") or "UID" in refusal(tmp_path / "a")


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none") == "there is no such file or folder"


def test_a_dicomdir_is_refused() -> None:
    folder = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"
    assert "DICOMDIR" in refusal(folder / "DICOMDIR")


@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian],
    ids=lambda syntax: syntax.name,
)
def test_a_file_cut_anywhere_is_refused_or_ends_after_an_element(
    tmp_path: Path, syntax: str
) -> None:
    nested = Dataset()
    nested.CodeValue = "121322"
    content = data_set(PatientName="Doe^Jane", ConceptCodeSequence=[nested])
    content.ApprovalStatus = "APPROVED"
    content["ConceptCodeSequence"].is_undefined_length = True
    whole = write(tmp_path / "whole", content, syntax).read_bytes()
    lengths = {len(whole)}
    for length in range(len(whole) - 1, 0, -1):
        (tmp_path / "cut").write_bytes(whole[:length])
        ingested = ingest([tmp_path / "cut"])
        assert len(ingested.image_sets) + len(ingested.refused) == 1
        if ingested.image_sets:
            lengths.add(length)
    # The last element takes 16 bytes. Without it, the file does not show that it was longer.
    assert {length for length in lengths if length > len(whole) - 20} == {
        len(whole),
        len(whole) - 16,
    }


def test_a_file_cut_inside_of_its_deflated_part_is_refused(tmp_path: Path) -> None:
    content = data_set(ImageComments="x" * 500)
    whole = write(tmp_path / "a", content, DeflatedExplicitVRLittleEndian).read_bytes()
    assert ingest([tmp_path / "a"]).refused == ()
    (tmp_path / "a").write_bytes(whole[:-20])
    assert "truncated" in refusal(tmp_path / "a")


def test_encapsulated_pixels_without_their_end_are_refused(tmp_path: Path) -> None:
    made = image(PixelData=encapsulate([b"\x01\x02" * 40]))
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    whole = write(tmp_path / "a", made, JPEG2000).read_bytes()
    (tmp_path / "a").write_bytes(whole[:-12])
    assert "truncated" in refusal(tmp_path / "a")


def test_no_reason_quotes_a_value(tmp_path: Path) -> None:
    content = data_set(PatientName="Secret^Name", SOPInstanceUID="SECRET.1")
    path = write(tmp_path / "a", content)
    assert "ecret" not in refusal(path).lower().replace("_secret", "")
    assert "Secret" not in repr(ingest([path]))
    good = write(tmp_path / "b", data_set(PatientName="Secret^Name"))
    assert "Secret" not in repr(ingest([good]))


def test_a_file_without_preamble_is_taken_if_it_has_uids(tmp_path: Path) -> None:
    whole = write(tmp_path / "a", data_set(PatientName="Doe")).read_bytes()
    bare = tmp_path / "bare"
    bare.write_bytes(whole[132:])
    assert document(ingest([bare]))["Patient"]["DICOM"] == {"PatientName": "Doe"}


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_ends_in_an_exception(tmp_path: Path, seed: int) -> None:
    import random

    shuffled = random.Random(seed)
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    names = ["CT_small.dcm", "test-SR.dcm", "rtplan.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm"]
    data = bytearray((folder / shuffled.choice(names)).read_bytes())
    for _ in range(shuffled.randrange(1, 40)):
        data[shuffled.randrange(len(data))] = shuffled.randrange(256)
    (tmp_path / "a").write_bytes(data)
    ingested = ingest([tmp_path / "a"])
    assert len(ingested.image_sets) + len(ingested.refused) == 1
    json.dumps([one.document for one in ingested.image_sets], allow_nan=False).encode()


# The default data


def test_the_default_data_is_the_same_every_time_and_loads_once(tmp_path: Path) -> None:
    assert default_image_sets() == default_image_sets()
    service = Service(tmp_path)
    service.ensure_datastore("a" * 32)
    loaded = load_default(service, "a" * 32)
    assert (len(loaded), sum(one.instances for one in loaded)) == (51, 131)
    assert sum(not one.isPrimary for one in loaded) == 4
    assert load_default(service, "a" * 32) == loaded
    service.close()


def test_ids_of_the_default_data_stay(tmp_path: Path) -> None:
    """Manifests of the demo name them, so they must not change with the way we read files."""
    ids = {image_set.image_set_id for image_set in default_image_sets()}
    assert {"889f53dd93f484d72480b8ada1c0452b", "d7e3c52121ad25d6d47f326abdbe7bec"} <= ids
