"""What runs find out is merged into entries: no baseline goes down, and no path is lost."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.diff.merge import merged, signed, with_all_released
from reconciler.core.model.record import UNREADABLE, Entry, Evidence, as_baselines, ranked

A = "a" * 32
NAME, COMMENTS, DESCRIPTION = "Patient/PatientName", "Patient/PatientComments", "Study/StudyID"
INSTANCE = "Study/Series/1.2/Instances/1.2.3"
STAR = "Study/Series/*/Instances/*/ImageComments"


def entry(version: str = "3", **fields: object) -> Entry:
    given: dict[str, object] = {
        "datastore_id": "1" * 32,
        "image_set_id": A,
        "version_id": version,
        "previous_version_id": "1",
        "updated_at": float(version),
        "created_at": 1.0,
        "asked": ((NAME, version),),
        "ask_digest": "sha256:ours",
    }
    return Entry(**(given | fields))  # type: ignore[arg-type]


def found(version: str = "5", **fields: object) -> Evidence:
    given: dict[str, object] = {
        "datastore_id": "1" * 32,
        "image_set_id": A,
        "version_id": version,
        "previous_version_id": "3",
        "updated_at": float(version),
        "created_at": 1.0,
    }
    return Evidence(**(given | fields))  # type: ignore[arg-type]


def test_what_converged_is_recorded_and_what_was_not_carried_keeps_its_baseline() -> None:
    after = merged(entry(), found(converged=(COMMENTS,)))
    assert after.asked == ((COMMENTS, "5"), (NAME, "3"))
    assert (after.version_id, after.previous_version_id, after.ask_digest) == ("5", "3", "")


def test_a_carried_path_without_a_baseline_gets_the_version_that_was_planned_for() -> None:
    finding = found("4", carried=(COMMENTS, NAME), carried_version="4")
    assert merged(None, finding).asked == ((COMMENTS, "4"), (NAME, "4"))
    assert merged(entry(), finding).asked == ((COMMENTS, "4"), (NAME, "3"))


def test_only_a_change_of_another_field_changes_the_run_and_the_commit() -> None:
    held = entry(run="one", applied_commit="1" * 40)
    after = merged(held, found("5", converged=(COMMENTS,)))
    assert signed(held, after, "two", "2" * 40) == replace(
        after, run="two", applied_commit="2" * 40
    )
    assert signed(held, after.unsigned, "two", "") == replace(
        after, run="two", applied_commit="1" * 40
    )
    assert signed(held, held.unsigned, "two", "2" * 40) == held
    first = merged(None, found())
    assert signed(None, first, "one", "") == replace(first, run="one")
    assert signed(None, None, "one", "") is None
    older = entry()
    assert signed(older, older, "two", "2" * 40) == older


def test_a_run_that_found_nothing_new_leaves_the_entry_as_it_is() -> None:
    assert merged(entry(), found("4", carried=(NAME,), carried_version="4")) == entry()


def test_a_sibling_without_asked_paths_still_gets_its_version() -> None:
    before = entry(asked=(), ask_digest="")
    assert merged(before, found()).version_id == "5"


def test_the_version_is_the_newest_whatever_the_order() -> None:
    late, early = found("5", converged=(NAME,)), found("4", converged=(COMMENTS,))
    one = merged(merged(None, late), early)
    assert (one.version_id, one.asked) == ("5", ((COMMENTS, "4"), (NAME, "5")))
    assert merged(merged(None, early), late) == one


def test_an_image_set_belongs_to_the_selectors_that_the_run_saw() -> None:
    held = entry(selected_by=(("wrong-id", "one"), ("other", "two")))
    seen = (("new", "three"), ("other", ""), ("unknown", ""))
    assert merged(held, found(selected_by=seen)).selected_by == (("new", "three"), ("other", "two"))
    assert merged(held, found(selected_by=())).selected_by == ()
    assert merged(held, found()).selected_by == held.selected_by
    assert with_all_released(held).selected_by == ()


def test_a_run_that_found_nothing_but_a_selector_states_it() -> None:
    finding = found("3", carried=(NAME,), carried_version="3", selected_by=(("new", "one"),))
    assert merged(entry(), finding).selected_by == (("new", "one"),)


def test_an_older_run_does_not_change_the_selectors() -> None:
    held = entry("5", selected_by=(("new", "one"),))
    assert merged(held, found("3", selected_by=())).selected_by == held.selected_by


def test_an_entry_of_another_store_does_not_state_its_selectors() -> None:
    held = entry(selected_by=(("wrong-id", "one"),))
    assert merged(held, found(created_at=2.0)).selected_by == ()


def test_a_released_path_is_judged_by_its_baseline_when_it_is_asked_again() -> None:
    released = merged(entry(), found(released=(NAME,)))
    assert (released.asked, released.released) == ((), ((NAME, "3"),))
    again = merged(released, found("6", carried=(NAME,), carried_version="6"))
    assert (again.asked, again.released) == (((NAME, "3"),), ())
    assert with_all_released(entry()).released == ((NAME, "3"),)


def test_a_renamed_path_takes_its_baseline_along() -> None:
    old, new = f"{INSTANCE}/ImageComments", "Study/Series/1.2/Instances/1.2.9/ImageComments"
    before = entry(asked=((old, "2"),))
    assert merged(before, found(renamed=((old, new),))).asked == ((new, "2"),)


def test_a_path_for_several_instances_raises_those_that_it_stands_for() -> None:
    named = f"{INSTANCE}/ImageComments"
    before = entry(asked=((named, "2"),), released=((NAME, "2"),))
    after = merged(before, found(converged=(STAR,)))
    assert after.asked == ((STAR, "5"), (named, "5"))
    assert after.released == ((NAME, "2"),)


def test_what_was_inside_of_a_removed_instance_goes_with_it() -> None:
    before = entry(asked=((f"{INSTANCE}/ImageComments", "2"),))
    assert merged(before, found(converged=(INSTANCE,))).asked == ((INSTANCE, "5"),)


def test_an_entry_of_another_store_leaves_unreadable_baselines() -> None:
    """Until they are seen converged, or overwritten with consent."""
    for other in (
        found("2", created_at=9.0),
        found("2", refuted="3"),
        found("2", datastore_id="2" * 32),
    ):
        after = merged(entry(), replace(other, converged=(COMMENTS,)))
        assert after.version_id == "2"
        assert after.asked == ((COMMENTS, "2"), (NAME, UNREADABLE))
        assert merged(after, replace(other, refuted="", converged=(NAME,))).asked[1] == (NAME, "2")


def test_the_ask_digest_is_of_a_run_that_saw_everything_converged() -> None:
    whole = found("3", converged=(NAME,), ask_digest="sha256:new")
    assert merged(entry(), whole).ask_digest == "sha256:new"
    assert merged(entry(), found("3", converged=(NAME,))).ask_digest == "sha256:ours"
    assert merged(entry(), found("4", converged=(NAME,))).ask_digest == ""


VERSIONS = st.integers(1, 9).map(str)
PATHS = st.lists(st.sampled_from([NAME, COMMENTS, DESCRIPTION, STAR, INSTANCE]), unique=True)
BASELINES = st.dictionaries(
    st.sampled_from([NAME, COMMENTS, DESCRIPTION, STAR]), VERSIONS | st.just(UNREADABLE)
)


@given(
    before=st.builds(
        lambda version, asked: entry(version, asked=as_baselines(asked)), VERSIONS, BASELINES
    ),
    version=VERSIONS,
    converged=PATHS,
    carried=PATHS,
    released=PATHS,
)
def test_a_baseline_never_goes_down_and_no_path_is_lost(
    before: Entry, version: str, converged: list[str], carried: list[str], released: list[str]
) -> None:
    after = merged(
        before,
        found(
            version,
            converged=tuple(converged),
            carried=tuple(carried),
            carried_version=version,
            released=tuple(released),
        ),
    )
    for path, baseline in before.baselines.items():
        assert ranked(after.baselines[path]) >= ranked(baseline)
        if path not in converged and path != STAR:
            assert after.baselines[path] == baseline
    assert after == before or int(after.version_id) == max(int(before.version_id), int(version))
    assert after.asked == tuple(sorted(after.asked))
