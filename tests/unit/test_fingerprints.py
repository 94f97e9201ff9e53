"""Fingerprints of live values: what they are equal for, and which keys are accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePath

import pytest

from reconciler.core.errors import ReconcilerError
from reconciler.core.model.address import PATIENT, STUDY, instance_at
from reconciler.core.model.change import Change, Op
from reconciler.core.model.plan import Status
from reconciler.core.model.settings import Redact, Settings
from reconciler.core.model.value import Value
from reconciler.core.review import FingerprintKey, review
from reconciler.core.review.fingerprint import KEY_BYTES
from reconciler.core.review.model import ShownAction
from reconciler.edges.fingerprint_key import read
from reconciler.render.style import Look
from reconciler.render.text import plan_lines
from tests.cli import samples

SECRET = bytes(range(KEY_BYTES))
KEY = FingerprintKey(SECRET)
STORE, OTHER_STORE = "1" * 32, "2" * 32
CHANGE = Change("a" * 32, Op.UPDATE, PATIENT, "PatientName", 0x00100010, "PN", Value("Doe"), None)
SETTINGS = Settings(PurePath("/nowhere"), "manifests", (), fingerprint_key="RECONCILE_KEY")


def fingerprint(change: Change = CHANGE, store: str = STORE, key: FingerprintKey = KEY) -> str:
    return key.fingerprint(store, change)


def test_it_is_an_hmac_over_parts_with_their_lengths() -> None:
    """Written out, so that no later version gives another fingerprint for the same value."""
    purpose = "reconciler/v1/fingerprint of a live value"
    parts = [purpose, STORE, "a" * 32, "Patient", "PatientName", '"Doe"']
    framed = b"".join(len(part).to_bytes(8, "big") + part.encode() for part in parts)
    whole = hmac.new(SECRET, framed, hashlib.sha256).hexdigest()
    assert fingerprint() == whole[:16]


DIFFERENT = {
    "another value": replace(CHANGE, before=Value("Doe^Jane")),
    "a list": replace(CHANGE, before=Value(["Doe"])),
    "with a space": replace(CHANGE, before=Value("Doe ")),
    "an empty value": replace(CHANGE, before=Value("")),
    "no text": replace(CHANGE, before=Value(None)),
    "a number": replace(CHANGE, before=Value(1)),
    "a decimal": replace(CHANGE, before=Value(1.0)),
    "digits": replace(CHANGE, before=Value("1")),
    "true": replace(CHANGE, before=Value(True)),
    "another image set": replace(CHANGE, image_set_id="b" * 32),
    "another attribute": replace(CHANGE, key="PatientID", tag=0x00100020),
    "another level": replace(CHANGE, address=STUDY),
    "an instance": replace(CHANGE, address=instance_at("1.2", "1.2.3")),
    "the same digits elsewhere": replace(CHANGE, address=instance_at("1.2.1", ".2.3")),
    "a malformed series": replace(CHANGE, address=instance_at("1.2/Instances/1", "2.3")),
}


def test_anything_else_gives_another_fingerprint() -> None:
    found = [fingerprint(), fingerprint(store=OTHER_STORE)]
    found += [fingerprint(change) for change in DIFFERENT.values()]
    found.append(fingerprint(key=FingerprintKey(SECRET[::-1])))
    assert len(set(found)) == len(found) == len(DIFFERENT) + 3
    assert all(len(one) * 4 >= 64 for one in found)


def test_the_ask_does_not_change_it() -> None:
    """The next plan may ask for another value, or remove the attribute."""
    other = replace(
        CHANGE, op=Op.REMOVE, after=Value("Roe"), drifted=True, baseline="3", vr="LO", send_vr=True
    )
    assert fingerprint(other) == fingerprint()


def test_only_a_live_value_of_an_attribute_has_one() -> None:
    assert fingerprint(replace(CHANGE, op=Op.ADD, before=None)) == ""
    assert fingerprint(replace(CHANGE, op=Op.REMOVE_INSTANCE, key="", before=Value(None))) == ""


@pytest.mark.parametrize("redact", Redact)
def test_masks_and_labels_do_not_change_it(redact: Redact) -> None:
    """A label such as `<masked 2>` has another number in a plan of other changes."""
    odd = replace(CHANGE, key="Doe", tag=None, address=instance_at("Doe^Jane", "1.2"))
    action = samples.action(Status.UPDATE, 1, CHANGE, odd)
    (only,) = review(samples.plan(action), redact, fingerprints=KEY).actions
    shown = only.changes
    assert (shown[1].key == "Doe") is (redact is Redact.NONE)
    assert [one.fingerprint for one in shown] == [
        fingerprint(change, action.datastore_id) for change in (CHANGE, odd)
    ]


def test_a_review_without_a_key_has_none() -> None:
    shown = review(samples.hostile(), Redact.NONE)
    assert {change.fingerprint for action in shown.actions for change in action.changes} == {""}


def test_text_makes_the_actions_for_fingerprints_only() -> None:
    """Each is made when it is read, and that takes time on a plan of thousands."""
    look = Look(color=False, width=100)
    plan = samples.fleet(20)
    for key, reads in ((None, 0), (KEY, 1)):
        shown = review(plan, Redact.NONE, fingerprints=key)
        counted = Counted(shown.actions)
        list(plan_lines(replace(shown, actions=counted), look))
        assert counted.reads == reads


class Counted:
    """Actions that count how often they are read."""

    def __init__(self, actions: Iterable[ShownAction]) -> None:
        self.reads = 0
        self._actions = actions

    def __iter__(self) -> Iterator[ShownAction]:
        self.reads += 1
        return iter(self._actions)


# The key


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper() + "\n",
        base64.b64encode(SECRET).decode(),
        base64.urlsafe_b64encode(bytes(range(200, 240)) + SECRET).decode().rstrip("="),
        base64.encodebytes(SECRET * 3).decode(),  # `openssl rand -base64 96` prints two lines
    ],
)
def test_a_key_is_hex_or_base64(text: str) -> None:
    key = read(SETTINGS, {"RECONCILE_KEY": text})
    assert SECRET in key.secret and len(key.secret) >= KEY_BYTES


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not set"),
        (" \n", "is not set"),
        (SECRET.hex()[2:], "too short: it needs at least 32 random bytes"),
        (base64.b64encode(SECRET[:31]).decode(), "too short"),
        (SECRET.hex()[1:], "neither hex nor base64"),
        ("correct horse, battery staple! " * 2, "neither hex nor base64"),
        ("é" * 64, "neither hex nor base64"),
        ("\udcff" * 64, "neither hex nor base64"),
        ("A" * 43 + "=A", "neither hex nor base64"),
        ("0" * 64, "is not random: its bytes repeat"),
        ("0123456789abcdef" * 4, "is not random"),
    ],
)
def test_a_key_that_cannot_be_used(text: str, problem: str) -> None:
    with pytest.raises(ReconcilerError) as caught:
        read(SETTINGS, {"RECONCILE_KEY": text})
    error = caught.value
    assert problem in error.message and "variable RECONCILE_KEY" in error.message
    assert "export RECONCILE_KEY=$(openssl rand -hex 32)" in error.hint
    assert not text.strip() or text.strip()[:8] not in f"{error.message}{error.hint}"
    assert error.__cause__ is None and error.__context__ is None


def test_no_setting_names_the_variable() -> None:
    with pytest.raises(ReconcilerError) as caught:
        read(replace(SETTINGS, fingerprint_key=""), {"RECONCILE_KEY": SECRET.hex()})
    assert "reconciler.yaml has no `fingerprintKey`" in caught.value.message
    assert "fingerprintKey: RECONCILE_KEY" in caught.value.hint


def test_a_key_prints_as_stars() -> None:
    assert f"{KEY}{KEY!r}{[KEY]}" == "FingerprintKey(***)" * 2 + "[FingerprintKey(***)]"
    assert SECRET.hex() not in json.dumps(repr(KEY))
