"""Attributes that say what kind of object an instance is, and how its text and pixels are read.

Sources: PS3.3 C.7.6.3 (Image Pixel Module), C.7.6.6 (Multi-frame Module), C.7.6.16.2.9 (Pixel Value
Transformation), C.7.6.16.2.11 (Real World Value Mapping), C.11.1 (Modality LUT Module), C.12.1
(SOP Common Module); PS3.10 section 7.1 (File Meta Information).
"""

from __future__ import annotations

SOP_CLASS_UID = 0x00080016
MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
CHARACTER_SET = 0x00080005

# How the stored bits are read as pixels, and the pixels as values. In an enhanced object, these
# stand inside the sequences of its functional groups.
PIXELS = frozenset(
    {
        0x00280002,  # SamplesPerPixel
        0x00280003,  # SamplesPerPixelUsed
        0x00280004,  # PhotometricInterpretation
        0x00280006,  # PlanarConfiguration
        0x00280008,  # NumberOfFrames
        0x00280009,  # FrameIncrementPointer
        0x00280010,  # Rows
        0x00280011,  # Columns
        0x00280012,  # Planes
        0x00280034,  # PixelAspectRatio
        0x00280100,  # BitsAllocated
        0x00280101,  # BitsStored
        0x00280102,  # HighBit
        0x00280103,  # PixelRepresentation
        0x00280120,  # PixelPaddingValue
        0x00280121,  # PixelPaddingRangeLimit
        0x00280122,  # FloatPixelPaddingValue
        0x00280123,  # DoubleFloatPixelPaddingValue
        0x00280124,  # FloatPixelPaddingRangeLimit
        0x00280125,  # DoubleFloatPixelPaddingRangeLimit
        0x00281040,  # PixelIntensityRelationship
        0x00281041,  # PixelIntensityRelationshipSign
        0x00281052,  # RescaleIntercept
        0x00281053,  # RescaleSlope
        0x00281054,  # RescaleType
        0x00281101,  # RedPaletteColorLookupTableDescriptor
        0x00281102,  # GreenPaletteColorLookupTableDescriptor
        0x00281103,  # BluePaletteColorLookupTableDescriptor
        0x00281104,  # AlphaPaletteColorLookupTableDescriptor
        0x00281199,  # PaletteColorLookupTableUID
        0x00281201,  # RedPaletteColorLookupTableData
        0x00281202,  # GreenPaletteColorLookupTableData
        0x00281203,  # BluePaletteColorLookupTableData
        0x00281204,  # AlphaPaletteColorLookupTableData
        0x00281221,  # SegmentedRedPaletteColorLookupTableData
        0x00281222,  # SegmentedGreenPaletteColorLookupTableData
        0x00281223,  # SegmentedBluePaletteColorLookupTableData
        0x00281224,  # SegmentedAlphaPaletteColorLookupTableData
        0x00282000,  # ICCProfile
        0x00282002,  # ColorSpace
        0x00283000,  # ModalityLUTSequence
        0x00289145,  # PixelValueTransformationSequence
        0x00409096,  # RealWorldValueMappingSequence
        0x7FE00001,  # ExtendedOffsetTable
        0x7FE00002,  # ExtendedOffsetTableLengths
    }
)

OBJECT = PIXELS | frozenset(
    {
        MEDIA_STORAGE_SOP_CLASS_UID,
        0x00020010,  # TransferSyntaxUID
        CHARACTER_SET,
        SOP_CLASS_UID,
        0x00080060,  # Modality
    }
)
# Inside a sequence, a SOP class or a modality is that of another object.
OBJECT_INSIDE = PIXELS | {CHARACTER_SET}
