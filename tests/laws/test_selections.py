"""What a selector selects, over any number of runs: image sets stay until it changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.ask.selection import Chosen, Rows, choose, kept_of
from reconciler.core.diff.merge import merged, with_all_released
from reconciler.core.diff.paths import sealed
from reconciler.core.errors import Place
from reconciler.core.model.ask import ImageSetAsk, Source
from reconciler.core.model.record import Entry, Evidence
from reconciler.core.model.selected import without_key
from reconciler.core.model.selector import Expected, Selector
from reconciler.core.model.settings import Datastore
from tests.documents import DATASTORE_ID, KEY

STORE = Datastore("research", DATASTORE_ID, "us-east-1")
NAMES = tuple(letter * 32 for letter in "abcd")
PLACE = Place("m.yaml", 4, 7)

found = st.frozensets(st.sampled_from(NAMES))


ANY = Expected(allows_empty=True)


def selector(digest: str, expected: Expected = ANY) -> Selector:
    ask = ImageSetAsk("research", "", (Source(PLACE),))
    return Selector("wrong-id", PLACE, ask, (), expected=expected, digest=digest)


@dataclass
class Repository:
    """Records of one selector, and runs that plan and apply it."""

    entries: dict[str, Entry] = field(default_factory=dict)

    def plan(self, one: Selector, rows: Rows) -> Chosen:
        kept = kept_of([one], STORE, self.entries, (), KEY)[one.name]
        return choose(one, STORE, rows, kept)

    def apply(self, chosen: Chosen) -> None:
        """Record what the run saw of each image set, and release what no manifest asks for."""
        for ask in chosen.asks():
            name = ask.image_set_id
            evidence = Evidence(
                DATASTORE_ID, name, "1", "", 1.0, 1.0, converged=("x",), selected_by=ask.selected_by
            )
            self.entries[name] = merged(self.entries.get(name), sealed(evidence, KEY))
        for name in chosen.selection.leaving:
            self.entries[name] = with_all_released(self.entries[name])


# A run: whether `select` changes before it, what its search finds, and whether it breaks off.
RUNS = st.lists(st.tuples(st.booleans(), found, st.booleans()), min_size=1, max_size=8)


@settings(deadline=None)
@given(RUNS)
def test_an_image_set_stays_until_the_selector_changes(
    runs: list[tuple[bool, frozenset[str], bool]],
) -> None:
    repository, number = Repository(), 0
    staying: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    for changes, names, breaks_off in runs:
        number += changes
        before, staying = (before | staying, frozenset()) if changes else (before, staying)
        rows = Rows(names, "its search failed" if breaks_off else "")
        chosen = repository.plan(selector(f"sha256:{number}"), rows)
        if breaks_off:
            # What was selected is still managed, and nothing is released or called selected.
            assert set(chosen.image_sets) >= staying | before
            assert chosen.selection.leaving == ()
            assert all(not ask.is_whole for ask in chosen.asks())
            known = dict(repository.entries)
            repository.apply(chosen)
            stated = {name: one.selected_by for name, one in repository.entries.items()}
            assert {name: one for name, one in stated.items() if one} == {
                name: one.selected_by for name, one in known.items() if one.selected_by
            }
            continue
        assert set(chosen.image_sets) == staying | names
        assert set(chosen.selection.leaving) == before - names
        staying, before = staying | names, frozenset()
        repository.apply(chosen)


def test_what_was_recorded_with_a_lost_key_stays() -> None:
    repository = Repository()
    repository.apply(repository.plan(selector("sha256:1"), Rows(frozenset(NAMES[:2]))))
    for name, entry in repository.entries.items():
        repository.entries[name] = replace(entry, selected_by=without_key(entry.selected_by))
    chosen = repository.plan(selector("sha256:1"), Rows(frozenset()))
    assert chosen.image_sets == NAMES[:2]
    repository.apply(chosen)
    assert all(digest for one in repository.entries.values() for _, digest in one.selected_by)


@given(found, st.integers(1, 4), st.booleans(), st.booleans())
def test_a_number_is_checked_over_all_that_is_selected(
    names: frozenset[str], number: int, exactly: bool, allows_empty: bool
) -> None:
    expected = Expected(number if exactly else None, number, allows_empty)
    chosen = Repository().plan(selector("sha256:1", expected), Rows(names))
    is_right = len(names) == number if exactly else len(names) <= number
    wanted = allows_empty if not names else is_right
    assert (chosen.selection.problem == "") == wanted
