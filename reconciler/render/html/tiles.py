"""The numbers of a plan at a glance, each with a link to its section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core.model.plan import Status
from reconciler.core.review import Review
from reconciler.core.review.overview import Danger
from reconciler.core.review.phrases import duration, plural
from reconciler.render.html.markup import Html, element


def tiles(review: Review) -> Html:
    """A list of tiles. A number of 0 is shown, too: it is an answer."""
    return element("ul", *_tiles(review), class_="tiles")


def _tiles(review: Review) -> Iterator[Html]:
    totals, found = review.totals, review.overview
    time = f", about {duration(review.eta_seconds)}" if review.eta_seconds else ""
    calls = f"{plural(totals.calls, 'call')}{time}" if totals.calls else ""
    yield _tile("changes", "change", totals.raised, calls, bool(found.rows))
    stays = [(status, n) for status, n in totals.standing if status is not Status.CONVERGED]
    words = [f"{count:,} {status}" for status, count in stays]
    words += [f"{totals.unread:,} not read"] if totals.unread else []
    held = sum(count for _, count in stays) + totals.unread
    yield _tile("refusals", "do not change", held, ", ".join(words), bool(found.refusals))
    yield _dangers(found.dangers)
    outside = "changed outside this repository" if totals.drifted else ""
    yield _tile("drift", "with drift", totals.drifted, outside, bool(found.drift))
    converged = dict(totals.standing).get(Status.CONVERGED, 0)
    recorded = f"{totals.as_recorded:,} as recorded" if totals.as_recorded else ""
    yield _tile("converged", "already as asked", converged + totals.as_recorded, recorded, False)


def _dangers(dangers: Sequence[Danger]) -> Html:
    refused = max((one.refused for one in dangers), default=0)
    more = f"{plural(refused, 'image set')} without consent" if refused else "all are allowed"
    count = sum(one.happens for one in dangers)
    words = "kind of danger" if count == 1 else "kinds of danger"
    return _tile("dangers", words, count, more if dangers else "", count > 0)


def _tile(section: str, words: str, count: int, more: str, is_linked: bool) -> Html:
    noun = "" if section == "dangers" else "image set " if count == 1 else "image sets "
    return tile(section, count, f"{noun}{_agreed(words, count)}", more, is_linked=is_linked)


def tile(section: str, count: int, words: str, more: str, *, is_linked: bool) -> Html:
    """A number with its words, linked to a section of the page."""
    inner = (
        element("strong", f"{count:,}"),
        element("span", f" {words}"),
        element("small", more) if more else "",
    )
    kind = f"tile {section}" if count else "tile none"
    content = element("a", *inner, href=f"#{section}") if is_linked else element("div", *inner)
    return element("li", content, class_=kind)


def _agreed(words: str, count: int) -> str:
    """`1 image set changes`, `2 image sets change`."""
    if count != 1:
        return words
    return {"change": "changes", "do not change": "does not change"}.get(words, words)
