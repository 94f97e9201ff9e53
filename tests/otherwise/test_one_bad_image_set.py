"""One image set that cannot be read blocks its own action, and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.otherwise.sites import Site

DESCRIBED = "Study: {DICOM: {StudyDescription: CT CHEST}}"
GET, METADATA = "GetImageSet", "GetImageSetMetadata"
SEARCH, UPDATE = "SearchImageSets", "UpdateImageSetMetadata"


def described(site: Site, *names: str) -> None:
    for name in names:
        site.ask(name, DESCRIBED)


def actions(site: Site) -> dict[str, Any]:
    """The plan's actions by image set."""
    plan = json.loads(site.plan("--json").out)
    return {member["imageSetId"]: one for one in plan["actions"] for member in one["members"]}


def blocks(site: Site, name: str) -> str:
    """Why an action is blocked, in one line."""
    action = actions(site)[name]
    assert action["status"] == "blocked"
    return " ".join(f"{block['message']} {block['hint']}" for block in action["blocks"])


def refused(operation: str, code: str, **more: Any) -> dict[str, Any]:
    return {"kind": "refused", "operation": operation, "code": f"{code}Exception", **more}


def spoilt(form: str) -> dict[str, Any]:
    return {"kind": "bad-metadata", "form": form}


BAD = {
    "GetImageSet 403": (refused(GET, "AccessDenied"), "AccessDeniedException"),
    "GetImageSet 400": (refused(GET, "Validation"), "ValidationException"),
    "GetImageSet 404": (refused(GET, "ResourceNotFound"), "no such image set"),
    "GetImageSet 409": (refused(GET, "Conflict"), "ConflictException"),
    "GetImageSet 500": ({"kind": "error500", "operation": GET}, "InternalServerException"),
    "metadata 403": (refused(METADATA, "AccessDenied"), "AccessDeniedException"),
    "metadata 400": (refused(METADATA, "Validation"), "ValidationException"),
    "metadata 404": (refused(METADATA, "ResourceNotFound"), "ResourceNotFoundException"),
    "metadata 409": (refused(METADATA, "Conflict"), "ConflictException"),
    "deleted between two reads": (
        refused(GET, "ResourceNotFound", nth=[2, 3, 4]) | {"metadata": True},
        "no such image set",
    ),
    "nested 200 deep": (spoilt("deep"), "nested deeper"),
    "1.6 GB in gzip": (spoilt("gzip-bomb"), "larger than"),
    "cut off": (spoilt("cut-off"), "returned no metadata document"),
    "no JSON": (spoilt("not-json"), "returned no metadata document"),
    "wrong shape": (spoilt("wrong-shape"), "Study"),
    "another image set": (spoilt("other-image-set"), "another image set"),
}


@pytest.mark.parametrize(("fault", "reason"), BAD.values(), ids=BAD)
def test_it_blocks_its_own_action_alone(site: Site, fault: dict[str, Any], reason: str) -> None:
    good, bad, last = site.load(), site.load(), site.load()
    described(site, good, bad, last)
    faults = [{**fault, "imageSetId": bad}]
    if faults[0].pop("metadata", False):
        faults.append(refused(METADATA, "ResourceNotFound", imageSetId=bad))
    site.faults(*faults)
    ran = site.apply()
    assert ran.code == 1, ran.err
    assert "2 converged" in ran.out
    assert [site.described(name) for name in (good, last)] == ["CT CHEST"] * 2
    assert site.version(bad) == "1"
    site.faults(*faults)
    assert reason in blocks(site, bad)
    site.faults()
    assert site.apply().code == 0
    assert site.described(bad) == "CT CHEST"


def test_an_image_set_that_is_deleted(site: Site) -> None:
    good, bad = site.load(), site.load()
    described(site, good, bad)
    site.delete(bad)
    assert site.apply().code == 1
    assert site.described(good) == "CT CHEST"


@pytest.mark.parametrize("fault", [refused("", ""), spoilt("deep"), spoilt("cut-off")], ids=str)
def test_the_recorded_version_cannot_be_read(site: Site, fault: dict[str, Any]) -> None:
    """Then every difference may be drift: it is held back, and nothing else is."""
    good, bad = site.load(), site.load()
    described(site, good, bad)
    assert site.apply().code == 0
    described(site, good)
    site.ask(good, "Study: {DICOM: {StudyDescription: CT HEAD}}")
    site.update(bad, {"Study": {"DICOM": {"StudyDescription": "X"}}})
    if fault["kind"] == "refused":
        fault = refused(METADATA, "ResourceNotFound")
    # The first read of the metadata is that of the latest version.
    site.faults({**fault, "imageSetId": bad, "operation": METADATA, "nth": [2, 3, 4, 5, 6]})
    assert actions(site)[bad]["status"] == "drifted"
    site.faults({**fault, "imageSetId": bad, "operation": METADATA, "nth": [2, 3, 4, 5, 6]})
    assert site.apply().code == 1
    assert (site.described(good), site.described(bad)) == ("CT HEAD", "X")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (refused(GET, "AccessDenied"), "AccessDeniedException"),
        (refused(METADATA, "Validation"), "ValidationException"),
        (refused(METADATA, "ResourceNotFound"), "ResourceNotFoundException"),
        (spoilt("deep"), "nested deeper"),
        (spoilt("wrong-shape"), "Study"),
    ],
    ids=str,
)
def test_a_sibling_that_no_manifest_names(site: Site, fault: dict[str, Any], reason: str) -> None:
    study = "1.2.840.99.8.1"
    asked, sibling = (site.load(study=study, primary=True) for _ in range(2))
    good = site.load()
    site.ask(asked, DESCRIBED, "STUDY_WIDE")
    described(site, good)
    site.faults({**fault, "imageSetId": sibling})
    assert site.apply().code == 1
    assert site.described(good) == "CT CHEST"
    assert [site.version(name) for name in (asked, sibling)] == ["1", "1"]
    assert reason in blocks(site, asked)


