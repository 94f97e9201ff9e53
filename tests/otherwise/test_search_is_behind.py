"""If search does not list the image set that was asked for, it may miss other image sets, too."""

from __future__ import annotations

from typing import Any

import pytest

from tests.otherwise.sites import Site
from tests.otherwise.test_one_bad_image_set import SEARCH, UPDATE, actions, blocks

STUDY = "1.2.840.99.8.4"
NAMED = "Patient: {DICOM: {PatientName: Rossi^Lucia}}"
CONSENT = ("CHANGES_PATIENT_IDENTITY",)


def missing(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"kind": "missing-row", "target": name, **more} for name in names]


def patient(site: Site, name: str) -> str:
    return str(site.document(name)["Patient"]["DICOM"]["PatientName"])


@pytest.fixture
def study(site_with: Any) -> tuple[Site, str, str]:
    """A service that takes one filter, and a study of two: one asked, one that nothing names."""
    site = site_with("search_filters=1")
    asked, sibling = (site.load(study=STUDY, primary=True) for _ in range(2))
    site.ask(asked, NAMED, *CONSENT)
    return site, asked, sibling


def test_the_patient_of_an_unnamed_sibling_is_not_renamed(study: tuple[Site, str, str]) -> None:
    site, asked, sibling = study
    before = patient(site, sibling)
    site.faults(*missing(asked, sibling))
    ran = site.apply()
    assert ran.code == 1, ran.out
    assert [site.version(name) for name in (asked, sibling)] == ["1", "1"]
    assert patient(site, sibling) == before
    reasons = blocks(site, asked)
    assert "does not list this image set yet" in reasons
    assert "run `reconcile plan` again later" in reasons


def test_one_filter_is_sent_and_the_sibling_is_a_hazard(study: tuple[Site, str, str]) -> None:
    site, asked, sibling = study
    action = actions(site)[asked]
    assert [member["imageSetId"] for member in action["members"]] == [asked, sibling]
    assert "STUDY_WIDE" in [one["name"] for one in action["hazards"]]
    site.ask(asked, NAMED, *CONSENT, "STUDY_WIDE")
    assert site.apply().code == 0
    assert patient(site, sibling) == "Rossi^Lucia"


def test_of_two_that_were_asked_one_is_missing(study: tuple[Site, str, str]) -> None:
    site, asked, sibling = study
    third = site.load(study=STUDY, primary=True)
    site.ask(sibling, NAMED, *CONSENT)
    site.faults(*missing(sibling, third))
    assert site.apply().code == 1
    assert [site.version(name) for name in (asked, sibling, third)] == ["1", "1", "1"]
    assert "does not list this image set yet" in blocks(site, asked)


def test_search_falls_behind_between_plan_and_apply(study: tuple[Site, str, str]) -> None:
    """A third image set is imported in between.

    Search lists neither it nor the image set asked for.
    """
    site, asked, sibling = study
    site.ask(asked, NAMED, *CONSENT, "STUDY_WIDE")
    saved = site.folder / ".reconcile" / "plan.json"
    saved.parent.mkdir()
    assert site.plan("--out", str(saved)).code == 0
    third = site.load(study=STUDY, primary=True)
    site.faults(*missing(asked, third))
    ran = site.apply(str(saved))
    assert ran.code == 1, ran.out
    assert "nothing was sent" in ran.out
    assert f"does not list image set {asked}" in ran.out
    assert "again later" in ran.out
    assert [site.version(name) for name in (asked, sibling, third)] == ["1", "1", "1"]
    site.faults()
    assert site.apply(str(saved)).code == 1  # it lists the third one now
    assert [site.version(name) for name in (asked, sibling, third)] == ["1", "1", "1"]


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "refused", "operation": "GetImageSet", "code": "AccessDeniedException"},
        {"kind": "refused", "operation": "GetImageSetMetadata"},
        {"kind": "bad-metadata", "form": "deep"},
        {"kind": "bad-metadata", "form": "wrong-shape"},
    ],
    ids=str,
)
def test_a_newcomer_that_cannot_be_read_holds_the_call(
    study: tuple[Site, str, str], bad: dict[str, Any]
) -> None:
    """The unknown image set may be one that the call would change."""
    site, asked, sibling = study
    site.ask(asked, NAMED, *CONSENT, "STUDY_WIDE")
    saved = site.folder / ".reconcile" / "plan.json"
    saved.parent.mkdir()
    assert site.plan("--out", str(saved)).code == 0
    third = site.load(study=STUDY, primary=True)
    site.faults({**bad, "imageSetId": third})
    ran = site.apply(str(saved))
    assert ran.code == 1, ran.out
    assert third in ran.out
    assert [site.version(name) for name in (asked, sibling, third)] == ["1", "1", "1"]


def test_a_revert_where_search_is_behind(study: tuple[Site, str, str]) -> None:
    """Whether the study has other primary image sets, which it would leave unlike, is unknown."""
    site, asked, sibling = study
    site.ask(asked, NAMED, *CONSENT, "STUDY_WIDE")
    assert site.apply().code == 0
    (site.folder / "manifests" / f"{asked}.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
        f"imageSetId: {asked}\nrevertToVersionId: '1'\n"
        "allow: [CHANGES_PATIENT_IDENTITY]\n"
    )
    site.faults(*missing(asked, sibling))
    assert site.apply().code == 1
    assert site.version(asked) == "2"
    assert "does not list this image set yet" in blocks(site, asked)


def test_a_search_that_falls_behind_after_the_call_takes_nothing_back(
    study: tuple[Site, str, str],
) -> None:
    site, asked, sibling = study
    site.ask(asked, NAMED, *CONSENT, "STUDY_WIDE")
    # The first search asks for the time, the second is the plan's, the third is before the call.
    site.faults(*missing(asked, operation=SEARCH, nth=4), {"kind": "latency", "operation": UPDATE})
    assert site.apply().code == 0
    assert patient(site, sibling) == "Rossi^Lucia"
