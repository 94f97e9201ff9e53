"""Brings together what several manifests ask of one image set, and finds contradictions."""

from __future__ import annotations

import time
from dataclasses import replace

from reconciler.core.ask.resolve import resolve
from reconciler.core.errors import Place
from reconciler.core.model.address import PATIENT, Address, instance_at, series_at
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk, Revert, Source
from reconciler.core.model.value import Json, Value
from tests.documents import IMAGE_SET_ID

NAME = 0x00100010
LATERALITY = 0x00200060


def ask(
    file: str, *claims: tuple[ClaimKind, Address, int | None, str | None], revert: str = ""
) -> ImageSetAsk:
    source = Source(Place(file, 1, 1))
    return ImageSetAsk(
        "research",
        IMAGE_SET_ID,
        (source,),
        tuple(
            Claim(
                kind,
                address,
                tag,
                None if value is None else Value(value),
                None,
                Place(file, 10 + index, 5),
                source,
            )
            for index, (kind, address, tag, value) in enumerate(claims)
        ),
        Revert(revert, Place(file, 9, 1), source) if revert else None,
    )


P, A, R = ClaimKind.PRESENT, ClaimKind.ABSENT, ClaimKind.REMOVED


def test_manifests_of_one_image_set_become_one_ask() -> None:
    resolved = resolve(
        [
            ask("b.yaml", (P, series_at("1.2"), LATERALITY, "L")),
            ask("a.yaml", (P, PATIENT, NAME, "A")),
        ]
    )
    assert resolved.problems == ()
    (merged,) = resolved.asks
    assert [str(source.place) for source in merged.sources] == ["a.yaml:1:1", "b.yaml:1:1"]
    assert [claim.tag for claim in merged.claims] == [NAME, LATERALITY]


def test_the_order_of_the_files_does_not_count() -> None:
    asks = [
        ask("a.yaml", (P, PATIENT, NAME, "A")),
        ask("b.yaml", (A, series_at("1"), LATERALITY, None)),
    ]
    assert resolve(asks) == resolve(reversed(asks))


def test_equal_claims_of_two_manifests_are_no_contradiction() -> None:
    asks = [ask("a.yaml", (P, PATIENT, NAME, "A^B")), ask("b.yaml", (P, PATIENT, NAME, "A^B^^ "))]
    assert resolve(asks).problems == ()


def test_different_values_name_both_places() -> None:
    asks = [ask("a.yaml", (P, PATIENT, NAME, "A")), ask("b.yaml", (P, PATIENT, NAME, "B"))]
    (problem,) = resolve(asks).problems
    assert str(problem) == (
        "b.yaml:10:5: Patient/PatientName contradicts a.yaml:10:5\n"
        "    Remove one of the two lines, or make them equal."
    )


def test_present_and_absent_contradict() -> None:
    asks = [ask("a.yaml", (P, PATIENT, NAME, "A")), ask("b.yaml", (A, PATIENT, NAME, None))]
    assert len(resolve(asks).problems) == 1


def test_a_named_uid_wins_over_the_wildcard_within_a_manifest_only() -> None:
    star = (P, series_at("*"), LATERALITY, "L")
    named = (P, series_at("1.2"), LATERALITY, "R")
    assert resolve([ask("a.yaml", star, named)]).problems == ()
    assert len(resolve([ask("a.yaml", star), ask("b.yaml", named)]).problems) == 1


def test_a_pattern_and_what_it_covers_contradict_between_manifests() -> None:
    comments = 0x00204000
    for wide, narrow in (
        (instance_at("*", "*"), instance_at("1.2", "1.3")),
        (instance_at("*", "*"), instance_at("1.2", "*")),
        (instance_at("*", "*"), instance_at("*", "1.3")),
        (instance_at("1.2", "*"), instance_at("1.2", "1.3")),
        (instance_at("*", "1.3"), instance_at("1.2", "1.3")),
        (series_at("*"), series_at("1.2")),
    ):
        for first, second in ((wide, narrow), (narrow, wide)):
            claims = ((P, first, comments, "x"), (P, second, comments, "y"))
            (problem,) = resolve([ask("a.yaml", claims[0]), ask("b.yaml", claims[1])]).problems
            assert problem.place.file == "b.yaml"
            same = [ask("a.yaml", claims[0]), ask("b.yaml", (P, second, comments, "x "))]
            assert resolve(same).problems == ()


