"""Image frames: how they are stored, and what the document states of them."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_decoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPHLF,
    MPEG2MPML,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEG2000MCLossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from reconciler.emulator.files.codecs import installed
from reconciler.emulator.files.frames import Pixels, pixels_of
from reconciler.emulator.files.storage import Storage, storage
from reconciler.emulator.files.transfer_syntaxes import LOSSLESS_FORMATS
from tests.emulator.test_ingest import data_set, write

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
JPEG_XL = "1.2.840.10008.1.2.4.112"
HTJ2K_LOSSLESS_RPCL = "1.2.840.10008.1.2.4.202"
# What a machine without the extra `frames` has.
NO_CODECS = Storage(HTJ2K_LOSSLESS_RPCL, None)
START_OF_CODESTREAM = b"\xff\x4f\xff\x51"  # ISO/IEC 15444-1 Annex A: SOC, SIZ


def image(pixels: bytes, vr: str = "OW", **attributes: Any) -> Dataset:
    """An image of 2 rows and 4 columns, 16 bits, signed."""
    made = data_set(
        Rows=2, Columns=4, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1,
    )  # fmt: skip
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    made.add_new(0x7FE00010, vr, pixels)
    return made


def compressed(frames: list[bytes], **attributes: Any) -> Dataset:
    made = image(encapsulate(frames), "OB", **attributes)
    made["PixelData"].is_undefined_length = True
    return made


def stored(
    tmp_path: Path,
    content: Dataset,
    syntax: str = ExplicitVRLittleEndian,
    stored_as: Storage | None = None,
) -> Pixels:
    """The pixels of a data set that has been through a file."""
    return read(write(tmp_path / "a.dcm", content, syntax), stored_as)


def read(file: Path, stored_as: Storage | None = None) -> Pixels:
    return pixels_of(pydicom.dcmread(file, force=True), "1.2.3.1", stored_as or storage())


def syntax_of(pixels: Pixels) -> str:
    return str(pixels.block["StoredTransferSyntaxUID"])


def decoded(data: bytes) -> bytes:
    """The pixels by OpenJPEG, which shares no code with the encoder of HTJ2K."""
    return bytes(imagecodecs.jpeg2k_decode(data, planar=False).tobytes())


def check(pixels: Pixels, expected: list[bytes]) -> None:
    """A client decodes the bytes of each frame and finds the checksum of the document."""
    assert pixels.block["ChecksumType"] == "DECOMPRESSED"
    described = pixels.block["ImageFrames"]
    assert [frame["ID"] for frame in described] == [frame.id for frame in pixels.frames]
    for frame, row, wanted in zip(pixels.frames, described, expected, strict=True):
        assert decoded(frame.data) == wanted
        assert row["PixelDataChecksumFromBaseToFullResolution"][-1]["Checksum"] == zlib.crc32(
            wanted
        )
        assert row["FrameSizeInBytes"] == len(frame.data)


# Native pixels: the attributes, the bytes in the file, what a decoder gives, minimum and maximum.
_SIGNED = struct.pack("<8h", -32768, -5, 0, 1, 2, 3, 900, 32767)
_UNSIGNED = struct.pack("<8H", 0, 1, 2, 3, 4, 5, 900, 65535)
_RGB = bytes(range(24))
_PLANES = bytes([*range(0, 24, 3), *range(1, 24, 3), *range(2, 24, 3)])
_BYTES: dict[str, Any] = {
    "BitsAllocated": 8,
    "BitsStored": 8,
    "HighBit": 7,
    "PixelRepresentation": 0,
}
_COLOUR: dict[str, Any] = _BYTES | {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}
NATIVE: dict[str, tuple[dict[str, Any], bytes, bytes, int, int]] = {
    "signed, 16 bits": ({}, _SIGNED, _SIGNED, -32768, 32767),
    "unsigned, 16 bits": ({"PixelRepresentation": 0}, _UNSIGNED, _UNSIGNED, 0, 65535),
    "12 of 16 bits, overlay above": (
        {"PixelRepresentation": 0, "BitsStored": 12, "HighBit": 11}, _UNSIGNED, _UNSIGNED, 0, 65535,
    ),
    "MONOCHROME1, 8 bits": (
        _BYTES | {"PhotometricInterpretation": "MONOCHROME1"}, _RGB[:8], _RGB[:8], 0, 7,
    ),
    "signed, 8 bits": (
        _BYTES | {"PixelRepresentation": 1}, b"\x80\xff\0\1\2\3\4\x7f", b"\x80\xff\0\1\2\3\4\x7f",
        -128, 127,
    ),
    "PALETTE COLOR": (
        _BYTES | {"PhotometricInterpretation": "PALETTE COLOR"}, _RGB[8:16], _RGB[8:16], 8, 15,
    ),
    "RGB by pixel": (_COLOUR | {"PlanarConfiguration": 0}, _RGB, _RGB, 0, 23),
    "RGB by plane": (_COLOUR | {"PlanarConfiguration": 1}, _PLANES, _RGB, 0, 23),
    "YBR_FULL": (
        _COLOUR | {"PhotometricInterpretation": "YBR_FULL", "PlanarConfiguration": 0},
        _RGB, _RGB, 0, 23,
    ),
    "YBR_FULL_422": (  # Y1 Y2 CB CR, for each two pixels
        _COLOUR | {"PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": 0},
        bytes(range(16)),
        bytes(
            value
            for first in range(0, 16, 4)
            for luma in (first, first + 1)
            for value in (luma, first + 2, first + 3)
        ),
        0, 15,
    ),
    "two frames": ({"NumberOfFrames": 2}, _SIGNED + _UNSIGNED[:8] * 2, _SIGNED, -32768, 32767),
}  # fmt: skip


@pytest.mark.parametrize("lossless_format", LOSSLESS_FORMATS)
@pytest.mark.parametrize("name", NATIVE)
def test_native_pixels_are_encoded(tmp_path: Path, name: str, lossless_format: str) -> None:
    attributes, pixels, expected, low, high = NATIVE[name]
    found = stored(tmp_path, image(pixels, **attributes), stored_as=storage(lossless_format))
    frames = [expected, _UNSIGNED[:8] * 2] if "NumberOfFrames" in attributes else [expected]
    check(found, frames)
    assert syntax_of(found) == LOSSLESS_FORMATS[lossless_format]
    first = found.block["ImageFrames"][0]
    assert (first["MinPixelValue"], first["MaxPixelValue"]) == (low, high)
    size = first["PixelDataChecksumFromBaseToFullResolution"][-1]
    assert (size["Width"], size["Height"]) == (4, 2)
    types = {"HTJ2K": "image/jph", "JPEG_2000_LOSSLESS": "image/j2c"}
    assert {frame.content_type for frame in found.frames} == {types[lossless_format]}


def test_a_frame_of_htj2k_is_a_jp2_file_with_small_resolutions_first() -> None:
    """As a frame that AWS recorded, see jph.py, and as PS3.5 §10.18 says."""
    (frame,) = read(FILES / "examples_palette.dcm").frames  # 800 columns, 350 rows
    assert frame.data[:32] == bytes.fromhex(
        "0000000c 6a502020 0d0a870a  00000014 66747970 6a703220 00000000 6a703220"
    )
    assert frame.data[32:85] == bytes.fromhex(
        "0000002d 6a703268"  # jp2h
        "00000016 69686472 0000015e 00000320 0001 07 07 00 00"  # ihdr: rows, columns, samples, bits
        "0000000f 636f6c72 01 00 00 00000011"  # colr: greyscale
    ) + struct.pack(">I4s", len(frame.data) - 77, b"jp2c")
    codestream = frame.data[85:]
    assert codestream.startswith(START_OF_CODESTREAM)
    style = codestream.index(b"\xff\x52")  # COD
    progression, decompositions = codestream[style + 5], codestream[style + 9]
    assert progression == 2  # RPCL
    assert decompositions == 4  # 800 >> 4 is the first that is not above 64
    lengths = codestream.index(b"\xff\x55")  # TLM, six bytes for each of the resolutions
    assert struct.unpack(">H", codestream[lengths + 2 : lengths + 4])[0] == 4 + 6 * 5


# Real files, by the codec that made them, and pixels that pydicom or another file gives.
def _native(name: str) -> list[bytes]:
    """The frames as pydicom decodes them, in little-endian order."""
    data = pydicom.dcmread(FILES / name)
    decoder = get_decoder(data.file_meta.TransferSyntaxUID)
    arrays = [frame for frame, _ in decoder.iter_array(data, raw=True)]
    return [frame.astype(frame.dtype.newbyteorder("<")).tobytes() for frame in arrays]


_SAME = [
    "CT_small.dcm", "ExplVR_BigEnd.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_expb.dcm",
    "MR_small_padded.dcm", "SC_rgb_rle.dcm", "SC_rgb_rle_16bit.dcm", "SC_rgb_rle_16bit_2frame.dcm",
    "SC_rgb_rle_2frame.dcm", "SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm",
    "SC_ybr_full_422_uncompressed.dcm", "examples_overlay.dcm", "examples_palette.dcm",
    "examples_rgb_color.dcm", "image_dfl.dcm",
]  # fmt: skip


@pytest.mark.parametrize("name", _SAME)
def test_real_files_give_the_pixels_that_pydicom_gives(name: str) -> None:
    check(read(FILES / name), _native(name))


@pytest.mark.parametrize("name", ["MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_compressed_files_give_the_pixels_of_the_uncompressed_file(name: str) -> None:
    check(read(FILES / name), _native("MR_small.dcm"))


_LOSSLESS = numpy.frombuffer(_UNSIGNED, "<u2").reshape(2, 4)
_COLOURS = numpy.frombuffer(_RGB, "u1").reshape(2, 4, 3)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless])
def test_compressed_pixels_are_transcoded(tmp_path: Path, syntax: str) -> None:
    encode = imagecodecs.jpeg2k_encode if syntax == JPEG2000Lossless else imagecodecs.jpegls_encode
    content = compressed([bytes(encode(_LOSSLESS))] * 2, NumberOfFrames=2, PixelRepresentation=0)
    found = stored(tmp_path, content, syntax)
    check(found, [_UNSIGNED] * 2)
    assert syntax_of(found) == HTJ2K_LOSSLESS_RPCL


def test_htj2k_of_another_order_is_transcoded(tmp_path: Path) -> None:
    content = compressed([bytes(imagecodecs.htj2k_encode(_COLOURS, rgb=False))], **_COLOUR)
    check(stored(tmp_path, content, HTJ2KLossless), [_RGB])


def test_lossless_jpeg_is_transcoded() -> None:
    found = read(FILES / "SC_rgb_jpeg_gdcm.dcm")
    assert pydicom.dcmread(FILES / "SC_rgb_jpeg_gdcm.dcm").file_meta.TransferSyntaxUID == (
        JPEGLosslessSV1
    )
    check(found, [decoded(found.frames[0].data)])
    # The colours of the bands, as they are in every SC_rgb file of pydicom.
    assert decoded(found.frames[0].data)[:3] == _native("SC_rgb_rle.dcm")[0][:3]


def test_lossy_jpeg_of_12_bits_is_transcoded() -> None:
    found = read(FILES / "JPGExtended.dcm")
    check(found, [decoded(found.frames[0].data)])
    assert found.block["ImageFrames"][0]["MaxPixelValue"] < 4096


@pytest.mark.parametrize(
    ("photometric", "space", "first"), [("YBR_FULL_422", "ycbcr", 84), ("RGB", "rgb", 200)]
)
def test_colours_of_lossy_jpeg_stay_those_of_the_document(
    tmp_path: Path, photometric: str, space: str, first: int
) -> None:
    """200, 30, 60 in RGB has a luma of 84 (PS3.3 §C.7.6.3.1.2)."""
    colours = numpy.tile(numpy.array([200, 30, 60], "u1"), (16, 16, 1))
    encoded = imagecodecs.jpeg8_encode(colours, level=100, colorspace="rgb", outcolorspace=space)
    content = compressed(
        [bytes(encoded)],
        **_COLOUR | {"PhotometricInterpretation": photometric, "Rows": 16, "Columns": 16},
    )
    (frame,) = stored(tmp_path, content, JPEGExtended12Bit).frames
    assert decoded(frame.data)[0] == first


def test_signed_pixels_in_a_codestream_without_sign(tmp_path: Path) -> None:
    """BitsStored says where the sign is: pydicom has a file of 13 bits."""
    found = read(FILES / "J2K_pixelrep_mismatch.dcm")
    assert found.block["ImageFrames"][0]["MinPixelValue"] == -2000
    check(found, [decoded(found.frames[0].data)])


@pytest.mark.parametrize(
    ("syntax", "content_type"),
    [
        (JPEGBaseline8Bit, "image/jpeg"),
        (JPEG2000, "image/j2c"),
        (HTJ2K, "image/jphc"),
    ],
)
def test_lossy_frames_stay_as_they_are(tmp_path: Path, syntax: str, content_type: str) -> None:
    """The checksum is that of the stored bytes ("Pixel data verification")."""
    found = stored(tmp_path, compressed([b"\1\2", b"\3\4\5\6"], NumberOfFrames=2), syntax)
    assert syntax_of(found) == syntax
    assert "ChecksumType" not in found.block
    rows = found.block["ImageFrames"]
    assert [row["FrameSizeInBytes"] for row in rows] == [2, 4]
    assert [row["MinPixelValue"] for row in rows] == [None, None]
    assert rows[0]["PixelDataChecksumFromBaseToFullResolution"][0]["Checksum"] == zlib.crc32(
        b"\1\2"
    )
    assert [(one.content_type, one.data) for one in found.frames] == [
        (content_type, b"\1\2"), (content_type, b"\3\4\5\6"),
    ]  # fmt: skip


def test_jpeg_xl_stays_as_it_is(tmp_path: Path) -> None:
    """A transfer syntax that pydicom does not know."""
    file = write(tmp_path / "a.dcm", compressed([b"\1\2"]), HTJ2K)
    file.write_bytes(file.read_bytes().replace(HTJ2K.encode(), JPEG_XL.encode()))
    found = read(file)
    assert (syntax_of(found), found.frames[0].content_type) == (JPEG_XL, "image/jxl")


@pytest.mark.parametrize("syntax", [MPEG2MPML, MPEG2MPHLF])
def test_a_video_is_one_object_whatever_its_frames(tmp_path: Path, syntax: str) -> None:
    """The guide: GetImageFrame "will return a video object in the stored transfer syntax"."""
    found = stored(tmp_path, compressed([b"\1\2", b"\3\4"], NumberOfFrames=300), syntax)
    assert syntax_of(found) == syntax
    assert [(one.content_type, one.data) for one in found.frames] == [("video/mpeg", b"\1\2\3\4")]


def test_a_binary_segmentation_stays_as_it_is(tmp_path: Path) -> None:
    """Frames of 15 pixels follow each other without padding (PS3.5 §8.1.1)."""
    bits = 0b1_110000000000011_100000000000001
    content = image(
        bits.to_bytes(4, "little"), "OB", Rows=3, Columns=5, NumberOfFrames=2, BitsAllocated=1,
        BitsStored=1, HighBit=0, PixelRepresentation=0,
    )  # fmt: skip
    found = stored(tmp_path, content)
    assert syntax_of(found) == ExplicitVRLittleEndian
    assert [one.data for one in found.frames] == [
        (0b100000000000001).to_bytes(2, "little"), (0b110000000000011).to_bytes(2, "little"),
    ]  # fmt: skip
    assert {one.content_type for one in found.frames} == {"application/octet-stream"}
    assert "ChecksumType" not in found.block


_WIDE: dict[str, Any] = {
    "BitsAllocated": 32,
    "BitsStored": 32,
    "HighBit": 31,
    "PixelRepresentation": 0,
}
UNSUITABLE: dict[str, tuple[dict[str, Any], bytes]] = {
    "32 bits": (_WIDE, struct.pack("<8I", *range(7), 2**32 - 1)),
    "too short": ({}, _SIGNED[:-2]),
    "two samples": (_BYTES | {"SamplesPerPixel": 2}, _RGB[:16]),
    "no size": ({"Rows": None}, _SIGNED),
    "bits that DICOM does not have": ({"BitsAllocated": 12}, _SIGNED[:12]),
}


@pytest.mark.parametrize("name", UNSUITABLE)
def test_pixels_that_cannot_be_encoded_stay_uncompressed(tmp_path: Path, name: str) -> None:
    """HealthImaging: TRANSCODING_EXCEPTION, and the pixels stay retrievable."""
    attributes, pixels = UNSUITABLE[name]
    found = stored(tmp_path, image(pixels, **attributes))
    assert syntax_of(found) == ExplicitVRLittleEndian
    assert [(one.content_type, one.data) for one in found.frames] == [
        ("application/octet-stream", pixels)
    ]
    (row,) = found.block["ImageFrames"]
    assert row["PixelDataChecksumFromBaseToFullResolution"][0]["Checksum"] == zlib.crc32(pixels)
    assert row["FrameSizeInBytes"] == len(pixels)


def test_floating_point_pixels_have_no_range(tmp_path: Path) -> None:
    content = image(_SIGNED, **_WIDE | {"PixelRepresentation": None})
    del content.PixelData
    content.FloatPixelData = struct.pack("<8f", *map(float, range(8)))
    found = stored(tmp_path, content)
    assert syntax_of(found) == ExplicitVRLittleEndian
    (row,) = found.block["ImageFrames"]
    assert (row["MinPixelValue"], row["FrameSizeInBytes"]) == (None, 32)


@pytest.mark.parametrize(
    "syntax", [JPEG2000Lossless, JPEG2000MCLossless, "1.2.840.10008.1.2.4.202"]
)
def test_frames_that_cannot_be_decoded_stay_compressed(tmp_path: Path, syntax: str) -> None:
    found = stored(tmp_path, compressed([b"\1\2\3\4"]), syntax)
    assert syntax_of(found) == syntax
    assert [one.data for one in found.frames] == [b"\1\2\3\4"]
    assert "ChecksumType" not in found.block


def test_a_number_of_frames_that_the_data_does_not_have(tmp_path: Path) -> None:
    content = image(_SIGNED, NumberOfFrames=2**31 - 1)
    assert len(stored(tmp_path, content).frames) == 1


def test_no_pixel_data_no_frames(tmp_path: Path) -> None:
    content = data_set()
    assert stored(tmp_path, content).block["ImageFrames"] == []
    assert stored(tmp_path, image(b"")).block["ImageFrames"] == []


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_the_byte_order_of_a_file_does_not_change_its_frames(tmp_path: Path, bits: int) -> None:
    """Also of 8 bits: a big-endian OW has the bytes of each word the other way round."""
    attributes: dict[str, Any] = {"BitsAllocated": bits, "BitsStored": bits, "HighBit": bits - 1}
    pixels = bytes(range(bits))
    size = max(bits, 16) // 8
    turned = b"".join(pixels[at : at + size][::-1] for at in range(0, len(pixels), size))
    little = stored(tmp_path, image(pixels, **attributes))
    big = stored(tmp_path, image(turned, **attributes), ExplicitVRBigEndian)
    assert little == big


def test_run_lengths_are_decoded() -> None:
    assert read(FILES / "MR_small.dcm") == read(FILES / "MR_small_RLE.dcm")


# Without the extra


def test_a_machine_without_imagecodecs_has_no_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed() is not None
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert installed() is None


def test_without_codecs_the_document_states_what_the_bytes_are(tmp_path: Path) -> None:
    found = stored(tmp_path, image(_SIGNED), stored_as=NO_CODECS)
    assert syntax_of(found) == ExplicitVRLittleEndian
    assert [(one.content_type, one.data) for one in found.frames] == [
        ("application/octet-stream", _SIGNED)
    ]
    (row,) = found.block["ImageFrames"]
    assert row["PixelDataChecksumFromBaseToFullResolution"][0]["Checksum"] == zlib.crc32(_SIGNED)
    assert (row["MinPixelValue"], row["MaxPixelValue"]) == (-32768, 32767)
    assert found.block["ChecksumType"] == "DECOMPRESSED"


def test_without_codecs_run_lengths_are_decoded_as_the_document_states() -> None:
    """PlanarConfiguration is 0 there, and pydicom decodes to planes."""
    found = read(FILES / "SC_rgb_rle_16bit_2frame.dcm", NO_CODECS)
    data = pydicom.dcmread(FILES / "SC_rgb_rle_16bit_2frame.dcm")
    assert (data.file_meta.TransferSyntaxUID, data.PlanarConfiguration) == (RLELossless, 0)
    assert [one.data for one in found.frames] == _native("SC_rgb_rle_16bit_2frame.dcm")
    assert syntax_of(found) == ExplicitVRLittleEndian


def test_without_codecs_compressed_frames_stay_as_they_are() -> None:
    found = read(FILES / "MR_small_jp2klossless.dcm", NO_CODECS)
    assert syntax_of(found) == JPEG2000Lossless
    assert [one.content_type for one in found.frames] == ["image/j2c"]
    assert found.frames[0].data.startswith(START_OF_CODESTREAM)
    assert "ChecksumType" not in found.block
