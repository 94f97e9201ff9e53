"""`reconcile search`: what it lists, in which form, and what it may show."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from reconciler.core.model.observed import Summary
from reconciler.core.model.settings import Redact
from reconciler.core.review import review_search
from reconciler.core.search import FIELDS, PROPERTIES
from reconciler.emulator.http.server import Emulator
from reconciler.render.search import chosen_lines, usual_lines
from reconciler.render.style import Look
from reconciler.render.values import width
from tests.cli.conftest import Command, expect
from tests.planning import A, B

CT_SMALL = "ae75f18eb08d2ce17337cc57bf022f4d"
WIDTHS = [80, 100, 120, 200]


def ids(text: str) -> list[str]:
    """The image set IDs of a list without a heading."""
    return text.splitlines()


def test_search_masks_where_output_is_stored(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("search")
    assert ran.code == 0
    assert len(ran.out.splitlines()) == 52
    assert "Doe^Peter" not in ran.out
    shown = reconcile("search", "--show-values")
    assert "Doe^Peter" in shown.out
    expect("search.txt", "\n".join(shown.out.splitlines()[:16]) + "\n")
    assert (shown.err, ran.err.startswith("Masked: ")) == ("", True)


def test_a_script_never_takes_a_mask_for_a_value(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("search", "--json")
    rows = json.loads(ran.out)
    assert {row["versionId"] for row in rows} == {"1"}
    assert {row["tags"].get("DICOMPatientId") for row in rows} == {None}
    masked = [len(row["masked"]) for row in rows if row["masked"]]
    assert ran.err == (
        f"Masked: {sum(masked)} values of {len(masked)} image sets. Add --show-values if this "
        "output may contain patient data.\n"
    )
    shown = reconcile("search", "--json", "--show-values")
    complete = json.loads(shown.out)
    assert shown.err == ""
    assert {tuple(row["masked"]) for row in complete} == {()}
    assert len({row["tags"].get("DICOMPatientId") for row in complete}) > 10
    for row, whole in zip(rows, complete, strict=True):
        assert row["tags"].keys() == whole["tags"].keys()
        assert row["tags"]["DICOMStudyInstanceUID"] == whole["tags"]["DICOMStudyInstanceUID"]
        assert {name for name, value in row["tags"].items() if value is None} == set(row["masked"])


def test_json_has_every_member_of_a_summary(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("search", "PatientID=1CT1", "--json", "--show-values")
    (row,) = json.loads(ran.out)
    assert row.keys() == {*PROPERTIES, "tags", "masked"}
    assert (row["datastore"], row["imageSetId"]) == ("research", CT_SMALL)
    assert row["storageTier"] == "FREQUENT_ACCESS"
    assert isinstance(row["createdAt"], float) and isinstance(row["lastAccessedAt"], float)
    assert row["tags"]["DICOMNumberOfStudyRelatedSeries"] == "1"


@pytest.mark.parametrize(
    ("criteria", "count"),
    [
        (["PatientID=1CT1"], 1),
        (["StudyDate=2004-01-19"], 1),
        (["StudyDate=2004-01-01..2004-12-31", "Modality=CT"], 1),
        (["StudyDate=2004-01-01..2004-12-31"], 4),
        (["Modality=CT", "PatientName=Doe*"], 3),
        (["Modality=XA"], 0),
        (["--created", "2000-01-01.."], 51),
        (["--created", "..2000-01-01"], 0),
        (["--updated", "2000-01-01..", "Modality=CT"], 7),
    ],
)
def test_all_criteria_must_hold(
    reconcile: Command, workspace: Path, criteria: list[str], count: int
) -> None:
    ran = reconcile("search", *criteria, "--fields", "imageSetId")
    assert ran.code == 0
    assert len(ids(ran.out)) == count
    assert ran.err == ("" if count else "No image set was found.\n")


def test_the_times_of_a_list_can_be_searched_for(reconcile: Command, workspace: Path) -> None:
    created = reconcile("search", "PatientID=1CT1", "--fields", "createdAt").out.strip()
    found = reconcile("search", "--created", created, "--fields", "imageSetId")
    assert CT_SMALL in ids(found.out)


def test_one_field_is_printed_for_programs(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("search", "PatientID=1CT1", "--fields", "imageSetId")
    assert (ran.code, ran.out, ran.err) == (0, f"{CT_SMALL}\n", "")
    imported = reconcile("import", "--level", "patient", "--image-set", ran.out.strip())
    assert imported.code == 0


def test_a_longer_list_is_cut_and_says_so(reconcile: Command, workspace: Path) -> None:
    ran = reconcile("search", "--limit", "2", "--fields", "imageSetId")
    assert (ran.code, len(ids(ran.out))) == (0, 2)
    assert ran.err == (
        "There are more: this list ends after 2 image sets. Narrow the search, or add --limit.\n"
    )
    assert reconcile("search", "--limit", "51", "--fields", "imageSetId").err == ""


def test_a_search_calls_nothing_but_search(workspace: Path, reconcile: Command) -> None:
    with Emulator(workspace / ".reconcile" / "emulator") as emulator:
        settings = workspace / "reconciler.yaml"
        settings.write_text(settings.read_text().replace(" emulator", f" {emulator.endpoint}"))
        assert reconcile("search", "Modality=CT", "PatientName=*").code == 0
        with urlopen(f"{emulator.endpoint}/_emulator/counters") as answer:
            counted = json.load(answer)["operations"]
    assert counted.keys() == {"SearchImageSets"}


def test_rows_name_their_data_store_and_one_that_fails_hides_no_other(
    workspace: Path, reconcile: Command
) -> None:
    settings = workspace / "reconciler.yaml"
    closed = "  archive:\n    datastoreId: '" + "b" * 32 + "'\n    region: us-east-1\n"
    text = settings.read_text() + closed + "    endpoint: http://127.0.0.1:9\n"
    settings.write_text(text)
    ran = reconcile("search", "PatientID=1CT1")
    assert ran.code == 1
    head, line = ran.out.splitlines()
    assert (head.split()[0], line.split()[:2]) == ("datastore", ["research", CT_SMALL])
    assert "error: data store archive: the endpoint http://127.0.0.1:9 does not answer" in ran.err
    failed = reconcile("search", "--datastore", "archive")
    assert (failed.code, failed.out, failed.err.count("\n")) == (1, "", 2)
    alone = reconcile("search", "PatientID=1CT1", "--datastore", "research")
    assert (alone.code, alone.out.split()[0]) == (0, "imageSetId")
    (row,) = json.loads(reconcile("search", "PatientID=1CT1", "--json").out)
    assert row["datastore"] == "research"


# --- the width ------------------------------------------------------------------------------------

LONG = "Wolfeschlegelsteinhausenbergerdorff^Hubert Blaine\u200b\u05d0 高橋"
TAGS = {
    "DICOMPatientId": "CQ500-CT-310-0000000001",
    "DICOMPatientName": LONG,
    "DICOMStudyDate": "20260131",
    "DICOMStudyDescription": "Thorax, Abdomen und Becken mit Kontrastmittel, zwei Phasen",
    "DICOMSeriesModality": "CT",
    "DICOMSeriesNumber": "1",
    "DICOMStudyInstanceUID": "1." + "2" * 62,
}
FOUND = {
    "research": [Summary(A, "12", True, 1.0, tuple(TAGS.items()), 1.0, 1.0, "FREQUENT_ACCESS")],
    "the-archive-of-the-radiology": [Summary(B, "1", None, None, (("DICOMPatientId", "7"),))],
}


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("redact", Redact)
def test_a_list_fits_the_terminal_and_cuts_no_id(columns: int, redact: Redact) -> None:
    found = review_search(FOUND, redact)
    for names_datastore in (False, True):
        head, *lines = usual_lines(found, Look(width=columns), names_datastore=names_datastore)
        assert max(map(width, (head, *lines))) <= columns
        assert [one in line for one, line in zip((A, B), lines, strict=True)] == [True, True]
    if redact is Redact.ALL:
        assert "…" not in "".join(lines)  # no part of a mask is missing


@pytest.mark.parametrize("columns", WIDTHS)
def test_chosen_fields_are_never_cut(columns: int) -> None:
    found = review_search(FOUND, Redact.NONE)
    for names in (FIELDS, ("imageSetId", "StudyInstanceUID"), ("imageSetId", "PatientID")):
        lines = list(chosen_lines(found, Look(width=columns), names))
        assert max(map(width, lines)) <= columns
        whole = " ".join(" ".join(lines).split())
        assert all(one in whole for one in (A, B))
        assert ("StudyInstanceUID" not in names) or TAGS["DICOMStudyInstanceUID"] in whole


def test_more_columns_fit_a_wider_terminal() -> None:
    found = review_search(FOUND, Redact.NONE)
    heads = [next(usual_lines(found, Look(width=one), names_datastore=True)) for one in WIDTHS]
    assert [len(head.split()) for head in heads] == sorted(len(head.split()) for head in heads)
    assert len(heads[0].split()) < len(heads[-1].split()) == 10
