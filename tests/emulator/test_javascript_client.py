"""The AWS SDK for JavaScript, version 3, and OpenJPH in WebAssembly, in one process of Node.js."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pydicom
import pytest

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from tests.emulator.programs import NPM_CLIENTS, REPOSITORY, environment, installed, node

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
IMPORTED = ("MR_small.dcm", "JPEG2000.dcm", "examples_rgb_color.dcm", "image_dfl.dcm")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What tests/clients/sdk.cjs saw."""
    program, modules = node(), installed(NPM_CLIENTS) / "node_modules"
    root = tmp_path_factory.mktemp("javascript")
    (root / "s3" / "bucket").mkdir(parents=True)
    for name in IMPORTED:
        shutil.copy(FILES / name, root / "s3" / "bucket")
    with Emulator(root / "data", Options(update_seconds=0.0, s3_root=root / "s3")) as emulator:
        ran = subprocess.run(
            [program, REPOSITORY / "tests" / "clients" / "sdk.cjs", emulator.endpoint],
            env=environment(emulator) | {"NODE_PATH": str(modules)},
            capture_output=True, text=True, timeout=100,
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def frames(report: Any) -> dict[str, Any]:
    return {frame["uid"]: frame for one in report["imageSets"] for frame in one["frames"]}


def test_it_imports_and_searches(report: Any) -> None:
    assert report["datastore"] == {"status": "ACTIVE", "isListed": True}
    assert report["job"] == "COMPLETED"
    assert report["search"]["pages"] == [1] * len(IMPORTED)
    assert report["search"]["areDates"] is True
    encodings = [one["encoding"] for one in report["imageSets"]]
    assert encodings == [{"contentType": "application/json", "contentEncoding": "gzip"}] * 4


@pytest.mark.parametrize("name", ["MR_small.dcm", "examples_rgb_color.dcm", "image_dfl.dcm"])
def test_it_decodes_frames_to_the_pixels_of_the_file(report: Any, name: str) -> None:
    original = pydicom.dcmread(FILES / name)
    frame = frames(report)[original.SOPInstanceUID]
    pixels = base64.b64decode(frame["pixels"])
    assert pixels == original.PixelData[: len(pixels)]
    assert len(pixels) >= len(original.PixelData) - 1  # its padding
    assert frame["contentType"] == "image/jph"
    assert (frame["width"], frame["height"]) == (original.Columns, original.Rows)
    assert frame["bitsPerSample"] == original.BitsAllocated
    assert frame["isSigned"] is bool(original.PixelRepresentation)
    assert frame["componentCount"] == original.SamplesPerPixel
    assert max(frame["small"].values()) <= 64  # the thumbnail of PS3.5 §10.18
    described = frame["described"]
    (checksum,) = described["PixelDataChecksumFromBaseToFullResolution"]
    assert checksum["Checksum"] == zlib.crc32(pixels)
    assert described["FrameSizeInBytes"] == frame["size"]


def test_it_gets_a_frame_that_is_kept(report: Any) -> None:
    frame = frames(report)[pydicom.dcmread(FILES / "JPEG2000.dcm").SOPInstanceUID]
    assert frame["contentType"] == "image/j2c"
    assert frame["described"]["FrameSizeInBytes"] == frame["size"]


def test_it_updates_copies_deletes_and_tags(report: Any) -> None:
    assert report["update"] == {
        "version": "2",
        "state": "LOCKED",
        "createdAtIsDate": True,
        "comment": "Größe 王",
        "versions": [["2", "UPDATED"], ["1", "CREATED"]],
    }
    assert report["deleted"] == "DELETING"
    assert report["tags"] == [{"team": "radiology"}, {}]


def test_it_drops_the_flag_of_study_wide_updates(report: Any) -> None:
    """docs/emulator.md names the versions. The flag would make this update UPDATE_FAILED."""
    assert report["studyWide"] == "UPDATED"


def test_it_knows_the_errors(report: Any) -> None:
    stale = "Requested version(s) of ImageSet(s) is not the latest."
    assert [report[name] for name in ("stale", "missing")] == [
        {
            "name": "ResourceNotFoundException",
            "message": message,
            "status": 404,
            "isOfTheModel": True,
        }
        for message in (stale, "The image set does not exist.")
    ]
