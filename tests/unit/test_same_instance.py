"""One SOPInstanceUID in several series: a change of only one of them is noted."""

from __future__ import annotations

import pytest

from tests.documents import document, instance, series
from tests.planning import A, Stage

ONE, TWO, THREE = "1.2.1", "1.2.2", "1.2.3"
TWICE, AGAIN, ONCE = "1.2.9.1", "1.2.9.2", "1.2.9.3"


def notes(body: str) -> list[str]:
    stage = Stage()
    blocks = [
        series(ONE, [instance(TWICE), instance(AGAIN), instance(ONCE)]),
        series(TWO, [instance(TWICE), instance(AGAIN)]),
        series(THREE, [instance("1.2.9.4")]),
    ]
    stage.put(document(*blocks, image_set_id=A))
    found = stage.diff(f"imageSetId: {A}\nforce: true\n{body}")
    assert found.changes
    return [note.message for note in found.notes]


def asked(uids: dict[str, list[str]]) -> str:
    """InstanceNumber is to be 7 in these instances of series."""
    lines = "".join(
        f"      '{name}':\n        Instances:\n"
        + "".join(f"          '{uid}': {{DICOM: {{InstanceNumber: 7}}}}\n" for uid in found)
        for name, found in uids.items()
    )
    return f"present:\n  Study:\n    Series:\n{lines}"


@pytest.mark.parametrize(
    ("uids", "expected"),
    [
        ({ONE: [ONCE]}, []),
        ({ONE: [TWICE], TWO: [TWICE]}, []),
        ({"*": [TWICE, ONCE]}, []),
        ({ONE: ["*"], TWO: ["*"]}, []),
        (
            {ONE: [TWICE, ONCE]},
            [f"instance {TWICE} is in several series; only the instance in series {ONE} changes"],
        ),
        (
            {TWO: [AGAIN], ONE: [AGAIN, TWICE]},
            [f"instance {TWICE} is in several series; only the instance in series {ONE} changes"],
        ),
        (
            {TWO: ["*"]},
            [f"2 instances are in several series; only those in series {TWO} change"],
        ),
    ],
)
def test_a_change_of_an_attribute(uids: dict[str, list[str]], expected: list[str]) -> None:
    assert notes(asked(uids)) == expected


def test_a_removal() -> None:
    assert notes(f"absent: {{Study: {{Series: {{{ONE}: {{Instances: [{TWICE}]}}}}}}}}\n") == [
        f"instance {TWICE} is in several series; only the instance in series {ONE} changes"
    ]


def test_an_instance_of_a_removed_series_is_no_other_instance() -> None:
    removal = f"absent: {{Study: {{Series: {{{TWO}: {{}}}}}}}}\n"
    assert notes(asked({ONE: [TWICE]}) + removal) == []
