"""The attributes that a summary of SearchImageSets states, and their names in its DICOMTags."""

from __future__ import annotations

# By keyword. Source: botocore's model of SearchImageSets (DICOMTags).
MEMBERS = {
    "PatientID": "DICOMPatientId",
    "PatientName": "DICOMPatientName",
    "PatientBirthDate": "DICOMPatientBirthDate",
    "PatientSex": "DICOMPatientSex",
    "StudyInstanceUID": "DICOMStudyInstanceUID",
    "StudyID": "DICOMStudyId",
    "StudyDate": "DICOMStudyDate",
    "StudyTime": "DICOMStudyTime",
    "StudyDescription": "DICOMStudyDescription",
    "AccessionNumber": "DICOMAccessionNumber",
    "NumberOfStudyRelatedSeries": "DICOMNumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances": "DICOMNumberOfStudyRelatedInstances",
    "SeriesInstanceUID": "DICOMSeriesInstanceUID",
    "Modality": "DICOMSeriesModality",
    "BodyPartExamined": "DICOMSeriesBodyPart",
    "SeriesNumber": "DICOMSeriesNumber",
}
_KEYWORDS = {member: keyword for keyword, member in MEMBERS.items()}


def keyword_of(member: str) -> str:
    """The keyword of a member of DICOMTags, also of a member that a later model may add."""
    return _KEYWORDS.get(member, member.removeprefix("DICOM"))
