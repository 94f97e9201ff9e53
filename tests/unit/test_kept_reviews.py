"""The names of the files of accepted reviews."""

from __future__ import annotations

from hashlib import sha256

import pytest

from reconciler.core.model.reviewed import Origin, Reviewed
from reconciler.core.reviewed.kept import Kept, pull_of

CONTENT = b"{}"
DIGEST = sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(
    ("name", "pull"),
    [
        (f"pull-12-{DIGEST}.json", 12),
        (f"pull-0-{DIGEST}.json", 0),
        (f"pull-012-{DIGEST}.json", 0),
        (f"pull-12-{DIGEST.upper()}.json", 0),
        (f"pull-12-{'0' * 64}.json", 0),
        (f"pull-12-{DIGEST}.json.bak", 0),
        (f"pull-12-{DIGEST}", 0),
        ("README.md", 0),
    ],
)
def test_a_file_is_that_of_its_name(name: str, pull: int) -> None:
    """A file that was changed, cut off or copied to another name is not taken for a review."""
    assert pull_of(name, CONTENT) == pull


def test_the_name_of_a_review_is_that_of_its_file() -> None:
    reviewed = Reviewed(Origin("a" * 40, "b" * 40, "c" * 40), "sha256:" + "0" * 64, 0, 1, "f" * 32)
    kept = Kept(12, CONTENT, reviewed)
    assert kept.digest == f"sha256:{DIGEST}"
    assert pull_of(kept.name, CONTENT) == 12
