"""Our parser of answers gives what botocore's own gives, for every answer to every call.

botocore decides. The answers are made from the output shapes of the service model: members that are
missing, null, unknown or of another type, numbers of any size, and bodies that are not JSON.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from botocore.awsrequest import HeadersDict
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import QueryParser, ResponseParserError, RestJSONParser
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.edges.aws.parser import Parser, Parsers
from reconciler.edges.aws.rows import get_properties, listed_properties, search_page, seconds

MODEL = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"), "medical-imaging")
READS: dict[str, Callable[[dict[str, Any]], object]] = {
    "GetImageSet": get_properties,
    "ListImageSetVersions": listed_properties,
    "SearchImageSets": search_page,
}
OTHERS = ["UpdateImageSetMetadata", "GetDatastore"]
HEADERS = {
    "Content-Type": "application/json",
    "x-amzn-RequestId": "160c19d8-15cd-401a-a5ee-894df0c7a013",
    "Date": "Fri, 17 Nov 2023 17:52:02 GMT",
}
OURS, THEIRS = Parser(), RestJSONParser()

# With half of a surrogate pair, and texts that look like values of another type.
TEXTS = st.text(max_size=8) | st.sampled_from(["", "true", "3", "\ud800", "1700243522.295", "\0"])
INTEGERS = st.integers() | st.sampled_from([2**53 + 1, 2**63, 2**64, 2**64 + 1, -(2**63) - 1])
MOMENTS = (
    st.integers(0, 4 * 10**12).map(lambda milliseconds: milliseconds / 1000)
    | st.floats(0, 4e9)
    | st.integers(0, 4 * 10**9)
)
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | INTEGERS
    | st.floats()
    | TEXTS
    | MOMENTS.map(str)
    | st.sampled_from(["2023-11-17T17:52:02.295Z", "Fri, 17 Nov 2023 17:52:02 GMT"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)


@dataclass(frozen=True)
class Made:
    """How answers are made: the right values by type, what stands in for them, other members."""

    right: dict[str, st.SearchStrategy[Any]]
    instead: st.SearchStrategy[Any]
    unknown: st.SearchStrategy[dict[str, Any]]

    def value(self, shape: Any) -> st.SearchStrategy[Any]:
        """JSON values for a shape."""
        if shape.type_name == "structure":
            members = {
                name: st.none() | self.value(one) | self.instead
                for name, one in shape.members.items()
            }
            known = st.fixed_dictionaries({}, optional=members)
            return st.builds(lambda one, other: {**other, **one}, known, self.unknown)
        if shape.type_name == "list":
            return st.lists(self.value(shape.member) | self.instead, max_size=3)
        return self.right[shape.type_name]


ANY = Made(
    {"string": TEXTS, "integer": INTEGERS, "boolean": st.booleans(), "timestamp": MOMENTS},
    instead=ANYTHING,
    unknown=st.dictionaries(TEXTS | st.just("ResponseMetadata"), ANYTHING, max_size=2),
)
PLAIN = Made(
    {
        "string": st.text(max_size=8),
        "integer": st.integers(-(2**63), 2**63 - 1),
        "boolean": st.booleans(),
        "timestamp": MOMENTS.filter(lambda moment: moment >= 86_400),
    },
    instead=st.nothing(),
    unknown=st.dictionaries(st.text(max_size=8), st.text(max_size=8) | st.none(), max_size=2),
)
# Each stands in for each value of a whole answer in turn.
ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 3.0, 1.5, -0.0, 1e-7, 1e308, 2**53 + 1, 2**63, 2**64 + 1),
    *(-1, 86_399, 86_400, 86_400.0005, 1700243522.2955, 253402128001, 253402300800, 1e18),
    *("", "3", "true", "false", "Garcia^Gloria", "1700243522.295", "2023-11-17T17:52:02.295Z"),
    *([], [None], [{}], ["a"], {}, {"a": 1}, {"forced": "true"}, {"DICOMPatientId": 1}),
]
WHOLE = {"string": "1", "integer": 1, "boolean": True, "timestamp": 1700243522.295}
NOT_JSON = [b"", b"{", b"<html>", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"a": NaN}', b"[" * 2000]


def whole(shape: Any) -> Any:
    """A plain value of a shape, with every member."""
    if shape.type_name == "structure":
        return {name: whole(member) for name, member in shape.members.items()}
    return [whole(shape.member)] if shape.type_name == "list" else WHOLE[shape.type_name]


def with_odd_values(answer: Any) -> Iterator[Any]:
    """Copies of an answer, each of which has one odd value."""
    yield from ODD
    if isinstance(answer, dict | list):
        for key in answer if isinstance(answer, dict) else range(len(answer)):
            for odd in with_odd_values(answer[key]):
                changed: Any = copy(answer)
                changed[key] = odd
                yield changed


def shape_of(operation: str) -> Any:
    return MODEL.operation_model(operation).output_shape


def response(body: bytes, status: int = 200) -> dict[str, Any]:
    """What botocore gives to a parser."""
    return {"status_code": status, "headers": HeadersDict(HEADERS), "body": body, "context": {}}


def canonical(shape: Any, parsed: Any) -> object:
    """A parsed value of a shape, which can be compared: with epoch seconds for a timestamp."""
    if isinstance(parsed, dict):
        members = getattr(shape, "members", {})
        return sorted((name, canonical(members.get(name), one)) for name, one in parsed.items())
    if isinstance(parsed, list):
        return [canonical(getattr(shape, "member", None), one) for one in parsed]
    if shape is not None and shape.type_name == "timestamp":
        return seconds(parsed)
    return repr(parsed)  # NaN is not equal to itself


def parsed(parser: RestJSONParser, given: dict[str, Any], operation: str) -> Any:
    """What a parser returns, or the class of its error.

    botocore raises what Python raises for a value of another type. Ours has one error for all.
    """
    try:
        return parser.parse(given, shape_of(operation))
    except (ResponseParserError, UnicodeDecodeError) as error:
        return type(error)
    except Exception:
        assert parser is THEIRS
        return ResponseParserError


def taken(operation: str, answer: Any) -> str:
    """Our values in an answer, or the class of the error."""
    try:
        return repr(READS[operation](answer))
    except Exception as error:
        return type(error).__name__


def assert_equal(operation: str, given: dict[str, Any]) -> None:
    shape = shape_of(operation)
    ours, theirs = parsed(OURS, given, operation), parsed(THEIRS, given, operation)
    assert canonical(shape, ours) == canonical(shape, theirs)
    if operation in READS and isinstance(ours, dict):
        assert taken(operation, ours) == taken(operation, theirs)


def body(value: object, *, ascii_only: bool) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("operation", [*READS, *OTHERS])
@settings(max_examples=50)
@given(data=st.data(), ascii_only=st.booleans())
def test_an_answer_of_any_content_is_what_botocore_makes_of_it(
    operation: str, data: st.DataObject, ascii_only: bool
) -> None:
    answer = data.draw(ANY.value(shape_of(operation)) | ANYTHING)
    assert_equal(operation, response(body(answer, ascii_only=ascii_only)))


@pytest.mark.parametrize("operation", [*READS, *OTHERS])
def test_an_answer_with_one_odd_value_is_what_botocore_makes_of_it(operation: str) -> None:
    answer = whole(shape_of(operation))
    assert_equal(operation, response(body(answer, ascii_only=True)))
    for changed in with_odd_values(answer):
        assert_equal(operation, response(body(changed, ascii_only=True)))


@pytest.mark.parametrize("operation", [*READS, *OTHERS])
@pytest.mark.parametrize("status", [200, 201, 204, 300, 301, 400, 404, 409, 429, 500, 503])
def test_an_answer_of_any_status_is_what_botocore_makes_of_it(operation: str, status: int) -> None:
    answer = whole(shape_of(operation)) | {"message": "no", "__type": "ConflictException"}
    assert_equal(operation, response(body(answer, ascii_only=True), status))


@pytest.mark.parametrize("operation", [*READS, *OTHERS])
@pytest.mark.parametrize("status", [200, 404, 500])
@pytest.mark.parametrize("content", NOT_JSON, ids=lambda content: repr(content[:8]))
def test_a_body_that_is_no_json_object_is_what_botocore_makes_of_it(
    operation: str, status: int, content: bytes
) -> None:
    assert_equal(operation, response(content, status))


@pytest.mark.parametrize("operation", READS)
@settings(max_examples=50)
@given(data=st.data())
def test_a_plain_answer_needs_no_datetime(operation: str, data: st.DataObject) -> None:
    """So orjson has parsed it: null and unknown members do not keep it from that."""
    answer = data.draw(PLAIN.value(shape_of(operation)))
    given = response(body(answer, ascii_only=True))
    ours = parsed(OURS, given, operation)
    assert_equal(operation, given)
    assert not any(isinstance(one, datetime) for one in leaves(ours))


def leaves(parsed: Any) -> Iterator[object]:
    if not isinstance(parsed, dict | list):
        yield parsed
        return
    for one in parsed.values() if isinstance(parsed, dict) else parsed:
        yield from leaves(one)


@pytest.mark.parametrize("operation", READS)
def test_an_error_of_an_answer_quotes_no_value(operation: str) -> None:
    """Python quotes what is not a number, which may be the name of a patient."""
    wrong = {"createdAt": "Garcia^Gloria", "DICOMTags": {"DICOMSeriesNumber": "Garcia^Gloria"}}
    lists = {"imageSetsMetadataSummaries": [wrong], "imageSetPropertiesList": [wrong]}
    with pytest.raises(ResponseParserError) as caught:
        OURS.parse(response(body({**wrong, **lists}, ascii_only=True)), shape_of(operation))
    assert "Garcia" not in "".join(traceback.format_exception(caught.value))


def test_the_other_protocols_have_the_parsers_of_botocore() -> None:
    assert type(Parsers().create_parser("query")) is QueryParser
    assert type(Parsers().create_parser("rest-json")) is Parser
