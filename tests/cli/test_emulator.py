"""`reconcile emulator start` and `load`, and the emulator embedded in other commands."""

from __future__ import annotations

import gzip
import http.client
import http.server
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any

import boto3
import pydicom
import pytest
from botocore.config import Config

from reconciler.cli.embedded import FOLDER, embedded
from reconciler.cli.run import run
from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.rules.behaviours import describe
from tests.processes import bounded

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
STORE = "a" * 32
LAST_LINE = "Stop it with Ctrl-C.\n"
# A study of two series: two image sets of one and three instances.
STUDY = FILES / "dicomdirtests" / "98892003" / "MR1"


def client(endpoint: str, **options: Any) -> Any:
    return boto3.client(
        "medical-imaging",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="emulator",
        aws_secret_access_key="emulator",
        config=Config(inject_host_prefix=False, **options),
    )


def image_sets(endpoint: str, datastore_id: str = STORE) -> dict[str, dict[str, Any]]:
    pages = client(endpoint).get_paginator("search_image_sets").paginate(datastoreId=datastore_id)
    return {row["imageSetId"]: row for page in pages for row in page["imageSetsMetadataSummaries"]}


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[str]:
    with Emulator(tmp_path / "data", Options(update_seconds=0.0)) as emulator:
        yield emulator.endpoint


def load(endpoint: str, *arguments: str | Path, datastore: str = STORE) -> int:
    options = ["--endpoint", endpoint, "--datastore", datastore]
    return run(["emulator", "load", *options, *map(str, arguments)])


# start


