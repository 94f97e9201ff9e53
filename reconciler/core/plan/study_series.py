"""Compare the series of a study, as SearchImageSets counts them, with its primary image sets.

The service model calls DICOMNumberOfStudyRelatedSeries the total number of series in the study. It
does not say whether image sets that are not primary count, nor how current the number is (decision
0002, U28). So a difference proves nothing, but a reviewer must know it: a study-wide call also
changes a primary image set that search does not list yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.dicom.content import SERIES_INSTANCE_UID, series, uid_value
from reconciler.core.model.change import Note
from reconciler.core.plan.study import Study


@dataclass(frozen=True, slots=True)
class SeriesCount:
    """The series of a study: `stated` by search, `held` by the primary image sets.

    `elsewhere` are further series, in listed image sets that are not primary.
    """

    stated: int
    held: int
    elsewhere: int

    @property
    def unlisted(self) -> int:
        """The number of series in no image set that search lists."""
        return max(0, self.stated - self.held - self.elsewhere)


def series_count(study: Study) -> SeriesCount:
    """Count the series of a study. `stated` is the highest number of all rows, 0 without one."""
    members = {member.properties.image_set_id for member in study.members}
    held = {
        uid_value(section, SERIES_INSTANCE_UID, key)
        for document in study.documents.values()
        for key, section in series(document).items()
    }
    others = {
        row.series_instance_uid for row in study.rows if row.image_set_id not in members
    } - held
    return SeriesCount(
        stated=max((row.study_series or 0 for row in study.rows), default=0),
        held=len(held),
        elsewhere=len(others - {""}),
    )


def series_note(study: Study, image_set_id: str) -> Iterator[Note]:
    """A note if the primary image sets hold fewer series than the study has."""
    count = series_count(study)
    if count.stated <= count.held:
        return
    text = (
        f"SearchImageSets states {count.stated} series for this study. The primary image sets that "
        f"it lists hold {count.held}. "
    )
    if count.unlisted:
        text += "If another primary image set of the study is not listed yet, it changes too."
    else:
        text += "The others are in image sets that are not primary. They do not change."
    yield Note(image_set_id, text)
