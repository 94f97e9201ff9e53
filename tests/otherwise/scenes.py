"""What is in the data store and in the manifests before the first plan."""

from __future__ import annotations

import json
from typing import Any

from reconciler.core.model.settings import Permission
from tests.documents import document, instance, series
from tests.otherwise.cycle import ABSENT, Raw, Stage

A, B = "a" * 32, "b" * 32
SERIES, OTHER_SERIES = "1.2.840.99.21", "1.2.840.99.22"
DESCRIBED = ("Study/StudyDescription", "CT CHEST")
COMMENTED = ("Patient/PatientComments", "note")


def content(name: str = A, uid: str = SERIES, *more: Raw, **study: Any) -> Raw:
    """A document of one series with two instances."""
    block = series(uid, [instance(f"{uid}.1"), instance(f"{uid}.2", number="2 ")])
    return document(block, *more, image_set_id=name, study=study)


def present(*wanted: tuple[str, object], allow: str = "", more: str = "") -> str:
    """A manifest that asks for values of Patient and Study level."""
    levels: dict[str, dict[str, dict[str, object]]] = {}
    for path, value in wanted:
        level, keyword = path.split("/")
        levels.setdefault(level, {"DICOM": {}})["DICOM"][keyword] = value
    allowed = f"allow: [{allow}]\n" if allow else ""
    return f"{allowed}{more}present: {json.dumps(levels)}\n"


def one(on: Stage, *wanted: tuple[str, object], allow: str = "", more: str = "") -> None:
    """One image set, by default with a new study description."""
    wanted = wanted or (DESCRIBED,)
    on.put(content())
    on.asks(A, present(*wanted, allow=allow, more=more), *wanted)


def of_2023(on: Stage) -> None:
    """One image set whose document lacks what later documents have."""
    found = content()
    for block in found["Study"]["Series"].values():
        for held in block["Instances"].values():
            del held["StoredTransferSyntaxUID"]
    on.put(found)
    on.asks(A, present(DESCRIBED), DESCRIBED)


def with_checksums(on: Stage) -> None:
    """One image set whose document states the checksums of its frames."""
    found = content()
    for block in found["Study"]["Series"].values():
        for held in block["Instances"].values():
            for frame in held["ImageFrames"]:
                checksum = {"Width": 128, "Height": 128, "Checksum": 740549643}
                frame["PixelDataChecksumFromBaseToFullResolution"] = [checksum]
    on.put(found)
    on.asks(A, present(DESCRIBED), DESCRIBED)


def forced(on: Stage, *more: tuple[str, object]) -> None:
    """An update that needs force."""
    one(on, ("Study/StudyID", "S2"), *more, more="force: true\n")


def primary(on: Stage, body: str, *wanted: tuple[str, object]) -> None:
    """One primary image set."""
    on.put(content(), primary=True)
    on.asks(A, body, *wanted)


def study(on: Stage, *wanted: tuple[str, object], held_by_b: object = "CHEST") -> None:
    """Two primary image sets of a study; a manifest of one of them asks for something of it."""
    wanted = wanted or (DESCRIBED,)
    on.put(content(), primary=True)
    on.put(content(B, OTHER_SERIES, StudyDescription=held_by_b), primary=True)
    on.asks(A, present(*wanted, allow="STUDY_WIDE"), *wanted)
    on.asked += [type(asked)(B, asked.path, asked.value) for asked in list(on.asked)]


def removed(on: Stage, keyword: str = "KVP", more: str = "") -> None:
    """An attribute of every instance is removed; its value has padding."""
    on.put(content())
    body = (
        f'absent: {{Study: {{Series: {{"*": {{Instances: {{"*": {{DICOM: [{keyword}]}}}}}}}}}}}}\n'
    )
    on.asks(A, more + body, (f"Instances/*/{keyword}", ABSENT))


def voltage(on: Stage) -> None:
    """A value of every instance, whatever instances there are."""
    on.put(content(), primary=True)
    body = 'present: {Study: {Series: {"*": {Instances: {"*": {DICOM: {KVP: "90"}}}}}}}\n'
    on.asks(A, body, ("Instances/*/KVP", "90"))


def renamed(on: Stage) -> None:
    """An instance gets a new UID."""
    on.put(content())
    old, new = f"{SERIES}.1", f"{SERIES}.7"
    body = (
        "allow: [CHANGES_UID]\nforce: true\npresent: {Study: {Series: "
        f'{{"{SERIES}": {{Instances: {{"{old}": {{DICOM: {{SOPInstanceUID: "{new}"}}}}}}}}}}}}}}\n'
    )
    on.asks(A, body)
    # The key of the instance may change or not; its values are those of the other instance.
    on.before[A] = {
        path: value for path, value in on.before[A].items() if f"Instances/{old}/" not in path
    }


def without_a_series(on: Stage) -> None:
    """One of two series is removed."""
    uid = OTHER_SERIES
    on.put(content(A, SERIES, series(uid, [instance(f"{uid}.1")])))
    body = f'allow: [REMOVES_SERIES]\nabsent: {{Study: {{Series: ["{uid}"]}}}}\n'
    on.asks(A, body, (f"Series/{uid}", ABSENT), (f"Instances/{uid}.1", ABSENT))


def without_its_last_series(on: Stage) -> None:
    """The only series is removed, which a rule allows."""
    on.rules(remove_last=Permission.ALLOW)
    on.put(content())
    body = f'allow: [REMOVES_SERIES]\nabsent: {{Study: {{Series: ["{SERIES}"]}}}}\n'
    on.asks(A, body, (f"Series/{SERIES}", ABSENT), ("Instances/*", ABSENT))


def removed_by_force(on: Stage) -> None:
    """A multi-valued attribute of every instance is removed with force."""
    removed(on, "WindowCenter", more="force: true\n")


def both_parts(on: Stage) -> None:
    """One call updates and removes."""
    on.put(content())
    body = "absent: {Study: {DICOM: [PatientSize]}}\n" + present(DESCRIBED)
    on.asks(A, body, DESCRIBED, ("Study/PatientSize", ABSENT))


def contradicting(on: Stage) -> None:
    """A manifest that updates and removes one attribute."""
    on.put(content())
    body = "absent: {Study: {DICOM: [StudyDescription]}}\n" + present(DESCRIBED)
    on.asks(A, body, DESCRIBED)


def with_private(on: Stage) -> None:
    """Private elements where none was ever seen: at Study level and inside a sequence."""
    held = content()
    held["Study"]["DICOM"] |= {"00090010": "MAKER", "00091001": "x "}
    held["Study"]["DICOMVRs"] = {"00090010": "LO", "00091001": "LO"}
    for block in held["Study"]["Series"][SERIES]["Instances"].values():
        block["DICOM"]["AnatomicRegionSequence"][0] |= {"00090010": "MAKER", "00091001": "x "}
    on.put(held)
    on.asks(A, present(DESCRIBED), DESCRIBED)


def without_a_data_store(on: Stage) -> None:
    """The data store of the settings does not exist."""
    on.asks(A, present(DESCRIBED))
    on.elsewhere("0" * 32)
