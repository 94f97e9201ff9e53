"""What the service itself writes about images is compared; what it only adds is recognised."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reconciler.core.dicom.content import CHECKSUMS, TRANSFER_SYNTAX, content_digest
from reconciler.core.dicom.service_fields import without_added
from reconciler.core.model.value import Document
from tests.documents import document, instance, series

UID = "1.2.3"


def content(**fields: Any) -> dict[str, Any]:
    """A document of one instance with these fields; None leaves one out."""
    found = document(series(UID, [instance(f"{UID}.1")]))
    held = found["Study"]["Series"][UID]["Instances"][f"{UID}.1"]
    held.update(fields)
    for name in [name for name, value in fields.items() if value is None]:
        del held[name]
    return found


def frame(**fields: Any) -> list[dict[str, Any]]:
    return [{"ID": "f1", **fields}]


OLD, NEW = [{"Width": 1, "Height": 1, "Checksum": 1}], [{"Width": 1, "Height": 1, "Checksum": 2}]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({TRANSFER_SYNTAX: "1.2.840.10008.1.2.4.203"}, {}, False),
        ({TRANSFER_SYNTAX: "1.2.840.10008.1.2.4.202"}, {TRANSFER_SYNTAX: None}, True),
        (
            {"ImageFrames": frame(**{CHECKSUMS: OLD})},
            {"ImageFrames": frame(**{CHECKSUMS: NEW})},
            False,
        ),
        (
            {"ImageFrames": frame(FrameSizeInBytes=7)},
            {"ImageFrames": frame(FrameSizeInBytes=9)},
            True,
        ),
        ({"ChecksumType": "DECOMPRESSED"}, {}, True),
        ({"ImageFrames": frame()}, {"ImageFrames": [{"ID": "f2"}]}, False),
    ],
)
def test_images_are_compared(one: dict[str, Any], other: dict[str, Any], equal: bool) -> None:
    digests = [content_digest(Document(content(**fields))) for fields in (one, other)]
    assert (digests[0] == digests[1]) is equal


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        ({TRANSFER_SYNTAX: None}, {TRANSFER_SYNTAX: "1.2.840.10008.1.2.4.203"}, TRANSFER_SYNTAX),
        (
            {"ImageFrames": frame()},
            {"ImageFrames": frame(**{CHECKSUMS: OLD})},
            CHECKSUMS,
        ),
    ],
)
def test_what_is_added_is_no_difference(
    before: dict[str, Any], after: dict[str, Any], added: str
) -> None:
    earlier, later = Document(content(**before)), Document(content(**after))
    assert content_digest(earlier) != content_digest(later)
    kept, names = without_added(later, earlier)
    assert (content_digest(kept), names) == (content_digest(earlier), (added,))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({TRANSFER_SYNTAX: "1.2.840.10008.1.2.4.203"}, {TRANSFER_SYNTAX: None}),
        ({"ImageFrames": frame(**{CHECKSUMS: OLD})}, {"ImageFrames": frame(**{CHECKSUMS: NEW})}),
        ({"ImageFrames": frame(**{CHECKSUMS: OLD})}, {"ImageFrames": frame()}),
    ],
)
def test_what_changes_or_goes_is_a_difference(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    earlier, later = Document(content(**before)), Document(content(**after))
    kept, names = without_added(later, earlier)
    assert names == () and content_digest(kept) != content_digest(earlier)


def test_an_instance_with_a_new_uid_is_known_by_its_frames() -> None:
    earlier = content(**{TRANSFER_SYNTAX: None})
    later = copy.deepcopy(content(**{TRANSFER_SYNTAX: "1.2.840.10008.1.2.4.203"}))
    inside = later["Study"]["Series"][UID]["Instances"]
    inside["1.2.9"] = inside.pop(f"{UID}.1")
    inside["1.2.9"]["DICOM"]["SOPInstanceUID"] = "1.2.9"
    _, names = without_added(Document(later), Document(earlier))
    assert names == (TRANSFER_SYNTAX,)
