"""Import jobs on a folder that stands for S3, and the frames that they store."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import imagecodecs
import pydicom
import pytest

from reconciler.emulator.files import ingest as ingesting
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
STUDY = (
    FILES / "dicomdirtests" / "98892003" / "MR2"
)  # three series, of one, three and three instances
ROLE = "arn:aws:iam::000000000000:role/import"
UPDATE_SECONDS = 8.0


class Importing:
    """An emulator with a folder for S3, and short names for the calls."""

    def __init__(self, root: Path, client: Any, clock: Any, datastore_id: str) -> None:
        self.root, self.client, self.clock, self.datastore_id = root, client, clock, datastore_id

    def put(self, file: Path, key: str) -> None:
        target = self.root / "bucket" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)

    def write(self, data: bytes, key: str) -> None:
        target = self.root / "bucket" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def change(self, file: Path, key: str, **values: str) -> None:
        data_set = pydicom.dcmread(file)
        for keyword, value in values.items():
            setattr(data_set, keyword, value)
        target = self.root / "bucket" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        data_set.save_as(target)

    def start(self, prefix: str, output: str = "s3://results/out/", **more: Any) -> Any:
        return self.client.start_dicom_import_job(
            datastoreId=self.datastore_id,
            dataAccessRoleArn=ROLE,
            inputS3Uri=f"s3://bucket/{prefix}",
            outputS3Uri=output,
            **more,
        )

    def job(self, job_id: str) -> Any:
        answer = self.client.get_dicom_import_job(datastoreId=self.datastore_id, jobId=job_id)
        return answer["jobProperties"]

    def run(self, prefix: str) -> Any:
        """Wait for a job. Returns the summary in its manifest."""
        job_id = self.start(prefix)["jobId"]
        self.clock.advance(UPDATE_SECONDS)
        assert self.job(job_id)["jobStatus"] == "COMPLETED"
        return self.read(job_id, "job-output-manifest.json")["jobSummary"]

    def read(self, job_id: str, name: str) -> Any:
        folder = self.root / "results" / "out" / f"{self.datastore_id}-DicomImport-{job_id}"
        text = (folder / name).read_text()
        if name.endswith(".ndjson"):
            return [json.loads(line) for line in text.splitlines()]
        return json.loads(text)

    def of(self, image_set_id: str) -> dict[str, str]:
        return {"datastoreId": self.datastore_id, "imageSetId": image_set_id}

    def instance(self, image_set_id: str) -> Any:
        """The only instance of an image set."""
        answer = self.client.get_image_set_metadata(**self.of(image_set_id))
        document = json.loads(gzip.decompress(answer["imageSetMetadataBlob"].read()))
        (series,) = document["Study"]["Series"].values()
        (instance,) = series["Instances"].values()
        return instance

    def frame(self, image_set_id: str) -> tuple[str, str, bytes]:
        """The only frame of an image set: ID, contentType and bytes."""
        (described,) = self.instance(image_set_id)["ImageFrames"]
        got = self.client.get_image_frame(
            **self.of(image_set_id), imageFrameInformation={"imageFrameId": described["ID"]}
        )
        data = got["imageFrameBlob"].read()
        assert len(data) == described["FrameSizeInBytes"]
        return described["ID"], got["contentType"], data

    def search(self) -> list[Any]:
        answer = self.client.search_image_sets(datastoreId=self.datastore_id)
        summaries: list[Any] = answer["imageSetsMetadataSummaries"]
        return summaries


@pytest.fixture
def importing(tmp_path: Path, clock: Any, client_for: Callable[[str], Any]) -> Any:
    root = tmp_path / "s3"
    root.mkdir()
    with Emulator(
        tmp_path / "data", Options(update_seconds=UPDATE_SECONDS, now=clock, s3_root=root)
    ) as emulator:
        emulator.service.ensure_datastore("1" * 32)
        yield Importing(root, client_for(emulator.endpoint), clock, "1" * 32)


def test_a_job_from_start_to_end(importing: Importing) -> None:
    for number, file in enumerate(sorted(p for p in STUDY.rglob("*") if p.is_file())):
        importing.put(file, f"in/{number}.dcm")
    importing.write(b"no DICOM at all", "in/readme.txt")
    importing.write(b'{"SchemaVersion": "1.1"}', "in/document.json")
    answer = importing.start("in/", jobName="first")
    job_id = answer["jobId"]
    assert answer["jobStatus"] == "SUBMITTED"
    assert importing.search() == []
    importing.clock.advance(UPDATE_SECONDS / 2)
    assert importing.job(job_id)["jobStatus"] == "IN_PROGRESS"
    assert "endedAt" not in importing.job(job_id)
    importing.clock.advance(UPDATE_SECONDS / 2)
    job = importing.job(job_id)
    assert (job["jobStatus"], job["jobName"]) == ("COMPLETED", "first")
    assert job["inputS3Uri"] == "s3://bucket/in/"
    assert job["endedAt"].timestamp() == importing.clock()
    folder = f"s3://results/out/{importing.datastore_id}-DicomImport-{job_id}/"
    assert job["outputS3Uri"] == folder

    summary = importing.read(job_id, "job-output-manifest.json")["jobSummary"]
    assert summary["outputS3Uri"] == folder
    assert summary["numberOfScannedFiles"] == 9
    assert summary["numberOfImportedFiles"] == 7
    assert summary["numberOfFilesWithCustomerError"] == 2
    assert summary["numberOfGeneratedImageSets"] == 3
    counted = {one["imageSetId"]: one["numberOfMatchedSOPInstances"] for one in
               summary["imageSetsSummary"]}  # fmt: skip
    found = importing.search()
    assert {row["imageSetId"] for row in found} == set(counted)
    assert sorted(counted.values()) == [1, 3, 3]
    assert all(row["isPrimary"] for row in found)
    success = importing.read(job_id, "SUCCESS/success.ndjson")
    assert {line["inputFile"] for line in success} == {f"in/{n}.dcm" for n in range(7)}
    assert {line["importResponse"]["imageSetId"] for line in success} == set(counted)
    failure = importing.read(job_id, "FAILURE/failure.ndjson")
    assert {line["inputFile"] for line in failure} == {"in/readme.txt", "in/document.json"}
    assert importing.read(job_id, "WARNING/warning.ndjson") == []
    for image_set_id in counted:
        got = importing.client.get_image_set(**importing.of(image_set_id))
        assert (got["versionId"], got["imageSetWorkflowStatus"]) == ("1", "CREATED")


@pytest.mark.parametrize("output", ["s3://results", "s3://results/", "s3://results/a/b"])
def test_the_job_names_the_folder_of_its_output(importing: Importing, output: str) -> None:
    """AWS's Python workflow appends `job-output-manifest.json` to `outputS3Uri`."""
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    job_id = importing.start("mr/", output)["jobId"]
    failed = importing.start("nothing/", output)["jobId"]
    importing.clock.advance(UPDATE_SECONDS)
    uri = importing.job(job_id)["outputS3Uri"]
    path = importing.root / uri.removeprefix("s3://") / "job-output-manifest.json"
    assert json.loads(path.read_text())["jobSummary"]["outputS3Uri"] == uri
    name = f"{importing.datastore_id}-DicomImport-{failed}"
    assert importing.job(failed)["outputS3Uri"] == f"{output.rstrip('/')}/{name}/"


