"""The page as its text: the policy, what is in it without JavaScript, and the data of the list."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.escape import escape
from reconciler.core.lookalikes import reveal
from reconciler.core.model.address import instance_at
from reconciler.core.model.change import Note
from reconciler.core.model.plan import Plan, Since, StoreIdentity, Unread
from reconciler.core.model.settings import Redact
from reconciler.core.review import Review, review, wording
from reconciler.render.html import page
from reconciler.render.html.listing import LISTED
from reconciler.render.html.markup import element, value
from reconciler.render.html.section import MOST
from tests.cli import samples
from tests.reviews.plans import HOSTILE, PLANS, everything

LINK = "https://github.com/hospital/metadata/blob/5f0c1d2e"
NAME = re.compile(r"Doe\^Peter")


class Parsed(HTMLParser):
    """The elements, attributes and texts of a page, and what is in its script and style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.inside: Counter[str] = Counter()
        self.texts: list[str] = []
        self.raw: dict[str, str] = {}
        self._open = ""
        self.feed(text)
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open in ("script", "style", "template"):
            self.raw[self._open] = self.raw.get(self._open, "") + data
        else:
            self.texts.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def values(self, attribute: str) -> list[str | None]:
        return [attrs[attribute] for _, attrs in self.tags if attribute in attrs]


def shown(name: str, redact: Redact = Redact.IDENTIFYING, *, stated: bool = True) -> Review:
    return review(PLANS[name](), redact, shows_stated=stated)


def listed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(b64decode(Parsed(text).raw["template"])))
    return found


