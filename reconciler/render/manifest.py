"""Render a live document as a manifest that asks for its own values (`reconcile import`).

Every value is written as quoted text. What a manifest cannot ask for becomes a comment that says
why (`render.unwritable`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.dicom.content import (
    Section,
    instances,
    key_tag,
    key_vr,
    section_at,
    section_of,
    series,
)
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.escape import escape
from reconciler.core.model.address import PATIENT, STUDY, Address, Level, instance_at, series_at
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar
from reconciler.core.model.value import Document, Json
from reconciler.core.review.phrases import plural
from reconciler.render.nodes import node_of, quoted
from reconciler.render.unwritable import other_uids, why_not_attribute, why_not_key


def manifest_lines(
    datastore: str, image_set_id: str, version_id: str, document: Document, depth: Level
) -> list[str]:
    """The manifest, from Patient down to `depth`; empty if there is nothing to ask for."""
    present = [*_section(document, PATIENT, 4, "  Patient:"), *_study(document, depth)]
    if not _asks(present):
        return []
    return [
        "# yaml-language-server: $schema=../schemas/manifest.schema.json",
        "apiVersion: reconciler/v1",
        "kind: ImageSet",
        f"datastore: {quoted(datastore)}",
        f"imageSetId: {quoted(image_set_id)}",
        f"# The values of version {version_id}. Delete the lines that you do not want to manage.",
        "present:",
        *present,
    ]


def _study(document: Document, depth: Level) -> list[str]:
    if depth < Level.STUDY:
        return []
    below = []
    if depth >= Level.SERIES:
        taken = other_uids(series(document), Level.SERIES)
        for key, section in sorted(series(document).items()):
            if why := why_not_key(key, taken):
                below.append(f"      # series {quoted(key)} is left out: {why}")
            else:
                below += _series(document, key, section, depth)
    return _section(document, STUDY, 4, "  Study:", _under("    Series:", below))


def _series(document: Document, key: str, section: Section, depth: Level) -> list[str]:
    inside = sorted(instances(section))
    name = f"      {quoted(key)}:"
    if depth < Level.INSTANCE:
        note = [f"        # {plural(len(inside), 'instance')}: see --level instance"]
        return _section(document, series_at(key), 8, name, note if inside else [])
    below: list[str] = []
    taken = other_uids(instances(section), Level.INSTANCE)
    for instance in inside:
        heading = f"          {quoted(instance)}:"
        if why := why_not_key(instance, taken):
            below.append(f"          # instance {quoted(instance)} is left out: {why}")
        else:
            below += _section(document, instance_at(key, instance), 12, heading)
    return _section(document, series_at(key), 8, name, _under("        Instances:", below))


def _section(
    document: Document, address: Address, indent: int, heading: str, below: Iterable[str] = ()
) -> list[str]:
    """One section with its attributes; empty if it would ask for nothing."""
    return _under(heading, [*_attributes(document, address, indent), *below])


def _under(heading: str, lines: list[str]) -> list[str]:
    """Lines below a key. Comments alone are written without it: an empty key is an error."""
    return [heading, *lines] if _asks(lines) else lines


def _asks(lines: list[str]) -> bool:
    return any(not line.lstrip().startswith("#") for line in lines)


def _attributes(document: Document, address: Address, indent: int) -> list[str]:
    """`DICOM:` and, for private elements, `DICOMVRs:` of one section."""
    section = section_at(document, address) or {}
    blank = " " * indent
    kept: list[str] = []
    vrs: list[str] = []
    left_out: list[str] = []
    for key, raw in _in_tag_order(section_of(section, "DICOM")):
        if why := why_not_attribute(section, key, address):
            left_out.append(f"{blank}# {escape(key)} is left out: {escape(why)}")
            continue
        tag, name = key_tag(key), _key(key)
        kept += _yaml(name, node_of(raw), indent + 2)
        if tag is not None and by_tag(tag).is_private:
            vrs.append(f"{name}: {key_vr(section, key)}")
    stated = [f"{blank}DICOMVRs: {{{', '.join(vrs)}}}"] if vrs else []
    return [*left_out, *_under(f"{blank}DICOM:", kept), *stated]


def _in_tag_order(attributes: dict[str, Json]) -> list[tuple[str, Json]]:
    """Sort attributes by tag; unknown keys come last."""
    return sorted(attributes.items(), key=lambda item: (key_tag(item[0]) or 1 << 32, item[0]))


def _yaml(name: str, node: Node, indent: int) -> Iterator[str]:
    blank = " " * indent
    if isinstance(node, Scalar):
        yield f"{blank}{name}: {quoted(node.text)}"
    elif isinstance(node, ListNode) and not any(
        isinstance(item, MappingNode) for item in node.items
    ):
        yield f"{blank}{name}: {_flow(node)}"
    elif isinstance(node, ListNode):
        yield f"{blank}{name}:"
        for item in node.items:
            yield from _item(item, indent + 2)


def _item(item: Node, indent: int) -> Iterator[str]:
    """One item of a sequence, its first attribute beside the dash."""
    blank = " " * indent
    lines = [
        line
        for key, inner in (item.entries if isinstance(item, MappingNode) else ())
        for line in _yaml(_key(key.text), inner, indent + 2)
    ]
    if not lines:
        yield f"{blank}- {{}}"
        return
    yield f"{blank}- {lines[0].lstrip()}"
    yield from lines[1:]


def _key(text: str) -> str:
    """Hex keys are quoted: editors would take `00100010` for a number."""
    return text if text.isalpha() and text.isascii() else quoted(text)


def _flow(node: Node) -> str:
    if isinstance(node, Scalar):
        return quoted(node.text)
    items = node.items if isinstance(node, ListNode) else ()
    return f"[{', '.join(_flow(item) for item in items)}]"