def test_frames_are_stored(importing: Importing, error_of: Any) -> None:
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    importing.put(FILES / "JPEG2000.dcm", "j2k/a.dcm")
    (mr,) = importing.run("mr")["imageSetsSummary"]
    (j2k,) = importing.run("j2k")["imageSetsSummary"]

    frame_id, content_type, data = importing.frame(mr["imageSetId"])
    assert content_type == "image/jph"
    assert imagecodecs.jpeg2k_decode(data).tobytes() == (
        pydicom.dcmread(FILES / "MR_small.dcm").PixelData
    )
    other_id, content_type, data = importing.frame(j2k["imageSetId"])
    assert content_type == "image/j2c"
    assert data.startswith(b"\xff\x4f\xff\x51")  # ISO/IEC 15444-1 Annex A: SOC, SIZ
    for image_set, wanted in ((mr, other_id), (j2k, frame_id), (mr, "f" * 32)):
        refused = error_of(
            importing.client.get_image_frame,
            **importing.of(image_set["imageSetId"]),
            imageFrameInformation={"imageFrameId": wanted},
        )
        assert refused[:2] == (404, "ResourceNotFoundException")


def test_frames_of_a_data_store_for_jpeg_2000(importing: Importing) -> None:
    """`losslessStorageFormat` of CreateDatastore."""
    importing.datastore_id = importing.client.create_datastore(
        losslessStorageFormat="JPEG_2000_LOSSLESS"
    )["datastoreId"]
    importing.clock.advance(UPDATE_SECONDS)
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    (mr,) = importing.run("mr")["imageSetsSummary"]
    instance = importing.instance(mr["imageSetId"])
    assert instance["StoredTransferSyntaxUID"] == "1.2.840.10008.1.2.4.90"
    _, content_type, data = importing.frame(mr["imageSetId"])
    assert content_type == "image/j2c"
    assert data.startswith(b"\xff\x4f\xff\x51")
    assert imagecodecs.jpeg2k_decode(data).tobytes() == (
        pydicom.dcmread(FILES / "MR_small.dcm").PixelData
    )


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("image/jph", 200),
        ("image/*;q=0.5, text/html", 200),
        ("*/*", 200),
        ("", 200),
        ("image/j2c", 406),
        ("application/octet-stream, image/jphc", 406),
        ("*/*, image/jph;q=0", 406),
    ],
)
def test_the_accept_header_is_honoured(importing: Importing, accept: str, status: int) -> None:
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    (mr,) = importing.run("mr")["imageSetsSummary"]
    (described,) = importing.instance(mr["imageSetId"])["ImageFrames"]
    importing.clock.advance(40 * 86_400)
    connection = HTTPConnection(importing.client.meta.endpoint_url.removeprefix("http://"))
    connection.request(
        "POST",
        f"/datastore/{importing.datastore_id}/imageSet/{mr['imageSetId']}/getImageFrame",
        json.dumps({"imageFrameId": described["ID"]}),
        {"Accept": accept},
    )
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status == status
    tier = importing.client.get_image_set(**importing.of(mr["imageSetId"]))["storageTier"]
    if status == 200:
        assert answer.getheader("Content-Type") == "image/jph"
        assert tier == "FREQUENT_ACCESS"
    else:
        assert answer.getheader("x-amzn-ErrorType") == "NotAcceptableException"
        assert json.loads(body)["message"] == (
            "The image frame is stored as image/jph. The Accept header does not allow it."
        )
        assert tier == "ARCHIVE_INSTANT_ACCESS"


