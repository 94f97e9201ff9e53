"""The default data: the DICOM files in the wheel of pydicom, as image sets.

About 130 real SOP instances of many manufacturers, modalities and character sets, with the defects
that real archives have. None of them is a medical record: they were published with pydicom.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom

from reconciler.emulator.files.ingest import ImageSet, ingest
from reconciler.emulator.operations.loading import LoadedImageSet
from reconciler.emulator.operations.service import Service
from reconciler.emulator.store.image_frames import ImageFrame

_FOLDERS = ("charset_files", "test_files")  # the other folders hold palettes, which have no study
# Series that are loaded as if their import had conflicted, so that the data store has non-primary
# image sets, too. Only these accept changes at Series level and of UIDs.
_NON_PRIMARY = frozenset({
    "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322",  # CT with 179 private elements
    "1.3.6.1.4.1.5962.1.3.8.1.20040826185059.5457",  # NM, two instances, two institutions
    "1.2.840.113619.2.21.24680000.700.0.1952805748.3.0",  # US with dates in the ACR-NEMA form
    "1.3.12.2.1107.5.2.30.25641.30010005113009191059300000190",  # MR with a postal address
})  # fmt: skip


def load_default(service: Service, datastore_id: str) -> tuple[LoadedImageSet, ...]:
    """Load all default image sets into a data store that exists.

    Existing image sets stay as they are.
    """
    image_sets = default_image_sets(lambda frame: service.keep_frame(datastore_id, frame))
    return tuple(_load(service, datastore_id, image_set) for image_set in image_sets)


def default_image_sets(
    keep: Callable[[ImageFrame], None] | None = None,
) -> tuple[ImageSet, ...]:
    """The image sets of the default data, read from the installed pydicom in about a second.

    Files that are broken on purpose and files without UIDs are left out. `keep` gets their frames.
    """
    data = Path(pydicom.__file__).parent / "data"
    return ingest([data / folder for folder in _FOLDERS], keep).image_sets


def _load(service: Service, datastore_id: str, image_set: ImageSet) -> LoadedImageSet:
    series = image_set.document["Study"]["Series"]
    return service.load(
        datastore_id,
        image_set.document,
        image_set_id=image_set.image_set_id,
        primary=False if _NON_PRIMARY & series.keys() else None,
    )
