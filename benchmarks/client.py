"""What the client takes for a page of SearchImageSets and for GetImageSet: CPU time of a call.

python -m benchmarks.client [TURNS]

A process of its own sends the same answers to all three, so that the service costs nothing here:
boto3 as it comes, which makes nothing of an answer; our port with the parser of botocore; and our
port as it is. They take turns of ten calls, and the fastest turn counts: user and system time of
this process. Each page has 50 summaries with every tag.
"""

from __future__ import annotations

import multiprocessing
import socket
import sys
import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

import boto3
import orjson
from botocore.config import Config

from reconciler.core.model.settings import Datastore
from reconciler.core.ports import ImageSets
from reconciler.edges import aws
from reconciler.edges.aws.image_sets import BotoImageSets
from reconciler.edges.aws.problems import Target

STORE, IMAGE_SET = "1" * 32, "a" * 32
MOMENT = 1700243522.295
TOKEN = "0" * 200
TURNS = 60
CALLS = 10
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Fri, 17 Nov 2023 17:52:02 GMT\r\n"
    b"x-amzn-RequestId: 160c19d8-15cd-401a-a5ee-894df0c7a013\r\nContent-Length: %d\r\n\r\n"
)
PROPERTIES = {
    "datastoreId": STORE,
    "imageSetId": IMAGE_SET,
    "versionId": "2",
    "imageSetState": "ACTIVE",
    "imageSetWorkflowStatus": "UPDATED",
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "lastAccessedAt": MOMENT,
    "imageSetArn": f"arn:aws:medical-imaging:us-east-1:1:datastore/{STORE}/imageset/{IMAGE_SET}",
    "isPrimary": True,
    "storageTier": "FREQUENT_ACCESS",
}


def summary(number: int) -> dict[str, Any]:
    """A row of a search with everything that the service model has."""
    tags = {
        "DICOMPatientId": f"{number:08d}",
        "DICOMPatientName": "Garcia^Gloria",
        "DICOMPatientBirthDate": "19700101",
        "DICOMPatientSex": "F",
        "DICOMStudyInstanceUID": f"1.2.826.0.1.3680043.8.498.{number}",
        "DICOMStudyId": "1",
        "DICOMStudyDescription": "CT CHEST WITH CONTRAST",
        "DICOMNumberOfStudyRelatedSeries": 3,
        "DICOMNumberOfStudyRelatedInstances": 300,
        "DICOMAccessionNumber": f"A{number:08d}",
        "DICOMSeriesInstanceUID": f"1.2.826.0.1.3680043.8.498.{number}.1",
        "DICOMSeriesModality": "CT",
        "DICOMSeriesBodyPart": "CHEST",
        "DICOMSeriesNumber": 1,
        "DICOMStudyDate": "20231117",
        "DICOMStudyTime": "175202",
    }
    moments = {"createdAt": MOMENT, "updatedAt": MOMENT, "lastAccessedAt": MOMENT}
    known = {"version": 2, "isPrimary": True, "storageTier": "FREQUENT_ACCESS"}
    return {"imageSetId": f"{number:032x}", **known, **moments, "DICOMTags": tags}


def serve(listener: socket.socket) -> None:
    """Answer every request to the address, each connection in a thread."""
    rows = [summary(number) for number in range(50)]
    page = orjson.dumps({"imageSetsMetadataSummaries": rows, "nextToken": TOKEN})
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection, page), daemon=True).start()


def answer(connection: socket.socket, page: bytes) -> None:
    """Give each page another nextToken."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    properties, requests, pages = orjson.dumps(PROPERTIES), connection.makefile("rb"), 0
    while target := requests.readline():
        body = properties
        if b"/searchImageSets" in target:
            pages += 1
            body = page.replace(TOKEN.encode(), b"%0*d" % (len(TOKEN), pages))
        pass_over(requests)
        connection.sendall(HEAD % len(body) + body)


def pass_over(requests: Any) -> None:
    """Read the rest of a request."""
    length = 0
    while (header := requests.readline().lower().strip()) != b"":
        if header.startswith(b"content-length:"):
            length = int(header.split(b":")[1])
    requests.read(length)


Way = tuple[Callable[[int], object], Callable[[int], object]]


def bare(client: Any) -> Way:
    """boto3 as it comes: pages, and GetImageSet."""

    def pages(count: int) -> None:
        found = client.get_paginator("search_image_sets").paginate(
            datastoreId=STORE, searchCriteria={}, PaginationConfig={"PageSize": 50}
        )
        for _ in islice(found, count):
            pass

    def gets(count: int) -> None:
        for _ in range(count):
            client.get_image_set(datastoreId=STORE, imageSetId=IMAGE_SET)

    return pages, gets


def ours(port: ImageSets) -> Way:
    """Our port: pages, and GetImageSet."""

    def pages(count: int) -> None:
        for _ in islice(port.pages(), count):
            pass

    def gets(count: int) -> None:
        for _ in range(count):
            port.get(IMAGE_SET)

    return pages, gets


def ways(endpoint: str) -> dict[str, Way]:
    """The three clients of an address."""
    client = boto3.client(
        "medical-imaging",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=Config(inject_host_prefix=False, proxies={}, retries={"mode": "standard"}),
    )
    port = aws.connect(Datastore("research", STORE, "us-east-1"), endpoint=endpoint)
    return {
        "boto3 as it comes": bare(client),
        "our port, parser of botocore": ours(
            BotoImageSets(client, client, Target("research", STORE, "us-east-1", endpoint))
        ),
        "our port": ours(port),
    }


def cpu(call: Callable[[int], object]) -> float:
    """CPU time of this process for a call, in milliseconds."""
    begin = time.process_time()
    call(CALLS)
    return (time.process_time() - begin) / CALLS * 1000


def main() -> None:
    """Print what a call takes, and the ratio to our port."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else TURNS
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = multiprocessing.Process(target=serve, args=(listener,), daemon=True)
        server.start()
        clients = ways(f"http://127.0.0.1:{listener.getsockname()[1]}")
        turns = [[[cpu(call) for call in way] for way in clients.values()] for _ in range(count)]
        server.kill()
    least = [[min(times) for times in zip(*way, strict=True)] for way in zip(*turns, strict=True)]
    print("| client | page of 50 | ratio | GetImageSet | ratio |\n|---|--:|--:|--:|--:|")
    page, get = least[-1]
    for name, (one, other) in zip(clients, least, strict=True):
        print(f"| {name} | {one:.2f} ms | {one / page:.1f} | {other:.2f} ms | {other / get:.1f} |")


if __name__ == "__main__":
    main()