def test_patterns_that_merely_may_meet_are_left_to_the_document() -> None:
    claims = (
        (P, instance_at("*", "1.3"), 0x00204000, "x"),
        (P, instance_at("1.2", "*"), 0x00204000, "y"),
    )
    assert resolve([ask("a.yaml", claims[0]), ask("b.yaml", claims[1])]).problems == ()


def test_three_manifests_that_disagree_are_all_named() -> None:
    asks = [ask(f"{name}.yaml", (P, PATIENT, NAME, name)) for name in "abc"]
    assert [problem.place.file for problem in resolve(asks).problems] == [
        "b.yaml",
        "c.yaml",
        "c.yaml",
    ]


def test_one_manifest_that_contradicts_itself_at_one_address_is_told() -> None:
    claims = ((P, series_at("1.2"), LATERALITY, "L"), (P, series_at("1.2"), LATERALITY, "R"))
    assert len(resolve([ask("a.yaml", *claims)]).problems) == 1


def test_a_private_value_agrees_with_itself_where_one_manifest_states_the_vr() -> None:
    def private(file: str, value: Json, vr: str | None) -> ImageSetAsk:
        made = ask(file, (P, instance_at("1.2", "1.3"), 0x00091002, "5"))
        (claim,) = made.claims
        return replace(made, claims=(replace(claim, value=Value(value), vr=vr),))

    untyped = private("a.yaml", "5", None)
    assert resolve([untyped, private("b.yaml", 5, "US")]).problems == ()
    assert len(resolve([untyped, private("b.yaml", 6, "US")]).problems) == 1
    assert len(resolve([private("a.yaml", 5, "US"), private("b.yaml", 5, "SS")]).problems) == 1
    assert len(resolve([private("a.yaml", "x", None), private("b.yaml", 5, "US")]).problems) == 1


def test_thousands_of_claims_take_no_minutes() -> None:
    """Comparing each with each took 25 seconds."""
    instances = [instance_at("1.2", f"1.2.{number}") for number in range(2_500)]
    files = [[(P, address, 0x00204000, name) for address in instances] for name in "xx"]
    gone = [(R, instance_at("1.3", f"1.3.{number}"), None, None) for number in range(2_500)]
    begun = time.process_time()
    resolved = resolve([ask("a.yaml", *files[0], *gone), ask("b.yaml", *files[1])])
    assert resolved.problems == ()
    assert time.process_time() - begun < 8


def test_an_instance_of_a_removed_series_may_be_removed_too() -> None:
    asks = [
        ask("a.yaml", (R, series_at("1.2"), None, None)),
        ask("b.yaml", (R, instance_at("1.2", "1.3"), None, None)),
    ]
    assert resolve(asks).problems == ()


def test_what_stands_beside_something_removed_is_none() -> None:
    gone = (R, instance_at("1.2", "1.3"), None, None)
    for beside in (series_at("1.2"), instance_at("1.2", "1.4"), instance_at("1.2", "*"), PATIENT):
        claims = (P, beside, 0x00204000, "x")
        assert resolve([ask("a.yaml", gone), ask("b.yaml", claims)]).problems == ()


def test_what_stands_below_something_removed_is_a_contradiction() -> None:
    gone = (R, series_at("1.2"), None, None)
    inside = (P, instance_at("1.2", "1.3"), 0x00204000, "x")
    (problem,) = resolve([ask("a.yaml", gone), ask("b.yaml", inside)]).problems
    assert "below Study/Series/1.2, which a.yaml:10:5 removes" in problem.message


def test_a_revert_claims_the_whole_image_set() -> None:
    asks = [ask("a.yaml", revert="1"), ask("b.yaml", (P, PATIENT, NAME, "A"))]
    (problem,) = resolve(asks).problems
    assert str(problem) == (
        f"b.yaml:1:1: image set {IMAGE_SET_ID} has `revertToVersionId` at a.yaml:9:1\n"
        "    A revert changes the whole image set. Remove one of the two manifests."
    )
