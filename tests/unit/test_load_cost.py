"""What it takes to read many manifests."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from reconciler.edges.manifests import load, parse

_SIZELESS = Path("/proc/version")
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
