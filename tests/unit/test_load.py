"""load: text as it stands, places, and a message for everything that is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.edges import manifests as loading
from reconciler.edges.manifests import DEFAULT, MAX_BYTES, PURE, Loaded, load, parse

PARSERS = [pytest.param(DEFAULT, id="default"), pytest.param(PURE, id="pure")]


def plain(node: Node) -> object:
    match node:
        case Scalar():
            return node.text
        case ListNode():
            return [plain(item) for item in node.items]
        case MappingNode():
            return {key.text: plain(value) for key, value in node.entries}


def texts(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.problems]


def test_the_default_parser_is_the_c_parser_where_libyaml_is_there() -> None:
    assert yaml.__with_libyaml__ == (DEFAULT is not PURE)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    "written",
    ["00123", "NO", "12:30:45", "1.10", "2020-01-01", "1_000", "0x1F", "~", "null", "1e3", "+1"],
)
def test_a_plain_scalar_is_the_text_in_the_file(parser: type, written: str) -> None:
    (document,) = parse(f"a: {written}", "f", parser).documents
    value = document.get("a")
    assert isinstance(value, Scalar)
    assert (value.text, value.plain) == (written, True)


@pytest.mark.parametrize("parser", PARSERS)
def test_null_is_told_from_its_quoted_text(parser: type) -> None:
    (document,) = parse("a: null\nb: 'null'\nc:\nd: \"\"\ne: ~", "f", parser).documents
    nulls = [
        key.text for key, value in document.entries if isinstance(value, Scalar) and value.is_null
    ]
    assert nulls == ["a", "c", "e"]


@pytest.mark.parametrize("parser", PARSERS)
def test_places_count_characters_from_one(parser: type) -> None:
    (document,) = parse("ä: {b: [ü, x]}\nc:\n  d: 1", "f", parser).documents
    outer = document.get("ä")
    assert isinstance(outer, MappingNode)
    inner = outer.get("b")
    assert isinstance(inner, ListNode)
    assert inner.items[1].place == Place("f", 1, 12)
    below = document.get("c")
    assert isinstance(below, MappingNode)
    assert below.entries[0][0].place == Place("f", 3, 3)
    assert below.entries[0][1].place == Place("f", 3, 6)


@pytest.mark.parametrize("parser", PARSERS)
def test_several_documents_and_empty_ones(parser: type) -> None:
    loaded = parse(
        "---\na: 1\n---\n---\n~\n---\n# nothing\n---\nb: |\n  x\n  y\n...\n", "f", parser
    )
    assert [plain(document) for document in loaded.documents] == [{"a": "1"}, {"b": "x\ny\n"}]
    assert loaded.problems == ()


@pytest.mark.parametrize("parser", PARSERS)
def test_a_document_with_a_problem_is_left_out_and_the_next_is_read(parser: type) -> None:
    loaded = parse("a: &x 1\nb: *x\n---\nc: 1\n---\nd: !t 1\n", "f", parser)
    assert [plain(document) for document in loaded.documents] == [{"c": "1"}]
    assert len(loaded.problems) == 3


REFUSED = {
    "anchor and alias": (
        "a: &x 1\nb: *x",
        "f:1:4: an anchor (&…) is not allowed\n"
        "    Write the value itself. Quote text that begins with & or *.",
        "f:2:4: an alias (*…) is not allowed\n"
        "    Write the value itself. Quote text that begins with & or *.",
    ),
    "alias as key": (
        "*x : 1",
        "f:1:1: an alias (*…) is not allowed\n"
        "    Write the value itself. Quote text that begins with & or *.",
    ),
    "merge key": (
        "a: 1\n<<: {b: 1}",
        "f:2:1: the merge key << is not allowed\n    Write all lines here instead.",
    ),
    "tag": (
        "a: !!str 1",
        "f:1:4: an explicit YAML tag (!…) is not allowed\n"
        "    Remove it. The DICOM dictionary decides the type. Quote text that begins with !.",
    ),
    "tag on a mapping": (
        "a: !!map {b: 1}",
        "f:1:4: an explicit YAML tag (!…) is not allowed\n"
        "    Remove it. The DICOM dictionary decides the type. Quote text that begins with !.",
    ),
    "bare tag": (
        "a: ! 1",
        "f:1:4: an explicit YAML tag (!…) is not allowed\n"
        "    Remove it. The DICOM dictionary decides the type. Quote text that begins with !.",
    ),
    "duplicate key": (
        "a:\n  b: 1\n  c: 2\n  b: 3",
        "f:4:3: the key 'b' is a duplicate of f:2:3\n    Remove one of the two lines.",
    ),
    "duplicate malformed UID": (
        "Series: {Doe John: 1, Doe John: 2}",
        "f:1:23: the key '<text(1-8)>' is a duplicate of f:1:10\n    Remove one of the two lines.",
    ),
    "duplicate key, quoted": (
        "a: 1\n'a': 2",
        "f:2:1: the key 'a' is a duplicate of f:1:1\n    Remove one of the two lines.",
    ),
    "list as key": (
        "? [a]\n: b",
        "f:1:3: a list or `{…}` stands where a key is expected\n"
        "    Write a key, such as `PatientName:`.",
    ),
    "mapping as key": (
        "{? {a: 1} : b}",
        "f:1:4: a list or `{…}` stands where a key is expected\n"
        "    Write a key, such as `PatientName:`.",
    ),
    "list as document": (
        "- a",
        "f:1:1: the document has no keys: it is a list\n"
        "    Write one `key: value` on each line. Manifests begin with `apiVersion:`.",
    ),
    "text as document": (
        "hello",
        "f:1:1: the document has no keys: it is text\n"
        "    Write one `key: value` on each line. Manifests begin with `apiVersion:`.",
    ),
    "NUL": (
        "a: 1\nb: 'x\0y'",
        "f:2:6: U+0000 is a control character or line separator, which is not allowed here\n"
        '    Delete it. Inside double quotes you can write "\\n" and "\\t".',
    ),
    "line separator": (
        "a: x\u2028y",
        "f:1:5: U+2028 is a control character or line separator, which is not allowed here\n"
        '    Delete it. Inside double quotes you can write "\\n" and "\\t".',
    ),
    "escaped NUL": (
        'a: "x\\0"',
        "f:1:4: an escape such as \\0 or \\uD800 stands for no character\n"
        "    Remove the escape.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("case", REFUSED)
def test_refused(parser: type, case: str) -> None:
    text, *expected = REFUSED[case]
    loaded = parse(text, "f", parser)
    assert (texts(loaded), loaded.documents) == (expected, ())


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_nothing_turns_the_direction_of_text(parser: type, code: int) -> None:
    for text in (f"a: '{chr(code)}'", f'a: "\\u{code:04x}"', f"{chr(code)}: a", f"# {chr(code)}"):
        assert len(parse(text, "f", parser).problems) == 1
    hebrew = "a: \u05d0\u200f\u200e\u2060"
    assert parse(hebrew, "f", parser).problems == ()


BROKEN = {
    "bracket": (
        "a: [1,\nb",
        "f:3:1: not valid YAML: did not find expected ',' or ']'\n"
        "    Add the missing comma or the closing `]`.",
    ),
    "colon in text": (
        "a: b: c",
        "f:1:5: not valid YAML: a colon and a space are not allowed in this context\n"
        "    Check the indentation. Quote text that contains a colon and a space.",
    ),
    "tab": (
        "a:\n\tb: 1",
        "f:2:1: not valid YAML: found character that cannot start any token\n"
        "    Indent with spaces, not tabs. Quote text that begins with @, ` or %.",
    ),
    "quote": (
        "a: 'Garcia^Gloria",
        "f:1:18: not valid YAML: found unexpected end of stream\n    Add the closing quote.",
    ),
    "escape": (
        'a: "\\d"',
        "f:1:5: not valid YAML: found unknown escape character\n"
        "    Use single quotes around text with a backslash.",
    ),
    "indentation": (
        "a:\n  - 1\n b: 2",
        "f:3:2: not valid YAML: did not find expected key\n"
        "    Check the indentation. Quote text that contains special characters of YAML.",
    ),
    "half a character": (
        'a: "\\ud800"',
        "f:1:7: not valid YAML: found invalid Unicode character escape code\n"
        "    Use single quotes around text with a backslash.",
    ),
    "no colon": (
        "a: 1\nb\nc: 2",
        "f:3:1: not valid YAML: could not find expected ':'\n"
        "    Write a colon and a space after the key.",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_yaml(case: str) -> None:
    text, expected = BROKEN[case]
    assert texts(parse(text, "f")) == [expected]


@pytest.mark.parametrize("case", BROKEN)
def test_broken_yaml_is_refused_by_the_pure_parser_too(case: str) -> None:
    loaded = parse(BROKEN[case][0], "f", PURE)
    assert len(loaded.problems) == 1
    assert loaded.documents == ()


@pytest.mark.parametrize("parser", PARSERS)
def test_a_code_point_beyond_unicode_is_refused(parser: type) -> None:
    assert len(parse('a: "\\U00110000"', "f", parser).problems) == 1


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "{a: "])
def test_a_hundred_thousand_levels_end_at_once(parser: type, opening: str) -> None:
    loaded = parse("a: " + opening * 100_000, "f", parser)
    assert loaded.documents == ()
    assert loaded.problems


@pytest.mark.parametrize("parser", PARSERS)
def test_the_depth_is_bounded(parser: type) -> None:
    def nested(depth: int) -> str:
        return "".join(f"{' ' * level}a:\n" for level in range(depth - 1)) + " " * depth + "a: 1"

    assert len(parse(nested(64), "f", parser).documents) == 1
    assert texts(parse(nested(65), "f", parser)) == [
        "f:65:66: nested deeper than 64 levels\n"
        "    Reduce the nesting. The rest of this file was not read."
    ]


def test_no_message_holds_a_value() -> None:
    texts_with_values = ["PatientName: Secret^Name: x", "PatientName: @Secret^Name", "a: [Secret"]
    for text in texts_with_values:
        for parser in (DEFAULT, PURE):
            assert "Secret" not in "".join(texts(parse(text, "f", parser)))


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_yaml", ".yaml").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_folders_are_read_in_order_without_hidden_ones(tmp_path: Path) -> None:
    write(
        tmp_path, m__b_yaml="b: 1", m__a__z_yml="a: 1", m__c_txt="c: 1", reconciler_yaml="x: 1",
        m__a__y_yaml="y: 1",
    )  # fmt: skip
    for hidden in (".git", ".x"):
        (tmp_path / "m" / hidden).mkdir()
        (tmp_path / "m" / hidden / "h.yaml").write_text("h: 1")
    (tmp_path / "m" / ".h.yaml").write_text("h: 1")
    loaded = load(tmp_path, [tmp_path])
    assert [document.place.file for document in loaded.documents] == [
        "m/a/y.yaml",
        "m/a/z.yml",
        "m/b.yaml",
    ]
    assert (loaded.files, loaded.problems) == (("m/a/y.yaml", "m/a/z.yml", "m/b.yaml"), ())


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, m__a_yaml="a: 1")
    loaded = load(
        tmp_path, [tmp_path / "m", tmp_path / "m" / "a.yaml", tmp_path / "m" / ".." / "m"]
    )
    assert len(loaded.files) == len(loaded.documents) == 1


def test_a_file_outside_the_root_keeps_its_whole_path(tmp_path: Path) -> None:
    write(tmp_path, a_yaml="a: 1", root__b_yaml="b: 1")
    (document,) = load(tmp_path / "root", [tmp_path / "a.yaml"]).documents
    assert document.place.file == (tmp_path / "a.yaml").as_posix()


def test_paths_without_manifests(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    loaded = load(tmp_path, [tmp_path / "none", tmp_path / "empty", tmp_path / "pipe"])
    assert texts(loaded) == [
        "none: does not exist\n    Name a manifest or a folder. The default is "
        "`manifests:` in reconciler.yaml.",
        "empty: contains no manifests: there is no *.yaml or *.yml file in it or below it\n"
        "    Write a manifest, or create one with `reconcile import --image-set ID`. If the last "
        "one is to go, leave a file with a comment alone.",
        "pipe: is neither a file nor a folder\n    Name a manifest or a folder. "
        "The default is `manifests:` in reconciler.yaml.",
    ]
    assert loaded.files == ()


def file_problems(tmp_path: Path, data: bytes) -> list[str]:
    (tmp_path / "a.yaml").write_bytes(data)
    (tmp_path / "b.yaml").write_bytes(b"b: 1")
    loaded = load(tmp_path, [tmp_path])
    assert [document.place.file for document in loaded.documents] == ["b.yaml"]
    return texts(loaded)


@pytest.mark.parametrize("text", ["a: ä", "# 胸部\na: 1", "---\na: 1", "\na: 1"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_text_that_is_not_utf8(tmp_path: Path, text: str, encoding: str, mark: str) -> None:
    """With a byte order mark (Notepad, PowerShell) and without it (Java, iconv)."""
    assert file_problems(tmp_path, (mark + text).encode(encoding)) == [
        f"a.yaml: is {encoding.upper()[:6]}, not UTF-8\n"
        "    Save it as UTF-8. PowerShell does so with `Out-File -Encoding utf8`."
    ]


def test_text_in_one_byte_per_character(tmp_path: Path) -> None:
    assert file_problems(tmp_path, "a: 1\nb: ä".encode("latin-1")) == [
        "a.yaml:2:4: not UTF-8 text from here on\n    Save it as UTF-8."
    ]


def test_a_byte_order_mark_is_no_column(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1")
    (document,) = load(tmp_path, [tmp_path]).documents
    assert document.entries[0][0] == Scalar("a", Place("a.yaml", 1, 1), plain=True)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "a.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert texts(load(tmp_path, [tmp_path])) == [
        "a.yaml: is larger than the limit of 16,777,216 bytes\n    Split it into several files."
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert loading.read(tmp_path, "a.yaml").problems == (
        Diagnostic(
            Place("a.yaml"),
            "is a folder, not a file",
            "Give the name of a file.",
        ),
    )


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    (problem,) = loading.read(tmp_path / "a.yaml", "a.yaml").problems
    assert problem.message == "cannot be read: it is not a regular file"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_link_to_a_device_that_never_ends(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to("/dev/zero")
    (problem,) = loading.read(tmp_path / "a.yaml", "a.yaml").problems
    assert problem.message == "cannot be read: it is not a regular file"


def test_a_linked_folder_is_told_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "a.yaml").write_text("a: 1")
    (tmp_path / "manifests" / "linked").symlink_to("../elsewhere")
    loaded = load(tmp_path, [tmp_path / "manifests"])
    assert [(str(one.place), one.message) for one in loaded.problems] == [
        ("manifests/linked", "is a symbolic link to a folder; such links are not followed")
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0)
    loaded = load(tmp_path, [tmp_path])
    assert texts(loaded) == [
        "locked: cannot be read: Permission denied\n    Check that you may read it."
    ]


def test_a_path_that_no_file_can_have(tmp_path: Path) -> None:
    (problem,) = load(tmp_path, [tmp_path / ("a" * 300)]).problems
    assert problem.message == "cannot be read: File name too long"


def test_lines_are_kept_as_they_were_parsed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("# comment\na: b\n")
    loaded = load(tmp_path, [file])
    file.write_text("x: y\n")
    assert loaded.sources.line("a.yaml", 2) == "a: b"


def test_a_carriage_return_is_a_line_break_in_every_place() -> None:
    """As YAML counts lines, so that the line of a problem is the right one."""
    (problem,) = parse("a: b\rc: d\x07\r", "a.yaml").problems
    assert problem.place == Place("a.yaml", 2, 5)
    (warning,) = parse("a: b\rc: d #2\r", "a.yaml").warnings
    assert warning.place == Place("a.yaml", 2, 4)
