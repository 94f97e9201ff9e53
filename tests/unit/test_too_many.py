"""Hostile files do not keep a check busy: it stops at bounds, and says that more may follow.

`benchmarks/hostile.py` measures time and memory of the whole command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path, PurePath

import pytest

from reconciler.cli.import_ import Depth, manifest
from reconciler.core.ask import manifest_checker, validate
from reconciler.core.ask.explain import near_miss
from reconciler.core.ask.resolve import resolve
from reconciler.core.errors import MAX_PROBLEMS, Diagnostic, InputError, Place, ReconcilerError
from reconciler.core.model.node import MAX_NODES, MAX_TEXT, MappingNode
from reconciler.core.model.settings import Datastore, Settings
from reconciler.core.model.value import Document, Json
from reconciler.edges import schemas
from reconciler.edges.manifests import DEFAULT, PURE, load, parse
from reconciler.edges.settings import read_settings
from tests.cli.conftest import Command, reconcile

__all__ = ["reconcile"]

MANY = 3 * MAX_PROBLEMS
STORE = Datastore("research", "d" * 32, "us-east-1")
SETTINGS = Settings(PurePath("/repo"), "manifests", (STORE,))
CHECKER = manifest_checker(schemas.load("manifest"))
HEAD = (
    "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
    f"imageSetId: {'a' * 32}\nreason: x\n"
)
ASKS = "present: {Patient: {DICOM: {PatientName: A}}}\n"


@pytest.mark.parametrize("parser", [DEFAULT, PURE])
@pytest.mark.parametrize("text", ["a: [A, A]\nb: *x", "a: {b: c}\nd: *x", "a: b\nc: [*x]"])
def test_no_more_is_read_after_the_most_nodes(parser: type, text: str) -> None:
    loaded = parse(text, "f", parser, most_nodes=4)
    (problem,) = loaded.problems
    assert problem.message == "the file has more than 4 keys and values"
    assert loaded.documents == ()
    assert "alias" in str(parse(text, "f", parser).problems)


@pytest.mark.parametrize("parser", [DEFAULT, PURE])
@pytest.mark.parametrize("text", ["a: {}\n", "a: [b, {}]\n", "{}: b\n", "a: '{}'\n"])
def test_no_text_is_longer_than_the_most(parser: type, text: str) -> None:
    loaded = parse(text.replace("{}", "x" * (MAX_TEXT + 1)), "f", parser)
    assert "a text is longer than 1,048,576 characters" in str(loaded.problems[0])
    assert loaded.documents == ()


def test_the_longest_text_is_read() -> None:
    assert parse(f"a: {'x' * MAX_TEXT}", "f").problems == ()


@pytest.mark.parametrize("item", ["*a, ", "&a b, ", "!a b, "])
def test_parsing_stops_at_the_most_problems(item: str) -> None:
    assert len(parse(f"a: [{item * MANY}]", "f").problems) == MAX_PROBLEMS + 1


def test_no_file_is_read_after_the_most_problems(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n" * MANY)
    (tmp_path / "b.yaml").write_text("a: [")
    loaded = load(tmp_path, [tmp_path])
    assert {problem.place.file for problem in loaded.problems} == {"a.yaml"}


def test_no_document_is_checked_after_the_most_problems() -> None:
    read = count()

    def documents() -> Iterator[MappingNode]:
        for document in parse("---\nfoo: bar\n" * MANY, "f").documents:
            next(read)
            yield document

    found = validate(documents(), SETTINGS, CHECKER).problems
    assert MAX_PROBLEMS < len(found) < MAX_PROBLEMS + 10
    assert next(read) < MAX_PROBLEMS + 2


DOCUMENTS = {
    "keys": HEAD + ASKS + "".join(f"key{n}: v\n" for n in range(MANY)),
    "attributes": f"{HEAD}present:\n  Patient:\n    DICOM:\n"
    + "".join(f"      PatientNam{n}: v\n" for n in range(MANY)),
    "removed attributes": f"{HEAD}absent:\n  Patient:\n    DICOM:\n"
    + "".join(f"      - PatientNam{n}\n" for n in range(MANY)),
    "series": f"{HEAD}present:\n  Study:\n    Series:\n"
    + "".join(f"      k{n}: v\n" for n in range(MANY)),
    "values": f"{HEAD}present:\n  Study:\n    Series:\n      '*':\n        Instances:\n"
    f"          '*':\n            DICOM: {{WindowCenter: [{'null, ' * MANY}]}}\n",
    "consents": f"{HEAD}allow: [{', '.join(f'X{n}' for n in range(MANY))}]\n{ASKS}",
    "image sets": HEAD.replace(f"imageSetId: {'a' * 32}", f"imageSetIds: [{'A, ' * MANY}]") + ASKS,
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_check_of_a_document_stops(kind: str) -> None:
    loaded = parse(DOCUMENTS[kind], "f")
    assert loaded.problems == ()
    found = validate(loaded.documents, SETTINGS, CHECKER).problems
    assert MAX_PROBLEMS < len(found) <= 2 * MAX_PROBLEMS + 2


def test_contradictions_stop() -> None:
    """100 manifests contradict each other in 4,950 pairs."""
    texts = "".join(f"---\n{HEAD}{ASKS.replace('A}', f'A{n}}}')}" for n in range(100))
    asks = validate(parse(texts, "f").documents, SETTINGS, CHECKER).asks
    assert len(asks) == 100
    assert len(resolve(asks).problems) == MAX_PROBLEMS + 1


def test_settings_stop(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(f"allow: [{', '.join(f'X{n}' for n in range(MANY))}]\n")
    with pytest.raises(InputError) as caught:
        read_settings(file)
    assert len(caught.value.diagnostics) == MAX_PROBLEMS + 1


def test_a_long_word_is_compared_with_none() -> None:
    assert near_miss("ImageSe", ["ImageSet"]) == "ImageSet"
    assert near_miss("ImageSe" * 100, ["ImageSet" * 100]) is None


def test_the_last_problem_says_that_more_may_follow() -> None:
    every = tuple(Diagnostic(Place("f", line, 1), "wrong") for line in range(1, MANY))
    *first, last = InputError(every).diagnostics
    assert (tuple(first), last.place.line) == (every[:MAX_PROBLEMS], MAX_PROBLEMS)
    assert last.message == "there are more than 1,000 problems, so the check stopped"
    assert InputError(every[:MAX_PROBLEMS]).diagnostics == every[:MAX_PROBLEMS]


@pytest.mark.parametrize("options", [(), ("--all",), ("--json",)])
def test_the_command_says_so(
    reconcile: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    (tmp_path / "reconciler.yaml").write_text(
        f"datastores: {{research: {{datastoreId: {'d' * 32}, region: us-east-1}}}}\n"
    )
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text(DOCUMENTS["keys"])
    monkeypatch.chdir(tmp_path)
    ran = reconcile("validate", *options)
    assert ran.code == 1
    assert "more than 1,000 problems, so the check stopped" in ran.out + ran.err
    if "--json" in options:
        assert len(json.loads(ran.out)["problems"]) == MAX_PROBLEMS + 1


def test_import_prints_nothing_longer_than_validate_accepts() -> None:
    long, short = {"PatientComments": "x" * (MAX_TEXT + 1)}, {"PatientID": "7"}
    document = Document({"Patient": {"DICOM": {**long, **short}}})
    lines = manifest("research", "1" * 32, "1", document, Depth.PATIENT)
    reason = "its value is longer than 1,048,576 characters"
    assert f"# PatientComments is left out: {reason}" in [line.strip() for line in lines]
    instances: dict[str, Json] = {"1.2.3": {"DICOM": {"ImageType": ["A"] * MAX_NODES}}}
    document = Document({"Study": {"Series": {"1.2": {"Instances": instances}}}})
    with pytest.raises(ReconcilerError, match="larger than the limit of 300,000 values"):
        manifest("research", "1" * 32, "1", document, Depth.INSTANCE)
