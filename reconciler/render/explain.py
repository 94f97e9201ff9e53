"""Render explanations of words, as text of at most 80 columns and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.core.explain import Explanation, Kind
from reconciler.core.explain.model import paragraphs
from reconciler.core.model.value import Json
from reconciler.render.style import Look, Style

_COLUMNS = 80
_INDENT = "    "
_PLURALS = {
    Kind.HAZARD: "Hazards",
    Kind.STATUS: "Statuses of a plan",
    Kind.OUTCOME: "Outcomes of a call",
    Kind.RULE: "Rules of reconciler.yaml",
    Kind.KEY: "Keys of a manifest",
    Kind.WORD: "Other words",
    Kind.VR: "VRs of DICOM",
}
_DICOM = (
    'A keyword (PatientName), a name ("Patient\'s Name"), a tag (00100010 or '
    '"(0010,0010)"), or a registered UID (1.2.840.10008.5.1.4.1.1.2).'
)


def explanation_lines(found: Sequence[Explanation], look: Look) -> Iterator[str]:
    """The lines of every meaning of a word, a blank line between them."""
    width = min(look.width, _COLUMNS)
    for number, one in enumerate(found):
        if number:
            yield ""
        yield from _lines(one, look, width)


def _lines(one: Explanation, look: Look, width: int) -> Iterator[str]:
    kind = "" if one.kind is Kind.WORD else f" ({one.kind})"
    head, *rest = _wrapped(f"{one.word}{kind}: {one.summary}", width)
    yield look.paint(head, Style.STRONG)
    yield from (look.paint(line, Style.STRONG) for line in rest)
    for paragraph in paragraphs(one.meaning):
        yield from ("", *_wrapped(paragraph, width))
    if one.facts:
        yield from ("", *_table(one.facts, width))
    for heading, lines in _parts(one, width):
        yield from ("", look.paint(heading, Style.STRONG), *lines)


def _parts(one: Explanation, width: int) -> Iterator[tuple[str, Iterable[str]]]:
    if one.consent:
        line = ["", f"{_INDENT}{_INDENT}{one.consent_line}"] if one.consent_line else []
        yield "Consent:", [*_wrapped(one.consent, width, _INDENT), *line]
    if one.todo:
        texts = [_wrapped(text, width, _INDENT) for text in paragraphs(one.todo)]
        yield "What to do:", _joined(texts)
    if one.manifest:
        yield "A manifest:", _indented(one.manifest)
    if one.settings:
        yield "In reconciler.yaml:", _indented(one.settings)
    if one.sources:
        sources = (_wrapped(source, width, _INDENT, hanging=2) for source in one.sources)
        yield "Sources:", (line for lines in sources for line in lines)
    if one.see:
        yield "See also:", _wrapped(", ".join(one.see), width, _INDENT)


def _joined(texts: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of several paragraphs, a blank line between them."""
    for number, lines in enumerate(texts):
        if number:
            yield ""
        yield from lines


def _indented(text: str) -> list[str]:
    return [f"{_INDENT}{line}" for line in text.splitlines()]


def _table(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Two columns; the second one is wrapped."""
    widest = max(len(label) for label, _ in rows) + 2
    for label, text in rows:
        yield from _wrapped(text, width, f"{_INDENT}{label:<{widest}}", hanging=widest)


def _wrapped(text: str, width: int, start: str = "", hanging: int = 0) -> list[str]:
    """The lines of a text, which begins with `start`; a URL and a path are never cut."""
    indent = " " * (len(start) - len(start.lstrip(" ")) + hanging)
    return textwrap.wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def word_list(words: Mapping[Kind, Sequence[str]], look: Look) -> Iterator[str]:
    """Everything that can be explained, by kind."""
    width = min(look.width, _COLUMNS)
    for kind, names in words.items():
        yield look.paint(f"{_PLURALS[kind]}:", Style.STRONG)
        yield from (*_wrapped(", ".join(names), width, _INDENT), "")
    yield look.paint("DICOM attributes and UIDs:", Style.STRONG)
    yield from _wrapped(_DICOM, width, _INDENT)


def explanations_json(found: Iterable[Explanation]) -> Json:
    """Every meaning of a word. Empty texts and lists are left out."""
    return [{key: value for key, value in _json(one).items() if value} for one in found]


def _json(one: Explanation) -> dict[str, Json]:
    return {
        "kind": one.kind.value,
        "word": str(one.word),
        "summary": one.summary,
        "meaning": list(paragraphs(one.meaning)),
        "facts": dict(one.facts),
        "whatToDo": list(paragraphs(one.todo)),
        "consent": one.consent,
        "consentLine": one.consent_line,
        "manifest": one.manifest,
        "settings": one.settings,
        "sources": list(one.sources),
        "seeAlso": list(one.see),
    }


def word_list_json(words: Mapping[Kind, Sequence[str]]) -> Json:
    """Everything that can be explained, by kind, except the words of DICOM."""
    return {kind.value: [str(name) for name in names] for kind, names in words.items()}
