"""Manifest nodes become HealthImaging's JSON values, or diagnostics that never show the value."""

from __future__ import annotations

import pytest

from reconciler.core.dicom.dictionary import by_key
from reconciler.core.dicom.values import Parsed, parse
from reconciler.core.errors import Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.value import Json

PLACE = Place("manifests/a.yaml", 3, 5)


def text(value: str, line: int = 3) -> Scalar:
    """An unquoted scalar."""
    return Scalar(value, Place("manifests/a.yaml", line, 5), plain=True)


def quoted(value: str) -> Scalar:
    return Scalar(value, PLACE, plain=False)


def listed(*values: Node | str) -> ListNode:
    nodes = tuple(text(value) if isinstance(value, str) else value for value in values)
    return ListNode(nodes, PLACE)


def mapped(**entries: Node) -> MappingNode:
    return MappingNode(tuple((text(key), node) for key, node in entries.items()), PLACE)


def read(key: str, node: Node, vr: str | None = None) -> Parsed:
    attribute = by_key(key)
    return parse(attribute, vr or attribute.vr, node)


@pytest.mark.parametrize(
    ("key", "node", "expected"),
    [
        # Text stays what stands in the file.
        ("PatientID", text("00123"), "00123"),
        ("PatientName", text("Null^No"), "Null^No"),
        ("StudyTime", text("083000"), "083000"),
        ("PatientSize", text("1.10"), "1.10"),
        ("AccessionNumber", text("1_000"), "1_000"),
        ("PatientID", text("NO"), "NO"),
        ("PatientID", quoted("null"), "null"),
        ("PatientID", quoted("~"), "~"),
        ("PatientComments", text("one\\two"), "one\\two"),
        ("SeriesNumber", text("1 "), "1 "),
        # Numbers by VR.
        ("Rows", text("512"), 512),
        ("Rows", text("+007"), 7),
        ("ReferencePixelY0", text("-3"), -3),
        ("PixelPaddingValue", text("-2000"), -2000),
        ("PixelPaddingValue", text("65535"), 65535),
        ("PhysicalDeltaX", text("1.0"), 1),
        ("PhysicalDeltaX", text("0.0793"), 0.0793),
        ("PhysicalDeltaX", text("1e300"), 1e300),
        ("PhysicalDeltaX", text("-.5E1"), -5),
        ("TotalNumberOfStudyRecords", text("18446744073709551615"), 2**64 - 1),
        # VM other than 1 is always a list.
        ("SoftwareVersions", text("1.06"), ["1.06"]),
        ("SoftwareVersions", listed("1.06", "2"), ["1.06", "2"]),
        (
            "ImageType",
            listed("ORIGINAL", "PRIMARY", quoted(""), "B"),
            ["ORIGINAL", "PRIMARY", "", "B"],
        ),
        ("FrameIncrementPointer", text("00181065"), ["00181065"]),
        ("FrameIncrementPointer", listed("0018106a"), ["0018106A"]),
        ("DataElement", text("0018106a"), "0018106A"),
        ("PixelSpacing", listed("0.5", "0.5"), ["0.5", "0.5"]),
        ("LUTData", listed("1", "2"), [1, 2]),
        ("LUTData", text("AAE="), "AAE="),
        # Empty is null, also of several values and of a sequence.
        ("PatientName", quoted(""), None),
        ("PatientOrientation", quoted(""), None),
        ("PatientOrientation", listed(quoted("")), None),
        ("RequestAttributesSequence", quoted(""), None),
        ("FileMetaInformationVersion", quoted(""), None),
        ("7FDD1090", quoted(""), ""),
        # Bytes, and what the dictionary knows nothing of.
        ("FileMetaInformationVersion", text("AAE="), "AAE="),
        ("7FDD1090", text("MCA="), "MCA="),
    ],
)
def test_values(key: str, node: Node, expected: Json) -> None:
    parsed = read(key, node)
    assert parsed.errors == parsed.violations == ()
    assert parsed.value is not None
    assert parsed.value.raw == expected
    assert type(parsed.value.raw) is type(expected)


