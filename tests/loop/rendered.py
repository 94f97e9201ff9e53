"""The workflows of a team: the templates of `reconcile init` with the answers of a hospital."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.markdown import REPOSITORY as OURS

TEMPLATES = OURS / "reconciler" / "init" / "templates"
REPOSITORY = "hospital/metadata"
BRANCH = "main"
ACCOUNT = "123456789012"
ANSWERS = {
    "DEFAULT_BRANCH": BRANCH,
    "REPOSITORY": REPOSITORY,
    "ACCOUNT": ACCOUNT,
    "REGION": "us-east-1",
    "PLAN_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/reconcile-plan",
    "APPLY_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/reconcile-apply",
    "VERSION": "0.1.0",
}


def workflows() -> dict[str, str]:
    """The text of each workflow, by the name of its file."""
    return rendered(TEMPLATES / "github" / ".github" / "workflows")


def rendered(folder: Path) -> dict[str, str]:
    """The files of a folder of templates, with the answers in place."""
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return {path.name: _filled(path.read_text()) for path in files}


def _filled(text: str) -> str:
    return re.sub("@@([A-Z_]+)@@", lambda found: ANSWERS[found[1]], text)
