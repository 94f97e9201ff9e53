"""Sample values for manifests: one for each VR, and better ones for attributes that stewards edit.

Names of VRs: PS3.5 table 6.2-1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.dicom.creators import is_creator
from reconciler.core.dicom.dictionary import Attribute
from reconciler.core.dicom.terms import listed_terms
from reconciler.core.dicom.vr import alternatives
from reconciler.core.errors import Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar

Sample: TypeAlias = "str | Sequence[Sample] | Mapping[str, str]"

_NOWHERE = Place("")
_VM = re.compile("([0-9]+)")


@dataclass(frozen=True, slots=True)
class VrText:
    """A VR for people: its name, how a manifest writes a value, and a sample of it."""

    name: str
    written: str
    sample: str


_BASE64 = "the bytes as base64"
_WHOLE = "a whole number"
VRS: Mapping[str, VrText] = {
    "AE": VrText("Application Entity", "at most 16 characters of ASCII", "ARCHIVE_1"),
    "AS": VrText("Age String", "three digits and one of D, W, M, Y", "042Y"),
    "AT": VrText("Attribute Tag", "eight hex digits", "00181063"),
    "CS": VrText("Code String", "at most 16 of A-Z, 0-9, space and underscore", "OTHER"),
    "DA": VrText("Date", "YYYYMMDD", "20260131"),
    "DS": VrText("Decimal String", "a decimal number of at most 16 characters", "1.5"),
    "DT": VrText("Date Time", "YYYYMMDDHHMMSS.FFFFFF+ZZXX or shorter", "20260131101500"),
    "FD": VrText("Floating Point Double", "a number", "1.5"),
    "FL": VrText("Floating Point Single", "a number", "1.5"),
    "IS": VrText("Integer String", _WHOLE, "1"),
    "LO": VrText("Long String", "one line of at most 64 characters", "TEXT"),
    "LT": VrText("Long Text", "at most 10,240 characters", "TEXT"),
    "OB": VrText("Other Byte", _BASE64, "AAE="),
    "OD": VrText("Other Double", _BASE64, "AAAAAAAA8D8="),
    "OF": VrText("Other Float", _BASE64, "AACAPw=="),
    "OL": VrText("Other Long", _BASE64, "AQAAAA=="),
    "OV": VrText("Other Very Long", _BASE64, "AQAAAAAAAAA="),
    "OW": VrText("Other Word", _BASE64, "AQA="),
    "PN": VrText("Person Name", "Family^Given^Middle^Prefix^Suffix", "Garcia^Gloria"),
    "SH": VrText("Short String", "one line of at most 16 characters", "TEXT"),
    "SL": VrText("Signed Long", _WHOLE, "1"),
    "SQ": VrText("Sequence of Items", "a list of items, each with its keywords", ""),
    "SS": VrText("Signed Short", "a whole number from -32,768 to 32,767", "1"),
    "ST": VrText("Short Text", "at most 1,024 characters", "TEXT"),
    "SV": VrText("Signed 64-bit Very Long", _WHOLE, "1"),
    "TM": VrText("Time", "HHMMSS.FFFFFF or shorter", "101500"),
    "UC": VrText("Unlimited Characters", "one line of text", "TEXT"),
    "UI": VrText("Unique Identifier", "numbers joined by dots", "1.2.840.99.9"),
    "UL": VrText("Unsigned Long", "a whole number, not negative", "1"),
    "UN": VrText("Unknown", _BASE64, "AAE="),
    "UR": VrText("Universal Resource Identifier", "a URI", "https://example.org/1"),
    "US": VrText("Unsigned Short", "a whole number from 0 to 65,535", "1"),
    "UT": VrText("Unlimited Text", "text", "TEXT"),
    "UV": VrText("Unsigned 64-bit Very Long", "a whole number, not negative", "1"),
}

# The VR of private elements in samples.
PRIVATE_VR = "LO"

_BETTER: Mapping[str, Sample] = {
    "AccessionNumber": "A-2026-0815",
    "BodyPartExamined": "CHEST",
    "BurnedInAnnotation": "NO",
    "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
    "InstitutionName": "General Hospital",
    "Manufacturer": "ACME",
    "Modality": "CT",
    "OtherPatientIDsSequence": [{"PatientID": "67890", "TypeOfPatientID": "TEXT"}],
    "PatientBirthDate": "19700131",
    "PatientID": "00123",
    "PatientSex": "F",
    "PatientOrientation": ["L", "P"],
    "ReferringPhysicianName": "Doe^Jane^^Dr.",
    "SeriesDescription": "THORAX 5.0",
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
    "MediaStorageSOPClassUID": "1.2.840.10008.5.1.4.1.1.2",
    "SpecificCharacterSet": ["ISO_IR 100"],
    "StudyDescription": "CT CHEST",
    "TransferSyntaxUID": "1.2.840.10008.1.2.1",
}
# The Code Sequence Macro (PS3.3 section 8.8).
_CODE: Sample = [{"CodeValue": "T-D3000", "CodingSchemeDesignator": "SRT", "CodeMeaning": "Chest"}]


def sample(attribute: Attribute) -> Sample | None:
    """Return a value that fits the attribute; None for a sequence whose items are not known."""
    if attribute.keyword in _BETTER:
        return _BETTER[attribute.keyword]
    if attribute.vr == "SQ":
        return _CODE if attribute.keyword.endswith("CodeSequence") else None
    if attribute.is_private:
        return "ACME" if is_creator(attribute.tag) else VRS[PRIVATE_VR].sample
    terms = listed_terms(attribute.keyword)
    one = terms[0] if terms else VRS[alternatives(attribute.vr)[0]].sample
    return [one] * _fewest(attribute.vm) if attribute.is_multi else one


def _fewest(vm: str) -> int:
    """The smallest number of values that a VM allows; 1 if it allows none."""
    found = _VM.match(vm)
    return max(1, int(found[1])) if found else 1


def node_of(value: Sample) -> Node:
    """Return a sample as the manifest node that is read from it."""
    if isinstance(value, str):
        return Scalar(value, _NOWHERE, False)
    if isinstance(value, Mapping):
        entries = ((Scalar(key, _NOWHERE, False), node_of(one)) for key, one in value.items())
        return MappingNode(tuple(entries), _NOWHERE)
    return ListNode(tuple(map(node_of, value)), _NOWHERE)
