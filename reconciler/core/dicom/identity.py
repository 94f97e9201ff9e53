"""Attributes that say whose images these are, and which attributes identify a person.

Sources: PS3.3 C.2.2 (Patient Identification Module), and PS3.15 Table E.1-1 for the attributes that
identify.
"""

from __future__ import annotations

PATIENT_ID = 0x00100020
PATIENT_NAME = 0x00100010
PATIENT_BIRTH_DATE = 0x00100030
PATIENT_SEX = 0x00100040
TYPE_OF_PATIENT_ID = 0x00100022
PATIENT_IDENTITY_REMOVED = 0x00120062

# A change of these says that the images are of another patient, also inside a sequence.
PATIENT_IDENTITY = frozenset(
    {
        PATIENT_NAME,
        PATIENT_ID,
        0x00100021,  # IssuerOfPatientID
        TYPE_OF_PATIENT_ID,
        0x00100024,  # IssuerOfPatientIDQualifiersSequence
        PATIENT_BIRTH_DATE,
        0x00100032,  # PatientBirthTime
        0x00100033,  # PatientBirthDateInAlternativeCalendar
        PATIENT_SEX,
        0x00101000,  # OtherPatientIDs
        0x00101001,  # OtherPatientNames
        0x00101002,  # OtherPatientIDsSequence
        0x00101005,  # PatientBirthName
    }
)

# Attributes of Table E.1-1 that name a person, a person's relatives, address or case, or the staff
# and the institution. Dates, times, UIDs and free text about the images are left out: there the
# value decides, and a removal of it is no de-identification.
IDENTIFYING = (PATIENT_IDENTITY - {PATIENT_SEX, TYPE_OF_PATIENT_ID}) | frozenset(
    {
        0x00080050,  # AccessionNumber
        0x00080080,  # InstitutionName
        0x00080081,  # InstitutionAddress
        0x00080082,  # InstitutionCodeSequence
        0x00080090,  # ReferringPhysicianName
        0x00080092,  # ReferringPhysicianAddress
        0x00080094,  # ReferringPhysicianTelephoneNumbers
        0x00080096,  # ReferringPhysicianIdentificationSequence
        0x0008009C,  # ConsultingPhysicianName
        0x0008009D,  # ConsultingPhysicianIdentificationSequence
        0x00081040,  # InstitutionalDepartmentName
        0x00081048,  # PhysiciansOfRecord
        0x00081049,  # PhysiciansOfRecordIdentificationSequence
        0x00081050,  # PerformingPhysicianName
        0x00081052,  # PerformingPhysicianIdentificationSequence
        0x00081060,  # NameOfPhysiciansReadingStudy
        0x00081062,  # PhysiciansReadingStudyIdentificationSequence
        0x00081070,  # OperatorsName
        0x00081072,  # OperatorIdentificationSequence
        0x00100050,  # PatientInsurancePlanCodeSequence
        0x00101040,  # PatientAddress
        0x00101050,  # InsurancePlanIdentification
        0x00101060,  # PatientMotherBirthName
        0x00101080,  # MilitaryRank
        0x00101081,  # BranchOfService
        0x00101090,  # MedicalRecordLocator
        0x00101100,  # ReferencedPatientPhotoSequence
        0x00102150,  # CountryOfResidence
        0x00102152,  # RegionOfResidence
        0x00102154,  # PatientTelephoneNumbers
        0x00102155,  # PatientTelecomInformation
        0x00102160,  # EthnicGroup
        0x00102180,  # Occupation
        0x001021B0,  # AdditionalPatientHistory
        0x001021F0,  # PatientReligiousPreference
        0x00102297,  # ResponsiblePerson
        0x00102299,  # ResponsibleOrganization
        0x00104000,  # PatientComments
        0x00120040,  # ClinicalTrialSubjectID
        0x00120042,  # ClinicalTrialSubjectReadingID
        0x00200010,  # StudyID
        0x00204000,  # ImageComments
        0x00321032,  # RequestingPhysician
        0x00380010,  # AdmissionID
        0x00380060,  # ServiceEpisodeID
        0x00400006,  # ScheduledPerformingPhysicianName
        0x00401001,  # RequestedProcedureID
        0x00401010,  # NamesOfIntendedRecipientsOfResults
        0x00402008,  # OrderEnteredBy
        0x00402016,  # PlacerOrderNumberImagingServiceRequest
        0x00402017,  # FillerOrderNumberImagingServiceRequest
        0x0040A075,  # VerifyingObserverName
        0x0040A123,  # PersonName
    }
)
