"""Manifest files -> documents: nodes with line and column, scalars as the text in the file.

YAML types are never applied, so `00123`, `NO` and `1.10` stay text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from reconciler.core.errors import MAX_PROBLEMS, Diagnostic, Place
from reconciler.core.model.file_kind import MANIFEST, FileKind
from reconciler.core.source import Sources
from reconciler.edges.manifests.files import MAX_BYTES, content_of, text_in
from reconciler.edges.manifests.find import find, is_manifest, is_named_so, name_of
from reconciler.edges.manifests.outline import Outlines
from reconciler.edges.manifests.parse import DEFAULT, PURE, Loaded, parse

__all__ = [
    "DEFAULT",
    "MAX_BYTES",
    "PURE",
    "Loaded",
    "Outlines",
    "each",
    "each_content",
    "is_manifest",
    "is_named_so",
    "load",
    "name_of",
    "names",
    "parse",
    "read",
    "read_content",
]

# Whether the content of a file is taken, and needs no parser.
Taker: TypeAlias = Callable[[bytes, str], bool]


def _parse_all(content: bytes, name: str) -> bool:
    return False


def load(root: Path, paths: Sequence[Path]) -> Loaded:
    """Read manifests: files, or folders with all `*.yaml` and `*.yml` below them.

    `root` is the folder of reconciler.yaml; places name files relative to it. The result contains
    only the documents without a problem. After more than MAX_PROBLEMS, no other file is read.
    """
    first, *others = each(root, paths)
    sources = Sources()
    for one in others:
        sources.add(one.sources)
    return Loaded(
        tuple(document for one in others for document in one.documents),
        tuple(problem for one in (first, *others) for problem in one.problems),
        first.files,
        tuple(warning for one in (first, *others) for warning in one.warnings),
        sources,
    )


def each(root: Path, paths: Sequence[Path], is_taken: Taker = _parse_all) -> Iterator[Loaded]:
    """Yield what `load` finds: first about the paths, with all names, then file by file.

    A caller that keeps no documents needs no more memory for 100,000 files than for one. What
    `is_taken` is true for, given content and name, is not parsed.
    """
    found = find(root, paths)
    files = found.files
    warnings = tuple(_skipped(name) for name in found.others if name not in files)
    yield Loaded((), tuple(found.problems), tuple(sorted(files)), warnings)
    count = len(found.problems)
    for name in sorted(files):
        if count > MAX_PROBLEMS:
            break
        content = content_of(files[name], name)
        if isinstance(content, bytes) and is_taken(content, name):
            continue
        loaded = _loaded(content, name)
        count += len(loaded.problems)
        yield loaded if loaded.documents or loaded.problems else _empty(loaded, name)


def each_content(files: Mapping[str, bytes], is_taken: Taker = _parse_all) -> Iterator[Loaded]:
    """Like `each`, for manifests by name whose contents are known."""
    for name in sorted(files):
        if not is_taken(files[name], name):
            yield read_content(files[name], name)


def _empty(loaded: Loaded, name: str) -> Loaded:
    found = Diagnostic(Place(name), "is empty", "Remove the file, or write it.")
    return replace(loaded, warnings=(*loaded.warnings, found))


def _skipped(name: str) -> Diagnostic:
    message = "is skipped: only files whose names end in .yaml or .yml are manifests"
    return Diagnostic(Place(name), message, "Rename it in lower case if it is a manifest.")


def names(root: Path, paths: Sequence[Path]) -> frozenset[str]:
    """The manifest files that some files and folders stand for, as places name them."""
    return frozenset(find(root, paths).files)


def read(path: str | Path, name: str, wanted: FileKind = MANIFEST) -> Loaded:
    """Read the documents of one file, which places call `name`."""
    return _loaded(content_of(path, name), name, wanted)


def read_content(data: bytes, name: str, wanted: FileKind = MANIFEST) -> Loaded:
    """Read the documents of a file with this content, which is not on the disk."""
    return _loaded(data, name, wanted)


def _loaded(content: bytes | Diagnostic, name: str, wanted: FileKind = MANIFEST) -> Loaded:
    text = content if isinstance(content, Diagnostic) else text_in(content, name, wanted)
    if isinstance(text, Diagnostic):
        return Loaded((), (text,), (name,))
    return parse(text, name)
