"""The workflows of a team: the templates of `reconcile init` with the answers of a hospital."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from reconciler.init.answers import Answers, Forge, Repository, Store
from reconciler.init.scaffold import scaffold
from tests.docs.markdown import REPOSITORY as OURS

TEMPLATES = OURS / "reconciler" / "init" / "templates"
REPOSITORY = "hospital/metadata"
BRANCH = "main"
ACCOUNT = "123456789012"
ROLES = ("plan", "apply")
HOSPITAL = Repository("hospital", "metadata", "123", "4711")
ANSWERS = {
    "DEFAULT_BRANCH": BRANCH,
    "REPOSITORY": REPOSITORY,
    "ACCOUNT": ACCOUNT,
    "REGION": "us-east-1",
    "PLAN_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/reconcile-plan",
    "APPLY_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/reconcile-apply",
    "VERSION": "0.1.0",
    "RECORD_BRANCH": "reconcile/records",
}


def workflows() -> dict[str, str]:
    """The text of each workflow, by the name of its file."""
    return rendered(TEMPLATES / "github" / ".github" / "workflows")


@cache
def trust() -> dict[str, str]:
    """The trust policy that `reconcile init` writes for each role, by the ARN of the role."""
    store = Store("research", "1" * 32, "us-east-1", ACCOUNT)
    answers = Answers((store,), ACCOUNT, "us-east-1", BRANCH, Forge.GITHUB, HOSPITAL)
    made = {file.template.path: file.content for file in scaffold(answers)}
    return {ANSWERS[f"{role.upper()}_ROLE_ARN"]: made[f"iam/trust-{role}.json"] for role in ROLES}


def rendered(folder: Path) -> dict[str, str]:
    """The files of a folder of templates, with the answers in place."""
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return {path.name: _filled(path.read_text()) for path in files}


def _filled(text: str) -> str:
    return re.sub("@@([A-Z_]+)@@", lambda found: ANSWERS[found[1]], text)
