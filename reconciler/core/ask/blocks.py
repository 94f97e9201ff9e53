"""Walks through `present` and `absent`: yields their blocks at the four levels with addresses.

It skips a block of a wrong type: the schema check reports it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.ask.as_json import Path
from reconciler.core.ask.attributes import read_present, read_removed
from reconciler.core.ask.draft import Draft
from reconciler.core.errors import Place
from reconciler.core.model.address import PATIENT, STUDY, WILDCARD, Address, instance_at, series_at
from reconciler.core.model.ask import ClaimKind
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a manifest and its place."""

    address: Address
    node: Node
    path: Path
    place: Place  # of its key


def read_claims(draft: Draft) -> None:
    """Read `present` and `absent` into claims."""
    for block in _blocks(draft.document.get("present"), ("present",)):
        if isinstance(block.node, MappingNode):
            read_present(draft, block.address, block.node, block.path)
    for block in _blocks(draft.document.get("absent"), ("absent",)):
        if _asks_removal(block):
            _remove(draft, block)
        elif isinstance(block.node, MappingNode):
            read_removed(draft, block.address, block.node, block.path)


def _blocks(root: Node | None, path: Path) -> Iterator[Block]:
    for key, node in _entries(root):
        if key.text == "Patient":
            yield Block(PATIENT, node, (*path, "Patient"), key.place)
        if key.text == "Study":
            yield Block(STUDY, node, (*path, "Study"), key.place)
            for series in _below(node, "Series", (*path, "Study")):
                yield from _series_blocks(series)


def _series_blocks(series: Block) -> Iterator[Block]:
    yield series
    for found in _below(series.node, "Instances", series.path):
        address = instance_at(series.address.series, found.address.series)
        yield Block(address, found.node, found.path, found.place)


def _below(node: Node, key: str, path: Path) -> Iterator[Block]:
    """Yield the blocks under `Series` or `Instances`, addressed as series; a list has UIDs only."""
    below = node.get(key) if isinstance(node, MappingNode) else None
    for name, inner in _entries(below):
        yield Block(series_at(name.text), inner, (*path, key, name.text), name.place)
    if isinstance(below, ListNode):
        for number, item in enumerate(below.items):
            if isinstance(item, Scalar):
                yield Block(series_at(item.text), item, (*path, key, number), item.place)


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def _asks_removal(block: Block) -> bool:
    """Whether a block is an entry of a list, or a series or an instance with `{}`."""
    if not block.address.series:
        return False
    listed = isinstance(block.path[-1], int)
    return listed or (isinstance(block.node, MappingNode) and not block.node.entries)


def _remove(draft: Draft, block: Block) -> None:
    if WILDCARD in (block.address.series, block.address.instance):
        message = '"*" is not allowed in a removal of series or instances'
        hint = "Write the UID of each series or instance to remove."
        draft.problem(block.path, block.place, message, hint)
        return
    draft.claim(ClaimKind.REMOVED, block.address, block.place)
