"""Plans made by hand, so that a renderer is tested without the stages before it."""

from __future__ import annotations

from reconciler.core.errors import Place
from reconciler.core.model.address import PATIENT, STUDY, Address, instance_at, series_at
from reconciler.core.model.change import Block, Change, Note, Op
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.plan import Action, Basis, HazardUse, Member, Plan, Status, Step
from reconciler.core.model.value import Json, Value

SERIES = "1.2.840.99.5.1.20260101.1"
MANIFEST = Place("manifests/doe.yaml", 1, 1)


def ident(number: int) -> str:
    """An imageSetId."""
    return f"{number:032x}"


def change(
    op: Op,
    key: str,
    tag: int | None,
    before: Json = None,
    after: Json = None,
    *,
    address: Address = PATIENT,
    line: int = 12,
    image_set: str = ident(1),
    vr: str = "LO",
    hazards: tuple[Hazard, ...] = (),
    force: tuple[str, ...] = (),
    drifted: bool = False,
    send_vr: bool = False,
) -> Change:
    """One change, asked at a line of manifests/doe.yaml."""
    return Change(
        image_set_id=image_set,
        op=op,
        address=address,
        key=key,
        tag=tag,
        vr=vr,
        before=None if op is Op.ADD else Value(before),
        after=None if op is Op.REMOVE else Value(after),
        place=Place("manifests/doe.yaml", line, 7),
        hazards=hazards,
        force_reasons=force,
        drifted=drifted,
        baseline="4" if drifted else "3",
        consent_versions=("5",) if drifted else (),
        send_vr=send_vr,
    )


def step(image_set: str, pin: str, *raises: str) -> Step:
    """A call that raises the versions of image sets, by default of its own."""
    expected = tuple((one, "sha256:00") for one in raises or (image_set,))
    return Step("d" * 32, image_set, pin, expected, updatable='{"SchemaVersion":1.1}')


def action(status: Status, number: int, *changes: Change, pin: str = "1", **more: object) -> Action:
    """An action on one image set, with one step where it may run."""
    name = ident(number)
    runs = status in (Status.UPDATE, Status.DRIFTED)
    fields: dict[str, object] = {"steps": (step(name, pin),) if runs else (), **more}
    return Action(
        datastore="research",
        datastore_id="d" * 32,
        status=status,
        members=(Member(name, pin, asked=("Patient/PatientName",), recorded=True),),
        changes=changes,
        **fields,  # type: ignore[arg-type]
    )


def plan(*actions: Action, eta: float = 0.0) -> Plan:
    """A plan of some actions."""
    return Plan(Basis("", 1), actions, eta_seconds=eta)


def everyday() -> Plan:
    """What most plans look like: some edits, one refusal, the rest converged."""
    name = change(
        Op.UPDATE,
        "PatientName",
        0x00100010,
        "Doe^Peter",
        "Doe^Pieter",
        vr="PN",
        hazards=(Hazard.CHANGES_PATIENT_IDENTITY,),
    )
    return plan(
        action(
            Status.UPDATE,
            1,
            name,
            change(
                Op.ADD, "StudyDescription", 0x00081030, after="CT CHEST", address=STUDY, line=15
            ),
            change(
                Op.REMOVE,
                "ReferringPhysicianName",
                0x00080090,
                "Smith^A",
                address=STUDY,
                line=20,
                hazards=(Hazard.REMOVES_ATTRIBUTE,),
            ),
            change(
                Op.UPDATE,
                "SoftwareVersions",
                0x00181020,
                ["1.06"],
                ["1.07"],
                address=series_at(SERIES),
                line=17,
                force=("multi-valued attribute",),
                hazards=(Hazard.FORCE,),
            ),
            hazards=(
                HazardUse(Hazard.REMOVES_ATTRIBUTE, ident(1), True),
                HazardUse(Hazard.FORCE, ident(1), True),
                HazardUse(Hazard.CHANGES_PATIENT_IDENTITY, ident(1), True),
            ),
            released=("Patient/PatientComments",),
            notes=(Note(ident(1), "`allow: CHANGES_UID` is not needed", MANIFEST),),
        ),
        action(
            Status.BLOCKED,
            2,
            change(
                Op.REMOVE_INSTANCE,
                "",
                None,
                address=instance_at(SERIES, "1.2.840.99.5.1.20260101.1.7"),
                image_set=ident(2),
                line=30,
                hazards=(Hazard.REMOVES_INSTANCE,),
            ),
            hazards=(
                HazardUse(
                    Hazard.REMOVES_INSTANCE,
                    ident(2),
                    False,
                    "allow: [CHANGES_UID, REMOVES_INSTANCE]",
                    MANIFEST,
                ),
            ),
        ),
        action(
            Status.BLOCKED,
            3,
            blocks=(
                Block(
                    ident(3),
                    "there is no such series in version 1",
                    "Find the right UID with: reconcile import",
                    Place("manifests/doe.yaml", 41, 9),
                    "Study/Series/1.2.3",
                ),
            ),
        ),
        action(Status.BUSY, 4),
        action(Status.CONVERGED, 5),
        action(Status.CONVERGED, 6),
        eta=4,
    )