def test_a_frame_is_an_access(importing: Importing) -> None:
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    (mr,) = importing.run("mr")["imageSetsSummary"]
    of = importing.of(mr["imageSetId"])
    answer = importing.client.get_image_set_metadata(**of)
    text = gzip.decompress(answer["imageSetMetadataBlob"].read()).decode()
    frame_id = text.split('"ID":"')[1][:32]
    importing.clock.advance(40 * 86_400)
    assert importing.client.get_image_set(**of)["storageTier"] == "ARCHIVE_INSTANT_ACCESS"
    importing.client.get_image_frame(**of, imageFrameInformation={"imageFrameId": frame_id})
    assert importing.client.get_image_set(**of)["storageTier"] == "FREQUENT_ACCESS"


def test_the_frames_of_a_removed_instance_stay(importing: Importing) -> None:
    """The guide: an update does not delete pixel data."""
    files = sorted(p for p in STUDY.rglob("*") if p.is_file())
    for number, file in enumerate(files):
        importing.put(file, f"in/{number}.dcm")
    summary = importing.run("in")["imageSetsSummary"]
    big = next(one for one in summary if one["numberOfMatchedSOPInstances"] == 3)
    of = importing.of(big["imageSetId"])
    answer = importing.client.get_image_set_metadata(**of)
    document = json.loads(gzip.decompress(answer["imageSetMetadataBlob"].read()))
    ((series_uid, series),) = document["Study"]["Series"].items()
    uid, instance = next(iter(series["Instances"].items()))
    gone: dict[str, Any] = {"Study": {"Series": {series_uid: {"Instances": {uid: {}}}}}}
    importing.client.update_image_set_metadata(
        **of,
        latestVersionId="1",
        updateImageSetMetadataUpdates={"DICOMUpdates": {"removableAttributes": json.dumps(gone)}},
    )
    importing.clock.advance(UPDATE_SECONDS)
    frame = {"imageFrameId": instance["ImageFrames"][0]["ID"]}
    assert importing.client.get_image_frame(**of, imageFrameInformation=frame)


