"""One action of a plan, as lines: header, changes, dangers, what blocks it and what next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.core.escape import escape
from reconciler.core.model.change import Block, Change
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, HazardUse, Member, Status
from reconciler.render.changes import INDENT, change_lines, place_of
from reconciler.render.explain import MEANING, SELF_EVIDENT, STYLE, SYMBOL, WORD
from reconciler.render.rows import LISTED
from reconciler.render.style import Look, Style
from reconciler.render.values import plural, short_uid


def action_lines(alike: Sequence[Action], look: Look) -> list[str]:
    """Actions that differ in nothing but their image set, shown as one."""
    action = alike[0]
    return [
        *_header(alike, look),
        *_members(action, look),
        *_changes(action, look, anywhere=len(alike) > 1),
        *_hazards(action, look),
        *_blocks(action, look),
        *_released(action, look),
        *_notes(action, look),
    ]


def version_to_come(action: Action, member: Member) -> int:
    """The version a member has after every step of its action."""
    steps = sum(member.image_set_id in dict(step.expected) for step in action.steps)
    return int(member.pin or 0) + steps


def _header(alike: Sequence[Action], look: Look) -> list[str]:
    action = alike[0]
    status = action.status
    symbol = look.paint(SYMBOL[status], STYLE[status])
    name = look.paint(_name(alike), Style.STRONG)
    word = look.paint(_word(action), STYLE[status])
    details = look.paint(f"({escape(action.datastore)})", Style.DIM)
    lines = [f"{symbol} {name} {details}: {word}{_versions(action, len(alike))}"]
    if len(alike) > 1:
        lines += _listing([other.image_set_id for other in alike], look)
    return lines


def _name(alike: Sequence[Action]) -> str:
    if len(alike) > 1:
        return plural(len(alike), "image set")
    action = alike[0]
    if len(action.members) > 1:
        return f"one study, {len(action.members)} primary image sets"
    return f"image set {action.image_set_id}"


def _word(action: Action) -> str:
    targets = [step.revert_to for step in action.steps if step.revert_to]
    if targets:
        drifted = "drifted, overwritten, " if action.status is Status.DRIFTED else ""
        return f"{drifted}revert to the content of version {targets[0]}"
    if action.status is Status.DRIFTED and not action.steps:
        return "drifted, held back"
    return WORD[action.status]


def _versions(action: Action, count: int) -> str:
    member = action.members[0]
    calls = len(action.steps)
    told = f", {plural(calls * count, 'call')}"
    if len(action.members) > 1:
        return told if calls else ""
    if not calls:
        return f" at version {member.pin}" if member.pin else ""
    each = " each" if count > 1 else ""
    more = told if calls * count > 1 else ""
    return f", version {member.pin} → {version_to_come(action, member)}{each}{more}"


def _listing(image_set_ids: Sequence[str], look: Look) -> list[str]:
    shown = ", ".join(image_set_ids[:2])
    more = len(image_set_ids) - 2
    return [INDENT + look.paint(f"{shown} and {more:,} more", Style.DIM)]


def _members(action: Action, look: Look) -> list[str]:
    if len(action.members) < 2:
        return []
    lines = []
    for member in action.members:
        to_come = version_to_come(action, member)
        move = f" → {to_come}" if str(to_come) != member.pin else ""
        unnamed = "" if member.asked else look.paint("  named by no manifest", Style.DIM)
        lines.append(
            f"{INDENT}image set {member.image_set_id}  version {member.pin}{move}{unnamed}"
        )
    return lines


def _changes(action: Action, look: Look, *, anywhere: bool) -> list[str]:
    """What every member shares first, then member by member."""
    drift = {member.image_set_id: _moved(member) for member in action.members}
    if len(action.members) < 2:
        return change_lines(action.changes, look, drift=drift, anywhere=anywhere)
    edits: dict[object, list[Change]] = {}
    for change in action.changes:
        edits.setdefault(_edit(change), []).append(change)
    everybody = len(action.members)
    lines = change_lines(
        (group[0] for group in edits.values() if len(group) == everybody), look, drift=drift
    )
    rest: dict[str, list[Change]] = {}
    for change in action.changes:
        if len(edits[_edit(change)]) < everybody:
            rest.setdefault(change.image_set_id, []).append(change)
    for image_set_id, changes in sorted(rest.items()):
        lines.append(f"{INDENT}in image set {image_set_id}:")
        lines += change_lines(changes, look, INDENT * 2, drift=drift)
    return lines


def _moved(member: Member) -> str:
    """Between which versions somebody else was at work."""
    if not member.previous_version_id:
        return "since it was last recorded"
    return f"since version {member.previous_version_id} was recorded"


def _edit(change: Change) -> object:
    """What makes a change of one member the same as that of another (values by their text)."""
    same = replace(change, image_set_id="", before=None, after=None, place=None)
    return repr(same), *(
        repr(value.raw) if value else "" for value in (change.before, change.after)
    )


def _hazards(action: Action, look: Look) -> list[str]:
    lines = []
    missing: dict[str, dict[str, None]] = {}
    for use in _distinct(action.hazards):
        if use.consented and _is_evident(action, use):
            continue
        style = Style.UPDATE if use.consented else Style.ERROR
        sign = look.paint("!", style)
        lines.append(f"{INDENT}{sign} {look.paint(use.hazard, style)}: {MEANING[use.hazard]}")
        if not use.consented:
            missing.setdefault(place_of(use.place), {})[use.consent] = None
    for place, consents in missing.items():
        told = look.paint("needs consent:", Style.ERROR)
        what = "this line" if len(consents) == 1 else "these lines"
        into = f"the manifest at {place}" if place else "its manifest"
        lines.append(f"{INDENT}  {told} put {what} into {into}")
        lines += [f"{INDENT}      {look.paint(line, Style.STRONG)}" for line in consents]
    return lines


def _is_evident(action: Action, use: HazardUse) -> bool:
    """Whether the lines above tell the hazard already."""
    everybody_named = all(member.asked for member in action.members)
    return use.hazard in SELF_EVIDENT or (use.hazard is Hazard.STUDY_WIDE and everybody_named)


def _distinct(uses: Iterable[HazardUse]) -> list[HazardUse]:
    """One line per hazard and answer, however many image sets of a study share it."""
    seen: dict[object, HazardUse] = {}
    for use in uses:
        seen.setdefault((use.hazard, use.consented, use.consent, use.place), use)
    return list(seen.values())


def _blocks(action: Action, look: Look) -> list[str]:
    lines = []
    for block in _grouped(action.blocks):
        sign = look.paint("✗", Style.ERROR)
        place = f"  {place_of(block.place)}" if block.place else ""
        first, *more = _wrapped(f"{_about(block)}{escape(block.message)}{place}", look)
        lines.append(f"{INDENT}{sign} {first}")
        lines += [f"{INDENT}  {line}" for line in (*more, *_wrapped(escape(block.hint), look))]
    return lines


def _about(block: Block) -> str:
    """What a block is about, unless its message names it already."""
    parent, _, last = block.path.rpartition("/")
    named = last in block.message or (parent.count("/") > 1 and parent in block.message)
    return "" if not block.path or named else f"{_short(block.path)}: "


def _wrapped(text: str, look: Look) -> list[str]:
    """Prose in the room beside the signs; places and UIDs are never broken."""
    room = max(40, look.width - len(INDENT) - 2)
    return textwrap.wrap(
        text, room, break_long_words=False, break_on_hyphens=False, replace_whitespace=False
    )


def _grouped(blocks: Sequence[Block]) -> list[Block]:
    """Blocks that say the same about many places, once with a count."""
    groups: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        groups.setdefault((block.message, block.hint), []).append(block)
    found = []
    for group in groups.values():
        if len(group) > LISTED:
            found.append(replace(group[0], message=f"{group[0].message} (×{len(group):,})"))
        else:
            found += group
    return found


def _released(action: Action, look: Look) -> list[str]:
    told = (
        f"released: {_short(path)} is no longer asked; its value stays" for path in action.released
    )
    return [INDENT + look.paint(line, Style.DIM) for line in told]


def _short(path: str) -> str:
    """A path with its UIDs shortened."""
    return "/".join(short_uid(escape(part)) for part in path.split("/"))


def _notes(action: Action, look: Look) -> list[str]:
    return [
        INDENT
        + look.paint(f"note: {escape(note.message)}  {place_of(note.place)}".rstrip(), Style.DIM)
        for note in action.notes
    ]
