"""Put the page of a plan together: the policy, the head, the sections and the list."""

from __future__ import annotations

from collections.abc import Iterator
from string import Template

from reconciler import __version__
from reconciler.core.model.plan import StoreIdentity
from reconciler.core.review import Review
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
from reconciler.render.html.frame import asset, named, policy, web_address
from reconciler.render.html.listing import Listing
from reconciler.render.html.markup import Html, element, joined, sentence, text, value
from reconciler.render.html.picture import Picture
from reconciler.render.html.sections import notes, sections
from reconciler.render.html.tiles import tiles


def page(review: Review, link: str = "") -> str:
    """The page. `link` is the address of the repository's files at this commit.

    Without it, places are text; so they are if it is no web address.
    """
    link = web_address(link)
    verdict = review.overview.verdict
    picture, listing = Picture(), Listing()
    for action in review.actions:
        picture.add(action)
        listing.add(action)
    return Template(asset("page.html")).substitute(
        policy=policy(style=asset("page.css"), script=asset("page.js")),
        title=text(f"Plan: {verdict[0]}"),
        style=asset("page.css"),
        script=asset("page.js"),
        verdict=text(verdict[0]),
        more=element("p", " ".join(verdict[1:]), class_="more") if verdict[1:] else "",
        beyond=_beyond(review),
        warnings=joined(_warnings(review)),
        basis=_basis(review),
        tiles=tiles(review),
        sections=sections(review, link),
        picture=picture.drawn(),
        notes=notes(review, link),
        legend=asset("legend.html") if review.masked else "",
        data=listing.packed(link),
        version=text(__version__),
    )


def _beyond(review: Review) -> Html | str:
    """What the pull request changes besides manifests."""
    changed = changed_since(review.basis.since) if review.basis.since else ()
    if not changed:
        return ""
    return element(
        "div",
        element("strong", BEYOND_MANIFESTS),
        element("ul", *(element("li", sentence(line)) for line in changed)),
        class_="warning",
    )


def _warnings(review: Review) -> Iterator[Html]:
    for line in planned_later(review.basis.since):
        yield element("p", sentence(line), class_="warning")
    if problem := not_compared(review.basis.since):
        yield element("p", sentence(problem), class_="warning")
    for one in review.unread:
        yield element("p", element("strong", "Not read: "), not_read(one), class_="warning")
    for left_out in review.not_selected:
        said = element("strong", "Not selected: "), not_selected(left_out)
        yield element("p", *said, class_="warning")
    for line in selected(review.selections):
        yield element("p", sentence(line))
    if review.basis.is_clean is False:
        yield element("p", sentence(not_clean(review.basis.commit)), class_="warning")


def _basis(review: Review) -> Html:
    """What the plan was made from."""
    basis = review.basis
    base = basis.since.base if basis.since else ""
    stated = [named("commit", basis.commit[:12]), named("base", base[:12])]
    stated += map(_store, basis.datastores)
    stated += [named("settings", basis.settings_digest[:19])]
    stated += [text(plural(review.totals.changes, "change")), text(moved(review.retiered))]
    stated += map(text, review.observed)
    return joined(filter(None, stated), " · ")


def _store(one: StoreIdentity) -> Html:
    """`research`: its ID, region and account, or its endpoint."""
    details = filter(None, [one.datastore_id, one.region, one.account_id, one.endpoint])
    return joined([named("data store", one.name), " (", joined(map(value, details), ", "), ")"])
