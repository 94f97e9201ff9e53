"""Make the review of a search: image sets in order, with the values that an output may show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.core.dicom.content import key_tag
from reconciler.core.model.observed import Summary
from reconciler.core.model.settings import Redact
from reconciler.core.review.mask import is_uid
from reconciler.core.review.shown import ShownValue, show

# Members of DICOMTags that are not named `DICOM` and the keyword.
_KEYWORDS = {
    "DICOMPatientId": "PatientID",
    "DICOMStudyId": "StudyID",
    "DICOMSeriesModality": "Modality",
    "DICOMSeriesBodyPart": "BodyPartExamined",
}
# UIDs are addresses: shown unless every value is masked.
_ADDRESSES = ("DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")
_ORDER = ("DICOMPatientId", "DICOMStudyInstanceUID", "DICOMSeriesInstanceUID")


@dataclass(frozen=True, slots=True)
class ShownImageSet:
    """A `Summary` as this output may show it. `tags` has the members of DICOMTags by name.

    `is_primary` is None if the service does not say.
    """

    image_set_id: str
    version_id: str
    is_primary: bool | None
    updated_at: float | None
    tags: Mapping[str, ShownValue]

    @property
    def masked(self) -> tuple[str, ...]:
        """The members of DICOMTags that this output may not show."""
        return tuple(name for name, value in self.tags.items() if value.is_hidden)


def review_search(found: Iterable[Summary], redact: Redact) -> tuple[ShownImageSet, ...]:
    """Image sets in the order of patient, study and series, masked as `redact` says."""
    return tuple(_shown(summary, redact) for summary in sorted(found, key=_place))


def _place(summary: Summary) -> tuple[str, ...]:
    tags = dict(summary.tags)
    return (*(tags.get(name, "") for name in _ORDER), summary.image_set_id)


def _shown(summary: Summary, redact: Redact) -> ShownImageSet:
    return ShownImageSet(
        image_set_id=summary.image_set_id,
        version_id=summary.version_id,
        is_primary=summary.is_primary,
        updated_at=summary.updated_at,
        tags={name: _value(name, text, redact) for name, text in summary.tags},
    )


def _value(name: str, text: str, redact: Redact) -> ShownValue:
    tag = key_tag(_KEYWORDS.get(name, name.removeprefix("DICOM")))
    if name in _ADDRESSES and redact is not Redact.ALL and is_uid(text):
        return show(text, tag, Redact.NONE)
    return show(text, tag, redact)
