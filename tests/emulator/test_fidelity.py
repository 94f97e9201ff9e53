"""Every real DICOM file of pydicom's wheel, ingested and rebuilt from the document alone.

The rebuilding reader knows the documented rules of a metadata document and nothing of how we
write one: keyword or tag -> VR (dictionary, DICOMVRs), JSON type -> value. What it gives is
compared with what pydicom itself reads from the file.
"""

from __future__ import annotations

import base64
from array import array
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom import config, datadict
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.valuerep import IS, DSfloat

from reconciler.emulator.files.ingest import ingest

DATA = Path(pydicom.__file__).parent / "data"
BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN"}
WORDS = {"OW": "H", "OL": "I", "OF": "f", "OD": "d", "OV": "Q"}

# What a document does not hold, and why. Everything else must be the same.
#  - pixel data is kept as image frames
#  - group lengths (gggg,0000) are retired (PS3.5 §7.2); only group 0002 keeps its own
#  - a private element inside of a sequence has no place for its VR: present, value not compared
#  - a private element of an implicit VR file is UN, since the file names no VR: its bytes compared
#  - the words of OW and its like are little endian, whatever the file's byte order
#  - an IS of badVR.dcm is "1A": the document says so, pydicom makes no number of it
PIXELS = {0x7FE00008, 0x7FE00009, 0x7FE00010}
NO_NUMBER = {"badVR.dcm": ("NumberOfFrames", "1A")}


def files() -> list[Path]:
    return sorted(
        file
        for folder in ("charset_files", "test_files")
        for file in (DATA / folder).rglob("*")
        if file.is_file() and ingest([file]).image_sets
    )


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.settings, "_reading_validation_mode", config.IGNORE)
    monkeypatch.setattr(config.settings, "_writing_validation_mode", config.IGNORE)


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.relative_to(DATA)))
def test_a_document_tells_all_of_the_file(file: Path) -> None:
    (image_set,) = ingest([file]).image_sets
    original = pydicom.dcmread(file, force=True)
    if file.name in NO_NUMBER:
        keyword, verbatim = NO_NUMBER[file.name]
        assert instance_of(image_set.document)["DICOM"].pop(keyword) == verbatim
        del original[keyword]
    expected = comparable(original.file_meta, "<") | comparable(original, byte_order(original))
    assert comparable(rebuild(image_set.document), "<") == expected


def byte_order(data_set: Dataset) -> str:
    return "<" if data_set.original_encoding[1] else ">"


def comparable(data_set: Dataset, order: str, *, nested: bool = False) -> dict[str, Any]:
    """What is compared of a data set, by tag."""
    tags = [tag for tag in sorted(data_set.keys()) if tag not in PIXELS]
    tags = [tag for tag in tags if tag.element or tag.group == 2]
    raw = {tag: data_set.get_item(tag) for tag in tags}
    return {
        str(tag): None if nested and tag.is_private else value_told(data_set, raw[tag], order)
        for tag in tags
    }


def value_told(data_set: Dataset, raw: Any, order: str) -> Any:
    if raw.tag.is_private and raw.VR in (None, "UN") and isinstance(raw, RawDataElement):
        if raw.tag.is_private_creator:
            return [text(raw.value.decode("latin-1"))]
        return raw.value or b""
    found = data_set[raw.tag]
    if found.VR == "SQ":
        return [comparable(row, order, nested=True) for row in found.value or ()]
    if isinstance(found.value, bytes):
        return found.value if order == "<" else swapped(found.value, found.VR)
    values = found.value if isinstance(found.value, MultiValue | list) else [found.value]
    return [one for one in map(plain, values) if one not in (None, "")] or b""


def plain(value: Any) -> Any:
    if isinstance(value, DSfloat | IS):
        return text(getattr(value, "original_string", None) or str(value))
    return value if value is None or isinstance(value, float | int) else text(str(value))


def text(value: str) -> str:
    return value.rstrip(" \0")


def swapped(value: bytes, vr: str) -> bytes:
    if vr not in WORDS:
        return value
    words = array(WORDS[vr], value)
    words.byteswap()
    return words.tobytes()


def instance_of(document: dict[str, Any]) -> dict[str, Any]:
    (series,) = document["Study"]["Series"].values()
    (instance,) = series["Instances"].values()
    return dict(instance)


def rebuild(document: dict[str, Any]) -> Dataset:
    study, instance = document["Study"], instance_of(document)
    (series,) = study["Series"].values()
    data_set = Dataset()
    for block in (document["Patient"], study, series, instance):
        for key, value in block["DICOM"].items():
            built = element(key, value, instance["DICOMVRs"])
            assert built.tag not in data_set
            data_set._dict[built.tag] = built  # group 0002 too, where pydicom wants none
    return data_set


def element(key: str, value: Any, vrs: dict[str, str]) -> DataElement:
    tag = datadict.tag_for_keyword(key)
    if tag is None:
        tag = int(key, 16)
    vr = vrs.get(key) or vr_of(tag, value)
    if tag >> 16 & 1 and key not in vrs:
        return DataElement(tag, "UN", b"")  # in a sequence: nothing states its VR
    return DataElement(tag, vr, decoded(value, vr))


def vr_of(tag: int, value: Any) -> str:
    try:
        vr = datadict.dictionary_VR(tag)
    except KeyError:
        return "SQ" if isinstance(value, list) and isinstance(value[0], dict) else "UN"
    if " or " not in vr:
        return str(vr)
    if isinstance(value, str):
        return "OW"
    values = value if isinstance(value, list) else [value or 0]
    return "SS" if min(values) < 0 else "US"


def decoded(value: Any, vr: str) -> Any:
    if vr == "SQ":
        return Sequence([item(one) for one in value or ()])
    if isinstance(value, str) and vr in BINARY:
        return base64.b64decode(value, validate=True)
    if vr == "AT" and value is not None:
        return [int(one, 16) for one in value] if isinstance(value, list) else int(value, 16)
    return value


def item(block: dict[str, Any]) -> Dataset:
    data_set = Dataset()
    for key, value in block.items():
        built = element(key, value, {})
        data_set[built.tag] = built
    return data_set
