"""Explains every rule of reconciler.yaml: what AWS leaves open, and what the rule decides."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.explain.model import (
    AWS_CONSTRAINTS,
    AWS_QUOTAS,
    AWS_UPDATES,
    Explanation,
    Kind,
)
from reconciler.core.model.settings import Permission, Rules

_TEXTS = (
    Explanation(
        Kind.RULE,
        "seriesOnPrimary",
        "whether Series-level changes of primary image sets are sent",
        meaning="""
        AWS's guide of 2025 says that Series-level attributes of primary image sets cannot be
        updated. Newer texts leave it open. The rule also covers the removal of a series, and the
        changes of a revert.
        """,
        todo="""
        Keep the default, and change an image set that is not primary. Set the rule only if you know
        that your service accepts the change. If it refuses, the outcome is `failed` and nothing is
        written.
        """,
        sources=(AWS_UPDATES, "decision 0002 (where AWS is silent), U11"),
        see=("primary", "uidsOnPrimary"),
    ),
    Explanation(
        Kind.RULE,
        "uidsOnPrimary",
        "whether the UIDs of primary image sets may change",
        meaning="""
        AWS's guide says that `force` does not change StudyInstanceUID, SeriesInstanceUID and
        SOPInstanceUID of primary image sets.
        """,
        todo="""
        Keep the default. Copy the image set to one that is not primary first (CopyImageSet), and
        change the copy. Set the rule only if you know that your service accepts the change.
        """,
        sources=(AWS_UPDATES, "decision 0002 (where AWS is silent), U11"),
        see=("primary", "CHANGES_UID"),
    ),
    Explanation(
        Kind.RULE,
        "removeLast",
        "whether the last instance or the last series may be removed",
        meaning="AWS does not document what is left then.",
        todo="""
        Keep the default. To get rid of a whole image set, delete it (DeleteImageSet):
        `reconcile` never does that.
        """,
        sources=("decision 0002 (where AWS is silent), U8",),
        see=("REMOVES_INSTANCE", "REMOVES_SERIES"),
    ),
    Explanation(
        Kind.RULE,
        "revertOnPrimary",
        "whether a revert may make one primary image set differ from its study",
        meaning="""
        AWS cannot revert a whole study in one call. A revert of one image set may bring back other
        Patient or Study attributes than those of its siblings. Then the study has two truths.
        """,
        todo="""
        Keep the default, and revert all primary image sets of the study together: one manifest that
        names all of them.
        """,
        sources=(AWS_UPDATES, "docs/hazards.md, Primary image sets"),
        see=("primary", "sibling", "REVERTS_VERSION"),
    ),
    Explanation(
        Kind.RULE,
        "removalsNeedForce",
        "whether the removal of a sequence or of several values needs `force`",
        meaning="""
        AWS says that sequences and attributes with several values cannot be updated without
        `force`. It does not say whether this holds for removals, too. A needless `force` does no
        harm.
        """,
        todo="Keep the default, unless your service removes them without `force`.",
        sources=(AWS_CONSTRAINTS, "decision 0002 (where AWS is silent), U23"),
        see=("force",),
    ),
    Explanation(
        Kind.RULE,
        "payloadBytes",
        "the most bytes that one update may carry",
        meaning="""
        AWS limits an update to 10 KB by default, and does not document how it counts. `reconcile`
        counts both lists of attributes after base64 encoding. What exceeds the limit is split into
        several calls.
        """,
        todo="""
        If updates fail because of their size, lower the number. If AWS raised the quota of your
        account, raise it.
        """,
        sources=(AWS_QUOTAS, "decision 0002 (where AWS is silent), U13"),
        see=("SPLIT_UPDATE",),
    ),
    Explanation(
        Kind.RULE,
        "serviceFields",
        "whether an update may add fields of the service to a document",
        meaning="""
        The service writes a stored transfer syntax and checksums into a document. An older document
        may lack them until an update. `allow` only reports what was added. With `refuse`, the
        outcome is `unverified`.
        """,
        todo="Keep the default. Use `refuse` if every difference must be accepted by a person.",
        sources=("decision 0002 (where AWS is silent), U33",),
        see=("unverified",),
    ),
)


def rules() -> tuple[Explanation, ...]:
    """Return the explanations of all rules, each with its default."""
    defaults = dict(Rules().named)
    return tuple(_with_default(text, defaults[text.word]) for text in _TEXTS)


def _with_default(text: Explanation, default: str | bool | int) -> Explanation:
    values = {bool: "true or false", int: "a number of bytes"}.get(
        type(default), " or ".join(Permission)
    )
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return replace(
        text,
        facts=(("Values", values), ("Default", shown)),
        settings=f"rules:\n  {text.word}: {shown}\n",
    )
