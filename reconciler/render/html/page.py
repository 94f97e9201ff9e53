"""Put a page together: the policy, the head, the sections and the list.

The page is opened from a disk, a mail or a CI artifact. It loads nothing and sends nothing, and the
policy makes the browser enforce this: only the one script and the one style run, by their digests.
The script cannot make HTML from text (https://www.w3.org/TR/trusted-types/).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from string import Template

from reconciler import __version__
from reconciler.core.model.plan import StoreIdentity
from reconciler.core.review import Review
from reconciler.core.review.phrases import (
    changed_since,
    moved,
    not_clean,
    not_compared,
    not_read,
    plural,
)
from reconciler.render.html.listing import packed
from reconciler.render.html.markup import Html, element, joined, sentence, text, value
from reconciler.render.html.picture import picture
from reconciler.render.html.sections import notes, sections
from reconciler.render.html.tiles import tiles

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src '{script}'; style-src '{style}'; base-uri 'none'; "
    "form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def page(review: Review, link: str = "") -> str:
    """The page. `link` is the address of the repository's files at this commit.

    Without it, places are text; so they are if it is no web address.
    """
    if not link.startswith(("https://", "http://")):
        link = ""
    verdict = review.overview.verdict
    actions = tuple(review.actions)
    return Template(_asset("page.html")).substitute(
        policy=_POLICY.format(script=_digest(_asset("page.js")), style=_digest(_asset("page.css"))),
        title=text(f"Plan: {verdict[0]}"),
        style=_asset("page.css"),
        script=_asset("page.js"),
        verdict=text(verdict[0]),
        more=element("p", " ".join(verdict[1:]), class_="more") if verdict[1:] else "",
        warnings=joined(_warnings(review)),
        basis=_basis(review),
        tiles=tiles(review, actions),
        sections=sections(review, link),
        picture=picture(actions),
        notes=notes(review, link),
        legend=_asset("legend.html") if review.masked else "",
        data=packed(actions, link),
        version=text(__version__),
    )


@cache
def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


def _warnings(review: Review) -> Iterator[Html]:
    changed = changed_since(review.basis.since) if review.basis.since else ()
    if changed:
        yield element(
            "div",
            element("strong", "This pull request also changes more than manifests:"),
            element("ul", *(element("li", sentence(line)) for line in changed)),
            class_="warning",
        )
    if problem := not_compared(review.basis.since):
        yield element("p", sentence(problem), class_="warning")
    for one in review.unread:
        yield element("p", element("strong", "Not read: "), not_read(one), class_="warning")
    if review.basis.is_clean is False:
        yield element("p", sentence(not_clean(review.basis.commit)), class_="warning")


def _basis(review: Review) -> Html:
    """What the plan was made from."""
    basis = review.basis
    base = basis.since.base if basis.since else ""
    stated = [_named("commit", basis.commit[:12]), _named("base", base[:12])]
    stated += map(_store, basis.datastores)
    stated += [_named("settings", basis.settings_digest[:19])]
    stated += [text(plural(review.totals.changes, "change")), text(moved(review.retiered))]
    return joined(filter(None, stated), " · ")


def _named(word: str, name: str) -> Html:
    return joined([f"{word} ", value(name)]) if name else Html("")


def _store(one: StoreIdentity) -> Html:
    """`research`: its ID, region and account, or its endpoint."""
    details = filter(None, [one.datastore_id, one.region, one.account_id, one.endpoint])
    return joined([_named("data store", one.name), " (", joined(map(value, details), ", "), ")"])
