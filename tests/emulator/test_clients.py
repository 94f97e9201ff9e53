"""Clients that we did not write: the AWS CLI, and AHItoDICOMInterface.

They run in an environment of their own, `.venv-clients`, that `make clients` makes.
"""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from reconciler.emulator.files.ingest import ingest
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.emulator.programs import PYTHON_CLIENTS, environment, installed
from tests.emulator.test_guide_examples import (
    IMAGE_SET,
    INSTANCE_7,
    ONE,
    OTHER_IMAGE_SET,
    ROOT,
    SERIES_7,
    TWO,
    _document,
)

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
STORE = "12345678901234567890123456789012"
Aws = Callable[..., Any]


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the clients' programs."""
    return installed(PYTHON_CLIENTS) / "bin"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    root = tmp_path_factory.mktemp("clients")
    (root / "s3" / "bucket").mkdir(parents=True)
    for name in ("MR_small.dcm", "JPEG2000.dcm"):
        shutil.copy(FILES / name, root / "s3" / "bucket")
    with Emulator(root / "data", Options(update_seconds=0.0, s3_root=root / "s3")) as running:
        running.service.ensure_datastore(STORE, "research")
        yield running


@pytest.fixture
def aws(programs: Path, emulator: Emulator, tmp_path: Path) -> Aws:
    """`aws medical-imaging …` in a folder of its own: what it prints, as JSON."""

    def run(*arguments: str, service: str = "medical-imaging", fails: bool = False) -> Any:
        ran = subprocess.run(
            [programs / "aws", service, *arguments], cwd=tmp_path, env=environment(emulator),
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert (ran.returncode != 0) is fails, ran.stderr
        return ran.stderr if fails else json.loads(ran.stdout or "null")

    return run


def of(image_set_id: str) -> tuple[str, ...]:
    return "--datastore-id", STORE, "--image-set-id", image_set_id


def _in(instance: str, block: Any, series: str = ONE) -> str:
    return json.dumps(
        {"SchemaVersion": 1.1, "Study": {"Series": {series: {"Instances": {instance: block}}}}}
    )


_NAME = json.dumps({"SchemaVersion": 1.1, "Patient": {"DICOM": {"PatientName": "MX^MX"}}})
_DESCRIPTION = json.dumps({"SchemaVersion": 1.1, "Study": {"DICOM": {"StudyDescription": "CHEST"}}})
_PRIVATE = {"DICOM": {"001910F9": "97"}, "DICOMVRs": {"001910F9": "DS"}}
# The seven examples of the guide: number, image set, force, and the updates.
EXAMPLES: list[tuple[int, str, bool, Any]] = [
    (1, IMAGE_SET, False, {"DICOMUpdates": {"updatableAttributes": _NAME}}),
    (2, IMAGE_SET, False, {"DICOMUpdates": {"removableAttributes": _DESCRIPTION}}),
    (3, IMAGE_SET, False, {"DICOMUpdates": {"removableAttributes": _in(ONE, {})}}),
    (4, OTHER_IMAGE_SET, False, {"revertToVersionId": "1"}),
    (5, OTHER_IMAGE_SET, True, {"DICOMUpdates": {"updatableAttributes": _in(ONE, _PRIVATE)}}),
    (6, OTHER_IMAGE_SET, True, {"DICOMUpdates": {"updatableAttributes": _in(
        ONE, {"DICOM": {"00091001": "GE_GENESIS_DD"}})}}),
    (7, OTHER_IMAGE_SET, True, {"DICOMUpdates": {"updatableAttributes": _in(
        INSTANCE_7, {"DICOM": {"SOPInstanceUID": f"{ROOT}.3659.9"}}, SERIES_7)}}),
]  # fmt: skip


def expected(number: int, before: dict[str, Any]) -> dict[str, Any]:
    """The document after an example."""
    if number == 1:
        before["Patient"]["DICOM"]["PatientName"] = "MX^MX"
    elif number == 2:
        del before["Study"]["DICOM"]["StudyDescription"]
    elif number in (3, 5, 6):
        instances = before["Study"]["Series"][ONE]["Instances"]
        if number == 3:
            del instances[ONE]
        elif number == 5:
            instances[ONE]["DICOM"]["001910F9"] = "97"
            instances[ONE]["DICOMVRs"]["001910F9"] = "DS"
        else:
            instances[ONE]["DICOM"]["00091001"] = "GE_GENESIS_DD"
    elif number == 7:
        instances = before["Study"]["Series"][SERIES_7]["Instances"]
        block = instances.pop(INSTANCE_7)
        block["DICOM"]["SOPInstanceUID"] = f"{ROOT}.3659.9"
        instances[f"{ROOT}.3659.9"] = block
    return before


def metadata(emulator: Emulator, of: dict[str, str]) -> dict[str, Any]:
    answer = emulator.service.call("GetImageSetMetadata", of)
    document: dict[str, Any] = json.loads(gzip.decompress(answer["imageSetMetadataBlob"]))
    return document


@pytest.mark.parametrize(("number", "image_set_id", "force", "updates"), EXAMPLES)
def test_the_examples_of_the_guide(
    aws: Aws,
    emulator: Emulator,
    tmp_path: Path,
    number: int,
    image_set_id: str,
    force: bool,
    updates: Any,
) -> None:
    """Each in a data store of its own.

    `--cli-binary-format` is of version 2, which takes base64 by default; version 1 takes the text
    and knows no such option.
    """
    named = {"datastoreId": f"{number:032}", "imageSetId": image_set_id}
    document = _document(SERIES_7, (INSTANCE_7,)) if number == 7 else _document(ONE, (ONE, TWO))
    emulator.service.ensure_datastore(named["datastoreId"])
    emulator.service.load(named["datastoreId"], document, image_set_id=image_set_id, primary=False)
    pin = "1"
    before = metadata(emulator, named)
    if number == 4:
        for pin in ("1", "2"):
            blob = {"updatableAttributes": json.dumps({"Patient": {"DICOM": {"PatientName": pin}}})}
            call(emulator, named, pin, {"DICOMUpdates": blob})
        pin = "3"
    (tmp_path / "metadata-updates.json").write_text(json.dumps(updates))
    answer = aws(
        "update-image-set-metadata",
        "--datastore-id", named["datastoreId"],
        "--image-set-id", image_set_id,
        "--latest-version-id", pin,
        *(["--force"] if force else []),
        "--update-image-set-metadata-updates", "file://metadata-updates.json",
    )  # fmt: skip
    assert answer.keys() == {
        "latestVersionId", "imageSetWorkflowStatus", "updatedAt", "imageSetId", "imageSetState",
        "createdAt", "datastoreId",
    }  # fmt: skip
    assert answer["latestVersionId"] == str(int(pin) + 1)
    assert (answer["imageSetState"], answer["imageSetWorkflowStatus"]) == ("LOCKED", "UPDATING")
    after = emulator.service.call("GetImageSet", named)
    assert after["imageSetWorkflowStatus"] == "UPDATED", after
    assert metadata(emulator, named) == expected(number, before)


def call(emulator: Emulator, named: dict[str, str], pin: str, updates: Any) -> None:
    blobs = {name: text.encode() for name, text in updates["DICOMUpdates"].items()}
    emulator.service.call(
        "UpdateImageSetMetadata",
        {
            **named,
            "latestVersionId": pin,
            "updateImageSetMetadataUpdates": {"DICOMUpdates": blobs},
        },
    )


def test_the_aws_cli_imports_and_reads(aws: Aws, emulator: Emulator, tmp_path: Path) -> None:
    assert aws("get-caller-identity", service="sts")["Account"] == "000000000000"
    started = aws(
        "start-dicom-import-job", "--job-name", "cli", "--datastore-id", STORE,
        "--data-access-role-arn", "arn:aws:iam::000000000000:role/import",
        "--input-s3-uri", "s3://bucket/", "--output-s3-uri", "s3://results/",
    )  # fmt: skip
    job = aws("get-dicom-import-job", "--datastore-id", STORE, "--job-id", started["jobId"])
    assert job["jobProperties"]["jobStatus"] == "COMPLETED"
    listed = aws("list-dicom-import-jobs", "--datastore-id", STORE)["jobSummaries"]
    assert [one["jobId"] for one in listed] == [started["jobId"]]
    store = aws("get-datastore", "--datastore-id", STORE)["datastoreProperties"]
    assert store["datastoreStatus"] == "ACTIVE"
    assert store["datastoreName"] == "research"

    patient = str(pydicom.dcmread(FILES / "JPEG2000.dcm").PatientID)
    filters = [{"operator": "EQUAL", "values": [{"DICOMPatientId": patient}]}]
    (tmp_path / "criteria.json").write_text(json.dumps({"filters": filters}))
    found = aws(
        "search-image-sets", "--datastore-id", STORE, "--search-criteria", "file://criteria.json"
    )["imageSetsMetadataSummaries"]
    (image_set_id,) = [one["imageSetId"] for one in found]
    got = aws("get-image-set", *of(image_set_id))
    assert (got["versionId"], got["imageSetState"], got["isPrimary"]) == ("1", "ACTIVE", True)
    versions = aws("list-image-set-versions", *of(image_set_id))["imageSetPropertiesList"]
    assert [(one["versionId"], one["ImageSetWorkflowStatus"]) for one in versions] == [
        ("1", "CREATED")
    ]
    answer = aws("get-image-set-metadata", *of(image_set_id), "document.json.gz")
    assert answer == {"contentType": "application/json", "contentEncoding": "gzip"}
    document = json.loads(gzip.decompress((tmp_path / "document.json.gz").read_bytes()))
    (series,) = document["Study"]["Series"].values()
    (instance,) = series["Instances"].values()
    frame = json.dumps({"imageFrameId": instance["ImageFrames"][0]["ID"]})
    answer = aws(
        "get-image-frame", *of(image_set_id), "--image-frame-information", frame, "frame.j2c"
    )
    assert answer == {"contentType": "image/j2c"}
    assert (tmp_path / "frame.j2c").read_bytes().startswith(b"\xff\x4f\xff\x51")

    arn = ("--resource-arn", got["imageSetArn"])
    aws("tag-resource", *arn, "--tags", "team=radiology")
    assert aws("list-tags-for-resource", *arn) == {"tags": {"team": "radiology"}}
    aws("untag-resource", *arn, "--tag-keys", "team")
    copied = aws(
        "copy-image-set", "--datastore-id", STORE, "--source-image-set-id", image_set_id,
        "--copy-image-set-information", '{"sourceImageSet": {"latestVersionId": "1"}}',
    )["destinationImageSetProperties"]  # fmt: skip
    gone = aws("delete-image-set", *of(copied["imageSetId"]))
    assert gone["imageSetWorkflowStatus"] == "DELETING"
    stale = aws(
        "update-image-set-metadata", *of(image_set_id), "--latest-version-id", "7",
        "--update-image-set-metadata-updates", '{"revertToVersionId": "1"}', fails=True,
    )  # fmt: skip
    assert "(ResourceNotFoundException)" in stale
    assert "Requested version(s) of ImageSet(s) is not the latest." in stale
    ids = [one["datastoreId"] for one in aws("list-datastores")["datastoreSummaries"]]
    assert STORE in ids


# Files of a series, whether pixels are read too, and the elements that AHItoDICOMInterface itself
# does not rebuild, each with its reason.
_MR = sorted((FILES / "dicomdirtests" / "98892003" / "MR700").iterdir())
SERIES: dict[str, tuple[list[Path], str, dict[str, str]]] = {
    "MR, seven instances": (_MR, "headers", {}),
    "CT with private elements": ([FILES / "CT_small.dcm"], "headers", {}),
    "NM, JPEG 2000 with its pixels": ([FILES / "JPEG2000.dcm"], "pixels", {}),
    "MR, seven instances with their pixels, from HTJ2K": (_MR, "pixels", {}),
    "RGB with its pixels, from HTJ2K": ([FILES / "examples_rgb_color.dcm"], "pixels", {}),
}


# Files, and what OpenJPEG says of their frames.
FRAMES = {
    "MR_small.dcm": {"rows": 64, "columns": 64, "samples_per_pixel": 1, "is_signed": True},
    "examples_rgb_color.dcm": {"rows": 240, "columns": 320, "samples_per_pixel": 3},
    "SC_ybr_full_422_uncompressed.dcm": {"rows": 100, "columns": 100, "samples_per_pixel": 3},
    "examples_palette.dcm": {"rows": 350, "columns": 800, "precision": 8},
    "MR_small_jp2klossless.dcm": {"rows": 64, "columns": 64, "precision": 16},
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_are_verified_as_awss_example_does(
    programs: Path, tmp_path: Path, name: str
) -> None:
    with Emulator(tmp_path / "data", Options(update_seconds=0.0)) as emulator:
        emulator.service.ensure_datastore(STORE)
        found = ingest([FILES / name], lambda frame: emulator.service.keep_frame(STORE, frame))
        (image_set,) = found.image_sets
        emulator.service.load(STORE, image_set.document, image_set_id=image_set.image_set_id)
        ran = subprocess.run(
            [programs / "python", Path(__file__).with_name("frames_client.py"), STORE,
             image_set.image_set_id, tmp_path],
            env=environment(emulator), capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    (frame,) = json.loads(ran.stdout)
    assert (frame["contentType"], frame["isWholeFile"]) == ("image/jph", True)
    assert frame["parameters"].items() >= FRAMES[name].items()
    assert frame["isVerified"] is True


@pytest.mark.parametrize("name", SERIES)
def test_ahitodicom_rebuilds_a_series(programs: Path, tmp_path: Path, name: str) -> None:
    files, mode, lost = SERIES[name]
    with Emulator(tmp_path, Options(update_seconds=0.0)) as emulator:
        emulator.service.ensure_datastore(STORE)
        found = ingest(files, lambda frame: emulator.service.keep_frame(STORE, frame))
        (image_set,) = found.image_sets
        emulator.service.load(STORE, image_set.document, image_set_id=image_set.image_set_id)
        script = Path(__file__).with_name("ahitodicom_client.py")
        ran = subprocess.run(
            [programs / "python", script, emulator.endpoint, STORE, image_set.image_set_id, mode,
             *files],
            env=environment(emulator), capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    assert report["instances"] == len(files)
    assert report["elements"] > 40 * len(files)
    assert report["differences"] == lost
    assert report["pixels"] == ([True] * len(files) if mode == "pixels" else [])
