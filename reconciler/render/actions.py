"""Render one group of a review: header, edits, hazards, missing consent, blocks and notes."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from reconciler.core.escape import escape
from reconciler.core.model.plan import Status
from reconciler.core.review.model import Group, MissingConsent, ShownBlock, ShownMember
from reconciler.core.review.phrases import plural
from reconciler.render.changes import INDENT, edit_lines, place_of
from reconciler.render.style import Look, Style
from reconciler.render.values import short_uid

_SIGN: dict[Status, tuple[str, Style]] = {
    Status.CONVERGED: ("=", Style.ADD),
    Status.UPDATE: ("~", Style.UPDATE),
    Status.DRIFTED: ("~", Style.DRIFT),
    Status.BUSY: ("…", Style.BUSY),
    Status.BLOCKED: ("✗", Style.ERROR),
}


def group_lines(group: Group, look: Look) -> list[str]:
    """The lines of a group: actions that differ only in their image set."""
    return [
        *_header(group, look),
        *_members(group, look),
        *_edits(group, look),
        *_hazards(group, look),
        *(line for missing in group.missing for line in _missing(missing, look)),
        *(line for block in group.blocks for line in _block(block, look)),
        *_released(group, look),
        *_notes(group, look),
    ]


def _header(group: Group, look: Look) -> list[str]:
    sign, style = _SIGN[group.status]
    name = look.paint(_name(group), Style.STRONG)
    details = look.paint(f"({escape(group.datastore)})", Style.DIM)
    summary = f"{look.paint(group.verdict, style)}{_versions(group)}"
    lines = [f"{look.paint(sign, style)} {name} {details}: {summary}"]
    if len(group.image_set_ids) > 1:
        lines += _listing(group.image_set_ids, look)
    return lines


def _name(group: Group) -> str:
    if len(group.image_set_ids) > 1:
        return plural(len(group.image_set_ids), "image set")
    if len(group.members) > 1:
        return f"one study, {len(group.members)} primary image sets"
    return f"image set {group.image_set_ids[0]}"


def _versions(group: Group) -> str:
    member = group.members[0]
    count = len(group.image_set_ids)
    calls = group.calls * count
    counted = f", {plural(calls, 'call')}"
    if len(group.members) > 1:
        return counted if calls else ""
    if not calls:
        return f" at version {member.pin}" if member.pin else ""
    each = " each" if count > 1 else ""
    more = counted if calls > 1 else ""
    return f", version {member.pin} → {member.version_to_come}{each}{more}"


def _listing(image_set_ids: Sequence[str], look: Look) -> list[str]:
    shown = ", ".join(image_set_ids[:2])
    more = len(image_set_ids) - 2
    return [INDENT + look.paint(f"{shown} and {more:,} more", Style.DIM)]


def _members(group: Group, look: Look) -> list[str]:
    if len(group.members) < 2:
        return []
    return [_member(member, look) for member in group.members]


def _member(member: ShownMember, look: Look) -> str:
    move = f" → {member.version_to_come}" if member.version_to_come != member.pin else ""
    unnamed = "" if member.asked else look.paint("  not named in any manifest", Style.DIM)
    content = f", with the content of version {member.revert_to}" if member.revert_to else ""
    return f"{INDENT}image set {member.image_set_id}  version {member.pin}{move}{content}{unnamed}"


def _edits(group: Group, look: Look) -> list[str]:
    """The edits that all members share, then the other edits of each member."""
    lines = edit_lines(group.edits, look, anywhere=len(group.image_set_ids) > 1)
    for image_set_id, edits in group.own_edits:
        lines.append(f"{INDENT}in image set {image_set_id}:")
        lines += edit_lines(edits, look, INDENT * 2)
    return lines


def _hazards(group: Group, look: Look) -> list[str]:
    lines = []
    for shown in group.hazards:
        style = Style.UPDATE if shown.consented else Style.ERROR
        sign = look.paint("!", style)
        lines.append(f"{INDENT}{sign} {look.paint(shown.hazard, style)}: {shown.meaning}")
    return lines


def _missing(missing: MissingConsent, look: Look) -> list[str]:
    label = look.paint("needs consent:", Style.ERROR)
    lines = "this line" if len(missing.lines) == 1 else "these lines"
    manifest = f"the manifest at {place_of(missing.place)}" if missing.place else "its manifest"
    return [
        f"{INDENT}  {label} add {lines} to {manifest}",
        *(f"{INDENT}      {look.paint(line, Style.STRONG)}" for line in missing.lines),
    ]


def _block(block: ShownBlock, look: Look) -> list[str]:
    sign = look.paint("✗", Style.ERROR)
    about = f"{_short(block.about)}: " if block.about else ""
    count = f" (×{block.count:,})" if block.count > 1 else ""
    place = f"  {place_of(block.place)}" if block.place else ""
    first, *more = _wrapped(f"{about}{escape(block.message)}{count}{place}", look)
    rest = (*more, *_wrapped(escape(block.hint), look))
    return [f"{INDENT}{sign} {first}", *(f"{INDENT}  {line}" for line in rest)]


def _wrapped(text: str, look: Look) -> list[str]:
    """Text wrapped to the width beside the signs; places and UIDs are never broken."""
    room = max(40, look.width - len(INDENT) - 2)
    return textwrap.wrap(
        text, room, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )


def _released(group: Group, look: Look) -> list[str]:
    lines = (
        f"released: no manifest asks for {_short(path)} any more; its value stays"
        for path in group.released
    )
    return [INDENT + look.paint(line, Style.DIM) for line in lines]


def _short(path: str) -> str:
    """A path with its UIDs shortened."""
    return "/".join(short_uid(escape(part)) for part in path.split("/"))


def _notes(group: Group, look: Look) -> list[str]:
    return [
        INDENT
        + look.paint(f"note: {escape(note.message)}  {place_of(note.place)}".rstrip(), Style.DIM)
        for note in group.notes
    ]
