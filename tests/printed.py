"""What a command prints, as a program reads it."""

from __future__ import annotations

import json
from typing import Any

from reconciler.core.review import Review
from reconciler.render.plan_json import plan_json_lines


def plan_json(review: Review) -> dict[str, Any]:
    """The document that `plan --json` prints of a review."""
    document: dict[str, Any] = json.loads("\n".join(plan_json_lines(review)))
    return document
