"""Two versions of an entry, joined: whichever side is first, and no baseline goes down."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.diff.joined import joined, joined_entries
from reconciler.core.model.record import (
    UNREADABLE,
    Entry,
    StudyMembers,
    Unverified,
    as_baselines,
    ranked,
)

A, B = "a" * 32, "b" * 32
NAME, SEX, COMMENTS = "Patient/PatientName", "Patient/PatientSex", "Patient/PatientComments"
PATHS = (NAME, SEX, COMMENTS)


def entry(version: str = "3", **fields: object) -> Entry:
    given: dict[str, object] = {
        "datastore_id": "1" * 32,
        "image_set_id": A,
        "version_id": version,
        "previous_version_id": str(int(version) - 1),
        "updated_at": float(version),
        "created_at": 1.0,
        "asked": ((NAME, version),),
        "ask_digest": f"hmac-sha256:{version}",
    }
    return Entry(**(given | fields))  # type: ignore[arg-type]


versions = st.integers(1, 9).map(str)
baselines = st.dictionaries(st.sampled_from(PATHS), versions | st.just(UNREADABLE))

selectors = st.dictionaries(st.sampled_from("ab"), st.sampled_from(["1", "2"])).map(as_baselines)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    asked, released = draw(baselines), draw(baselines)
    version = draw(versions)
    return entry(
        version,
        asked=as_baselines(asked),
        released=as_baselines({path: one for path, one in released.items() if path not in asked}),
        selected_by=draw(selectors),
        ask_digest=draw(st.sampled_from(["", "hmac-sha256:x", "hmac-sha256:y"])),
        unverified=draw(
            st.just(()) | versions.map(lambda one: (Unverified(one, (NAME,), ((NAME, "d"),)),))
        ),
        arn=draw(st.sampled_from(["", "arn:one", "arn:two"])),
        created_at=draw(st.sampled_from([1.0, 2.0])),
        run=draw(st.sampled_from(["", "one", "two"])),
        applied_commit=draw(st.sampled_from(["", "1" * 40])),
    )


@given(entries(), entries())
def test_both_orders_give_the_same(one: Entry, other: Entry) -> None:
    assert joined(one, other) == joined(other, one)


@given(entries())
def test_an_entry_joined_with_itself_stays_but_for_what_was_converged(one: Entry) -> None:
    after = joined(one, one)
    assert replace(after, unverified=()) == replace(one, unverified=())
    assert set(after.unverified) <= set(one.unverified)


@given(entries(), entries())
def test_no_baseline_goes_down_and_no_path_is_lost(one: Entry, other: Entry) -> None:
    other = replace(other, created_at=one.created_at, arn=one.arn)
    after = joined(one, other).baselines
    for side in (one, other):
        for path, baseline in side.baselines.items():
            assert ranked(after[path]) >= ranked(baseline)
    assert after.keys() == {*one.baselines, *other.baselines}


@given(entries(), entries())
def test_the_shortcut_never_holds_for_what_one_side_has_not_seen(one: Entry, other: Entry) -> None:
    after = joined(one, other)
    if after.ask_digest and (one.created_at, one.arn) == (other.created_at, other.arn):
        assert dict(one.baselines) == dict(other.baselines)


def test_the_higher_version_stands_and_baselines_path_by_path() -> None:
    ours = entry("5", asked=((COMMENTS, "5"), (NAME, "3")))
    theirs = entry("6", asked=((COMMENTS, "2"), (NAME, "6")))
    after = joined(ours, theirs)
    assert (after.version_id, after.previous_version_id, after.updated_at) == ("6", "5", 6.0)
    assert after.asked == ((COMMENTS, "5"), (NAME, "6"))
    assert after.ask_digest == ""


def test_a_study_stands_only_with_the_digest() -> None:
    study = StudyMembers("1.2", ((A, "3"),))
    alike = entry(study=study)
    assert joined(alike, alike).study == study
    assert joined(alike, entry("4", asked=((NAME, "4"),), study=study)).study is None


def test_a_path_is_asked_or_released_as_the_higher_version_has_it() -> None:
    before, after = entry("3"), entry("4", asked=(), released=((NAME, "2"),))
    both = joined(before, after)
    assert (both.asked, both.released) == ((), ((NAME, "3"),))


def test_an_unverified_version_goes_once_either_side_saw_its_paths_converged() -> None:
    held = entry("5", asked=((NAME, "4"),), unverified=(Unverified("5", (NAME,)),))
    assert joined(held, entry("5", asked=((NAME, "4"),))).unverified == held.unverified
    assert joined(held, entry("6", asked=((NAME, "6"),))).unverified == ()


def test_the_run_and_the_commit_are_those_of_the_side_that_states_what_both_state() -> None:
    base = entry(ask_digest="", asked=((NAME, "2"),), run="one", applied_commit="1" * 40)
    # A later run saw more at the same version. The digest puts it in front, or behind.
    later = entry(ask_digest="", run="two", applied_commit="2" * 40)
    for one, other in ((base, later), (later, base)):
        after = joined(one, other)
        assert (after.run, after.applied_commit) == ("two", "2" * 40)
    other = replace(base, released=((COMMENTS, "1"),), run="three")
    assert joined(other, later).run in {"three", "two"}


def test_an_image_set_belongs_to_the_selectors_of_both_sides() -> None:
    low = entry("3", selected_by=(("a", "of-3"), ("b", "of-3")))
    high = entry("4", selected_by=(("b", "of-4"), ("c", "of-4")))
    assert joined(low, high).selected_by == (("a", "of-3"), ("b", "of-4"), ("c", "of-4"))


def test_entries_of_another_history_are_not_joined() -> None:
    old = entry("9", created_at=1.0)
    new = entry("1", created_at=2.0)
    assert joined(old, new) == new


def test_what_only_one_side_has_is_kept() -> None:
    mine, theirs = entry(), entry(image_set_id=B)
    assert joined_entries([mine], [theirs]) == (mine, theirs)
