"""Put the page of a report together. It has no script."""

from __future__ import annotations

from collections.abc import Iterator
from string import Template

from reconciler import __version__
from reconciler.core.report import ReportView, wording
from reconciler.core.report.view import Done, End, ImageSetEnd
from reconciler.core.review.applied import Mark, ShownProblem
from reconciler.core.review.phrases import not_clean, plural
from reconciler.render.html.frame import asset, named, policy, web_address
from reconciler.render.html.markup import Html, element, joined, place_link, sentence, text, value
from reconciler.render.html.section import Section, headline, made, optional, section_of
from reconciler.render.html.tiles import tile

# How many image sets the table lists: a browser draws all rows at once.
LISTED = 1_000
_COLUMNS = ("Image set", "Data store", "Outcome", "Version", "Reason")


def report_page(view: ReportView, link: str = "") -> str:
    """The page. `link` is the address of the repository's files at the planned commit."""
    link = web_address(link)
    first, *rest = view.verdict
    return Template(asset("report.html")).substitute(
        policy=policy(style=asset("page.css")),
        title=text(f"Apply: {first}"),
        style=asset("page.css"),
        verdict=text(first),
        more=element("p", " ".join(rest), class_="more") if rest else "",
        basis=_basis(view),
        warnings=_warning(view),
        tiles=element("ul", *_tiles(view), class_="tiles"),
        next=_next(view),
        sections=joined(section_of(one) for one in _sections(view, link) if one.entries),
        list=_list(view),
        version=text(__version__),
    )


def _basis(view: ReportView) -> Html:
    calls = text(view.calls.removesuffix("."))
    return joined(filter(None, [named("commit", view.basis.commit[:12]), calls]), " · ")


def _warning(view: ReportView) -> Html:
    if view.basis.is_clean is not False:
        return Html("")
    return element("p", sentence(not_clean(view.basis.commit)), class_="warning")


def _tiles(view: ReportView) -> Iterator[Html]:
    wrong, unsent = (sum(row.image_sets for row in rows) for rows in (view.wrong, view.unsent))
    good = f"of {plural(view.total, 'image set')}"
    yield tile("done", view.good, "as planned and verified", good, is_linked=bool(view.done))
    yield tile("refusals", wrong, wording.WRONG.lower(), "", is_linked=bool(wrong))
    yield tile("dangers", unsent, wording.UNSENT.lower(), "", is_linked=bool(unsent))


def _next(view: ReportView) -> Html:
    """What to do next, for each outcome that needs it."""
    if not view.next:
        return Html("")
    entries = [
        element("li", element("strong", word), ": ", sentence(advice)) for word, advice in view.next
    ]
    return element(
        "section", element("h2", "What to do next"), element("ul", *entries, class_="entries")
    )


def _sections(view: ReportView, link: str) -> Iterator[Section]:
    yield made(("errors", wording.ERRORS, ""), view.errors, _error)
    about = "The planned content was not seen in these image sets. They may have changed."
    yield made(("refusals", wording.WRONG, about), view.wrong, lambda end: _end(end, link))
    about = "No further call was sent to these image sets."
    yield made(("dangers", wording.UNSENT, about), view.unsent, lambda end: _end(end, link))
    about = "Each image set was read back and holds what was planned."
    done: list[Done | End] = [*view.done, *view.other]
    yield made(("done", wording.DONE, about), done, _done)
    yield made(("records", wording.RECORDED, ""), view.recording, _recorded)


def _error(problem: ShownProblem) -> Html:
    return element(
        "li",
        element("p", headline(problem.message), class_="lead"),
        optional(problem.hint, "p", "about"),
        class_="refusal",
    )


def _end(end: End, link: str) -> Html:
    lines = [element("pre", element("code", line)) for line in end.lines]
    more = f" and {end.places - 1:,} more lines" if end.places > 1 else ""
    place = joined([place_link(end.place, link), more])
    names = joined(map(_image_set, end.first), ", ")
    return element(
        "li",
        element(
            "p",
            element("span", end.word, class_="hazard"),
            f" {wording.counted(end)}",
            joined([": ", sentence(wording.message_of(end))]) if end.message else "",
            class_="lead",
        ),
        element("p", "Add to the manifest:", class_="about") if lines else "",
        *lines,
        optional(end.hint, "p", "about"),
        element(
            "p", names, wording.more(end), " · " if names and place else "", place, class_="where"
        ),
        class_="refusal" if end.mark is Mark.ERROR else "danger",
    )


def _image_set(end: ImageSetEnd) -> Html:
    version = wording.version_of(end)
    return joined([value(end.image_set_id), f" ({version})" if version else ""])


def _done(done: Done | End) -> Html:
    if isinstance(done, End):
        return element("li", element("p", wording.done_text(done)))
    name = value(done.name, "name") if done.name else text(wording.name_of(done))
    level = element("span", done.level.title, class_="level")
    return element("li", element("p", name, " ", level, " ", wording.happened(done)))


def _recorded(line: str) -> Html:
    return element("li", element("p", line))


def _list(view: ReportView) -> Html:
    """A table of the image sets, the gravest first: no script searches it, the browser does."""
    if not view.ends:
        return Html("")
    more = len(view.ends) - LISTED
    left_out = f"{plural(more, 'more image set')}: `reconcile show REPORT --json` lists all."
    head = element("tr", *(element("th", name, scope="col") for name in _COLUMNS))
    rows = (_row(end) for end in view.ends[:LISTED])
    return element(
        "section",
        element("h2", "Image set by image set", id="list-title"),
        element("table", element("thead", head), element("tbody", *rows), class_="ends"),
        optional(left_out if more > 0 else "", "p", "about"),
        id="list",
        aria_labelledby="list-title",
    )


def _row(end: ImageSetEnd) -> Html:
    return element(
        "tr",
        element("th", value(end.image_set_id), scope="row"),
        element("td", end.datastore),
        element("td", end.word, class_=f"mark {end.mark}"),
        element("td", " → ".join(filter(None, (end.pin, end.version_id)))),
        element("td", sentence(end.message)),
    )
