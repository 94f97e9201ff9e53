"""Block every planned action that contradicts itself: a bug must not reach an image set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reconciler.core.model.change import Block
from reconciler.core.model.plan import Action, Status
from reconciler.core.plan.checker import contradictions_of_all


def without_bugs(actions: Sequence[Action], payload_bytes: int | None = None) -> tuple[Action, ...]:
    """The actions of a plan. Those that contradict themselves or another action are blocked.

    `payload_bytes` is the limit of a call, in bytes after base64.
    """
    found_in = contradictions_of_all(actions, payload_bytes)
    return tuple(
        _blocked(action, found) if found else action
        for action, found in zip(actions, found_in, strict=True)
    )


def _blocked(action: Action, found: Sequence[str]) -> Action:
    more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
    block = Block(
        action.image_set_id,
        f"this is a bug in reconcile: {found[0]}{more}",
        "Nothing of this action is sent. Please report this message; it holds no DICOM value.",
        is_bug=True,
    )
    return replace(action, status=Status.BLOCKED, blocks=(*action.blocks, block), steps=())
