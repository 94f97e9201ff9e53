"""Which characters a character set holds, and the note about those that it does not hold."""

from __future__ import annotations

import pytest

from reconciler.core.dicom.charset import holds
from tests.documents import document, instance, series
from tests.planning import Stage

A = "a" * 32


@pytest.mark.parametrize(
    ("terms", "text", "expected"),
    [
        ((), "Doe^Peter", True),
        ((), "Müller", False),
        (("ISO_IR 100",), "Müller", True),
        (("ISO_IR 100",), "山田", False),
        (("ISO_IR 192",), "山田 قباني", True),
        (("GB18030",), "山田", True),
        (("", "ISO 2022 IR 87"), "Yamada=山田", True),
        (("ISO 2022 IR 6", "ISO 2022 IR 100"), "Müller", True),
        (("ISO_IR 144",), "Люкceмбypг", True),
        (("ISO_IR 999",), "山田", True),
    ],
)
def test_what_a_character_set_holds(terms: tuple[str, ...], text: str, expected: bool) -> None:
    assert holds(terms, text) is expected


@pytest.mark.parametrize(
    ("name", "charset", "noted"),
    [("山田^太郎", "ISO_IR 100", True), ("山田^太郎", "ISO_IR 192", False), ("Doe", None, False)],
)
def test_a_plan_notes_what_the_objects_cannot_hold(
    name: str, charset: str | None, noted: bool
) -> None:
    stage = Stage()
    uid = "1.2.1"
    block = instance(f"{uid}.1", SpecificCharacterSet=charset)
    stage.put(document(series(uid, [block]), image_set_id=A))
    action = stage.action(
        f"""\
        imageSetId: {A}
        allow: [CHANGES_PATIENT_IDENTITY]
        present:
          Patient:
            DICOM:
              PatientName: {name}
        """
    )
    found = [note.message for note in action.notes if "SpecificCharacterSet" in note.message]
    assert bool(found) is noted
    assert name not in "".join(found)
