"""Terms that the standard defines for attributes of VR CS, UI and AT (PS3.3, PS3.6, PS3.16).

A code string may be any 16 capital letters, so only such a list distinguishes a term from a name. A
value that is not in a list may still be right: vendors add terms, and the standard grows.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations, product

from reconciler.core.dicom.dictionary import by_key
from reconciler.core.dicom.tables import UIDS, table

_YES_NO = "YES NO"
_MODALITIES = """
AR AS ASMT AU BDUS BI BMD CD CF CFM CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG
EOG EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM OCT OP OPM
OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN
RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SC SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG US VA VF VFA XA
XAPROTOCOL XC
"""
# PS3.16 Annex L, table L-1, the column "Body Part Examined".
_BODY_PARTS = """
ABDOMEN ABDOMENPELVIS ADRENAL ANKLE ANUS AORTA ARM ARTERY ATRIUM AXILLA BACK BILEDUCT BLADDER BODY
BONE BRACHIOCEPHALIC BRAIN BREAST BRONCHUS BUTTOCK CALCANEUS CALF CAROTID CEREBELLUM CEREBRUM
CERVIX CHEEK CHEST CHESTABDOMEN CHESTABDPELVIS CHOROIDPLEXUS CIRCLEOFWILLIS CLAVICLE COCCYX COLON
CORNEA CORONARYARTERY CSPINE CTSPINE DUODENUM EAR ELBOW ENDOARTERIAL ESOPHAGUS EXTREMITY EYE
EYELID FACE FEMUR FINGER FOOT FOREARM GALLBLADDER GENITALIA GLUTEUS GROIN HAND HEAD HEADNECK HEART
HIP HUMERUS ILEUM ILIUM IAC INTERNALAUDITORY INTESTINE IVC JAW JEJUNUM JOINT KIDNEY KNEE LARYNX
LEG LIVER LOWERARM LOWERLEG LOWERLIMB LSPINE LSSPINE LUNG MANDIBLE MAXILLA MEDIASTINUM MOUTH MUSCLE
NECK NECKCHEST NECKCHESTABDOMEN NECKCHESTABDPELV NOSE NOSTRIL ORBIT OVARY PANCREAS PAROTID PATELLA
PELVIS PELVISLOWEXTREMT PENIS PHANTOM PHARYNX PLACENTA PROSTATE RADIUS RADIUSULNA RECTUM RIB SCALP
SCAPULA SCLERA SCROTUM SELLA SHOULDER SIJOINT SINUS SKULL SPINALCORD SPINE SPLEEN SSPINE STERNUM
STOMACH SVC TESTIS THIGH THORAX THUMB THYMUS THYROID TIBIA TIBIAFIBULA TLSPINE TMJ TOE TONGUE
TRACHEA TSPINE ULNA UMBILICAL UPPERARM UPPERLIMB URETER URETHRA UTERUS VAGINA VEIN VULVA WHOLEBODY
WRIST ZYGOMA
"""
# Attribute: its terms, separated by spaces; `~` stands for a space inside a term.
_TERMS = {
    "ImageType": """
        ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER MIXED NONE OTHER REFORMATTED RESAMPLED
        VOLUME MPR MIP PROJECTION~IMAGE STATIC DYNAMIC GATED TOMO RECON~TOMO EMISSION TRANSMISSION
        WHOLE~BODY ANGIO CARDIAC PERFUSION DIFFUSION SINGLE~PLANE BIPLANE~A BIPLANE~B OVERVIEW
        LABEL THUMBNAIL""",
    "Modality": _MODALITIES,
    "ModalitiesInStudy": _MODALITIES,
    "ConversionType": "DV DI DF WSD SD SI DRW SYN",
    "PresentationIntentType": "FOR~PRESENTATION FOR~PROCESSING",
    "VolumetricProperties": "VOLUME SAMPLED DISTORTED MIXED",
    "PatientSex": "M F O",
    "TypeOfPatientID": "TEXT RFID BARCODE",
    "SmokingStatus": "YES NO UNKNOWN",
    "PatientSexNeutered": "ALTERED UNALTERED",
    "QualityControlSubject": _YES_NO,
    "AnatomicalOrientationType": "BIPED QUADRUPED",
    "PatientIdentityRemoved": _YES_NO,
    "BodyPartExamined": _BODY_PARTS,
    "ScanningSequence": "SE IR GR EP RM",
    "SequenceVariant": "SK MTC SS TRSS SP MP OSP TOF NONE",
    "ScanOptions": "PER RG CG PPG FC PFF PFP SP FS CT AXIAL HELICAL SURVIEW SCOUT",
    "MRAcquisitionType": "1D 2D 3D",
    "AngioFlag": "Y N",
    "BeatRejectionFlag": "Y N",
    "RotationDirection": "CW CC",
    "FieldOfViewShape": "RECTANGLE ROUND HEXAGONAL CYLINDRICAL~RING MULTIPLE~PLANAR",
    "RadiationSetting": "SC GR",
    "RadiationMode": "CONTINUOUS PULSED",
    "Grid": "IN NONE FIXED FOCUSED RECIPROCATING PARALLEL CROSSED",
    "CollimatorType": "PARA PINH FANB CONE SLNT ASTG DIVG NONE UNKN RING",
    "AnodeTargetMaterial": "TUNGSTEN MOLYBDENUM RHODIUM",
    "InPlanePhaseEncodingDirection": "ROW COL OTHER",
    "VariableFlipAngleFlag": "Y N",
    "PositionerMotion": "STATIC DYNAMIC",
    "PositionerType": """
        CARM COLUMN MAMMOGRAPHIC PANORAMIC CEPHALOSTAT RIGID NONE DENTAL_CBCT TUBEHEAD""",
    "CollimatorShape": "RECTANGULAR CIRCULAR POLYGONAL",
    "PatientPosition": """
        HFP HFS HFDR HFDL FFDR FFDL FFP FFS LFP LFS RFP RFS AFDR AFDL PFDR PFDL SITTING""",
    "ViewPosition": """
        AP PA LL RL RLD LLD RLO LLO XCC CC ML MLO LM LMO FB SIO ISO XCCL XCCM RCC SQ""",
    "TransducerType": """
        SECTOR_PHASED SECTOR_MECH SECTOR_ANNULAR LINEAR CURVED~LINEAR SINGLE~CRYSTAL SPLIT~XTAL~CWD
        IV_PHASED IV_ROT~XTAL IV_ROT_MIRROR ENDOCAV_PA ENDOCAV_MECH ENDOCAV_CLA ENDOCAV_AA
        ENDOCAV_LINEAR VECTOR_PHASED""",
    "DetectorType": "DIRECT SCINTILLATOR STORAGE FILM",
    "DetectorConfiguration": "AREA SLOT",
    "FilterMaterial": """
        MOLYBDENUM ALUMINUM COPPER RHODIUM NIOBIUM EUROPIUM LEAD SILVER TIN TANTALUM""",
    "ExposureControlMode": "MANUAL AUTOMATIC",
    "ExposureStatus": "NORMAL ABORTED",
    "ContentQualification": "PRODUCT RESEARCH SERVICE",
    "ExposureModulationType": "NONE ANGULAR LONGITUDINAL",
    "Laterality": "R L",
    "ImageLaterality": "R L U B",
    "PhotometricInterpretation": """
        MONOCHROME1 MONOCHROME2 PALETTE~COLOR RGB HSV ARGB CMYK YBR_FULL YBR_FULL_422
        YBR_PARTIAL_422 YBR_PARTIAL_420 YBR_ICT YBR_RCT XYB""",
    "CorrectedImage": """
        UNIF COR NCO DECY ATTN SCAT DTIM NRGY LIN MOTN CLN RAN RADL DCAL NORM""",
    "BurnedInAnnotation": _YES_NO,
    "RecognizableVisualFeatures": _YES_NO,
    "LongitudinalTemporalInformationModified": "UNMODIFIED MODIFIED REMOVED",
    "PixelSpacingCalibrationType": "GEOMETRY FIDUCIAL",
    "PixelIntensityRelationship": "LIN LOG DISP",
    "VOILUTFunction": "LINEAR LINEAR_EXACT SIGMOID",
    "LossyImageCompression": "00 01",
    "LossyImageCompressionMethod": """
        ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_15444_15 ISO_13818_2 ISO_14496_10 ISO_18181_1
        ISO_23008_2""",
    "OrganExposed": "BREAST",
    "SeriesType": "STATIC DYNAMIC GATED WHOLE~BODY IMAGE REPROJECTION",
    "Units": """
        CNTS NONE CM2 CM2ML PCNT CPS BQML MGMINML UMOLMINML MLMING MLG 1CM UMOLML PROPCNTS PROPCPS
        MLMINML MLML GML STDDEV""",
    "CountsSource": "EMISSION TRANSMISSION",
    "RandomsCorrectionMethod": "NONE DLYD SING",
    "DecayCorrection": "NONE START ADMIN",
    "SegmentationType": "BINARY FRACTIONAL LABELMAP",
    "SegmentationFractionalType": "PROBABILITY OCCUPANCY",
    "PresentationLUTShape": "IDENTITY INVERSE LIN~OD",
    "DoseUnits": "GY RELATIVE",
    "DoseType": "PHYSICAL EFFECTIVE ERROR",
    "DoseSummationType": """
        PLAN MULTI_PLAN PLAN_OVERVIEW FRACTION BEAM BRACHY FRACTION_SESSION BEAM_SESSION
        BRACHY_SESSION CONTROL_POINT RECORD""",
    "TissueHeterogeneityCorrection": "IMAGE ROI_OVERRIDE WATER",
    "PlanIntent": "CURATIVE PALLIATIVE PROPHYLACTIC VERIFICATION MACHINE_QA RESEARCH SERVICE",
    "RTPlanGeometry": "PATIENT TREATMENT_DEVICE",
    "BeamType": "STATIC DYNAMIC",
    "RadiationType": "PHOTON ELECTRON NEUTRON PROTON ION",
    # VR AT: the tags that PS3.3 allows in a frame increment pointer.
    "FrameIncrementPointer": """
        00181063 00181065 00540010 00540020 00540030 00540050 00540060 00540070 00540080 00540090
        00540100 3004000C""",
}
_KINDS_OF_UID = frozenset(
    ("MediaStorageSOPClassUID", "SOPClassUID", "SOPClassesInStudy", "TransferSyntaxUID")
)


def is_defined(keyword: str, text: str) -> bool | None:
    """Whether a value is a defined term of an attribute; None if there is no list for it."""
    terms = _terms().get(keyword)
    return None if terms is None else text in terms


def listed_terms(keyword: str) -> tuple[str, ...]:
    """Return the terms of the list of an attribute, in its order; () if there is no list.

    The registered UIDs are not among them: there are hundreds.
    """
    if keyword in _TERMS:
        return tuple(map(_term, _TERMS[keyword].split()))
    if keyword in _KINDS_OF_UID:
        return ()
    return tuple(sorted(_terms().get(keyword, ())))


@cache
def _terms() -> dict[str, frozenset[str]]:
    listed = {keyword: frozenset(map(_term, terms.split())) for keyword, terms in _TERMS.items()}
    # A misspelt keyword would leave its attribute without a list.
    assert all(by_key(keyword).vr in ("CS", "AT") for keyword in listed)
    return {
        **listed,
        **dict.fromkeys(_KINDS_OF_UID, _registered_uids()),
        "PatientOrientation": _directions(),
        "SpecificCharacterSet": _character_sets(),
    }


def _term(word: str) -> str:
    return word.replace("~", " ")


def _directions() -> frozenset[str]:
    """Return `A`, `PR`, `FLA` …: up to three letters of different axes (PS3.3 C.7.6.1.1.1)."""
    axes = ("AP", "RL", "HF")
    return frozenset(
        "".join(letters)
        for count in (1, 2, 3)
        for some in permutations(axes, count)
        for letters in product(*some)
    )


def _character_sets() -> frozenset[str]:
    """Return the character sets of PS3.3 C.12.1.1.2, without and with code extensions."""
    alone = (6, 13, 100, 101, 109, 110, 126, 127, 138, 144, 148, 166, 192, 203)
    switched = (6, 13, 58, 87, 100, 101, 109, 110, 126, 127, 138, 144, 148, 149, 159, 166, 203)
    return frozenset(
        (
            *(f"ISO_IR {number}" for number in alone),
            *(f"ISO 2022 IR {number}" for number in switched),
            "GB18030",
            "GBK",
        )
    )


def _registered_uids() -> frozenset[str]:
    """Return the UIDs of PS3.6 table A-1."""
    return frozenset(table(UIDS).UID_dictionary)
