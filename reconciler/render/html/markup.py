"""Make elements of HTML. Every text becomes a text node: `element` escapes what is no `Html`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape as escape_html
from urllib.parse import quote

from reconciler.core.errors import Place
from reconciler.core.escape import escape
from reconciler.core.lookalikes import reveal

# Sentences of ours have names and commands in backticks, as in Markdown.
_CODE = re.compile(r"`([^`]+)`")
_HASHES = re.compile("#(?=#)")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def text(plain: str) -> Html:
    """A text node. Unprintable characters are escaped first, as in every other output."""
    return Html(_escaped(plain))


def _escaped(plain: str) -> str:
    """Text for a node or an attribute. In a log, `##[` would be a command (`core.escape`)."""
    return _HASHES.sub("&#35;", escape_html(escape(plain)))


def element(tag: str, *children: str, **attributes: str | bool) -> Html:
    """An element. An attribute that is a keyword of Python ends in `_`: `class_`, `for_`.

    `data_level` becomes `data-level`. True is an attribute without a value, False none.
    """
    named = (
        f" {name.rstrip('_').replace('_', '-')}"
        + ("" if value is True else f'="{_escaped(value)}"')
        for name, value in attributes.items()
        if value is not False
    )
    inner = "".join(one if isinstance(one, Html) else text(one) for one in children)
    return Html(f"<{tag}{''.join(named)}>{inner}</{tag}>")


def joined(parts: Iterable[str], separator: str = "") -> Html:
    """Several texts or elements as one."""
    between = text(separator)
    return Html(between.join(one if isinstance(one, Html) else text(one) for one in parts))


def value(plain: str, kind: str = "") -> Html:
    """A DICOM value or name. Its direction does not change that of the text beside it."""
    return element("code", element("bdi", reveal(plain)), class_=kind or False)


def sentence(plain: str) -> Html:
    """A sentence of ours. What stands in backticks becomes code."""
    return joined(
        value(part) if number % 2 else text(part) for number, part in enumerate(_CODE.split(plain))
    )


def place_link(place: Place | None, link: str) -> Html:
    """The line of a manifest, as a link if the address of the files is known."""
    if place is None:
        return Html("")
    name = value(f"{place.file}:{place.line}" if place.line else place.file, "place")
    if not link:
        return name
    line = f"#L{place.line}" if place.line else ""
    return element("a", name, href=f"{link}/{quote(place.file)}{line}", rel="noreferrer")