def test_a_later_job_adds_to_the_primary_image_set(importing: Importing) -> None:
    files = sorted(p for p in STUDY.rglob("*") if p.is_file())
    for number, file in enumerate(files):
        importing.put(file, f"{number}/a.dcm")
    seen: dict[str, list[tuple[int, bool]]] = {}
    for number in range(len(files)):
        (one,) = importing.run(str(number))["imageSetsSummary"]
        seen.setdefault(one["imageSetId"], []).append((one["imageSetVersion"], one["isPrimary"]))
    versions = sorted(seen.values(), key=len)
    assert versions == [[(1, True)], *[[(1, True), (2, True), (3, True)]] * 2]


def test_an_instance_again_replaces_the_older_one(importing: Importing) -> None:
    importing.put(FILES / "MR_small.dcm", "one/a.dcm")
    importing.change(FILES / "MR_small.dcm", "two/a.dcm", ImageComments="again")
    (first,) = importing.run("one")["imageSetsSummary"]
    (second,) = importing.run("two")["imageSetsSummary"]
    assert second["imageSetId"] == first["imageSetId"]
    assert (second["imageSetVersion"], second["isPrimary"]) == (2, True)
    got = importing.client.get_image_set(**importing.of(first["imageSetId"]))
    assert got["imageSetWorkflowStatus"] == "IMPORTED"
    (row,) = importing.search()
    assert row["version"] == 2


@pytest.mark.parametrize("keyword", ["PatientID", "StudyDescription", "SeriesNumber"])
def test_what_conflicts_becomes_non_primary(importing: Importing, keyword: str) -> None:
    importing.put(FILES / "MR_small.dcm", "one/a.dcm")
    importing.change(FILES / "MR_small.dcm", "two/a.dcm", **{keyword: "77"})
    (first,) = importing.run("one")["imageSetsSummary"]
    (second,) = importing.run("two")["imageSetsSummary"]
    assert second["imageSetId"] != first["imageSetId"]
    assert (second["imageSetVersion"], second["isPrimary"]) == (1, False)


def test_one_token_one_job(importing: Importing) -> None:
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    jobs = {importing.start("mr", clientToken="once")["jobId"] for _ in range(3)}
    assert len(jobs) == 1
    importing.clock.advance(UPDATE_SECONDS)
    (row,) = importing.search()
    assert row["version"] == 1


def test_jobs_are_listed_in_pages_and_by_status(importing: Importing) -> None:
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    started = []
    for prefix in ("mr", "nothing", "mr"):
        importing.clock.advance(1)
        started.append(importing.start(prefix)["jobId"])

    def found(**more: Any) -> list[str]:
        pages = importing.client.get_paginator("list_dicom_import_jobs").paginate(
            datastoreId=importing.datastore_id, PaginationConfig={"PageSize": 2}, **more
        )
        return [job["jobId"] for page in pages for job in page["jobSummaries"]]

    assert found() == started
    importing.clock.advance(UPDATE_SECONDS)
    assert found(jobStatus="COMPLETED") == [started[0], started[2]]
    assert found(jobStatus="FAILED") == [started[1]]
    assert importing.job(started[1])["message"] == "The inputS3Uri has no objects."


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket/../other/", "s3://bucket/a/./b", "s3://bucket/a//b", "s3://bucket/..",
     "s3://bucket/a\\..\\b", "s3://bucket/a\0b", "s3://bucket/link/in", "s3://a..b/../..",
     f"s3://bucket/{'x' * 400}"],
)  # fmt: skip
def test_path_tricks_are_refused(importing: Importing, error_of: Any, uri: str) -> None:
    outside = importing.root.parent / "outside"
    (outside / "in").mkdir(parents=True)
    shutil.copy(FILES / "MR_small.dcm", outside / "in" / "a.dcm")
    (importing.root / "bucket").mkdir()
    (importing.root / "bucket" / "link").symlink_to(outside)
    before = sorted(importing.root.parent.rglob("*.json"))
    call = importing.client.start_dicom_import_job
    for places in ({"inputS3Uri": uri, "outputS3Uri": "s3://results/"},
                   {"inputS3Uri": "s3://bucket/", "outputS3Uri": uri}):  # fmt: skip
        named = {"datastoreId": importing.datastore_id, "dataAccessRoleArn": ROLE, **places}
        if len(uri) > 300:  # a name that no file system has: nothing there
            job = importing.job(call(**named)["jobId"])
            importing.clock.advance(UPDATE_SECONDS)
            assert importing.job(job["jobId"])["jobStatus"] == "FAILED"
        else:
            assert error_of(call, **named)[:2] == (400, "ValidationException")
    importing.clock.advance(UPDATE_SECONDS)
    assert importing.search() == []
    assert sorted(importing.root.parent.rglob("*.json")) == before


