"""Digests of dates that a person who has an output may guess, without a key."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from tests.canary.search import DIGEST_END

FIRST = date(1906, 1, 1)
DATES = [(FIRST + timedelta(day)).strftime("%Y%m%d") for day in range(120 * 365 + 30)]
# What a digest of a birth date alone may be over.
FRAMES: dict[str, Callable[[str], str]] = {
    "the value": lambda when: when,
    "a line": lambda when: f"{when}\n",
    "JSON": lambda when: f'"{when}"',
    "a list": lambda when: f'["{when}"]',
    "an attribute": lambda when: f"PatientBirthDate={when}",
    "a path": lambda when: f"Patient/PatientBirthDate={when}",
    "a block": lambda when: json.dumps({"PatientBirthDate": when}),
    "a compact block": lambda when: f'{{"PatientBirthDate":"{when}"}}',
    "a git blob": lambda when: f"blob {len(when)}\0{when}",
}
DIGESTS: dict[str, Callable[[bytes], str]] = {
    "MD5": lambda text: hashlib.md5(text, usedforsecurity=False).hexdigest(),
    "SHA-1": lambda text: hashlib.sha1(text, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda text: hashlib.sha256(text).hexdigest(),
    "HMAC without a key": lambda text: hmac.digest(b"", text, "sha256").hex(),
}


def guessed(seen: set[str]) -> Iterator[tuple[str, str, str]]:
    """Every date that a digest gives back, with what the digest is over, and its kind."""
    for frame, write in FRAMES.items():
        for when in DATES:
            text = write(when).encode()
            for kind, digest in DIGESTS.items():
                made = digest(text)
                if made[:DIGEST_END] in seen or made[-DIGEST_END:] in seen:
                    yield when, frame, kind
