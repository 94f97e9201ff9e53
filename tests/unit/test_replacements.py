"""Every replacement that a problem suggests: with it, the problem is gone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import reconciler
from reconciler.core.ask import manifest_checker, validate
from reconciler.core.dicom.corrections import corrected
from reconciler.core.dicom.dictionary import by_key, by_tag, standard_tags
from reconciler.core.dicom.vr import fits
from reconciler.core.errors import Diagnostic, InputError
from reconciler.core.source import lines_of
from reconciler.edges import schemas
from reconciler.edges.manifests import DEFAULT, PURE, parse
from reconciler.edges.settings import read_settings
from tests.unit.test_validate import HEAD, SETTINGS

CHECKER = manifest_checker(schemas.load("manifest"))
MAKE = ("replaced_by", "rewritten", "_instead")
PATIENT = "present:\n  Patient:\n    DICOM:\n      "
INSTANCE = 'present:\n  Study:\n    Series:\n      "*":\n        Instances:\n          1.2:\n'
ITEMS = "force: true\npresent:\n  Study:\n    DICOM:\n      ProcedureCodeSequence:\n        - "

# The call that makes the replacement: what is wrong, and the corrected line.
MANIFESTS = {
    "core/ask/attributes.py: key.replaced_by(refused.meant)": [
        (f"{PATIENT}PatientsName: Doe", "PatientName: Doe"),
        (f'{PATIENT}"(0010,0010)": Doe', '"PatientName": Doe'),
        ("absent:\n  Patient:\n    DICOM: [patientcomments]", "DICOM: [PatientComments]"),
    ],
    "core/ask/attributes.py: value.replaced_by(problem.meant)": [
        (
            f'force: true\n{INSTANCE}            DICOM: {{"00190010": x}}\n'
            '            DICOMVRs: {"00190010": lo}',
            'DICOMVRs: {"00190010": LO}',
        )
    ],
    "core/ask/consent.py: node.replaced_by(name)": [
        (f"{PATIENT}PatientName: Doe\nallow: [STUDY_WIDE@3]", "allow: [STUDY_WIDE]")
    ],
    "core/ask/consent.py: node.replaced_by(f'{meant}{rest}', holds_value=bool(rest))": [
        (
            f"{PATIENT}PatientName: Doe\nallow:\n- OVERWRITE_DRIFT@5",
            "- OVERWRITES_DRIFT@5",
        )
    ],
    "core/ask/explain.py: found.replaced_by(meant)": [
        (f"{PATIENT}PatientName: Doe\nresaon: RAD-1", "reason: RAD-1"),
        ("present:\n  Pateint:\n    DICOM: {PatientName: Doe}", "Patient:"),
    ],
    "core/ask/explain.py: node.rewritten(meant)": [
        (f"{PATIENT}PatientName: Doe\nforce: yes", "force: true"),
        (f"{PATIENT}PatientName: Doe\nforce: 'False' # no", "force: false # no"),
    ],
    "core/ask/explain.py: node.rewritten(f'[{written(instance)}]', holds_value=True)": [
        (f"{PATIENT}PatientName: Doe\nallow: STUDY_WIDE", "allow: [STUDY_WIDE]")
    ],
    "core/dicom/values.py: wrong[0].replaced_by(text, holds_value=True)": [
        (f"{PATIENT}PatientBirthDate: 1970-01-31", "PatientBirthDate: 19700131"),
        (f'{PATIENT}PatientBirthDate: "1970/1/3" # old', 'PatientBirthDate: "19700103" # old'),
        (f"{PATIENT}{{PatientSex: f, PatientName: Doe}}", "{PatientSex: F, PatientName: Doe}"),
        (
            f"{INSTANCE}            DICOM:\n"
            "              SpecificCharacterSet: [iso_ir 100, ISO_IR 6]",
            "SpecificCharacterSet: [ISO_IR 100, ISO_IR 6]",
        ),
    ],
    "core/dicom/values.py: node.rewritten(f'[{parts}]', holds_value=True)": [
        (
            f"{PATIENT}OtherPatientNames: Doe^P\\Roe, the 2nd",
            'OtherPatientNames: [Doe^P, "Roe, the 2nd"]',
        )
    ],
    "core/dicom/values.py: node.rewritten('\"\"')": [
        (f"{PATIENT}PatientComments: (empty)", 'PatientComments: ""')
    ],
    "core/dicom/values.py: node.rewritten(f'\"{meant}\"', holds_value=True)": [
        (
            f"{INSTANCE}            DICOM:\n              FrameIncrementPointer: 0018,1065",
            'FrameIncrementPointer: "00181065"',
        )
    ],
    "core/dicom/values.py: name.replaced_by(unknown.meant)": [
        (f"{ITEMS}CodeValu: x", "- CodeValue: x"),
    ],
    "edges/manifests/quotes.py: _instead(found, place, written(found['found'], plain=False))": [
        (f"{PATIENT}PatientName: Doe: x # y", 'PatientName: "Doe: x" # y'),
        (f"{PATIENT}PatientName: @home", 'PatientName: "@home"'),
    ],
    "edges/manifests/quotes.py: _instead(found, place, f\"'{doubled}'\")": [
        (f'{PATIENT}PatientComments: "D\\d\'oe"', "PatientComments: 'D\\d''oe'")
    ],
    "edges/manifests/quotes.py: _instead(found, above, "
    "f\"{found['key']}: {written(found['value'])}\")": [
        (
            f"{PATIENT}PatientName:Doe^Peter, 2nd\n      PatientSex: F",
            'PatientName: "Doe^Peter, 2nd"',
        )
    ],
    "edges/manifests/quotes.py: _instead(found, place, '\"*\"')": [
        (
            "present:\n  Study:\n    Series: {*: {DICOM: {Modality: CT}}}",
            'Series: {"*": {DICOM: {Modality: CT}}}',
        )
    ],
}
# The same for a whole manifest.
SELECTS = "apiVersion: reconciler/v1\nkind: ImageSets\ndatastore: research\nname: imported\n"
WHOLE = {
    "core/ask/selectors.py: value.replaced_by(found.corrected, holds_value=True)": (
        f"{SELECTS}select:\n  createdAt: 2026/1/5\n",
        "createdAt: 2026-01-05",
    ),
    "core/ask/document.py: version.replaced_by(API_VERSION)": (
        HEAD.replace("reconciler/v1", "v1"),
        "apiVersion: reconciler/v1",
    ),
    "core/ask/document.py: kind.replaced_by(meant)": (
        HEAD.replace("kind: ImageSet", 'kind: "imageset"'),
        'kind: "ImageSet"',
    ),
    "core/ask/document.py: node.replaced_by(meant)": (
        HEAD.replace("datastore: research", "datastore: Reserach"),
        "datastore: research",
    ),
    "core/ask/explain.py: node.replaced_by(text, holds_value=True)": (
        HEAD.replace("ea92b0d8838c72a3f25d00d13616f87e", "EA92B0D8838C72A3F25D00D13616F87E"),
        "imageSetId: ea92b0d8838c72a3f25d00d13616f87e",
    ),
    "core/ask/ids.py: node.replaced_by(node.text)": (
        HEAD.replace("ea92b0d8838c72a3f25d00d13616f87e", r'"\x65a92b0d8838c72a3f25d00d13616f87e"'),
        'imageSetId: "ea92b0d8838c72a3f25d00d13616f87e"',
    ),
}
CASES = [
    *((HEAD + text, line) for cases in MANIFESTS.values() for text, line in cases),
    *((f"{head}{PATIENT}PatientName: Doe\n", line) for head, line in WHOLE.values()),
]
STORE = 'datastores:\n  research:\n    datastoreId: "12345678901234567890123456789012"\n'
IN_SETTINGS = {
    "core/ask/explain.py: node.replaced_by(meant)": (
        f"redact: identifyng\n{STORE}    region: us-east-1\n",
        "redact: identifying",
    )
}


def problems_of(text: str, parser: object = DEFAULT) -> tuple[Diagnostic, ...]:
    loaded = parse(text, "m.yaml", parser)  # type: ignore[arg-type]
    return loaded.problems or validate(loaded.documents, SETTINGS, CHECKER).problems


def replaced(text: str, problem: Diagnostic) -> str:
    """The text with the replacement of one of its problems."""
    assert problem.replacement is not None
    lines = lines_of(text)
    at = problem.replacement.place.line - 1
    return "\n".join([*lines[:at], problem.replacement.applied(lines[at]), *lines[at + 1 :]])


@pytest.mark.parametrize("parser", [DEFAULT, PURE], ids=["default", "pure"])
@pytest.mark.parametrize(("text", "line"), CASES, ids=[line for _, line in CASES])
def test_with_the_replacement_the_problem_is_gone(text: str, line: str, parser: object) -> None:
    (problem,) = problems_of(text, parser)
    right = replaced(text, problem)
    assert problem.replacement
    assert lines_of(right)[problem.replacement.place.line - 1].strip() == line
    assert problems_of(right, parser) == ()


@pytest.mark.parametrize(("text", "line"), IN_SETTINGS.values())
def test_settings_have_replacements_too(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        read_settings(file)
    (problem,) = raised.value.diagnostics
    file.write_text(replaced(text, problem))
    assert line in file.read_text()
    assert read_settings(file)


def test_every_replacement_has_a_case() -> None:
    assert {*MANIFESTS, *WHOLE, *IN_SETTINGS} == set(_calls())


def _calls() -> Iterator[str]:
    """The calls of the source that make a replacement."""
    package = Path(reconciler.__file__).parent
    for path in sorted(package.rglob("*.py")):
        if path.name == "node.py":
            continue  # it defines them
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in MAKE:
                yield f"{path.relative_to(package).as_posix()}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    "text",
    [
        f"{PATIENT}PatientName: Doe\n      PatientsName: Roe",
        f"{PATIENT}PatientName: Doe\nreason: a\nreasno: b",
        f"{ITEMS}CodeValue: x\n          CodeValu: y",
        f"{PATIENT}PatientBirthDate: 31.01.1970",
        f"{PATIENT}PatientBirthDate: 1970-02-31",
        f"{PATIENT}PatientBirthDate: [1970-01-31]",
        f"{PATIENT}PatientSex: male",
        f"{PATIENT}PatientSex: >-\n        f",
        f"{PATIENT}PatientName: <PN text(1-8)>",
        f"{PATIENT}PatientName: *doe",
        f"{PATIENT}PatientName: Doe\n       PatientSex: F",
        f"{PATIENT}PatientName: {{{'a: ' * 2000}",
    ],
)
def test_nothing_is_suggested_that_is_not_obvious(text: str) -> None:
    found = problems_of(HEAD + text)
    assert found
    assert [one.replacement for one in found] == [None] * len(found)


KEYWORDS = [by_tag(tag).keyword for tag in standard_tags()]


@given(st.sampled_from(KEYWORDS), st.data())
def test_a_misspelt_keyword_gives_a_keyword(keyword: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(keyword) - 1))
    text = f"{HEAD}absent:\n  Patient:\n    DICOM: [{keyword[:at]}{keyword[at + 1 :] or 'x'}]\n"
    for problem in problems_of(text):
        if problem.replacement:
            right = problems_of(replaced(text, problem))
            assert problem.message not in {one.message for one in right}


@given(st.sampled_from(["AS", "CS", "DA", "DT", "TM"]), st.text("0123456789-/.:TZ+ dmywaMÄ"))
def test_a_correction_fits(vr: str, text: str) -> None:
    right = corrected(by_key("PatientName"), vr, text)
    assert right is None or fits(vr, right)


@pytest.mark.parametrize(
    ("vr", "text", "right"),
    [
        ("DT", "2026-01-31T12:30:45.5+01:00", "20260131123045.5+0100"),
        ("DT", "2026-01-31 12:30Z", "202601311230+0000"),
        ("DT", "2026-01-31", "20260131"),
        ("DT", "2026-01-31T99:30", None),
        ("TM", "12:30", "1230"),
        ("TM", "25:00", None),
        ("AS", "18m", "018M"),
        ("AS", "18", None),
        ("CS", "straße", None),
        ("DA", "01/02/1970", None),
        ("LO", "x", None),
    ],
)
def test_corrections(vr: str, text: str, right: str | None) -> None:
    assert corrected(by_key("PatientName"), vr, text) == right
