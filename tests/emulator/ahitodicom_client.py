"""What AHItoDICOMInterface makes of an image set, compared with the files that it came from.

A program for the clients' environment (`make clients`), not a test: it needs pydicom below 3.

    python ahitodicom_client.py ENDPOINT DATASTORE_ID IMAGE_SET_ID headers|pixels FILE...
"""

import json
import sys
from io import BytesIO
from typing import Any

import pydicom
from AHItoDICOMInterface.AHItoDICOM import AHItoDICOM
from openjpeg import decode
from pydicom.encaps import generate_pixel_data_frame

_META = 2  # its file meta information is its own
_PIXEL_DATA = 0x7FE00010


def differences(original: Any, rebuilt: Any) -> dict[str, str]:
    """The elements that are not the same, and why: missing, added, VR or value."""
    found = {}
    for element in original:
        if element.tag == _PIXEL_DATA:
            continue
        other = rebuilt.get(element.tag)
        if other is None:
            found[str(element.tag)] = f"missing {element.VR}"
        elif element.VR != other.VR:
            found[str(element.tag)] = f"VR {element.VR} {other.VR}"
        elif canonical(element.value) != canonical(other.value):
            found[str(element.tag)] = f"value {element.VR}"
    for element in rebuilt:
        if element.tag not in original and element.tag != _PIXEL_DATA:
            found[str(element.tag)] = f"added {element.VR}"
    return found


def canonical(value: Any) -> Any:
    """Padding and the spelling of emptiness are no difference."""
    if isinstance(value, pydicom.Sequence):
        return [sorted((e.tag, canonical(e.value)) for e in item) for item in value]
    if isinstance(value, (list, pydicom.multival.MultiValue)):
        return canonical(value[0]) if len(value) == 1 else [canonical(one) for one in value]
    if value is None or value in ("", b""):
        return ""
    return value.rstrip(" ") if isinstance(value, str) else value


def pixels(original: Any) -> bytes:
    """The pixels of a file that is uncompressed, or has one frame of JPEG 2000."""
    if not original.file_meta.TransferSyntaxUID.is_compressed:
        return bytes(original.PixelData)
    (frame,) = generate_pixel_data_frame(original.PixelData, 1)
    return bytes(decode(BytesIO(frame)).tobytes())


def main(endpoint: str, datastore_id: str, image_set_id: str, mode: str, *files: str) -> None:
    originals = {}
    for file in files:
        data_set = pydicom.dcmread(file)
        originals[data_set.SOPInstanceUID] = data_set
    helper = AHItoDICOM(AHI_endpoint=endpoint, fetcher_process_count=1, dicomizer_process_count=1)
    rebuilt = helper.DICOMizeImageSet(
        datastore_id=datastore_id, image_set_id=image_set_id, header_only=mode == "headers"
    )
    report: dict[str, Any] = {
        "instances": len(rebuilt),
        "differences": {},
        "elements": sum(len(one) for one in rebuilt),
        "pixels": [],
    }
    for one in rebuilt:
        original = originals[one.SOPInstanceUID]
        report["differences"].update(differences(original, one))
        if mode == "pixels":
            report["pixels"].append(one.PixelData == pixels(original))
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