def test_a_link_out_of_the_bucket_is_no_object(importing: Importing) -> None:
    importing.write(b"x", "in/here.txt")
    (importing.root / "bucket" / "in" / "link.dcm").symlink_to(FILES / "MR_small.dcm")
    assert importing.run("in")["numberOfScannedFiles"] == 1


def test_an_output_that_cannot_be_written_leaves_nothing(importing: Importing) -> None:
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    importing.write(b"a file where a folder is needed", "taken")
    job_id = importing.start("mr", output="s3://bucket/taken")["jobId"]
    importing.clock.advance(UPDATE_SECONDS)
    job = importing.job(job_id)
    assert job["jobStatus"] == "FAILED"
    assert "outputS3Uri" in job["message"]
    assert importing.search() == []


def test_truncated_files_fail_one_by_one(importing: Importing) -> None:
    data = (FILES / "MR_small.dcm").read_bytes()
    for size in (0, 100, 140, 400, len(data) // 2, len(data) - 1):
        importing.write(data[:size], f"in/{size}.dcm")
    importing.put(FILES / "CT_small.dcm", "in/whole.dcm")
    summary = importing.run("in")
    assert summary["numberOfImportedFiles"] == 1
    assert summary["numberOfFilesWithCustomerError"] == 6


def test_an_instance_twice_in_one_job(importing: Importing) -> None:
    importing.put(FILES / "MR_small.dcm", "in/a.dcm")
    importing.put(FILES / "MR_small.dcm", "in/b.dcm")
    job_id = importing.start("in")["jobId"]
    (line,) = importing.read(job_id, "WARNING/warning.ndjson")
    assert line["inputFile"] == "in/b.dcm"


def test_without_s3_it_says_so(store: Any, error_of: Any) -> None:
    answer = error_of(
        store.client.start_dicom_import_job,
        datastoreId=store.datastore_id,
        dataAccessRoleArn=ROLE,
        inputS3Uri="s3://bucket/in",
        outputS3Uri="s3://bucket/out",
    )
    assert answer[:2] == (400, "ValidationException")
    assert "--s3-root" in answer[2]


def test_what_is_not_there(importing: Importing, error_of: Any) -> None:
    client = importing.client
    missing = error_of(
        client.get_dicom_import_job, datastoreId=importing.datastore_id, jobId="a" * 32
    )
    assert missing[:2] == (404, "ResourceNotFoundException")
    for call, more in ((client.list_dicom_import_jobs, {}),
                       (client.get_dicom_import_job, {"jobId": "a" * 32})):  # fmt: skip
        assert error_of(call, datastoreId="9" * 32, **more)[0] == 404


def test_other_writers_go_on_while_files_are_read(
    importing: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading may take minutes: other requests do not wait for it."""
    importing.put(FILES / "CT_small.dcm", "ct/a.dcm")
    importing.put(FILES / "MR_small.dcm", "mr/a.dcm")
    (ct,) = importing.run("ct")["imageSetsSummary"]
    arn = importing.client.get_image_set(**importing.of(ct["imageSetId"]))["imageSetArn"]
    read = ingesting.ingest

    def read_and_be_overtaken(*given: Any) -> Any:
        importing.client.tag_resource(resourceArn=arn, tags={"written": "meanwhile"})
        return read(*given)

    monkeypatch.setattr(ingesting, "ingest", read_and_be_overtaken)
    assert importing.run("mr")["numberOfImportedFiles"] == 1
    assert importing.client.list_tags_for_resource(resourceArn=arn)["tags"]


def test_a_file_whose_name_is_no_text(importing: Importing) -> None:
    """A key of S3 is UTF-8; a file's name is bytes."""
    importing.write((FILES / "MR_small.dcm").read_bytes(), os.fsdecode(b"in/\xff.dcm"))
    job_id = importing.start("in")["jobId"]
    (line,) = importing.read(job_id, "SUCCESS/success.ndjson")
    assert line["inputFile"] == "in/\N{REPLACEMENT CHARACTER}.dcm"