@contextmanager
def started(tmp_path: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command in its own process until it is ready."""
    command = [sys.executable, "-m", "reconciler", "emulator", "start", *arguments]
    process = subprocess.Popen(
        command, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with bounded(process):
        assert process.stdout
        output = "".join(takewhile(lambda line: line != LAST_LINE, process.stdout))
        assert process.poll() is None, process.communicate()
        yield process, output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_start_answers_says_where_and_stops_cleanly(tmp_path: Path, number: int) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text('{"endpoint": "http://127.0.0.1:1", "pid": 1}')  # of an earlier run
    arguments = ("--data", "data", "--ready-file", str(ready), "--update-seconds", "0.5")
    with started(tmp_path, *arguments) as (process, output):
        told = json.loads(ready.read_text())
        assert told["pid"] == process.pid
        assert told["endpoint"] in output
        assert client(told["endpoint"]).list_datastores()["datastoreSummaries"] == []
        assert load(told["endpoint"], FILES / "MR_small.dcm") == 0
        process.send_signal(number)
        rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")
    assert "AWS_DISABLE_HOST_PREFIX_INJECTION=true" in output
    assert "inject_host_prefix=False" in output
    assert list(tmp_path.glob(".ready*")) == []
    with Emulator(tmp_path / "data") as emulator:
        assert len(image_sets(emulator.endpoint)) == 1


def test_start_keeps_its_data_where_the_embedded_one_does(tmp_path: Path) -> None:
    with started(tmp_path) as (process, _):
        process.terminate()
        process.communicate()
    assert (tmp_path / FOLDER).is_dir()


def test_start_warns_beyond_loopback(tmp_path: Path) -> None:
    with started(tmp_path, "--host", "0.0.0.0") as (process, _):
        process.terminate()
        _, errors = process.communicate()
    assert process.returncode == 0
    assert errors.startswith("warning: 0.0.0.0 can be reached from other machines")


@pytest.mark.parametrize("names", [(), ("healthimaging.local", "emulator")])
def test_start_answers_for_the_names_that_it_was_given(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    options = [part for name in names for part in ("--host-name", name)]
    with started(tmp_path, *options) as (_, output):
        port = int(output.split()[2].rsplit(":", 1)[1])
        for host in ("healthimaging.local", "runtime-healthimaging.local:80", "emulator:8080"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/datastore", headers={"Host": host})
            assert connection.getresponse().status == (200 if names else 421)
            connection.close()


@pytest.mark.parametrize("origins", [(), ("http://localhost:3000", "https://viewer.example")])
def test_start_answers_pages_of_the_origins_that_it_was_given(
    tmp_path: Path, origins: tuple[str, ...]
) -> None:
    options = [part for origin in origins for part in ("--allow-origin", origin)]
    with started(tmp_path, *options) as (_, output):
        port = int(output.split()[2].rsplit(":", 1)[1])
        for origin in ("http://localhost:3000", "https://viewer.example"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/datastore", headers={"Origin": origin})
            assert connection.getresponse().status == (200 if origins else 403)
            connection.close()


def test_start_refuses_a_port_that_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        data = str(tmp_path / "data")
        assert run(["emulator", "start", "--port", port, "--data", data]) == 1
    assert capsys.readouterr().err == (
        f"error: cannot listen on 127.0.0.1, port {port}: Address already in use\n"
        "    Use --port 0 to choose a free port.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "file"], "error: the data folder cannot be used: "),
        (["--data", "d", "--ready-file", "no/such/ready"], "error: the ready file no/such/ready "),
        (["--data", "d", "--update-seconds", "inf"], "error: --update-seconds must be a number"),
        (
            ["--data", "d", "--update-seconds", "-1"],
            "error: --update-seconds takes 0 or more, not '-1'",
        ),
        (["--data", "d", "--port", "65536"], "error: --port takes 65535 or less, not '65536'"),
        (["--data", "d", "--host", "no.such.host.invalid"], "error: cannot listen on no.such"),
        (["--data", "d", "--host", ""], "error: --host '' is not a host name"),
        (["--host-name", "http://x"], "error: --host-name 'http://x' is not a host name"),
        (["--host-name", "x:80"], "error: --host-name 'x:80' is not a host name"),
        (["--allow-origin", "*"], "error: --allow-origin '*' is not an origin"),
        (["--allow-origin", "http://x/"], "error: --allow-origin 'http://x/' is not an origin"),
    ],
    ids=lambda one: " ".join(one[2:] or one) if isinstance(one, list) else None,
)
def test_start_tells_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    assert run(["emulator", "start", *arguments]) == 1
    assert capsys.readouterr().err.startswith(message)


# load


def test_load_prints_one_line_for_each_image_set(
    endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load(endpoint, STUDY) == 0
    output = capsys.readouterr()
    lines = [json.loads(line) for line in output.out.splitlines()]
    assert output.err == ""
    assert [list(line) for line in lines] == [
        ["imageSetId", "versionId", "isPrimary", "seriesInstanceUIDs", "instances"]
    ] * len(lines)
    assert {(line["versionId"], line["isPrimary"]) for line in lines} == {("1", True)}
    assert sum(line["instances"] for line in lines) == len(list(STUDY.iterdir()))
    assert image_sets(endpoint).keys() == {line["imageSetId"] for line in lines}


def test_load_again_changes_nothing(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(endpoint, STUDY) == 0
    first = capsys.readouterr().out
    assert load(endpoint, STUDY) == 0
    assert capsys.readouterr().out == first


def test_load_non_primary(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(endpoint, "--non-primary", FILES / "CT_small.dcm") == 0
    assert json.loads(capsys.readouterr().out)["isPrimary"] is False


def test_an_import_that_conflicts_is_not_primary(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = pydicom.dcmread(FILES / "CT_small.dcm")
    other.PatientID = "another"
    other.SOPInstanceUID = "1.2.3.4.5"
    other.save_as(tmp_path / "z.dcm")
    assert load(endpoint, FILES / "CT_small.dcm", tmp_path / "z.dcm") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(line["isPrimary"] for line in lines) == [False, True]
    assert lines[0]["seriesInstanceUIDs"] == lines[1]["seriesInstanceUIDs"]


def test_load_takes_a_metadata_document_with_its_own_id(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_id = "0" * 31 + "z"
    series = {"1.2.1": {"DICOM": {}, "Instances": {"1.2.1.1": {"DICOM": {"Rows": 3}}}}}
    study: dict[str, Any] = {
        "DICOM": {"StudyInstanceUID": "1.2", "PatientSize": "1.10"},
        "Series": series,
    }
    given = {"ImageSetID": own_id, "Patient": {"DICOM": {}}, "Study": study}
    (tmp_path / "one.json").write_text(json.dumps(given))
    assert load(endpoint, tmp_path / "one.json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "imageSetId": own_id,
        "versionId": "1",
        "isPrimary": True,
        "seriesInstanceUIDs": ["1.2.1"],
        "instances": 1,
    }
    study["DICOM"]["PatientSize"] = "1.11"
    (tmp_path / "two.json").write_text(json.dumps(given))
    assert load(endpoint, tmp_path / "two.json") == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == (
        f"error: image set {own_id}: It is loaded already, with other content. "
        "Loading changes no image set.\n"
        "    Load it into another data store. Or import changed DICOM files with "
        "StartDICOMImportJob, which replaces instances as AWS does.\n"
    )


@pytest.mark.parametrize("uid", ["", "1.2.3.4"])
def test_load_of_a_changed_file_of_a_series_changes_nothing(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], uid: str
) -> None:
    """The same instance with other values, and another instance of the same series."""
    changed = pydicom.dcmread(FILES / "CT_small.dcm")
    changed.StudyDescription = "changed"
    if uid:
        changed.SOPInstanceUID = uid
    changed.save_as(tmp_path / "z.dcm")
    assert load(endpoint, FILES / "CT_small.dcm") == 0
    first = json.loads(capsys.readouterr().out)
    assert load(endpoint, tmp_path / "z.dcm") == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert f"image set {first['imageSetId']}: It is loaded already, with other" in output.err
    assert "StartDICOMImportJob" in output.err
    assert load(endpoint, FILES / "CT_small.dcm") == 0
    assert json.loads(capsys.readouterr().out) == first


def test_load_tells_what_it_left_out_and_loads_the_rest(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("not an image")
    for name in ("a.dcm", "b.dcm"):
        (folder / name).write_bytes((FILES / "MR_small.dcm").read_bytes())
    assert load(endpoint, "--show-values", folder, folder / "none") == 1
    output = capsys.readouterr()
    assert len(output.out.splitlines()) == 1
    assert output.err.splitlines() == [
        f"{folder}/none: there is no such file or folder",
        f"{folder}/notes.txt: it is not a DICOM file",
        f"{folder}/b.dcm: left out: {folder}/a.dcm has the same SOPInstanceUID",
    ]


def test_load_says_whether_what_it_left_out_has_other_content(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    changed = pydicom.dcmread(FILES / "MR_small.dcm")
    changed.save_as(folder / "a.dcm")
    changed.StudyDescription = "changed"
    changed.save_as(folder / "b.dcm")
    study: dict[str, Any] = {"DICOM": {}}
    study |= {"Series": {"1.2": {"DICOM": {}, "Instances": {"1.3": {"DICOM": {}}}}}}
    given: dict[str, Any] = {"ImageSetID": "z" * 32, "Patient": {"DICOM": {}}, "Study": study}
    for name in ("c", "d", "e"):
        given["Patient"]["DICOM"] = {"PatientID": "2"} if name == "e" else {}
        (folder / f"{name}.json").write_text(json.dumps(given))
    load(endpoint, "--show-values", folder)
    assert capsys.readouterr().err.splitlines() == [
        f"{folder}/b.dcm: left out: {folder}/a.dcm has the same SOPInstanceUID, with other content",
        f"{folder}/d.json: left out: another file has image set {'z' * 32}, too",
        f"{folder}/e.json: left out: another file has image set {'z' * 32}, too, with other "
        "content",
    ]


def test_load_prints_no_file_name_where_values_are_masked(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders and files are often named after patients."""
    folder = tmp_path / "Doe^John"
    folder.mkdir()
    (folder / "c-Doe.txt").write_text("not an image")
    (folder / "d-Doe.json").write_text('{"ImageSetID": 1}')
    (folder / "e-Doe.dcm").mkdir()
    for name in ("a-Doe.dcm", "b-Doe.dcm"):
        (folder / name).write_bytes((FILES / "MR_small.dcm").read_bytes())
    arguments = (folder, folder / "a-Doe.dcm", folder / "Doe")
    assert load(endpoint, *arguments) == 1
    output = capsys.readouterr()
    assert "Doe" not in output.out + output.err
    assert len(output.out.splitlines()) == 1
    *lines, last = output.err.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "path 3 of 3",
        "file 3 of 4",
        "file 4 of 4",
        "file 2 of 4",
    ]
    assert lines[1] == "file 3 of 4: it is not a DICOM file"
    assert lines[3] == "file 2 of 4: left out: file 1 of 4 has the same SOPInstanceUID"
    assert "--show-values" in last
    assert load(endpoint, *arguments, "--show-values") == 1
    assert f"{folder}/c-Doe.txt: it is not a DICOM file\n" in capsys.readouterr().err
    assert load(endpoint, folder / "a-Doe.dcm") == 0
    output = capsys.readouterr()
    assert ("Doe" in output.out, output.err) == (False, "")


