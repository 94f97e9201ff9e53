"""The selectors in a record: keyed, comparable with those of now, and never a value."""

from __future__ import annotations

from reconciler.core.model.key import Key
from reconciler.core.model.selected import is_stated, joined, merged, opened, sealed, without_key
from tests.documents import DATASTORE_ID, KEY

NOW = (("by-patient", "sha256:1"), ("by-study", "sha256:2"))


def test_a_sealed_digest_is_opened_by_its_key_and_no_other() -> None:
    held = sealed(DATASTORE_ID, NOW, KEY)
    assert not {digest for _, digest in held} & {digest for _, digest in NOW}
    assert opened(DATASTORE_ID, held, NOW, KEY) == NOW
    for key in (Key(bytes(32)), None):
        assert opened(DATASTORE_ID, held, NOW, key) == (("by-patient", ""), ("by-study", ""))


def test_equal_selections_differ_between_names_and_data_stores() -> None:
    one = (("a", "sha256:1"), ("b", "sha256:1"))
    here, there = sealed(DATASTORE_ID, one, KEY), sealed("0" * 32, one, KEY)
    assert len({digest for _, digest in (*here, *there)}) == 4


def test_a_changed_selection_matches_nothing() -> None:
    held = sealed(DATASTORE_ID, NOW, KEY)
    changed = (("by-patient", "sha256:other"),)
    assert opened(DATASTORE_ID, held, changed, KEY) == (("by-patient", ""), ("by-study", ""))


def test_a_lost_key_ends_no_selection() -> None:
    lost = without_key(sealed(DATASTORE_ID, NOW, KEY))
    assert lost == (("by-patient", ""), ("by-study", ""))
    assert opened(DATASTORE_ID, lost, NOW, KEY) == lost
    assert not is_stated(lost, NOW)
    assert merged(lost, NOW) == NOW
    assert merged(lost, (("by-patient", ""),)) == (("by-patient", ""),)
    for one, other in ((lost, NOW), (NOW, lost)):
        assert joined(one, other) == NOW


def test_a_record_states_selectors_or_lacks_one_or_has_one_too_many() -> None:
    assert is_stated(NOW, NOW)
    assert not is_stated(NOW[:1], NOW)
    assert not is_stated(NOW, NOW[:1])
    assert is_stated(NOW[:1], (("by-patient", ""), ("other", "")))
