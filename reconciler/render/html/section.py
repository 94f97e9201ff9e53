"""A section of a page: a heading, and a list of entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reconciler.render.html.markup import Html, element, sentence

T = TypeVar("T")

# A section with more entries slows the browser down; the list below has them all.
MOST = 200


@dataclass(frozen=True, slots=True)
class Section:
    """The entries that a section shows, of `total`."""

    id: str
    title: str
    about: str
    entries: Sequence[Html]
    total: int


def made(head: tuple[str, str, str], found: Sequence[T], entry: Callable[[T], Html]) -> Section:
    """A section with an entry for each of what was found. `head` is its ID, title and subtitle."""
    return Section(*head, tuple(map(entry, found[:MOST])), len(found))


def section_of(section: Section) -> Html:
    """The element of a section, with the number of the entries that it leaves out."""
    more = section.total - len(section.entries)
    left_out = f"{more:,} more are in the list of image sets below." if more > 0 else ""
    return element(
        "section",
        element("h2", section.title),
        optional(section.about, "p", "about"),
        element("ul", *section.entries, class_="entries"),
        optional(left_out, "p", "about"),
        id=section.id,
    )


def optional(words: str, tag: str, kind: str) -> Html:
    """An element with a sentence; nothing without one."""
    return element(tag, sentence(words), class_=kind) if words else Html("")


def headline(message: str) -> Html:
    """A message as a sentence. A first word that may be a name or a path stays as it is."""
    first, _, rest = message.partition(" ")
    is_word = first.isalpha() and first.islower()
    return sentence(f"{first.capitalize()} {rest}" if is_word else message)
