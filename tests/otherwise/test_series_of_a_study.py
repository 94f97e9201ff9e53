"""SearchImageSets states more series for a study than the image sets that it lists hold."""

from __future__ import annotations

from typing import Any

from tests.otherwise.sites import Site
from tests.otherwise.test_one_bad_image_set import DESCRIBED, actions
from tests.otherwise.test_search_is_behind import missing

STUDY = "1.2.840.99.8.9"


def versions(site: Site, *names: str) -> list[str]:
    return [site.version(name) for name in names]


def test_a_primary_image_set_that_search_misses_is_not_changed_unseen(site: Site) -> None:
    asked, missed = (site.load(study=STUDY, primary=True) for _ in range(2))
    site.ask(asked, DESCRIBED)
    site.faults(*missing(missed))
    ran = site.apply()
    assert ran.code == 1, ran.out
    assert versions(site, asked, missed) == ["1", "1"]
    assert "SearchImageSets states 2 series for this study." in site.plan().out
    # A reviewed line says that the study may be changed all the same.
    site.ask(asked, DESCRIBED, "STUDY_WIDE")
    site.faults(*missing(missed))
    assert site.apply().code == 0
    assert versions(site, asked, missed) == ["2", "2"]


def test_series_of_image_sets_that_are_not_primary_hold_nothing_back(site_with: Any) -> None:
    site = site_with("study_totals=all")
    asked, other = (site.load(study=STUDY, primary=primary) for primary in (True, False))
    site.ask(asked, DESCRIBED)
    assert "They do not change." in actions(site)[asked]["notes"][0]["message"]
    assert site.apply().code == 0
    assert versions(site, asked, other) == ["2", "1"]


def test_without_those_series_there_is_nothing_to_note(site_with: Any) -> None:
    site = site_with("study_totals=primary")
    asked, _ = (site.load(study=STUDY, primary=primary) for primary in (True, False))
    site.ask(asked, DESCRIBED)
    assert actions(site)[asked]["notes"] == []
    assert site.apply().code == 0
