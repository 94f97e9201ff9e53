"""What identifies, and what is shown in its place."""

from __future__ import annotations

import pytest

from reconciler.dicom.dictionary import by_key, by_tag
from reconciler.model.settings import Redact
from reconciler.redact import HARMLESS, identifies, masked, shape

# From PS3.15 Annex E, Table E.1-1: everything that a metadata review is likely to meet.
TABLE_E_1_1 = """
AccessionNumber AcquisitionComments AcquisitionDate AcquisitionDateTime AcquisitionTime
AdditionalPatientHistory AdmissionID AdmittingDate AdmittingDiagnosesDescription AdmittingTime
Allergies BranchOfService CassetteID ClinicalTrialProtocolID ClinicalTrialSiteName
ClinicalTrialSponsorName ClinicalTrialSubjectID ClinicalTrialTimePointDescription
ConsultingPhysicianName ContentCreatorName ContentDate ContentTime ContrastBolusAgent
CountryOfResidence CurrentPatientLocation DateOfLastCalibration DerivationDescription DetectorID
DeviceSerialNumber DeviceUID DigitalSignaturesSequence EthnicGroup FrameComments
FrameOfReferenceUID GantryID ImageComments InstanceCreationDate InstanceCreationTime
InstanceCreatorUID InstitutionAddress InstitutionCodeSequence InstitutionName
InstitutionalDepartmentName IssuerOfPatientID LastMenstrualDate MediaStorageSOPInstanceUID
MedicalAlerts MedicalRecordLocator MilitaryRank NameOfPhysiciansReadingStudy Occupation
OperatorsName OriginalAttributesSequence OtherPatientIDs OtherPatientIDsSequence
OtherPatientNames PatientAddress PatientAge PatientBirthDate PatientBirthName PatientBirthTime
PatientComments PatientID PatientInsurancePlanCodeSequence PatientMotherBirthName PatientName
PatientReligiousPreference PatientSex PatientSexNeutered PatientSize PatientState
PatientTelephoneNumbers PatientWeight PerformedProcedureStepID PerformedProcedureStepStartDate
PerformedStationAETitle PerformingPhysicianName PersonAddress PersonTelephoneNumbers
PhysiciansOfRecord PlateID PregnancyStatus ProtocolName ReferencedSOPInstanceUID
ReferringPhysicianAddress ReferringPhysicianName ReferringPhysicianTelephoneNumbers
RegionOfResidence RequestAttributesSequence RequestedProcedureComments
RequestedProcedureDescription RequestedProcedureID RequestingPhysician RequestingService
ResponsibleOrganization ResponsiblePerson SOPInstanceUID ScheduledProcedureStepDescription
ScheduledStationName SeriesDate SeriesDescription SeriesInstanceUID SeriesTime ServiceEpisodeID
SmokingStatus SpecialNeeds StationName StudyComments StudyDate StudyDescription StudyID
StudyInstanceUID StudyTime TextComments TextString TimezoneOffsetFromUTC UID
VerifyingObserverName
"""

FREE_TEXT_NAMES_AND_TIMES = {"PN", "DA", "TM", "DT", "LT", "ST", "UT", "AE", "SQ"}


@pytest.mark.parametrize("keyword", TABLE_E_1_1.split())
def test_the_attributes_of_the_confidentiality_profile_identify(keyword):
    assert identifies(by_key(keyword).tag)


@pytest.mark.parametrize("tag", [0x00190010, 0x001910F9, 0x7FDD1090, 0x00080003, 0xFFFFFFFF])
def test_private_and_unknown_attributes_identify(tag):
    assert identifies(tag)


@pytest.mark.parametrize("keyword", ["Modality", "BodyPartExamined", "SliceThickness", "Rows"])
def test_technique_does_not_identify(keyword):
    assert not identifies(by_key(keyword).tag)


def test_the_table_holds_no_name_no_free_text_no_time_and_no_sequence():
    attributes = [by_tag(tag) for tag in HARMLESS]
    assert not [one.keyword for one in attributes if one.vr in FREE_TEXT_NAMES_AND_TIMES]
    assert all(one.is_standard and not one.is_private for one in attributes)


def test_the_only_uids_it_shows_name_kinds_of_things():
    shown = {by_tag(tag).keyword for tag in HARMLESS if by_tag(tag).vr == "UI"}
    assert shown == {
        "SOPClassUID",
        "SOPClassesInStudy",
        "MediaStorageSOPClassUID",
        "TransferSyntaxUID",
        "ImplementationClassUID",
    }


def test_the_tags_and_keywords_of_the_table_belong_together():
    from reconciler import redact

    words = " ".join(
        line for line in redact._HARMLESS.splitlines() if not line.startswith("#")
    ).split()
    pairs = list(zip(words[::2], words[1::2], strict=True))
    assert len(pairs) == len(HARMLESS)
    assert [pair for pair in pairs if by_key(pair[1]).tag != int(pair[0], 16)] == []


@pytest.mark.parametrize(
    ("redact", "name", "rows"),
    [(Redact.NONE, False, False), (Redact.IDENTIFYING, True, False), (Redact.ALL, True, True)],
)
def test_what_the_setting_masks(redact, name, rows):
    assert masked(by_key("PatientName").tag, redact) is name
    assert masked(by_key("Rows").tag, redact) is rows


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "empty"),
        ("", "empty"),
        ([], "empty"),
        ("abc", "text(3)"),
        (5, "number"),
        (0, "number"),
        (0.5, "number"),
        (True, "boolean"),
        (["a", "b"], "list(2)"),
        ({"a": 1}, "mapping(1)"),
    ],
)
def test_shape(value, expected):
    assert shape(value) == expected
