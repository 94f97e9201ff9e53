"""A real boto3 client against a real server; only the time is ours."""

from __future__ import annotations

import copy
import gzip
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.config import Config

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.rules.behaviours import Behaviours

UPDATE_SECONDS = 8.0
_SESSION = boto3.Session(
    aws_access_key_id="emulator", aws_secret_access_key="emulator", region_name="us-east-1"
)
_NUMBERS = itertools.count(1)


def connect(endpoint: str) -> Any:
    """A client as a user makes it."""
    return _SESSION.client(
        "medical-imaging",
        endpoint_url=endpoint,
        config=Config(
            inject_host_prefix=False,
            retries={"total_max_attempts": 1},
            # botocore's own checks are off in tests that send what it would refuse.
            parameter_validation=True,
        ),
    )


class Clock:
    """Epoch seconds that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1_700_000_000.25

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class EmulatedStore:
    """A data store of its own in a running emulator, and short names for the calls."""

    def __init__(self, emulator: Emulator, client: Any, clock: Clock) -> None:
        self.emulator, self.client, self.clock = emulator, client, clock
        self.datastore_id = f"{next(_NUMBERS):032d}"
        emulator.service.ensure_datastore(self.datastore_id, "tests")

    def load(
        self, document: dict[str, Any], image_set_id: str = "", primary: bool | None = None
    ) -> str:
        image_set_id = image_set_id or f"{next(_NUMBERS):032x}"
        loaded = self.emulator.service.load(
            self.datastore_id, document, image_set_id=image_set_id, primary=primary
        )
        return loaded.imageSetId

    def of(self, image_set_id: str) -> dict[str, str]:
        return {"datastoreId": self.datastore_id, "imageSetId": image_set_id}

    def get(self, image_set_id: str, version: str | None = None) -> dict[str, Any]:
        extra = {"versionId": version} if version else {}
        properties: dict[str, Any] = self.client.get_image_set(**self.of(image_set_id), **extra)
        return properties

    def metadata(self, image_set_id: str, version: str | None = None) -> dict[str, Any]:
        extra = {"versionId": version} if version else {}
        answer = self.client.get_image_set_metadata(**self.of(image_set_id), **extra)
        document: dict[str, Any] = json.loads(
            gzip.decompress(answer["imageSetMetadataBlob"].read())
        )
        return document

    def call(
        self,
        image_set_id: str,
        updatable: Any = None,
        removable: Any = None,
        *,
        pin: str | None = None,
        revert_to: str | None = None,
        **flags: bool,
    ) -> dict[str, Any]:
        """UpdateImageSetMetadata, by default pinned to the latest version."""
        blobs = {"updatableAttributes": updatable, "removableAttributes": removable}
        updates: dict[str, Any] = {
            "DICOMUpdates": {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in blobs.items()
                if value is not None
            }
        }
        if revert_to is not None:
            updates = {"revertToVersionId": revert_to}
        answer: dict[str, Any] = self.client.update_image_set_metadata(
            **self.of(image_set_id),
            latestVersionId=pin or self.get(image_set_id)["versionId"],
            updateImageSetMetadataUpdates=updates,
            **flags,
        )
        return answer

    def finish(self) -> None:
        self.clock.advance(UPDATE_SECONDS)

    def update(self, image_set_id: str, *blobs: Any, **options: Any) -> dict[str, Any]:
        """The same, until it is done: the image set after it."""
        self.call(image_set_id, *blobs, **options)
        self.finish()
        return self.get(image_set_id)

    def refused(self, image_set_id: str, *blobs: Any, **options: Any) -> str:
        """The message of an update that must end in UPDATE_FAILED and change nothing."""
        before = self.metadata(image_set_id)
        version = int(self.get(image_set_id)["versionId"])
        after = self.update(image_set_id, *blobs, **options)
        assert after["imageSetWorkflowStatus"] == "UPDATE_FAILED", after
        assert after["imageSetState"] == "ACTIVE"
        assert after["versionId"] == str(version + 1)
        assert self.metadata(image_set_id) == before
        message: str = after["message"]
        return message

    def updated(self, image_set_id: str, *blobs: Any, **options: Any) -> dict[str, Any]:
        """The document after an update that must succeed."""
        after = self.update(image_set_id, *blobs, **options)
        assert after["imageSetWorkflowStatus"] == "UPDATED", after.get("message")
        assert "message" not in after
        return self.metadata(image_set_id)


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def shared(
    tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> Iterator[tuple[Emulator, Any]]:
    """One server and one client for all tests of a worker; each test has its own data store."""
    folder = tmp_path_factory.mktemp("emulator")
    with Emulator(folder, Options(update_seconds=UPDATE_SECONDS, now=clock)) as emulator:
        yield emulator, connect(emulator.endpoint)


@pytest.fixture
def store(shared: tuple[Emulator, Any], clock: Clock) -> EmulatedStore:
    return EmulatedStore(*shared, clock)


@pytest.fixture
def store_with(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., EmulatedStore]]:
    """Stores of their own server, with switches set."""
    emulators: list[Emulator] = []

    def make(**switches: Any) -> EmulatedStore:
        emulator = Emulator(
            tmp_path / f"{len(emulators)}",
            Options(update_seconds=UPDATE_SECONDS, now=clock, behaviours=Behaviours(**switches)),
        )
        emulators.append(emulator)
        return EmulatedStore(emulator, connect(emulator.endpoint), clock)

    yield make
    for emulator in emulators:
        emulator.close()


@pytest.fixture
def client_for() -> Callable[[str], Any]:
    return connect


@pytest.fixture
def error_of() -> Callable[..., tuple[int, str, str]]:
    """Status, code and message of the error that a call must end in."""

    def call(function: Callable[..., Any], *given: Any, **named: Any) -> tuple[int, str, str]:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            function(*given, **named)
        answer = caught.value.response
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return status, answer["Error"]["Code"], answer["Error"]["Message"]

    return call


SERIES, OTHER_SERIES = "1.2.840.99.5.1", "1.2.840.99.5.2"
FIRST, SECOND, THIRD = "1.2.840.99.7.1", "1.2.840.99.7.2", "1.2.840.99.7.3"


def _instance(uid: str, number: str) -> dict[str, Any]:
    return {
        "DICOM": {
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
            "SOPInstanceUID": uid,
            "InstanceNumber": number,
            "ImageType": ["ORIGINAL", "PRIMARY"],
            "Rows": 4,
            "SliceThickness": "1.25 ",
            "PatientOrientation": None,
            "ContentDate": "20200102",
            "SourceImageSequence": [{"ReferencedSOPInstanceUID": "1.2.840.99.9"}],
            "00190010": "GEMS_ACQU_01",
            "00191001": "12.5",
        },
        "DICOMVRs": {"00190010": "LO", "00191001": "DS"},
        "ImageFrames": [
            {
                "ID": "0" * 32,
                "PixelDataChecksumFromBaseToFullResolution": [
                    {"Width": 4, "Height": 4, "Checksum": 123}
                ],
                "MinPixelValue": 0,
                "MaxPixelValue": 9,
                "FrameSizeInBytes": 32,
            }
        ],
    }


_DOCUMENT = {
    "SchemaVersion": "1.1",
    "Patient": {
        "DICOM": {
            "PatientID": "P-1",
            "PatientName": "Doe^Jane",
            "PatientBirthDate": "19700101",
            "PatientSex": "F",
            "OtherPatientNames": ["Roe^Jane"],
            "PatientComments": None,
        }
    },
    "Study": {
        "DICOM": {
            "StudyInstanceUID": "1.2.840.99.1",
            "StudyDate": "20200102",
            "StudyTime": "083000",
            "AccessionNumber": "A-1",
            "StudyID": "S-1",
            "StudyDescription": "CT HEAD",
            "PatientSize": "1.75",
        },
        "Series": {
            SERIES: {
                "DICOM": {
                    "SeriesInstanceUID": SERIES,
                    "Modality": "CT",
                    "SeriesNumber": "1 ",
                    "SoftwareVersions": ["1.0"],
                    "BodyPartExamined": "HEAD",
                },
                "Instances": {FIRST: _instance(FIRST, "1"), SECOND: _instance(SECOND, "2")},
            }
        },
    },
}


@pytest.fixture
def document() -> dict[str, Any]:
    """A CT series of two instances."""
    return copy.deepcopy(_DOCUMENT)


@pytest.fixture
def two_series(document: dict[str, Any]) -> dict[str, Any]:
    """The same with a second series of one instance, as older image sets have."""
    other = copy.deepcopy(document["Study"]["Series"][SERIES])
    other["DICOM"]["SeriesInstanceUID"] = OTHER_SERIES
    other["Instances"] = {THIRD: _instance(THIRD, "3")}
    document["Study"]["Series"][OTHER_SERIES] = other
    return document


@pytest.fixture
def sibling(document: dict[str, Any]) -> dict[str, Any]:
    """Another series of the same study, in an image set of its own."""
    other = copy.deepcopy(document)
    block = other["Study"]["Series"].pop(SERIES)
    block["DICOM"]["SeriesInstanceUID"] = OTHER_SERIES
    block["Instances"] = {THIRD: _instance(THIRD, "3")}
    other["Study"]["Series"][OTHER_SERIES] = block
    return other