def test_a_study_that_search_refuses(site: Site) -> None:
    """Its StudyInstanceUID may be what the service takes for none."""
    bad, good = site.load(primary=True), site.load()
    described(site, bad, good)
    site.faults(refused(SEARCH, "Validation"))
    assert site.apply().code == 1
    assert site.described(good) == "CT CHEST"
    assert site.version(bad) == "1"
    assert "SearchImageSets" in blocks(site, bad)


def test_the_failed_version_is_read(site: Site) -> None:
    name = site.load()
    described(site, name)
    assert site.fail(name) == "2"
    assert site.apply().code == 0
    assert (site.version(name), site.described(name)) == ("3", "CT CHEST")


def test_a_failed_version_without_metadata(site_with: Any) -> None:
    """The last good version is read in its place, and the pin is the failed one still."""
    site = site_with("failed_version_metadata=missing")
    name, other = site.load(), site.load()
    described(site, name, other)
    site.update(name, {"Study": {"DICOM": {"StudyDescription": "X"}}})
    assert [site.fail(name), site.fail(name)] == ["3", "4"]
    action = actions(site)[name]
    assert (action["status"], action["members"][0]["pin"]) == ("update", "4")
    notes = " ".join(note["message"] for note in action["notes"])
    assert "version 4 is a failed version without metadata" in notes
    assert "version 2" in notes
    assert site.apply().code == 0
    assert (site.version(name), site.described(name)) == ("5", "CT CHEST")
    assert site.plan("--detailed-exitcode").code == 0


def test_a_failed_version_of_a_sibling(site_with: Any) -> None:
    site = site_with("failed_version_metadata=missing")
    study = "1.2.840.99.8.2"
    asked, sibling = (site.load(study=study, primary=True) for _ in range(2))
    site.ask(asked, DESCRIBED, "STUDY_WIDE")
    assert site.fail(sibling) == "2"
    assert site.apply().code == 0
    assert [site.described(one) for one in (asked, sibling)] == ["CT CHEST"] * 2


def test_no_good_version_is_left(site_with: Any) -> None:
    site = site_with("failed_version_metadata=missing")
    good, bad = site.load(), site.load()
    described(site, good, bad)
    site.fail(bad)
    site.faults(refused(METADATA, "ResourceNotFound", imageSetId=bad))
    assert site.apply().code == 1
    assert site.described(good) == "CT CHEST"
    assert "version 1" in blocks(site, bad)


def test_a_data_store_that_cannot_be_seen_is_an_error_of_the_run(site: Site) -> None:
    described(site, site.load(), site.load())
    for code in ("AccessDenied", "ResourceNotFound"):
        site.faults(refused(GET, code), refused(SEARCH, code))
        ran = site.plan()
        assert (ran.code, ran.out) == (1, "")
        assert "cannot access data store research" in ran.err
    site.faults({"kind": "expired-credentials", "operation": METADATA, "nth": 2})
    ran = site.plan()
    assert ran.code == 1
    assert "expired" in ran.err


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        (refused(METADATA, "AccessDenied", nth=[2, 3]), 2, "unresolved"),
        (refused(METADATA, "Conflict", nth=[2, 3]), 2, "unresolved"),
        ({**spoilt("deep"), "nth": [2, 3]}, 2, "unresolved"),
        ({**spoilt("gzip-bomb"), "nth": [2, 3]}, 2, "unresolved"),
        ({**spoilt("other-image-set"), "nth": [2, 3]}, 2, "unresolved"),
        (refused(UPDATE, "AccessDenied"), 1, "failed"),
        (refused(UPDATE, "Validation"), 1, "failed"),
    ],
    ids=str,
)
def test_apply_goes_on_with_the_others(
    site: Site, fault: dict[str, Any], code: int, word: str
) -> None:
    names = [site.load() for _ in range(6)]
    described(site, *names)
    site.faults({**fault, "imageSetId": names[0]})
    ran = site.apply()
    assert ran.code == code, ran.out
    assert word in ran.out
    assert [site.described(name) for name in names[1:]] == ["CT CHEST"] * 5
    site.faults()
    assert site.apply().code == 0
    assert site.described(names[0]) == "CT CHEST"


def test_an_image_set_that_is_locked_and_then_refused(site: Site) -> None:
    """Apply waits for it, and goes on when the service does not show it any more."""
    good, busy = site.load(), site.load()
    described(site, good, busy)
    site.update(busy, {"Study": {"DICOM": {"StudyDescription": "X"}}}, seconds=999.0)
    site.faults(refused(GET, "AccessDenied", imageSetId=busy, nth=[2]))
    assert site.apply().code == 2
    assert site.described(good) == "CT CHEST"
