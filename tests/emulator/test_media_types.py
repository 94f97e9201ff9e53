"""Accept headers, as RFC 9110 has them."""

from __future__ import annotations

import pytest

from reconciler.emulator.wire.media_types import accepts


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", True),
        ("   ", True),
        ("*/*", True),
        ("IMAGE/JPH", True),
        ("image/*", True),
        ("text/html, image/jph", True),
        ("text/html,image/jph;transfer-syntax=1.2.840.10008.1.2.4.202", True),
        ('image/jph; profile="a;b"; q=0.001', True),
        ("image/jphc", False),
        ("text/*", False),
        ("*/jph", False),
        ("image/jph;q=0", False),
        ("image/jph; q=0.0", False),
        ("*/*;q=0", False),
        # The most exact range decides, wherever it is.
        ("image/jph;q=0, */*", False),
        ("*/*;q=0, image/jph", True),
        ("image/*;q=0, */*", False),
        ("image/jph;q=0, image/jph", True),
        # What is no range is ignored.
        ("nonsense", False),
        ("nonsense, image/jph", True),
        ("/jph", False),
    ],
)
def test_what_is_accepted(header: str, accepted: bool) -> None:
    assert accepts(header, "image/jph") is accepted
