"""Make the review of a search: image sets in order, with the values that an output may show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.dicom.content import key_tag
from reconciler.core.dicom.search_tags import keyword_of
from reconciler.core.model.observed import Summary
from reconciler.core.model.settings import Redact
from reconciler.core.review.mask import is_uid
from reconciler.core.review.shown import ShownValue, show

# UIDs are addresses: shown unless every value is masked.
_ADDRESSES = ("DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")
_ORDER = ("DICOMPatientId", "DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")


@dataclass(frozen=True, slots=True)
class ShownImageSet:
    """A `Summary` as this output may show it. `tags` has the members of DICOMTags by name.

    `is_primary` is None if the service does not say. Times are epoch seconds, or None.
    """

    datastore: str
    image_set_id: str
    version_id: str
    is_primary: bool | None
    created_at: float | None
    updated_at: float | None
    last_accessed_at: float | None
    storage_tier: str
    tags: Mapping[str, ShownValue]

    @property
    def masked(self) -> tuple[str, ...]:
        """The members of DICOMTags that this output may not show."""
        return tuple(name for name, value in self.tags.items() if value.is_hidden)


def review_search(
    found: Mapping[str, Iterable[Summary]], redact: Redact
) -> tuple[ShownImageSet, ...]:
    """The image sets of each data store, by its name, masked as `redact` says.

    They are in the order of patient, study and series.
    """
    return tuple(
        _shown(datastore, summary, redact)
        for datastore, rows in found.items()
        for summary in sorted(rows, key=_place)
    )


def _place(summary: Summary) -> tuple[str, ...]:
    tags = dict(summary.tags)
    return (*(tags.get(name, "") for name in _ORDER), summary.image_set_id)


def _shown(datastore: str, summary: Summary, redact: Redact) -> ShownImageSet:
    return ShownImageSet(
        datastore=datastore,
        image_set_id=summary.image_set_id,
        version_id=summary.version_id,
        is_primary=summary.is_primary,
        created_at=summary.created_at,
        updated_at=summary.updated_at,
        last_accessed_at=summary.last_accessed_at,
        storage_tier=summary.storage_tier,
        tags={name: _value(name, text, redact) for name, text in summary.tags},
    )


def _value(name: str, text: str, redact: Redact) -> ShownValue:
    tag = key_tag(keyword_of(name))
    if name in _ADDRESSES and redact is not Redact.ALL and is_uid(text):
        return show(text, tag, Redact.NONE)
    return show(text, tag, redact)
