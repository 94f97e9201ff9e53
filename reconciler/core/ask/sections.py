"""Walks through `present` and `absent`: yields their sections at the four levels with addresses.

It skips a section of a wrong type: the schema check reports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.ask.as_json import Path
from reconciler.core.ask.attributes import read_present, read_removed
from reconciler.core.ask.draft import Draft
from reconciler.core.dicom import masks
from reconciler.core.errors import Place
from reconciler.core.model.address import PATIENT, STUDY, WILDCARD, Address, instance_at, series_at
from reconciler.core.model.ask import Claim, ClaimKind
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar


@dataclass(frozen=True, slots=True)
class ManifestSection:
    """One section of a manifest and its place."""

    address: Address
    node: Node
    path: Path
    place: Place  # of its key


def read_claims(draft: Draft) -> None:
    """Read `present` and `absent` into claims."""
    for section in _sections(draft.document.get("present"), ("present",)):
        _check_key(draft, section)
        if isinstance(section.node, MappingNode):
            read_present(draft, section.address, section.node, section.path)
    for section in _sections(draft.document.get("absent"), ("absent",)):
        _check_key(draft, section)
        if _asks_removal(section):
            _remove(draft, section)
        elif isinstance(section.node, MappingNode):
            read_removed(draft, section.address, section.node, section.path)


def _check_key(draft: Draft, section: ManifestSection) -> None:
    """Report a mask in place of the UID of a series or an instance."""
    if masks.is_mask(section.address.instance or section.address.series):
        message = "the UID stands for a masked UID, it is no UID itself"
        draft.problem(section.path, section.place, message, masks.HINT)


def _sections(root: Node | None, path: Path) -> Iterator[ManifestSection]:
    for key, node in _entries(root):
        if key.text == "Patient":
            yield ManifestSection(PATIENT, node, (*path, "Patient"), key.place)
        if key.text == "Study":
            yield ManifestSection(STUDY, node, (*path, "Study"), key.place)
            for series in _below(node, "Series", (*path, "Study")):
                yield from _series_sections(series)


def _series_sections(series: ManifestSection) -> Iterator[ManifestSection]:
    yield series
    for found in _below(series.node, "Instances", series.path):
        address = instance_at(series.address.series, found.address.series)
        yield ManifestSection(address, found.node, found.path, found.place)


def _below(node: Node, key: str, path: Path) -> Iterator[ManifestSection]:
    """The sections under `Series` or `Instances`, addressed as series; a list has UIDs only."""
    below = node.get(key) if isinstance(node, MappingNode) else None
    for name, inner in _entries(below):
        yield ManifestSection(series_at(name.text), inner, (*path, key, name.text), name.place)
    if isinstance(below, ListNode):
        for number, item in enumerate(below.items):
            if isinstance(item, Scalar):
                yield ManifestSection(series_at(item.text), item, (*path, key, number), item.place)


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def _asks_removal(section: ManifestSection) -> bool:
    """Whether a section is an entry of a list, or a series or an instance with `{}`."""
    if not section.address.series:
        return False
    listed = isinstance(section.path[-1], int)
    return listed or (isinstance(section.node, MappingNode) and not section.node.entries)


def _remove(draft: Draft, section: ManifestSection) -> None:
    if WILDCARD in (section.address.series, section.address.instance):
        message = '"*" is not allowed in a removal of series or instances'
        hint = "Write the UID of each series or instance to remove."
        draft.problem(section.path, section.place, message, hint)
        return
    draft.claim(
        Claim(ClaimKind.REMOVED, section.address, None, None, None, section.place, draft.source)
    )
