"""A script as a team writes it without a tool: read every document, print what differs.

python naive.py ENDPOINT DATASTORE_ID THREADS MANIFEST...

It imports nothing of this repository. Each manifest is read by libyaml; each image set takes a
GetImageSet, for the version that an update needs, and a GetImageSetMetadata.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config

_LOCAL = threading.local()


def client(endpoint: str) -> Any:
    """A client for each thread."""
    if not hasattr(_LOCAL, "client"):
        _LOCAL.client = boto3.session.Session().client(
            "medical-imaging",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="emulator",
            aws_secret_access_key="emulator",
            config=Config(inject_host_prefix=False),
        )
    return _LOCAL.client


def differs(endpoint: str, datastore_id: str, file: str) -> bool:
    """Whether the study of an image set lacks what its manifest asks for."""
    manifest = yaml.load(Path(file).read_bytes(), yaml.CSafeLoader)
    address = {"datastoreId": datastore_id, "imageSetId": manifest["imageSetId"]}
    version = client(endpoint).get_image_set(**address)["versionId"]
    answer = client(endpoint).get_image_set_metadata(**address, versionId=version)
    document = json.loads(gzip.decompress(answer["imageSetMetadataBlob"].read()))
    asked, live = manifest["present"]["Study"]["DICOM"], document["Study"]["DICOM"]
    return any(live.get(name) != value for name, value in asked.items())


def main() -> None:
    """Count what differs, one after the other or by threads."""
    endpoint, datastore_id, threads, *files = sys.argv[1:]
    with ThreadPoolExecutor(int(threads)) as pool:
        found = pool.map(lambda file: differs(endpoint, datastore_id, file), files)
        print(f"{sum(found)} of {len(files)} differ")


if __name__ == "__main__":
    main()
