"""Render one action in full: header, edits, hazards, missing consent, blocks and notes."""

from __future__ import annotations

from reconciler.core.escape import escape
from reconciler.core.model.plan import Status
from reconciler.core.review.model import Detail, MissingConsent, ShownBlock, ShownMember
from reconciler.core.review.phrases import plural, released
from reconciler.render.changes import INDENT, edit_lines, place_of
from reconciler.render.style import Look, Style
from reconciler.render.values import short_path, width, wrapped

_SIGN: dict[Status, tuple[str, Style]] = {
    Status.CONVERGED: ("=", Style.ADD),
    Status.UPDATE: ("~", Style.UPDATE),
    Status.DRIFTED: ("~", Style.DRIFT),
    Status.BUSY: ("…", Style.BUSY),
    Status.BLOCKED: ("✗", Style.ERROR),
}


def detail_lines(detail: Detail, look: Look) -> list[str]:
    """The lines of an action."""
    return [
        *_header(detail, look),
        *_members(detail, look),
        *_edits(detail, look),
        *_hazards(detail, look),
        *(line for missing in detail.missing for line in _missing(missing, look)),
        *(line for block in detail.blocks for line in _block(block, look)),
        *_released(detail, look),
        *_notes(detail, look),
    ]


def _header(detail: Detail, look: Look) -> list[str]:
    sign, style = _SIGN[detail.status]
    name = look.paint(_name(detail), Style.STRONG)
    details = look.paint(f"({escape(detail.datastore)})", Style.DIM)
    after = f"{_versions(detail)} {detail.at_base}".rstrip()
    summary = f"{look.paint(detail.verdict, style)}{after}"
    plain = f"{sign} {_name(detail)} ({escape(detail.datastore)}): {detail.verdict}"
    if width(plain + after) <= look.width:
        return [f"{look.paint(sign, style)} {name} {details}: {summary}"]
    return [f"{look.paint(sign, style)} {name} {details}:", f"{INDENT}{summary}"]


def _name(detail: Detail) -> str:
    if len(detail.members) > 1:
        return f"one study, {len(detail.members)} primary image sets"
    return f"image set {detail.members[0].image_set_id}"


def _versions(detail: Detail) -> str:
    member, calls = detail.members[0], detail.calls
    counted = f", {plural(calls, 'call')}"
    if len(detail.members) > 1:
        return counted if calls else ""
    if not calls:
        return f" at version {member.pin}" if member.pin else ""
    return f", version {member.pin} → {member.version_to_come}{counted if calls > 1 else ''}"


def _members(detail: Detail, look: Look) -> list[str]:
    if len(detail.members) < 2:
        return []
    return [_member(member, look) for member in detail.members]


def _member(member: ShownMember, look: Look) -> str:
    move = f" → {member.version_to_come}" if member.version_to_come != member.pin else ""
    unnamed = "" if member.asked else look.paint("  not named in any manifest", Style.DIM)
    content = f", with the content of version {member.revert_to}" if member.revert_to else ""
    return f"{INDENT}image set {member.image_set_id}  version {member.pin}{move}{content}{unnamed}"


def _edits(detail: Detail, look: Look) -> list[str]:
    """The edits that all members share, then the other edits of each member."""
    lines = edit_lines(detail.edits, look)
    for image_set_id, edits in detail.own_edits:
        lines.append(f"{INDENT}in image set {image_set_id}:")
        lines += edit_lines(edits, look, INDENT * 2)
    return lines


def _hazards(detail: Detail, look: Look) -> list[str]:
    lines = []
    for shown in detail.hazards:
        style = Style.UPDATE if shown.consented else Style.ERROR
        first, *more = _wrapped(f"{shown.hazard}: {shown.meaning}", look)
        first = first.replace(shown.hazard, look.paint(shown.hazard, style), 1)
        lines += [
            f"{INDENT}{look.paint('!', style)} {first}",
            *(f"{INDENT}  {line}" for line in more),
        ]
    return lines


def _missing(missing: MissingConsent, look: Look) -> list[str]:
    label = look.paint("needs consent:", Style.ERROR)
    lines = "this line" if len(missing.lines) == 1 else "these lines"
    manifest = f"the manifest at {place_of(missing.place)}" if missing.place else "its manifest"
    label += f" ({missing.at_base})" if missing.at_base else ""
    return [
        f"{INDENT}  {label} add {lines} to {manifest}",
        *(f"{INDENT}      {look.paint(line, Style.STRONG)}" for line in missing.lines),
    ]


def _block(block: ShownBlock, look: Look) -> list[str]:
    sign = look.paint("✗", Style.ERROR)
    about = f"{short_path(block.about)}: " if block.about else ""
    count = f" (×{block.count:,})" if block.count > 1 else ""
    count += f" ({block.at_base})" if block.at_base else ""
    place = f"  {place_of(block.place)}" if block.place else ""
    first, *more = _wrapped(f"{about}{escape(block.message)}{count}{place}", look)
    rest = (*more, *_wrapped(escape(block.hint), look))
    return [f"{INDENT}{sign} {first}", *(f"{INDENT}  {line}" for line in rest)]


def _wrapped(text: str, look: Look) -> list[str]:
    """Text wrapped to the width beside the signs; places and UIDs are never broken."""
    return wrapped(text, look.width - len(INDENT) - 2)


def _released(detail: Detail, look: Look) -> list[str]:
    lines = (f"released: {released(short_path(path))}" for path in detail.released)
    return [INDENT + look.paint(line, Style.DIM) for line in lines]


def _notes(detail: Detail, look: Look) -> list[str]:
    lines = []
    for note in detail.notes:
        text = f"note: {escape(note.message)}  {place_of(note.place)}".rstrip()
        first, *more = _wrapped(text, look)
        lines += [INDENT + look.paint(first, Style.DIM)]
        lines += [f"{INDENT}  {look.paint(line, Style.DIM)}" for line in more]
    return lines
