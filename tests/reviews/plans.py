"""Plans as reviewers meet them, made from manifests and documents by the real stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from reconciler.core.model.plan import Basis, Plan, Released, Since, StoreIdentity
from reconciler.core.plan import eta_seconds
from reconciler.core.plan.at_base import BaseActions, with_base
from tests.documents import DATASTORE_ID, document, instance, series
from tests.planning import Stage

COMMIT = "5f0c1d2e3b4a59687786a5b4c3d2e1f001122334"
# Text that draws, commands, links, mentions or reverses where a sink does not escape it.
HOSTILE = (
    "</details><script>alert(1)</script>",
    "@all see https://evil.example/?a=b and www.evil.example, mail a@evil.example",
    "a|b | `c` ``d`` <!-- -->",
    "line\nbreak\r\n::error::no",
    "$\\sqrt{x}$ #1 GH-1 ![x](https://evil.example/x.png)",
    "\u202eevil\u202c \u05d3\u05d5\u05d3 abc",
    "* - # > 1. ~~~ --- ***",
)


def _id(number: int) -> str:
    return f"{number:032x}"


def _document(number: int, *, study: int | None = None, **patient: Any) -> dict[str, Any]:
    uid = f"1.2.840.99.{number}.1"
    return document(
        series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2")]),
        image_set_id=_id(number),
        patient={"PatientName": "Doe^Peter", "PatientID": f"P{number:05}", "PatientSex": "M"}
        | patient,
        study={"StudyInstanceUID": f"1.2.840.99.{number if study is None else study}"},
    )


def _plan(stage: Stage, *manifests: str) -> Plan:
    actions = stage.plan(*manifests)
    basis = Basis(
        COMMIT,
        2,
        is_clean=True,
        datastores=(StoreIdentity("research", DATASTORE_ID, "us-east-1", "123456789012"),),
        settings_digest="sha256:5f0c1d2e3b4a5968",
    )
    return Plan(basis, actions, eta_seconds=eta_seconds(actions, stage.settings))


def _list(numbers: range) -> str:
    return ", ".join(map(_id, numbers))


def _abdomen(held: dict[str, Any]) -> None:
    held["Study"]["DICOM"]["StudyDescription"] = "ABDOMEN"


def one() -> Plan:
    """One image set: a name is corrected, with consent."""
    stage = Stage()
    stage.put(_document(1))
    return _plan(
        stage,
        f"""\
        imageSetId: {_id(1)}
        reason: Name misspelt at registration, RAD-1234
        allow: [CHANGES_PATIENT_IDENTITY]
        present:
          Patient:
            DICOM:
              PatientName: Doe^Pieter
          Study:
            DICOM:
              StudyDate: 20260102
        """,
    )


def many() -> Plan:
    """One edit of 400 image sets in 87 studies. One of them holds another value."""
    stage = Stage()
    for number in range(1, 401):
        sex = "U" if number == 77 else "O"
        stage.put(_document(number, study=number % 87, PatientSex=sex))
    return _plan(
        stage,
        f"""\
        imageSetIds: [{_list(range(1, 401))}]
        allow: [CHANGES_PATIENT_IDENTITY]
        present:
          Patient:
            DICOM:
              PatientSex: F
        """,
    )


def identifiers() -> Plan:
    """A different PatientID for each of 100 image sets."""
    stage = Stage()
    texts = []
    for number in range(1, 101):
        stage.put(_document(number))
        texts.append(
            f"imageSetId: {_id(number)}\n"
            "allow: [CHANGES_PATIENT_IDENTITY]\n"
            f"present:\n  Patient:\n    DICOM:\n      PatientID: STUDY7-{number:03}\n"
        )
    head = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"
    return _plan(stage, f"---\n{head}".join(texts))


def refused() -> Plan:
    """Consent is missing for some, an image set is gone, one is busy."""
    stage = Stage()
    for number in range(1, 6):
        stage.put(_document(number))
    return _plan(
        stage,
        f"""\
        imageSetIds: [{_list(range(1, 5))}]
        present:
          Patient:
            DICOM:
              PatientName: Doe^Pieter
        """,
        f"""\
        imageSetId: {_id(999)}
        present:
          Study:
            DICOM:
              StudyDescription: CT CHEST
        """,
        f"""\
        imageSetId: {_id(5)}
        present:
          Study:
            DICOM:
              StudyDescription: CT CHEST
        """,
    )


def drift() -> Plan:
    """Values that were changed outside: one is overwritten with consent, one is held back."""
    stage = Stage()
    manifests = [
        f"""\
        imageSetId: {_id(number)}
        {consent}
        present:
          Study:
            DICOM:
              StudyDescription: CT CHEST
        """
        for number, consent in ((1, "allow: [OVERWRITES_DRIFT@2]"), (2, "reason: RAD-77"))
    ]
    for number in (1, 2):
        held = _document(number)
        held["Study"]["DICOM"]["StudyDescription"] = "CT CHEST"
        stage.put(held)
    stage.record(*manifests)
    for number in (1, 2):
        stage.service.foreign(_id(number), _abdomen)
    return _plan(stage, *manifests)


def removals() -> Plan:
    """Attributes, an instance and an item of a sequence are removed or replaced."""
    stage = Stage()
    for number in range(1, 4):
        held = _document(number)
        held["Patient"]["DICOM"]["OtherPatientIDsSequence"] = [
            {"PatientID": "11", "IssuerOfPatientID": "A"},
            {"PatientID": "22", "IssuerOfPatientID": "A"},
        ]
        stage.put(held)
    return _plan(
        stage,
        f"""\
        imageSetIds: [{_list(range(1, 4))}]
        force: true
        allow: [CHANGES_PATIENT_IDENTITY]
        present:
          Patient:
            DICOM:
              OtherPatientIDsSequence:
                - PatientID: "11"
                  IssuerOfPatientID: A
                - PatientID: "33"
                  IssuerOfPatientID: A
        absent:
          Study:
            DICOM: [AccessionNumber]
        """,
        f"""\
        imageSetId: {_id(1)}
        allow: [REMOVES_INSTANCE]
        absent:
          Study:
            Series:
              1.2.840.99.1.1:
                Instances: [1.2.840.99.1.1.2]
        """,
    )


def merge() -> Plan:
    """Image sets of three patients get one PatientID: two with consent, one without."""
    stage = Stage()
    names = ("Doe^Peter", "Roe^Jane", "Poe^Edgar")
    for number, name in enumerate(names, 1):
        stage.put(_document(number, PatientName=name))
    return _plan(
        stage,
        f"""\
        imageSetIds: [{_list(range(1, 3))}]
        reason: One person was registered twice, RAD-1301
        allow: [CHANGES_PATIENT_IDENTITY, MERGES_PATIENTS@2]
        present:
          Patient:
            DICOM:
              PatientID: MPI-0042
        """,
        f"""\
        imageSetId: {_id(3)}
        allow: [CHANGES_PATIENT_IDENTITY]
        present:
          Patient:
            DICOM:
              PatientID: MPI-0042
        """,
    )


def hostile() -> Plan:
    """Live values that draw, command, link, mention or reverse text."""
    stage = Stage()
    for number, text in enumerate(HOSTILE, 1):
        held = _document(number, PatientName=text)
        held["Study"]["DICOM"]["StudyDescription"] = text
        stage.put(held)
    return _plan(
        stage,
        f"""\
        imageSetIds: [{_list(range(1, len(HOSTILE) + 1))}]
        allow: [CHANGES_PATIENT_IDENTITY]
        present:
          Patient:
            DICOM:
              PatientName: Doe^Pieter
          Study:
            DICOM:
              StudyDescription: "a|b <b>@all</b> `x`"
        """,
    )


def compared() -> Plan:
    """A pull request adds image sets to a list without consent, and releases others."""
    stage = Stage()
    for number in range(1, 15):
        stage.put(_document(number))
    names = """\
        imageSetIds: [{}]
        present:
          Patient:
            DICOM:
              PatientName: Doe^Pieter
        """
    pending = f"""\
        imageSetId: {_id(14)}
        present:
          Study:
            DICOM:
              StudyDescription: CT CHEST
        """
    then = names.format(_list(range(1, 9))), pending
    now = names.format(_list(range(1, 14))), pending
    base = BaseActions(
        stage.plan(*then),
        {ask.image_set_id for ask in stage.asks(*then)},
        unknown={_id(8)},
        changed={_id(number) for number in range(9, 14)},
    )
    plan = _plan(stage, *now)
    gone = tuple(Released("research", DATASTORE_ID, _id(number)) for number in range(20, 25))
    return replace(
        plan,
        basis=replace(plan.basis, since=Since(COMMIT[::-1], settings=True, released=gone)),
        actions=tuple(with_base(action, base) for action in plan.actions),
    )


def everything() -> Plan:
    """The actions of several of these plans, so that every section has an entry."""
    made = [many(), refused(), drift(), removals()]
    return Plan(made[0].basis, tuple(action for plan in made for action in plan.actions))


PLANS: Mapping[str, Callable[[], Plan]] = {
    made.__name__: made
    for made in (one, many, identifiers, refused, drift, removals, merge, hostile, compared)
}
