"""Render a review as Markdown for one comment of a pull request.

Every text that is not ours stands in a code span. There GitHub and GitLab read no markup, HTML,
mention, link, formula or reference (https://github.github.com/gfm/#code-spans). Lists, no tables:
a pipe in a value would end a cell, and a table is cut off on a phone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias
from urllib.parse import quote

from reconciler.core.errors import Place
from reconciler.core.escape import escape
from reconciler.core.lookalikes import reveal
from reconciler.core.model.plan import StoreIdentity
from reconciler.core.review import Review, wording
from reconciler.core.review.model import SYMBOL
from reconciler.core.review.overview import Danger, Reach, Refusal, Remark, Row
from reconciler.core.review.phrases import (
    BEYOND_MANIFESTS,
    changed_since,
    moved,
    not_clean,
    not_compared,
    not_read,
    not_selected,
    planned_later,
    plural,
    selected,
)
from reconciler.render.values import isolated

# GitHub takes comments of up to 65,536 characters. The rest is for what a bot adds.
MOST = 60_000
# How many data stores the footer names.
_STORES = 9
# How much of it the footer may take.
_FOOTER = 2_000
# Finds the comment of an earlier plan, so that it is replaced and not repeated.
MARKER = "<!-- imageset-reconciler: plan -->"

# A heading and what stands below it.
Section: TypeAlias = tuple[str, Sequence[str]]

_SIGN = {"+": "➕", "~": "✏️", "-": "➖"}
_RUN = re.compile("`+")
_WORDS = re.compile(r"`[^`]+`|\s+|[^\s`]+|`")
# What reads the same as Markdown. GitHub links `www.` and `GH-1`; a line of `-` is a rule.
_PLAIN = re.compile(r"\s+|\(?(?!www\.|gh-)[a-z0-9][a-z0-9,.;:()'’-]*|[,.;:)]*", re.IGNORECASE)
_END = re.compile(r"[,.;:]*\Z")


def comment(review: Review, link: str = "", *, summary: bool = False) -> str:
    """The comment, never longer than `MOST`. What does not fit is counted.

    `link` is the address of the repository's files at this commit; without it, places are text.
    """
    sections = [_dangers(review)] if summary else list(_sections(review, link))
    head = [MARKER, *_head(review)]
    footer = [*([] if summary else _hidden(review)), *_footer(review)]
    return fitted(head, sections, footer, "`reconcile show PLAN` shows all.")


def fitted(
    head: Sequence[str], sections: Sequence[Section], footer: Sequence[str], elsewhere: str
) -> str:
    """A comment that is never longer than `MOST`. What does not fit is counted.

    Sections that lack room are cut. `elsewhere` is a sentence on where all of it is shown.
    """
    head = [*head, ""]
    room = MOST - _FOOTER - sum(len(line) + 1 for line in head)
    lines: list[str] = []
    left_out: list[str] = []
    for (title, blocks), share in zip(sections, _shares(sections, room), strict=True):
        fitting = _fitting(blocks, share)
        if fitting:
            lines += [title, "", *fitting, ""]
        if len(fitting) < len(blocks):
            left_out.append(f"{len(blocks) - len(fitting):,} more under “{title.strip('# ')}”")
    if left_out:
        lines += [f"**Cut:** {'; '.join(left_out)}. {elsewhere}", ""]
    return "\n".join([*head, *lines, *footer, ""])


def _shares(sections: Sequence[Section], room: int) -> list[int]:
    """The room of each section: some for all, the rest for the first that need more."""
    needs = [sum(len(block) + 1 for block in blocks) for _, blocks in sections]
    room -= sum(len(title) + 3 for title, _ in sections)
    shares = [min(need, room // (2 * len(sections))) for need in needs]
    rest = room - sum(shares)
    for number, need in enumerate(needs):
        more = min(need - shares[number], rest)
        shares[number] += more
        rest -= more
    return shares


def _fitting(blocks: Sequence[str], room: int) -> Sequence[str]:
    """The first blocks that fit the room."""
    for number, block in enumerate(blocks):
        room -= len(block) + 1
        if room < 0:
            return blocks[:number]
    return blocks


def code(text: str) -> str:
    """Text as a code span, on one line and isolated from the direction of what is beside it."""
    text = reveal(text)
    if not text.strip():
        text = f"“{text}”"
    text = isolated(text)
    fence = "`" * (max((len(run) for run in _RUN.findall(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _head(review: Review) -> Iterator[str]:
    changed = changed_since(review.basis.since) if review.basis.since else ()
    if changed:
        yield f"> **⚠️ {BEYOND_MANIFESTS}**"
        yield from (f"> - {words(line)}" for line in changed)
        yield ""
    first, *rest = review.overview.verdict
    yield f"## If this is merged: {first}"
    if rest:
        yield ""
        yield words(" ".join(rest))
    for line in planned_later(review.basis.since):
        yield ""
        yield f"> {words(line)}"
    if problem := not_compared(review.basis.since):
        yield ""
        yield f"> {words(problem)}"
    for one in review.unread:
        yield ""
        yield f"> **Not read:** {code(not_read(one))}"
    for left_out in review.not_selected:
        yield ""
        yield f"> **Not selected:** {code(not_selected(left_out))}"
    for line in selected(review.selections):
        yield ""
        yield f"> {words(line)}"
    if review.basis.is_clean is False:
        yield ""
        yield f"> **{not_clean(review.basis.commit)}**"


def _sections(review: Review, link: str) -> Iterator[Section]:
    found = review.overview
    yield "### ⛔ Not changed", [_refusal(one, link) for one in found.refusals]
    yield _dangers(review)
    title = "### 🔀 Drift: changed outside this repository"
    yield title, [_row(one, link) for one in found.drift]
    yield "### Odd ones out", list(_odd((*found.drift, *found.rows)))
    yield "### Changes", [_row(one, link) for one in found.rows]
    yield "### Asked for, and held back", [_row(one, link) for one in found.held]
    yield "### Notes", [_note(one, link) for one in found.notes]


def _dangers(review: Review) -> Section:
    happening = [one for one in review.overview.dangers if one.happens]
    return "### ⚠️ Dangers", [_danger(one) for one in happening]


def _hidden(review: Review) -> list[str]:
    found = wording.hidden(review.overview)
    return [f"<sub>{words(found)}</sub>", ""] if found else []


def _refusal(refusal: Refusal, link: str) -> str:
    about = f"{code(refusal.about)}: " if refusal.about else ""
    where = f"{_where(refusal.reach)}{wording.since_base(refusal)}"
    lines = [f"- {about}{words(refusal.message)} ({where}){at_place(refusal.place, link)}"]
    if refusal.lines:
        lines += ["  To allow it, add to the manifest: " + ", ".join(map(code, refusal.lines))]
    if refusal.hint:
        lines.append(f"  {words(refusal.hint)}")
    return "  \n".join(lines)


def _danger(danger: Danger) -> str:
    where = wording.where_it_happens(danger)
    if danger.reach.image_sets == 1:
        where = where.replace(danger.reach.first[0], code(danger.reach.first[0]))
    return f"- **{danger.hazard}**: {danger.meaning} ({where})"


def _odd(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        for one in row.odd:
            value = code(wording.live_text(row, one))
            most = row.before[0]
            yield (
                f"- {_name(row)}: {value} only on {code(wording.named(one.reach))}; "
                f"{most.reach.image_sets:,} hold {code(wording.live_text(row, most))}"
            )


def _row(row: Row, link: str) -> str:
    before, after = wording.values_of(row)
    shown = [" or ".join(map(code, before))] if before else []
    if wording.has_place_instead(row):
        shown.append("a new value, which the line shows")
    elif after:
        components = f" ({', '.join(row.components)})" if row.components else ""
        shown.append(code(after) + components)
    elif before and SYMBOL[row.op] == "-":
        shown.append("removed")
    vr = f", {code(row.vr)}" if row.sends_vr else ""
    held = "" if row.runs else "*held back:* "
    more = f" and {row.places - 1:,} more lines" if row.places > 1 else ""
    lines = [
        f"- {_SIGN[SYMBOL[row.op]]} {held}{_name(row)} ({row.level.title}{vr}): "
        f"{' → '.join(shown)} on {_where(row.reach, row)}{at_place(row.place, link)}{more}"
    ]
    if drift := wording.changed_outside(row):
        lines.append(f"  {drift}")
    if row.hazards:
        lines.append(f"  {', '.join(row.hazards)}")
    if difference := wording.difference_of(row):
        lines.append(f"  {difference}")
    for part in row.parts:
        path, old, new = wording.part_text(part)
        lines.append(f"  {code(row.name + path)}: {code(old)} → {code(new)}")
    return "  \n".join(lines)


def _note(remark: Remark, link: str) -> str:
    return f"- {words(remark.message)} ({_where(remark.reach)}){at_place(remark.place, link)}"


def _name(row: Row) -> str:
    return code(row.name) if row.name else wording.name_of(row)


def _where(reach: Reach, row: Row | None = None) -> str:
    text = wording.where(reach, row.level if row else None)
    if reach.image_sets == 1:
        return text.replace(reach.first[0], code(reach.first[0]))
    if row is not None and reach.image_sets == len(reach.first):
        text += f" ({', '.join(map(code, reach.first))})"
    return text


def at_place(place: Place | None, link: str) -> str:
    """` — a.yaml:12`, as a link if the address of the files is known; "" without a place."""
    if place is None:
        return ""
    text = code(f"{place.file}:{place.line}")
    if not link:
        return f" — {text}"
    return f" — [{text}]({link}/{quote(place.file)}#L{place.line})"


def words(text: str) -> str:
    """A sentence of ours that may quote a file, a path or a command: that becomes code."""
    return "".join(map(_word, _WORDS.findall(escape(text))))


def _word(text: str) -> str:
    if text.startswith("`") and len(text) > 1:
        return code(text.strip("`"))
    if _PLAIN.fullmatch(text):
        return text
    end = _END.search(text)
    start = end.start() if end else len(text)
    return f"{code(text[:start])}{text[start:]}"


def _store(one: StoreIdentity) -> str:
    """`research`: its ID, region and account, or its endpoint."""
    details = [one.datastore_id, one.region, one.account_id, one.endpoint]
    return f"data store {code(one.name)} ({', '.join(map(code, filter(None, details)))})"


def _footer(review: Review) -> Iterator[str]:
    basis = review.basis
    yield "---"
    stated = [f"commit {code(basis.commit[:12])}"] if basis.commit else []
    if basis.since is not None:
        stated.append(f"base {code(basis.since.base[:12])}")
    stated += [_store(one) for one in basis.datastores[:_STORES]]
    if basis.settings_digest:
        stated.append(f"settings {code(basis.settings_digest[:19])}")
    stated.append(f"{plural(review.totals.changes, 'change')}")
    yield f"<sub>{' · '.join(stated)}</sub>"
    for line in filter(None, (*review.observed, moved(review.retiered))):
        yield ""
        yield f"<sub>{words(line)}</sub>"
