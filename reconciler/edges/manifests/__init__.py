"""Manifest files -> documents: nodes with line and column, scalars as the text in the file.

YAML types are never applied, so `00123`, `NO` and `1.10` stay text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from reconciler.core.errors import MAX_PROBLEMS, Diagnostic, Place
from reconciler.core.model.file_kind import MANIFEST, FileKind
from reconciler.core.source import Sources
from reconciler.edges.manifests.files import MAX_BYTES, text_in, text_of
from reconciler.edges.manifests.find import find, is_manifest, is_named_so, name_of
from reconciler.edges.manifests.parse import DEFAULT, PURE, Loaded, parse

__all__ = [
    "DEFAULT",
    "MAX_BYTES",
    "PURE",
    "Loaded",
    "each",
    "is_manifest",
    "is_named_so",
    "load",
    "load_contents",
    "name_of",
    "names",
    "parse",
    "read",
    "read_content",
]


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


def each(root: Path, paths: Sequence[Path]) -> Iterator[Loaded]:
    """Yield what `load` finds: first about the paths, with all names, then file by file.

    A caller that keeps no documents needs no more memory for 100,000 files than for one.
    """
    found = find(root, paths)
    files = found.files
    warnings = tuple(_skipped(name) for name in found.others if name not in files)
    yield Loaded((), tuple(found.problems), tuple(sorted(files)), warnings)
    count = len(found.problems)
    for name in sorted(files):
        if count > MAX_PROBLEMS:
            break
        loaded = read(files[name], name)
        count += len(loaded.problems)
        yield loaded if loaded.documents or loaded.problems else _empty(loaded, name)


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
    return _parsed(text_of(path, name, wanted), name)


def read_content(data: bytes, name: str, wanted: FileKind = MANIFEST) -> Loaded:
    """Read the documents of a file with this content, which is not on the disk."""
    return _parsed(text_in(data, name, wanted), name)


def load_contents(files: Mapping[str, bytes]) -> Loaded:
    """Like `load`, for manifests by name whose contents are known."""
    loaded = [read_content(files[name], name) for name in sorted(files)]
    return Loaded(
        tuple(document for one in loaded for document in one.documents),
        tuple(problem for one in loaded for problem in one.problems),
        tuple(sorted(files)),
    )


def _parsed(text: str | Diagnostic, name: str) -> Loaded:
    if isinstance(text, Diagnostic):
        return Loaded((), (text,), (name,))
    return parse(text, name)