def test_a_repeated_instance_alone_is_no_error(endpoint: str, tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes((FILES / "MR_small.dcm").read_bytes())
    assert load(endpoint, tmp_path / "a.dcm", tmp_path / "b.dcm") == 0


def test_load_of_an_empty_folder_found_nothing(
    endpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert load(endpoint, tmp_path / "empty") == 1
    assert capsys.readouterr().err.startswith("nothing to load")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://no.such.host.invalid", "http://a..b", "http://[::1]:1"]
)
def test_load_where_nothing_answers(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(url, FILES / "MR_small.dcm") == 1
    output = capsys.readouterr()
    assert output.err.startswith(f"error: no emulator answers at {url}: ")
    assert "reconcile emulator start" in output.err


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:80", "ftp://host", "http://", "http://h:port", "http://["]
)
def test_load_needs_an_endpoint(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load(url, FILES / "MR_small.dcm") == 1
    assert capsys.readouterr().err.startswith(f"error: {url!r} is not the URL of an emulator\n")


@pytest.mark.parametrize("datastore", ["x", "A" * 32, "a" * 33, "../" + "a" * 29])
def test_load_needs_a_data_store_id(
    endpoint: str, datastore: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load(endpoint, FILES / "MR_small.dcm", datastore=datastore) == 1
    assert "32 lower-case letters and digits" in capsys.readouterr().err


def test_load_at_something_else_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    assert load(url, FILES / "rtplan.dcm") == 1
    server.server_close()
    assert f"error: the server at {url} is not the emulator\n" in capsys.readouterr().err


def test_load_stores_the_frames(endpoint: str) -> None:
    assert load(endpoint, FILES / "JPEG2000.dcm") == 0
    service = client(endpoint)
    (image_set_id,) = image_sets(endpoint)
    of = {"datastoreId": STORE, "imageSetId": image_set_id}
    metadata = service.get_image_set_metadata(**of)["imageSetMetadataBlob"].read()
    frame_id = gzip.decompress(metadata).decode().split('"ImageFrames":[{"ID":"')[1][:32]
    answer = service.get_image_frame(**of, imageFrameInformation={"imageFrameId": frame_id})
    assert answer["contentType"] == "image/j2c"
    assert answer["imageFrameBlob"].read(4) == b"\xff\x4f\xff\x51"


def test_load_stores_frames_in_the_format_of_the_data_store(
    endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = client(endpoint)
    made = service.create_datastore(losslessStorageFormat="JPEG_2000_LOSSLESS")["datastoreId"]
    file = str(FILES / "MR_small.dcm")
    for datastore, syntax in ((made, "1.2.840.10008.1.2.4.90"), (STORE, "1.2.840.10008.1.2.4.202")):
        arguments = ["emulator", "load", file, "--endpoint", endpoint, "--datastore", datastore]
        assert run(arguments) == 0
        of = {
            "datastoreId": datastore,
            "imageSetId": json.loads(capsys.readouterr().out)["imageSetId"],
        }
        metadata = gzip.decompress(
            service.get_image_set_metadata(**of)["imageSetMetadataBlob"].read()
        ).decode()
        assert f'"StoredTransferSyntaxUID":"{syntax}"' in metadata


# start: switches, quotas, faults


def test_start_takes_switches_quotas_and_faults(tmp_path: Path) -> None:
    (tmp_path / "s3" / "bucket").mkdir(parents=True)
    shutil.copy(FILES / "MR_small.dcm", tmp_path / "s3" / "bucket")
    (tmp_path / "quotas.json").write_text(
        json.dumps(
            {
                "rates": {
                    "ListDatastores": {"perSecond": 0, "burst": 1},
                    "StartDICOMImportJob": None,
                }
            }
        )
    )
    (tmp_path / "faults.json").write_text(
        json.dumps({"faults": [{"kind": "error500", "operation": "GetDatastore"}]})
    )
    arguments = (
        "--s3-root", "s3", "--set", "missing_datastore_code=AccessDeniedException",
        "--quotas", "quotas.json", "--quota-factor", "2", "--faults", "faults.json",
        "--fault", "throttle,operation=SearchImageSets,nth=1",
    )  # fmt: skip
    with started(tmp_path, *arguments) as (process, output):
        service = client(output.split()[2], retries={"total_max_attempts": 1})
        codes = service.exceptions
        service.list_datastores()
        service.list_datastores()
        with pytest.raises(codes.ThrottlingException):
            service.list_datastores()
        with pytest.raises(codes.InternalServerException):
            service.get_datastore(datastoreId=STORE)
        with pytest.raises(codes.ThrottlingException):
            service.search_image_sets(datastoreId=STORE)
        with pytest.raises(codes.AccessDeniedException):
            service.search_image_sets(datastoreId=STORE)
        made = service.create_datastore()["datastoreId"]
        job = {
            "dataAccessRoleArn": "arn:aws:iam::000000000000:role/x",
            "inputS3Uri": "s3://bucket",
            "outputS3Uri": "s3://out",
        }
        while True:  # CREATING takes 0.2 s
            try:
                service.start_dicom_import_job(datastoreId=made, **job)
                break
            except codes.ConflictException:
                time.sleep(0.02)
        assert list((tmp_path / "s3" / "out").glob("*/job-output-manifest.json"))
        process.terminate()
        process.communicate()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "nothing=1"], "--set nothing=1 is not a switch"),
        (["--set", "remove_last=perhaps"], "--set remove_last must be true or false"),
        (["--quotas", "missing.json"], "missing.json cannot be read"),
        (["--quotas", "broken.json"], "broken.json: it is not JSON (line 1, column"),
        (["--quota-factor", "0"], "--quota-factor must be a number above 0"),
        (["--faults", "broken.json"], "broken.json: it is not JSON (line 1, column"),
        (["--faults", "missing.json"], "missing.json cannot be read"),
        (["--fault", "boom"], "--fault boom: kind must be one of latency"),
        (["--s3-root", "missing"], "--s3-root missing is not a folder"),
    ],
)
def test_start_refuses_settings_that_it_cannot_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.json").write_text("{")
    assert run(["emulator", "start", *arguments]) == 1
    assert told in capsys.readouterr().err
    assert not Path(".reconcile").exists()


# behaviours


def test_behaviours_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["emulator", "behaviours", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed] == [one.name for one in describe()]
    assert run(["emulator", "behaviours"]) == 0
    text = capsys.readouterr().out
    for one in listed:
        assert f"{one['name']}={one['default']}" in text
        assert one["source"].split()[-1] in text


# seed


def seed(endpoint: str, *arguments: str) -> int:
    return run(["emulator", "seed", "--endpoint", endpoint, "--datastore", STORE, *arguments])


def test_seed_fills_a_data_store(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert seed(endpoint, "--image-sets", "60", "--studies", "20", "--non-primary", "10") == 0
    assert capsys.readouterr().out == "60 image sets created, 0 existed already\n"
    found = image_sets(endpoint)
    assert len(found) == 60
    studies = {row["DICOMTags"]["DICOMStudyInstanceUID"] for row in found.values()}
    assert len(studies) == 20
    assert sum(not row["isPrimary"] for row in found.values()) == 6
    assert len({image_set_id[0] for image_set_id in found}) > 10  # over the hex range
    assert seed(endpoint, "--image-sets", "60", "--studies", "20", "--non-primary", "10") == 0
    assert capsys.readouterr().out == "0 image sets created, 60 existed already\n"
    assert seed(endpoint, "--image-sets", "5", "--seed", "1") == 0
    assert len(image_sets(endpoint)) == 65


def test_seeded_image_sets_take_updates(endpoint: str) -> None:
    assert seed(endpoint, "--image-sets", "3", "--studies", "1", "--instances", "4") == 0
    service = client(endpoint)
    found = image_sets(endpoint)
    of = {"datastoreId": STORE, "imageSetId": next(iter(found))}
    blob = json.dumps({"Patient": {"DICOM": {"PatientName": "New^Name"}}})
    service.update_image_set_metadata(
        **of,
        latestVersionId="1",
        includeStudyImageSets=True,
        updateImageSetMetadataUpdates={"DICOMUpdates": {"updatableAttributes": blob}},
    )
    assert {row["version"] for row in image_sets(endpoint).values()} == {2}
    states = [
        service.get_image_set(datastoreId=STORE, imageSetId=image_set_id) for image_set_id in found
    ]
    assert {state["imageSetWorkflowStatus"] for state in states} == {"UPDATED"}


def test_seed_tells_what_does_not_fit(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert seed(endpoint, "--image-sets", "3", "--studies", "4") == 1
    assert "an image set for each" in capsys.readouterr().err


# embedded


def test_embedded_fills_a_new_data_store_once(tmp_path: Path) -> None:
    with embedded(tmp_path, STORE, "b" * 32) as endpoint:
        found = image_sets(endpoint)
        assert len(found) == len(image_sets(endpoint, "b" * 32)) == 51
        assert sum(not row["isPrimary"] for row in found.values()) == 4
        gone = next(iter(found))
        client(endpoint).delete_image_set(datastoreId=STORE, imageSetId=gone)
    with embedded(tmp_path, STORE) as endpoint:
        state = client(endpoint).get_image_set(datastoreId=STORE, imageSetId=gone)
        assert state["imageSetWorkflowStatus"] in ("DELETING", "DELETED")
    assert load(endpoint, FILES / "MR_small.dcm") == 1  # nothing listens any more


def test_git_ignores_the_data(tmp_path: Path) -> None:
    with embedded(tmp_path):
        pass
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    status = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain"], check=True, capture_output=True
    )
    assert status.stdout == b""


_USE = """
import sys
from pathlib import Path
from reconciler.cli.embedded import embedded
with embedded(Path(sys.argv[1]), "a" * 32) as endpoint:
    print(endpoint, flush=True)
    sys.stdin.readline()
"""


def test_several_commands_at_once_fill_it_once(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _USE, tmp_path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    with ExitStack() as stack:
        for process in processes:
            stack.enter_context(bounded(process))
        found = [image_sets(str(process.stdout and process.stdout.readline().strip()))
                 for process in processes]  # fmt: skip
        for process in processes:
            _, errors = process.communicate("\n")
            assert (process.returncode, errors) == (0, "")
    assert [len(rows) for rows in found] == [51] * 3
    assert {row["version"] for rows in found for row in rows.values()} == {1}


def test_embedded_tells_what_is_wrong_with_its_folder(tmp_path: Path) -> None:
    from reconciler.core.errors import ReconcilerError

    (tmp_path / FOLDER).parent.mkdir()
    (tmp_path / FOLDER).write_text("in the way")
    with pytest.raises(ReconcilerError, match="embedded emulator cannot use"), embedded(tmp_path):
        pass
