"""The seal of a saved plan: a keyed digest, which an edit without the key does not have.

Before the first apply, a repository has no key, and its plans have no seal. Such a plan stays valid
until the key is committed, and afterwards only for the apply that created the key: its commit
states the digest of the plan (decision 0001).
"""

from __future__ import annotations

from pathlib import Path

from reconciler.core.errors import PlanFileError
from reconciler.core.model.key import KEY_FILE, Key
from reconciler.core.model.plan import Plan
from reconciler.core.plan.file import AGAIN, Row, is_sealed, plan_digest
from reconciler.edges import git
from reconciler.edges import key as keys
from reconciler.pipeline.known import committed_key, key_of


def check_seal(root: Path, raw: Row, plan: Plan) -> str:
    """Check the seal of a plan file. Return a warning, or "".

    Raises PlanFileError if the seal is wrong, or missing where the commit has the key.
    """
    key = key_of(root)
    if "seal" in raw:
        _check(raw, key)
        return ""
    if key is None:
        return ""
    if keys.parse(committed_key(root)) is None:
        return (
            f"warning: the plan has no seal: it was made before {KEY_FILE}. So an edit of the file "
            f"cannot be detected. Commit {KEY_FILE}: then every saved plan needs a seal."
        )
    if plan_digest(plan, key) not in git.trailers_of_addition(root, keys.path(root), "Plan-Digest"):
        raise PlanFileError(
            f"the plan file has no seal, but the commit has {KEY_FILE}",
            f"The plan was made before {KEY_FILE} was, or its seal was removed. {AGAIN}",
        )
    return ""


def _check(raw: Row, key: Key | None) -> None:
    if key is None:
        raise PlanFileError(
            f"the plan file has a seal, but this repository has no {KEY_FILE}",
            f"Apply the plan where it was made, or commit {KEY_FILE} there. {AGAIN}",
        )
    if not is_sealed(raw, key):
        raise PlanFileError(
            f"the seal of the plan file is wrong: the file was edited, or sealed with another "
            f"{KEY_FILE}",
            AGAIN,
        )
