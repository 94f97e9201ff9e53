"""A planted digest of a birth date is guessed, whatever it is over and however it is written."""

from __future__ import annotations

import base64

import pytest

from tests.canary import guesses
from tests.canary.guesses import DIGESTS, FRAMES, guessed
from tests.canary.marks import EARLIER, LIVE
from tests.canary.search import digests, zipped


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("kind", DIGESTS)
def test_a_planted_digest_is_guessed(
    frame: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 100 of the dates, since there are many pairs.
    monkeypatch.setattr(guesses, "DATES", [*guesses.DATES[:100], LIVE.date])
    made = DIGESTS[kind](FRAMES[frame](LIVE.date).encode())
    for text in (f"sha: {made}", made[:16], base64.b64encode(bytes.fromhex(made)).decode()):
        assert (LIVE.date, frame, kind) in set(guessed(digests(text)))
    assert not list(guessed(digests(made.replace(made[:16], "0" * 16)[:-16])))


def test_a_digest_in_a_zipped_text_is_guessed() -> None:
    made = DIGESTS["SHA-256"](LIVE.date.encode())
    assert made[:16] in digests(base64.b64encode(zipped(made.encode())))


def test_all_marks_are_among_the_dates() -> None:
    assert {LIVE.date, EARLIER.date} <= set(guesses.DATES)
