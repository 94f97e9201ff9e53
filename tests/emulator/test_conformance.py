"""botocore as the oracle of the wire, for generated inputs and outputs of every operation.

What botocore serializes, the emulator parses to the same parameters. What the emulator
serializes, botocore parses to the same result. And a client that sends any valid input gets an
answer of the model.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.exceptions
import botocore.parsers
import botocore.serialize
import pytest
from botocore import xform_name
from botocore.awsrequest import HeadersDict, prepare_request_dict
from botocore.loaders import Loader
from botocore.model import ServiceModel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.wire.protocol import Request, medical_imaging
from tests.emulator.conftest import connect

MODEL = ServiceModel(Loader().load_service_model("medical-imaging", "service-2"), "medical-imaging")
ENDPOINT = "http://127.0.0.1:9"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
# Java's pattern syntax, and one whose repetition takes exponential time to generate.
_PATTERNS = {
    r"\p{ASCII}{0,8192}": r"[ -~]{1,40}",
    r"[a-zA-Z0-9!-~]+([a-zA-Z0-9!-~ ]*[a-zA-Z0-9!-~]+)*": r"[!-~]([ -~]{0,20}[!-~])?",
    r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)": r"[\w .:/=+@-]{0,20}",
}
_LONGEST = 60
slow = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)


def values(shape: Any, *, of_output: bool) -> st.SearchStrategy[Any]:
    """Values of a shape. Inputs are as a caller of boto3 gives them, outputs as ours are."""
    kind = shape.type_name
    if kind == "structure":
        return _structures(shape, of_output)
    if kind == "list":
        least, most = shape.metadata.get("min", 0), min(shape.metadata.get("max", 3), 3)
        if shape.serialization.get("location") == "querystring":
            least = max(least, 1)  # an empty one leaves no trace on the wire
        return st.lists(values(shape.member, of_output=of_output), min_size=least, max_size=most)
    if kind == "map":
        return st.dictionaries(
            values(shape.key, of_output=of_output),
            values(shape.value, of_output=of_output),
            min_size=shape.metadata.get("min", 0),
            max_size=3,
        )
    if kind == "timestamp":
        moments = st.integers(0, 4_000_000_000)
        if of_output:
            return st.tuples(moments, st.sampled_from([0.0, 0.25, 0.5])).map(sum)
        return moments.map(lambda seconds: _EPOCH + datetime.timedelta(seconds=seconds))
    if kind == "blob":
        return st.binary(min_size=shape.metadata.get("min", 0), max_size=_LONGEST)
    return _scalars(shape)


def _scalars(shape: Any) -> st.SearchStrategy[Any]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name in ("integer", "long"):
        return st.integers(0 if least is None else least, 2**31 - 1 if most is None else most)
    if shape.enum:
        return st.sampled_from(shape.enum)
    pattern = shape.metadata.get("pattern")
    if pattern:
        texts = st.from_regex(_PATTERNS.get(pattern, pattern), fullmatch=True, alphabet=_ASCII)
    elif shape.serialization.get("location") == "header":
        texts = st.from_regex(r"[a-z]{1,9}/[a-z]{1,9}", fullmatch=True)
    else:
        texts = st.text(min_size=least or 0, max_size=min(most or _LONGEST, _LONGEST))
    return texts.filter(lambda text: (least or 0) <= len(text) <= (most or 10**9))


_ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


def _structures(shape: Any, of_output: bool) -> st.SearchStrategy[Any]:
    members = {name: values(member, of_output=of_output) for name, member in shape.members.items()}
    if shape.metadata.get("union"):
        return st.one_of([strategy.map(_as(name)) for name, strategy in members.items()])
    required = {name: members.pop(name) for name in shape.required_members}
    return st.fixed_dictionaries(required, optional=members)


def _as(name: str) -> Any:
    return lambda value: {name: value}


def plain(value: Any) -> Any:
    """Moments as epoch seconds, bytes as bytes."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.timestamp() if isinstance(value, datetime.datetime) else value


def operation(name: str) -> Any:
    return MODEL.operation_model(name)


@cache
def inputs(name: str) -> st.SearchStrategy[Any]:
    return values(operation(name).input_shape, of_output=False)


@cache
def outputs(name: str) -> st.SearchStrategy[Any]:
    return values(operation(name).output_shape, of_output=True)


@pytest.mark.parametrize("name", MODEL.operation_names)
@slow
@given(st.data())
def test_what_botocore_serializes_is_parsed_to_the_same(name: str, data: st.DataObject) -> None:
    model = operation(name)
    parameters = data.draw(inputs(name))
    serializer = botocore.serialize.create_serializer("rest-json", include_validation=True)
    request = serializer.serialize_to_request(parameters, model)
    prepare_request_dict(request, ENDPOINT)
    target = request["url"].partition(":9")[2]  # the host has the prefix that it has at AWS
    parsed = medical_imaging().parse(Request(request["method"], target, request["body"] or b""))
    expected = plain(parameters)
    payload = model.input_shape.serialization.get("payload")
    if payload and payload not in expected and request["body"]:
        expected[payload] = {}  # botocore sends an empty object for a payload that is not given
    assert parsed == (name, expected)


@pytest.mark.parametrize("name", MODEL.operation_names)
@slow
@given(st.data())
def test_what_is_serialized_is_parsed_by_botocore_to_the_same(
    name: str, data: st.DataObject
) -> None:
    model = operation(name)
    result = data.draw(outputs(name))
    response = medical_imaging().serialize(name, result)
    streams = model.has_streaming_output
    parsed = botocore.parsers.create_parser("rest-json").parse(
        {
            "status_code": response.status,
            "headers": HeadersDict(response.headers),
            "body": io.BytesIO(response.body) if streams else response.body,
        },
        model.output_shape,
    )
    del parsed["ResponseMetadata"]
    if streams:
        payload = model.output_shape.serialization["payload"]
        parsed[payload] = parsed[payload].read()
    # Of bodies that are a blob, botocore takes the default Content-Type for the member.
    if "contentType" in model.output_shape.members:
        result = {"contentType": "application/json", **result}
    assert plain(parsed) == result


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root: Path = tmp_path_factory.mktemp("any")
    (root / "s3").mkdir()
    with Emulator(root / "data", Options(s3_root=root / "s3")) as emulator:
        emulator.service.ensure_datastore("1" * 32)
        yield connect(emulator.endpoint)


@pytest.mark.parametrize("name", MODEL.operation_names)
@slow
@given(st.data())
def test_any_valid_input_gets_an_answer_of_the_model(
    client: Any, name: str, data: st.DataObject
) -> None:
    model = operation(name)
    parameters = data.draw(inputs(name))
    if "datastoreId" in parameters and data.draw(st.booleans()):
        parameters["datastoreId"] = "1" * 32
    try:
        getattr(client, xform_name(name))(**parameters)
    except botocore.exceptions.ClientError as error:
        answer = error.response
        code = answer["Error"]["Code"]
        assert code in {shape.error_code for shape in model.error_shapes}
        assert code != "InternalServerException"