@pytest.mark.parametrize(
    ("vr", "node", "expected"),
    [
        ("DS", text("97"), "97"),
        ("LO", text("a\\b"), "a\\b"),
        ("US", text("97"), 97),
        ("US", listed("1", "2"), [1, 2]),
        ("FL", text("2.0"), 2),
        ("LO", quoted(""), None),
    ],
)
def test_a_private_element_is_read_by_the_vr_that_is_stated(
    vr: str, node: Node, expected: Json
) -> None:
    parsed = read("001910F9", node, vr)
    assert parsed.errors == parsed.violations == ()
    assert parsed.value is not None and parsed.value.raw == expected


@pytest.mark.parametrize(
    ("key", "node", "message", "hint"),
    [
        ("PatientName", text("~"), "the value is missing", '`""`'),
        ("PatientName", text("null"), "the value is missing", "`absent`"),
        ("PatientName", text(""), "the value is missing", '"null"'),
        ("ImageType", listed("ORIGINAL", text("~")), "the value is missing", '`""`'),
        (
            "ImageType",
            text("ORIGINAL\\PRIMARY"),
            "a backslash in the value separates several values",
            "Write the values as a list",
        ),
        (
            "ImageType",
            listed("A\\B"),
            "a backslash in the value separates several values",
            "Write the values as a list",
        ),
        ("PatientName", text("A\\B"), "a backslash in the value separates several values", "VM 1"),
        ("PatientName", listed("A"), "takes one value (VM 1), not a list", "on the same line"),
        ("PatientName", mapped(A=text("1")), "takes a value, not keys with values", ""),
        ("ImageType", listed(), "the list is empty", '`""`'),
        ("ImageType", listed(listed("A")), "each entry of the list must be a value", ""),
        ("RequestAttributesSequence", listed(), "the list is empty", '`""`'),
        ("RequestAttributesSequence", mapped(), "takes a list of items", "`- `"),
        ("RequestAttributesSequence", text("x"), "takes a list of items", "`- `"),
        ("RequestAttributesSequence", listed("x"), "each item of a sequence has attributes", ""),
        ("Rows", text("1_000"), "takes a whole number", ""),
        ("Rows", text("0x10"), "takes a whole number", ""),
        ("Rows", text("1.0"), "takes a whole number", ""),
        ("Rows", text("9" * 5000), "takes a whole number", ""),
        ("PhysicalDeltaX", text("nan"), "takes a number", ""),
        ("PhysicalDeltaX", text(".inf"), "takes a number", ""),
        ("PhysicalDeltaX", text("1e999"), "the number is too large for VR FD", ""),
        ("ChannelSensitivity", listed("1"), "takes one value (VM 1)", ""),
        (
            "RecommendedDisplayFrameRateInFloat",
            text("1e39"),
            "the number is too large for VR FL",
            "",
        ),
        ("FileMetaInformationVersion", text("not base64"), "takes bytes in base64", "padded"),
        ("7FDD1090", text("97"), "takes bytes in base64", "padded"),
        ("FrameIncrementPointer", text("FrameTime"), "takes a tag", "eight hex digits"),
        (
            "RegionOfResidence",
            text("a\\b"),
            "a backslash in the value separates several values",
            "VM 1",
        ),
        ("ReferencePixelX0", quoted(" "), "takes a whole number", ""),
    ],
)
def test_errors(key: str, node: Node, message: str, hint: str) -> None:
    parsed = read(key, node)
    assert parsed.value is None
    assert parsed.violations == ()
    assert len(parsed.errors) == 1
    assert message in parsed.errors[0].message
    assert hint in parsed.errors[0].hint


