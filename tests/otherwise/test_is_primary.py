"""The model requires `isPrimary` in no answer: where it is missing, it is unknown, not false."""

from __future__ import annotations

from typing import Any

import pytest

from tests.otherwise.sites import Site
from tests.otherwise.test_one_bad_image_set import DESCRIBED, actions, blocks

STUDY = "1.2.840.99.8.3"
SILENT = "is_primary_in="
NOT_SAID = "does not say whether this image set is primary"


def series_of(site: Site, name: str) -> str:
    """The SeriesInstanceUID of an image set that a test loaded."""
    (uid,) = site.document(name)["Study"]["Series"]
    return str(uid)


@pytest.mark.parametrize("shown", [SILENT, "is_primary_in=SearchImageSets"])
@pytest.mark.parametrize("primary", [True, False])
@pytest.mark.parametrize(
    "present",
    [DESCRIBED, "Patient: {DICOM: {PatientComments: checked}}"],
    ids=["study", "patient"],
)
def test_patient_and_study_level_are_blocked(
    site_with: Any, shown: str, primary: bool, present: str
) -> None:
    site = site_with(shown)
    name, sibling = (site.load(study=STUDY, primary=primary) for _ in range(2))
    site.ask(name, present, "STUDY_WIDE")
    ran = site.apply()
    assert (ran.code, "converged" in ran.out) == (1, False)
    assert [site.version(one) for one in (name, sibling)] == ["1", "1"]
    assert NOT_SAID in blocks(site, name)


def test_series_level_is_refused_as_for_a_primary(site_with: Any) -> None:
    site = site_with(SILENT)
    name = site.load(primary=True)
    series = series_of(site, name)
    site.ask(name, f'Study: {{Series: {{"{series}": {{DICOM: {{SeriesDescription: x}}}}}}}}')
    assert site.apply().code == 1
    assert site.version(name) == "1"
    assert NOT_SAID in blocks(site, name)
    assert "Series-level" in blocks(site, name)


def test_a_new_uid_is_refused_as_for_a_primary(site_with: Any) -> None:
    site = site_with(SILENT)
    name = site.load(primary=True)
    series = series_of(site, name)
    site.ask(
        name,
        f'Study: {{Series: {{"{series}": {{Instances: {{"{series}.1": '
        f'{{DICOM: {{SOPInstanceUID: "{series}.7"}}}}}}}}}}}}',
        "CHANGES_UID",
        more="force: true\n",
    )
    assert site.apply().code == 1
    assert site.version(name) == "1"
    assert NOT_SAID in blocks(site, name)


def test_instance_level_is_planned_for_any(site_with: Any) -> None:
    site = site_with(SILENT)
    name = site.load(primary=True)
    series = series_of(site, name)
    site.ask(
        name, f'Study: {{Series: {{"{series}": {{Instances: {{"*": {{DICOM: {{KVP: "90"}}}}}}}}}}}}'
    )
    assert actions(site)[name]["members"][0]["isPrimary"] is None
    assert site.apply().code == 0
    assert site.version(name) == "2"
    assert site.plan("--detailed-exitcode").code == 0


@pytest.mark.parametrize("allowed", [False, True])
def test_a_revert_is_blocked_unless_a_rule_allows_it(site_with: Any, allowed: bool) -> None:
    site = site_with(SILENT)
    name = site.load(primary=False)
    site.update(name, {"Study": {"DICOM": {"StudyDescription": "X"}}})
    if allowed:
        settings = site.folder / "reconciler.yaml"
        settings.write_text(f"{settings.read_text()}rules: {{revertOnPrimary: allow}}\n")
    (site.folder / "manifests" / "revert.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
        f"imageSetId: {name}\nrevertToVersionId: '1'\n"
    )
    ran = site.apply()
    assert (ran.code, site.version(name)) == ((0, "3") if allowed else (1, "2")), ran.out
    if not allowed:
        assert NOT_SAID in blocks(site, name)


def test_a_sibling_of_which_only_search_says_it_is_moved(site_with: Any) -> None:
    """GetImageSet states it for the image set asked for; search states it for siblings."""
    site = site_with("is_primary_in=GetImageSet")
    asked, sibling = (site.load(study=STUDY, primary=True) for _ in range(2))
    other = site.load(study=STUDY, primary=False)
    site.ask(asked, DESCRIBED, "STUDY_WIDE")
    assert site.apply().code == 0
    assert [site.version(one) for one in (asked, sibling, other)] == ["2", "2", "1"]


def test_search_lists_an_unknown_kind_as_such(site_with: Any) -> None:
    site = site_with(SILENT)
    site.load(primary=True)
    assert "unknown" in site.run("search").out
    assert '"isPrimary": null' in site.run("search", "--json").out
