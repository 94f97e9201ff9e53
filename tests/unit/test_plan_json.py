"""`plan --json` writes every value, also one that its fast encoder refuses."""

from __future__ import annotations

import pytest

from reconciler.core.model.address import PATIENT
from reconciler.core.model.change import Change, Op
from reconciler.core.model.plan import Action, Basis, Member, Plan, Status
from reconciler.core.model.settings import Redact
from reconciler.core.model.value import Json, Value
from reconciler.core.review import review
from tests.printed import plan_json


@pytest.mark.parametrize(
    "value",
    [
        "Doe^Jane",
        2**64,
        -(2**80),
        # Half of a surrogate pair: JSON allows it in a string (RFC 8259, section 8.2).
        "\ud800",
        [{"00091001": {"vr": "UV", "Value": [2**64 - 1]}}],
        1e300,
        -0.0,
    ],
)
def test_a_value_is_written_as_it_was_read(value: Json) -> None:
    change = Change(
        image_set_id="1" * 32,
        op=Op.UPDATE,
        address=PATIENT,
        key="PatientComments",
        tag=0x00104000,
        vr="LT",
        before=Value(value),
        after=Value("as asked"),
        place=None,
    )
    member = Member("1" * 32, "1")
    action = Action("research", "2" * 32, Status.UPDATE, (member,), (change,))
    document = plan_json(review(Plan(Basis("0" * 40, 1), (action,)), Redact.NONE))
    assert document["actions"][0]["changes"][0]["before"] == {"value": value}