@pytest.mark.parametrize(
    ("key", "node", "message"),
    [
        ("00080003", text("plain text"), "the value is not base64"),
        ("PatientBirthDate", text("20240230"), "the value is not an existing date"),
        ("SeriesNumber", text("2147483648"), "the value is outside"),
        ("Rows", text("65536"), "the value is outside 0 to 65535"),
        ("PixelPaddingValue", text("-40000"), "the value fits neither VR US nor SS"),
        ("PatientSex", text("female"), "the value contains other characters"),
        ("SOPInstanceUID", text("1.2.x"), "the value is not a UID"),
        ("PixelSpacing", text("0.5"), "1 value is given, but the VM is 2"),
        ("ImageOrientationPatient", listed("1", "0", "0"), "3 values are given, but the VM is 6"),
    ],
)
def test_a_violation_keeps_the_value_for_force(key: str, node: Node, message: str) -> None:
    parsed = read(key, node)
    assert parsed.errors == ()
    assert parsed.value is not None
    assert len(parsed.violations) == 1
    assert message in parsed.violations[0].message
    assert by_key(key).label in parsed.violations[0].message
    assert "force: true" in parsed.violations[0].hint


def code(**entries: str) -> MappingNode:
    return mapped(**{key: text(value) for key, value in entries.items()})


def test_a_sequence_is_a_list_of_keyword_mappings_to_any_depth() -> None:
    node = listed(
        mapped(
            ReferencedSOPInstanceUID=text("1.2.3"),
            PurposeOfReferenceCodeSequence=listed(
                code(CodeValue="121322", CodingSchemeDesignator="DCM")
            ),
            **{"00081160": text("7"), "001910F9": text("97"), "0008001C": text("NO")},
        ),
        mapped(),
    )
    parsed = read("SourceImageSequence", node)
    assert parsed.errors == parsed.violations == ()
    assert parsed.value is not None
    assert parsed.value.raw == [
        {
            "ReferencedSOPInstanceUID": "1.2.3",
            "PurposeOfReferenceCodeSequence": [
                {"CodeValue": "121322", "CodingSchemeDesignator": "DCM"}
            ],
            "ReferencedFrameNumber": ["7"],
            "001910F9": "97",
            "0008001C": "NO",
        },
        {},
    ]


def test_all_problems_inside_a_sequence_are_told_where_they_stand() -> None:
    node = listed(
        MappingNode(
            (
                (text("CodeValues", 10), text("1", 10)),
                (text("CodeValue", 11), text("x" * 17, 11)),
                (text("CodeMeaning", 12), text("~", 12)),
                (text("00080104", 13), text("again", 13)),
            ),
            PLACE,
        )
    )
    parsed = read("ProcedureCodeSequence", node)
    assert parsed.value is None
    assert [(one.place.line, one.message) for one in parsed.errors] == [
        (10, "ProcedureCodeSequence (0008,1032): 'CodeValues' is not a DICOM keyword"),
        (12, "CodeMeaning (0008,0104): the value is missing"),
        (13, "ProcedureCodeSequence (0008,1032): the item has CodeMeaning (0008,0104) twice"),
    ]
    assert parsed.errors[0].hint == "Did you mean CodeValue?"
    assert [one.place.line for one in parsed.violations] == [11]


def test_a_vr_that_does_not_exist_is_an_error() -> None:
    parsed = read("001910F9", text("97"), "XX")
    assert parsed.value is None
    assert "XX" not in parsed.errors[0].message


MARKER = "ZQJXK^SECRET"


@pytest.mark.parametrize(
    "key", ["PatientName", "Rows", "PatientBirthDate", "ImageType", "7FDD1090"]
)
@pytest.mark.parametrize("form", [MARKER, MARKER + "\\" + MARKER, MARKER * 50, "\x01" + MARKER])
def test_no_diagnostic_holds_the_value(key: str, form: str) -> None:
    for node in (text(form), listed(form, form), listed(listed(form)), mapped(A=text(form))):
        parsed = read(key, node)
        shown = repr(parsed) + "".join(map(str, parsed.errors + parsed.violations))
        assert MARKER not in shown