def drift(consented: bool) -> Plan:
    """An attribute that we ask for was changed outside this repository."""
    moved = change(
        Op.UPDATE,
        "StudyDescription",
        0x00081030,
        "edited by hand",
        "CT CHEST",
        address=STUDY,
        drifted=True,
        hazards=(Hazard.OVERWRITES_DRIFT,),
    )
    line = "" if consented else "allow: [OVERWRITES_DRIFT@5]"
    use = HazardUse(Hazard.OVERWRITES_DRIFT, ident(1), consented, line, MANIFEST)
    steps = (step(ident(1), "5"),) if consented else ()
    return plan(action(Status.DRIFTED, 1, moved, pin="5", hazards=(use,), steps=steps))


def study() -> Plan:
    """Three primary image sets of one study, one of them named by no manifest."""
    names = [ident(number) for number in (1, 2, 3)]
    shared = [
        change(Op.UPDATE, "PatientID", 0x00100020, "98890234", "98890235", image_set=name)
        for name in names
    ]
    own = change(
        Op.UPDATE,
        "SeriesDescription",
        0x0008103E,
        "Scout",
        "SCOUT",
        address=series_at(SERIES),
        image_set=names[1],
        line=33,
    )
    members = tuple(
        Member(name, pin, True, asked=asked)
        for name, pin, asked in zip(names, ("1", "1", "4"), (("x",), ("x",), ()), strict=True)
    )
    return plan(
        Action(
            datastore="research",
            datastore_id="d" * 32,
            status=Status.UPDATE,
            members=members,
            changes=(*shared, own),
            hazards=(HazardUse(Hazard.STUDY_WIDE, names[0], True),),
            steps=(step(names[0], "1", *names), step(names[1], "2")),
        ),
        eta=4,
    )


def fleet(count: int = 300) -> Plan:
    """The same edit of many image sets, and of many instances of one image set."""
    actions = [
        action(
            Status.UPDATE,
            number,
            change(Op.UPDATE, "PatientSex", 0x00100040, "F", "O", vr="CS", image_set=ident(number)),
        )
        for number in range(1, count + 1)
    ]
    many = [
        change(
            Op.UPDATE,
            "PatientOrientation",
            0x00200020,
            ["L", "P"],
            ["R", "A"],
            address=instance_at(SERIES, f"1.2.840.99.5.1.20260101.1.{number}"),
            image_set=ident(count + 1),
            vr="CS",
        )
        for number in range(1, 51)
    ]
    return plan(*actions, action(Status.UPDATE, count + 1, *many), eta=count * 4)


def hostile() -> Plan:
    """Live values that try to draw on the terminal, and some that are hard to lay out."""
    long = "A report that goes on and on, with nothing to see until its very last word: "
    return plan(
        action(
            Status.UPDATE,
            1,
            change(Op.UPDATE, "PatientName", 0x00100010, "\x1b[2J\x1b[31mDoe\x9b\r\n", "Doe"),
            change(Op.UPDATE, "PatientID", 0x00100020, "12\u202e34", "12\u00a034"),
            change(Op.UPDATE, "PatientComments", 0x00104000, long * 3 + "left", long * 3 + "right"),
            change(Op.UPDATE, "OtherPatientNames", 0x00101001, ["王^小東"], ["홍^길동"], vr="PN"),
            change(Op.ADD, "7FDD1001", 0x7FDD1001, after="QUJD" * 100, vr="UN", send_vr=True),
            change(Op.UPDATE, "PatientSex", 0x00100040, None, "F"),
            change(Op.REMOVE, "PatientBirthTime", 0x00100032, ""),
        )
    )


def lookalikes() -> Plan:
    """Values that look the same before and after, and text from right to left."""
    long = "Ein Befund, der lange nichts sagt: "
    return plan(
        action(
            Status.UPDATE,
            1,
            change(Op.UPDATE, "PatientName", 0x00100010, "Garcia^Jos\u00e9", "Garcia^Jose\u0301"),
            change(Op.UPDATE, "OtherPatientNames", 0x00101001, ["Garcia"], ["G\u0430rcia"]),
            change(Op.UPDATE, "PatientID", 0x00100020, "12 34", "12\u2800\u034f34"),
            change(
                Op.UPDATE, "Modality", 0x00080060, "CT", "\u0421\u0422", address=series_at("1.2")
            ),
            change(
                Op.UPDATE, "PatientComments", 0x00104000, long * 3 + "\u00e9", long * 3 + "e\u0301"
            ),
            change(Op.UPDATE, "StudyDescription", 0x00081030, "שרון 12", "قباني", address=STUDY),
            change(Op.ADD, "ReferringPhysicianName", 0x00080090, after="שרון^א", address=STUDY),
        )
    )
