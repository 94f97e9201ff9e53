"""What it takes to read many manifests."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

import pytest

from reconciler.edges.manifests import load, parse

_SIZELESS = Path("/proc/version")
_walked: list[str] = []
sys.addaudithook(lambda event, args: _walked.append(args[0]) if event == "os.scandir" else None)
_MOST = 1_000_000  # bytes; the largest file that may be read has 16 MiB


def test_a_small_file_is_read_without_a_buffer_for_the_largest(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: ImageSet\n")
    load(tmp_path, [tmp_path])  # what is made once
    tracemalloc.start()
    load(tmp_path, [tmp_path])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < _MOST


@pytest.mark.skipif(not _SIZELESS.exists(), reason="only Linux has such files")
def test_a_file_that_states_no_size_is_read_to_the_end(tmp_path: Path) -> None:
    first = load(tmp_path, [_SIZELESS]).sources.line(str(_SIZELESS), 1)
    assert first is not None and first.startswith("Linux")


def test_an_ordinary_manifest_is_read_without_the_parser() -> None:
    class Unused:
        def __init__(self, text: str) -> None:
            raise AssertionError("the parser is not needed")

    assert parse("kind: ImageSet\nallow: [A]\n", "a.yaml", Unused).documents


def test_each_folder_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("a.yaml", "b/a.YAML", "b/c/a.yaml.txt", "b/c/a.yaml"):
        (tmp_path / name).write_text("kind: ImageSet\n")
    _walked.clear()
    assert load(tmp_path, [tmp_path]).files == ("a.yaml", "b/c/a.yaml")
    assert sorted(_walked) == [str(tmp_path), str(tmp_path / "b"), str(tmp_path / "b" / "c")]
