"""Recognizes what an output that masks values shows instead of a value or a UID.

Such a text in a manifest was copied from a plan or a review. Sent, it would replace the value.
"""

from __future__ import annotations

import re

# `review.mask.shape`, `ShownValue.as_vr`, `review.labels`, and `(empty)`.
_MASK = re.compile(
    r"<([A-Z]+: )?([A-Z]{2}|([A-Z]{2} )?(text\([0-9]+(-[0-9]+)?\)|(list|item)\([0-9]+\)|number|"
    r"boolean)|masked [0-9]+)>|\(empty\)"
)
# What stands for a value that is there, but empty.
EMPTY = "(empty)"
HINT = 'Write the value. `--show-values` shows live values. For `(empty)`, write `""`.'


def is_mask(text: str) -> bool:
    """Whether a whole text stands for a masked value."""
    return _MASK.fullmatch(text.strip(" ")) is not None