# --- the policy -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("redact", [Redact.NONE, Redact.IDENTIFYING])
def test_the_policy_comes_first_and_names_the_one_script_and_style(
    name: str, redact: Redact
) -> None:
    found = Parsed(page(shown(name, redact), LINK))
    tags = [tag for tag, _ in found.tags]
    tag, attributes = found.tags[tags.index("head") + 1]
    assert (tag, attributes["http-equiv"]) == ("meta", "Content-Security-Policy")
    digests = {
        one: b64encode(sha256(found.raw[one].encode()).digest()).decode()
        for one in ("script", "style")
    }
    assert attributes["content"] == (
        f"default-src 'none'; script-src 'sha256-{digests['script']}'; "
        f"style-src 'sha256-{digests['style']}'; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    assert tags.count("script") == tags.count("style") == 1


@pytest.mark.parametrize("name", PLANS)
def test_nothing_is_loaded_and_nothing_has_a_style_or_a_handler(name: str) -> None:
    found = Parsed(page(shown(name, Redact.NONE), LINK))
    names = {attribute for _, attributes in found.tags for attribute in attributes}
    assert not [one for one in names if one == "style" or one.startswith("on")]
    assert not names & {"src", "srcset", "action", "formaction", "ping", "background"}
    assert not {tag for tag, _ in found.tags} & {"link", "base", "iframe", "form", "img", "object"}
    addresses = [str(one) for one in found.values("href")]
    assert [one for one in addresses if not one.startswith(("#", f"{LINK}/"))] == []


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    found = Parsed(page(shown("one"), "javascript:alert(1)"))
    assert [one for one in found.values("href") if not str(one).startswith("#")] == []
    assert listed(page(shown("one"), "javascript:alert(1)"))["link"] == ""


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
def test_a_text_is_only_itself(text: str) -> None:
    found = Parsed(element("p", value(text), title=text))
    assert [tag for tag, _ in found.tags] == ["p", "code", "bdi"]
    assert "".join(found.texts) == escape(reveal(text))
    assert found.values("title") == [escape(text)]


def test_hostile_values_add_no_element() -> None:
    text = page(shown("hostile", Redact.NONE), LINK)
    found = Parsed(text)
    assert not {tag for tag, _ in found.tags} & {"b", "details", "img"}
    assert f'"{HOSTILE[0]}"' in found.text
    data = listed(text)
    assert any(json.dumps(HOSTILE[0]) == one for one in data["values"])
    assert [one for one in (text, *data["values"]) if not one.replace("\n", "").isprintable()] == []


@pytest.mark.parametrize("name", PLANS)
def test_the_same_review_is_the_same_page(name: str) -> None:
    assert page(shown(name), LINK) == page(shown(name), LINK)


# --- without JavaScript -----------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANS)
def test_the_overview_is_there_without_javascript(name: str) -> None:
    found = shown(name)
    text = Parsed(page(found, LINK)).text
    overview = found.overview
    expected = [*overview.verdict, *(one.hazard for one in overview.dangers)]
    expected += [one.message.replace("`", "") for one in overview.refusals]
    expected += [one.message.replace("`", "") for one in overview.notes]
    for row in (*overview.drift, *overview.rows):
        expected += [wording.name_of(row), *map(escape, wording.before_texts(row))]
        expected += [row.level.title, *row.hazards, row.drift]
        expected += [one.reach.first[0] for one in row.odd]
    text = text.lower()
    assert [one for one in expected if " ".join(one.lower().split()) not in text] == []


def test_the_sections_stand_in_the_order_of_the_comment() -> None:
    plan = everything()
    first = replace(plan.actions[0], notes=(Note(plan.actions[0].image_set_id, "a note"),))
    plan = replace(plan, actions=(first, *plan.actions[1:]))
    found = Parsed(page(review(plan, Redact.IDENTIFYING)))
    ids = [str(attributes["id"]) for tag, attributes in found.tags if tag == "section"]
    assert ids == [
        *("refusals", "dangers", "drift", "odd", "changes", "held", "where", "notes", "list")
    ]


def test_the_head_states_what_the_plan_is_made_of_and_what_else_changed() -> None:
    plan = PLANS["one"]()
    since = Since("ba5e" * 10, settings=True, consents=("a.yaml: <force>",))
    store = StoreIdentity("research", "1" * 32, "us-east-1", "123456789012", "")
    unread = (Unread("archive", "2" * 32, 30, "the AWS credentials have expired"),)
    basis = replace(plan.basis, since=since, datastores=(store,), is_clean=False)
    found = Parsed(page(review(replace(plan, basis=basis, unread=unread), Redact.IDENTIFYING)))
    for words in (
        f"base ba5eba5eba5e · data store research ( {'1' * 32} , us-east-1 , 123456789012 )",
        "changes more than manifests: reconciler.yaml changed. This plan is made with the settings "
        "of the base; the new settings hold after the merge. new consent: a.yaml: <force>.",
        "Not read: data store archive: 30 image sets not read",
        "Tree not clean",
    ):
        assert words in found.text, words


def test_a_long_section_says_how_many_more_there_are() -> None:
    plan = PLANS["refused"]()
    blocked = next(action for action in plan.actions if action.blocks)
    block = blocked.blocks[0]
    many = [replace(blocked, blocks=(replace(block, message=f"reason {n}"),)) for n in range(999)]
    text = page(review(Plan(plan.basis, tuple(many)), Redact.IDENTIFYING))
    assert f"{999 - MOST:,} more are in the list of image sets below." in text
    assert len(text) < 200_000


def test_right_to_left_values_are_isolated() -> None:
    text = page(shown("hostile", Redact.NONE))
    assert re.search(r"<bdi>[^<]*https://evil", text)


# --- the data of the list ---------------------------------------------------------------------


def test_the_list_has_every_image_set_and_every_change() -> None:
    found = shown("removals")
    data = listed(page(found, LINK))
    assert data["sets"]["id"] == [one.members[0].image_set_id for one in found.actions]
    changes = [n for n in data["items"]["what"] if data["whats"][n]["kind"] == "change"]
    assert len(changes) == found.totals.changes
    assert sum(data["sets"]["items"]) == len(data["items"]["what"])


def test_the_list_gives_the_reasons_and_the_lines_to_add() -> None:
    data = listed(page(shown("refused"), LINK))
    columns = (data["items"][one] for one in ("what", "new", "parts"))
    remarks = {
        (data["whats"][what]["kind"], data["values"][new], str(data["parts"][part]))
        for what, new, part in zip(*columns, strict=True)
        if part >= 0
    }
    assert {kind for kind, _, _ in remarks} == {"refusal"}
    assert any("allow: [CHANGES_PATIENT_IDENTITY]" in lines for _, _, lines in remarks)
    assert any("no such image set" in words for _, words, _ in remarks)


def test_the_list_has_the_labels_of_the_overview() -> None:
    data = listed(page(shown("many"), LINK))
    old = Counter(data["values"][number] for number in data["items"]["old"])
    assert old == {"<A: CS>": 399, "<B: CS>": 1}


def test_an_edit_of_many_instances_is_one_item_that_names_the_first() -> None:
    plan = PLANS["one"]()
    (action,) = plan.actions
    change = action.changes[0]
    changes = [replace(change, address=instance_at("1.2", f"1.2.{n}")) for n in range(500)]
    found = review(Plan(plan.basis, (replace(action, changes=tuple(changes)),)), Redact.IDENTIFYING)
    data = listed(page(found))
    (place,) = [one for one in data["items"]["places"] if one]
    (uids,) = data["uids"]
    assert (place, len(uids), uids[0]) == (500, LISTED, "1.2 / 1.2.0")


def test_a_study_is_a_number_where_its_uid_is_masked() -> None:
    masked = page(shown("many"), LINK)
    assert set(listed(masked)["studies"]) == {""}
    assert max(listed(masked)["sets"]["study"]) == 87
    assert "1.2.840.99.5" in listed(page(shown("many", Redact.NONE)))["studies"]


@pytest.mark.parametrize("redact", [Redact.IDENTIFYING, Redact.ALL])
def test_no_live_value_is_in_the_page_or_its_data(redact: Redact) -> None:
    text = page(review(PLANS["one"](), redact, shows_stated=True), LINK)
    assert NAME.search(text + json.dumps(listed(text))) is None
    assert NAME.search(json.dumps(listed(page(shown("one", Redact.NONE)))))


def test_a_gone_image_set_has_no_version() -> None:
    data = listed(page(shown("refused"), LINK))
    assert data["sets"]["pin"][-1] == ""


def test_values_that_look_the_same_show_how_they_differ() -> None:
    plan = samples.lookalikes()
    found = page(review(plan, Redact.NONE))
    assert "Jos\\u00e9" in found and "Jose\\u0301" in found
    assert "differs in the Unicode form of letters" in found
