"""DICOM files of a metadata document: the files whose import makes that image set.

Handles only the elements of these fixtures, by the documented rules: keyword or tag -> VR
(dictionary, DICOMVRs), JSON type -> value. Each instance gets pixels, since the service imports
images; they are zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from pydicom import datadict
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

_IMAGE = {
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 0,
}


def dicom_files(document: dict[str, Any]) -> Iterator[bytes]:
    """One file for each instance."""
    study = document["Study"]
    for series in study["Series"].values():
        for instance in series["Instances"].values():
            levels = (document["Patient"], study, series, instance)
            yield _file([level["DICOM"] for level in levels], instance["DICOMVRs"])


def _file(blocks: list[dict[str, Any]], vrs: dict[str, str]) -> bytes:
    data_set = _data_set({"SpecificCharacterSet": "ISO_IR 192"} | _IMAGE, {})
    for block in blocks:
        data_set.update(_data_set(block, vrs))
    data_set.add_new("PixelData", "OW", bytes(2 * data_set.Rows * data_set.Columns))
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    written = BytesIO()
    data_set.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _data_set(block: dict[str, Any], vrs: dict[str, str]) -> Dataset:
    data_set = Dataset()
    for key, value in block.items():
        tag = datadict.tag_for_keyword(key) or int(key, 16)
        vr = vrs.get(key) or datadict.dictionary_VR(tag)
        if vr == "SQ":
            value = Sequence([_data_set(item, {}) for item in value or ()])
        data_set.add_new(tag, vr, value)
    return data_set
