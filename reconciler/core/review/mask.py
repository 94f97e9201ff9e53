"""Decide which live values identify a person, and what is shown instead.

PS3.15 Annex E Table E.1-1 lists the attributes that identify: names, IDs, addresses, dates and
times, UIDs, free text, serial numbers, and the content of sequences and private elements. A list
of attributes to mask would leak every attribute that it omits. So this module has the opposite
list: attributes that are known not to identify a person. All others count as identifying, also
private and unknown attributes. So does a value that does not fit its attribute: a name in
BodyPartExamined is still a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from reconciler.core.dicom.dictionary import Attribute, by_tag, is_key
from reconciler.core.dicom.terms import is_defined
from reconciler.core.dicom.vr import is_vr, problems
from reconciler.core.model.address import is_uid
from reconciler.core.model.settings import Comment, Redact
from reconciler.core.model.value import Json, length_class

__all__ = [
    "HARMLESS",
    "Audience",
    "View",
    "Wish",
    "identifies",
    "is_key",
    "is_uid",
    "is_vr",
    "masked",
    "shape",
    "view_for",
]

# Attributes that are not in Table E.1-1 (checked with edition 2026c, in tests/unit/test_redact.py)
# and hold neither free text nor a number of a person, a place or a device. A later edition may only
# take attributes away. "#" starts a heading; else tag and keyword in turn.
_HARMLESS = """
# what kind of object it is
00020000 FileMetaInformationGroupLength  00020002 MediaStorageSOPClassUID
00020010 TransferSyntaxUID  00080005 SpecificCharacterSet  00080008 ImageType
00080016 SOPClassUID  00080060 Modality  00080061 ModalitiesInStudy  00080062 SOPClassesInStudy
00080064 ConversionType  00080068 PresentationIntentType  00089206 VolumetricProperties
00100200 QualityControlSubject  00120062 PatientIdentityRemoved  00189004 ContentQualification
00280301 BurnedInAnnotation  00280302 RecognizableVisualFeatures
00280303 LongitudinalTemporalInformationModified  00541000 SeriesType
# the kind of device
00186031 TransducerType  00187004 DetectorType  00187005 DetectorConfiguration
# anatomy and position
00102210 AnatomicalOrientationType  00180015 BodyPartExamined  00181500 PositionerMotion
00181508 PositionerType  00181510 PositionerPrimaryAngle  00181511 PositionerSecondaryAngle
00185100 PatientPosition  00185101 ViewPosition  00200020 PatientOrientation  00200060 Laterality
00200062 ImageLaterality
# counts and order
00082122 StageNumber  00082124 NumberOfStages  00082128 ViewNumber  00082129 NumberOfEventTimers
0008212A NumberOfViewsInStage  00180086 EchoNumbers  00200011 SeriesNumber
00200012 AcquisitionNumber  00200013 InstanceNumber  00200100 TemporalPositionIdentifier
00200105 NumberOfTemporalPositions  00200110 TemporalResolution  00201002 ImagesInAcquisition
00201206 NumberOfStudyRelatedSeries  00201208 NumberOfStudyRelatedInstances
00201209 NumberOfSeriesRelatedInstances  00280008 NumberOfFrames  00280009 FrameIncrementPointer
00286010 RepresentativeFrameNumber  00540011 NumberOfEnergyWindows  00540021 NumberOfDetectors
00540031 NumberOfPhases  00540051 NumberOfRotations  00540081 NumberOfSlices
00540101 NumberOfTimeSlices  00541330 ImageIndex
# geometry
00180050 SliceThickness  00180088 SpacingBetweenSlices  00180090 DataCollectionDiameter
00181050 SpatialResolution  00181100 ReconstructionDiameter  00181110 DistanceSourceToDetector
00181111 DistanceSourceToPatient  00181120 GantryDetectorTilt  00181130 TableHeight
00181140 RotationDirection  00181147 FieldOfViewShape  00181149 FieldOfViewDimensions
00181164 ImagerPixelSpacing  00181310 AcquisitionMatrix  00182010 NominalScannedPixelSpacing
00185050 DepthOfScanField  00200032 ImagePositionPatient  00200037 ImageOrientationPatient
00201041 SliceLocation  00280030 PixelSpacing  00280034 PixelAspectRatio
00280A02 PixelSpacingCalibrationType
# pixels and their display
00082142 StartTrim  00082143 StopTrim  00082144 RecommendedDisplayFrameRate  00180040 CineRate
00180072 EffectiveDuration  00181063 FrameTime  00181065 FrameTimeVector  00181066 FrameDelay
00181244 PreferredPlaybackSequencing  00280002 SamplesPerPixel  00280004 PhotometricInterpretation
00280006 PlanarConfiguration  00280010 Rows  00280011 Columns  00280014 UltrasoundColorDataPresent
00280051 CorrectedImage  00280100 BitsAllocated  00280101 BitsStored  00280102 HighBit
00280103 PixelRepresentation  00280106 SmallestImagePixelValue  00280107 LargestImagePixelValue
00280108 SmallestPixelValueInSeries  00280109 LargestPixelValueInSeries  00280120 PixelPaddingValue
00280121 PixelPaddingRangeLimit  00281040 PixelIntensityRelationship
00281041 PixelIntensityRelationshipSign  00281050 WindowCenter  00281051 WindowWidth
00281052 RescaleIntercept  00281053 RescaleSlope  00281056 VOILUTFunction
00281101 RedPaletteColorLookupTableDescriptor  00281102 GreenPaletteColorLookupTableDescriptor
00281103 BluePaletteColorLookupTableDescriptor  00282110 LossyImageCompression
00282112 LossyImageCompressionRatio  00282114 LossyImageCompressionMethod  00620001 SegmentationType
0062000E MaximumFractionalValue  00620010 SegmentationFractionalType  20500020 PresentationLUTShape
# X-ray and CT technique
00180022 ScanOptions  00180060 KVP  00181114 EstimatedRadiographicMagnificationFactor
00181150 ExposureTime  00181151 XRayTubeCurrent  00181152 Exposure  00181153 ExposureInuAs
00181154 AveragePulseWidth  00181155 RadiationSetting  0018115A RadiationMode
0018115E ImageAndFluoroscopyAreaDoseProduct  00181162 IntensifierSize
00181166 Grid  00181170 GeneratorPower  00181190 FocalSpots  00181191 AnodeTargetMaterial
001811A0 BodyPartThickness  001811A2 CompressionForce
00181405 RelativeXRayExposure  00181700 CollimatorShape  00186000 Sensitivity
00187050 FilterMaterial  00187060 ExposureControlMode  00187064 ExposureStatus
00188150 ExposureTimeInuS  00188151 XRayTubeCurrentInuA  00189305 RevolutionTime
00189306 SingleCollimationWidth  00189307 TotalCollimationWidth  00189309 TableSpeed
00189310 TableFeedPerRotation  00189311 SpiralPitchFactor  00189323 ExposureModulationType
00189345 CTDIvol  00400302 EntranceDose  00400314 HalfValueLayer  00400318 OrganExposed
00408302 EntranceDoseInmGy
# MR technique
00180020 ScanningSequence  00180021 SequenceVariant  00180023 MRAcquisitionType
00180025 AngioFlag  00180080 RepetitionTime  00180081 EchoTime
00180082 InversionTime  00180083 NumberOfAverages  00180084 ImagingFrequency
00180087 MagneticFieldStrength  00180089 NumberOfPhaseEncodingSteps  00180091 EchoTrainLength
00180093 PercentSampling  00180094 PercentPhaseFieldOfView  00180095 PixelBandwidth
00181060 TriggerTime  00181062 NominalInterval  00181080 BeatRejectionFlag  00181081 LowRRValue
00181082 HighRRValue  00181083 IntervalsAcquired  00181084 IntervalsRejected  00181088 HeartRate
00181090 CardiacNumberOfImages
00181312 InPlanePhaseEncodingDirection  00181314 FlipAngle  00181315 VariableFlipAngleFlag
00181316 SAR  00181318 dBdt  00181320 B1rms  00189087 DiffusionBValue
00189089 DiffusionGradientOrientation
# ultrasound technique
00185012 FocusDepth  00185022 MechanicalIndex  00185024 BoneThermalIndex
00185026 CranialThermalIndex  00185027 SoftTissueThermalIndex
# nuclear medicine and PET technique
00180070 CountsAccumulated  00181181 CollimatorType  00181242 ActualFrameDuration
00540014 EnergyWindowLowerLimit  00540015 EnergyWindowUpperLimit  00541001 Units
00541002 CountsSource  00541100 RandomsCorrectionMethod
00541102 DecayCorrection
00541200 AxialAcceptance  00541201 AxialMash  00541210 CoincidenceWindowWidth
00541300 FrameReferenceTime  00541321 DecayFactor  00541322 DoseCalibrationFactor
00541323 ScatterFractionFactor  00541324 DeadTimeFactor
# radiotherapy
30040002 DoseUnits  30040004 DoseType  3004000A DoseSummationType  3004000C GridFrameOffsetVector
3004000E DoseGridScaling  30040014 TissueHeterogeneityCorrection  300A000A PlanIntent
300A000C RTPlanGeometry  300A0078 NumberOfFractionsPlanned  300A0080 NumberOfBeams
300A00C4 BeamType  300A00C6 RadiationType
"""


def _tags(table: str) -> frozenset[int]:
    rows = " ".join(line for line in table.splitlines() if not line.startswith("#")).split()
    return frozenset(int(tag, 16) for tag in rows[::2])


HARMLESS = _tags(_HARMLESS)


# A member of an enum takes longer to read than a function to call, in Python 3.11.
_IDENTIFYING, _ALL = Redact.IDENTIFYING, Redact.ALL
# VRs whose values are numbers, or consist of digits and signs only.
_NUMBER_VRS = frozenset({"DS", "IS", "FD", "FL", "SL", "SS", "UL", "US", "US or SS"})


@dataclass(frozen=True, slots=True)
class View:
    """What an output may show.

    `shows_stated` shows new values that stand literally on the linked line of a manifest: a reader
    of the output can read that line, too.
    """

    redact: Redact
    shows_stated: bool = False

    @property
    def shows_lines(self) -> bool:
        """Whether whole lines of manifests may be shown, with the values on them."""
        stated = self.shows_stated and self.redact is not Redact.ALL
        return stated or self.redact is Redact.NONE


def masked(tag: int | None, raw: Json, redact: Redact) -> bool:
    """Whether a live value is masked in this output. Every renderer uses this function.

    `tag` is None for a key that DICOM does not know.
    """
    if redact is _IDENTIFYING:
        return tag not in HARMLESS or identifies(tag, raw)
    return redact is _ALL


def identifies(tag: int | None, raw: Json) -> bool:
    """Whether a value may identify a patient, a member of staff or an institution."""
    if tag is None or tag not in HARMLESS:
        return True
    attribute = by_tag(tag)
    # The VR of the dictionary: the VR in the document is live text too.
    if problems(attribute.vr, attribute.vm, raw):
        return True
    values = raw if isinstance(raw, list) else [raw]
    return not all(_is_harmless(attribute, value) for value in values)


def _is_harmless(attribute: Attribute, value: Json) -> bool:
    """Whether a value that fits its VR is a number, or a term that the standard defines."""
    if value is None or value == "":
        return True
    if attribute.vr in _NUMBER_VRS:
        return not (isinstance(value, str) and "\\" in value)
    text = value.rstrip("\0").strip(" ") if isinstance(value, str) else ""
    return is_defined(attribute.keyword, text) is True


def shape(value: Json) -> str:
    """The kind and size of a value: `text(9-16)`, `number`, `list(3)`, `item(2)`, `empty`."""
    if isinstance(value, str) and value:  # by far the most common
        return length_class(value)
    match value:
        case None | "" | []:
            return "empty"
        case list():
            return f"list({len(value)})"
        case dict():
            return f"item({len(value)})"
        case bool():
            return "boolean"
        case _:
            return "number"


class Audience(Enum):
    """Who can read an output."""

    TERMINAL = auto()  # the person who runs the command
    STORED = auto()  # every later reader of a file or a log
    CI = auto()  # all readers of a private repository
    PUBLIC_CI = auto()  # any reader, or the job does not state who they are

    @property
    def is_ci(self) -> bool:
        """Whether it is the output of a job."""
        return self in (Audience.CI, Audience.PUBLIC_CI)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the settings and the options say about the values in an output.

    `show` is True for `--show-values`, False for `--mask-values`, None without an option. `comment`
    is None if reconciler.yaml does not state it.
    """

    redact: Redact = Redact.IDENTIFYING
    comment: Comment | None = None
    show: bool | None = None


def view_for(audience: Audience, wish: Wish) -> View:
    """What to show: a terminal shows values, output that may be stored does not.

    `redact: all` masks on a terminal too; `--mask-values` never masks less than the setting. A job
    masks at least what identifies, whatever the setting.
    """
    if audience.is_ci:
        redact = Redact.ALL if wish.redact is Redact.ALL else Redact.IDENTIFYING
        comment = wish.comment or (Comment.CLEAR if audience is Audience.CI else Comment.PLACE)
        return View(redact, comment is Comment.CLEAR and wish.show is None)
    if wish.show:
        return View(Redact.NONE)
    if wish.show is False:
        return View(Redact.IDENTIFYING if wish.redact is Redact.NONE else wish.redact)
    if audience is Audience.TERMINAL:
        return View(Redact.ALL if wish.redact is Redact.ALL else Redact.NONE)
    return View(wish.redact)
