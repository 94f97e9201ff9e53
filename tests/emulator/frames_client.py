"""Downloads the frames of an image set, decodes them and compares their CRC32 with the document.

A program for the clients' environment (`make clients`), not a test. It takes the steps of AWS's
example "image sets and frames" in Python: a file for each frame, OpenJPEG with the format of a JP2
file, and the checksum of the full resolution.

    python frames_client.py DATASTORE_ID IMAGE_SET_ID FOLDER
"""

import gzip
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import boto3
from openjpeg.utils import decode, get_parameters

_JP2_FILE = 2


def main(datastore_id: str, image_set_id: str, folder: str) -> None:
    client = boto3.client("medical-imaging")
    named = {"datastoreId": datastore_id, "imageSetId": image_set_id}
    blob = client.get_image_set_metadata(**named)["imageSetMetadataBlob"].read()
    document = json.loads(gzip.decompress(blob))
    frames = [
        (uid, frame)
        for series in document["Study"]["Series"].values()
        for uid, instance in series["Instances"].items()
        for frame in instance["ImageFrames"]
    ]
    report = [checked(client, named, uid, frame, Path(folder)) for uid, frame in frames]
    json.dump(report, sys.stdout)


def checked(
    client: Any, named: dict[str, str], uid: str, frame: dict[str, Any], folder: Path
) -> dict[str, Any]:
    answer = client.get_image_frame(**named, imageFrameInformation={"imageFrameId": frame["ID"]})
    file = folder / f"{frame['ID']}.jph"
    with file.open("wb") as output:
        for chunk in answer["imageFrameBlob"].iter_chunks():
            output.write(chunk)
    pixels = decode(str(file), _JP2_FILE)
    checksums = frame["PixelDataChecksumFromBaseToFullResolution"]
    full = max(checksums, key=lambda one: one["Width"])
    return {
        "uid": uid,
        "contentType": answer["contentType"],
        "isWholeFile": file.stat().st_size == frame["FrameSizeInBytes"],
        "parameters": get_parameters(str(file), _JP2_FILE),
        "isVerified": zlib.crc32(pixels) == full["Checksum"],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
