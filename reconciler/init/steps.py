"""What is left to do after `reconcile init`, in order, as commands where there are some."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from reconciler.init.answers import Answers, Forge, Repository


def next_steps(answers: Answers, root: Path) -> Iterator[str]:
    """The steps. A step may have several lines: a sentence, then commands."""
    if not (root / ".git").exists():
        yield f"Make a git repository:\ngit init --initial-branch={answers.branch} {_quoted(root)}"
    if answers.forge is Forge.GITHUB and answers.repository:
        yield from _on_github(answers.repository)
    yield "Give the permissions in iam/policy-plan.json and iam/policy-apply.json."
    yield "Read manifests/README.md. Write the first manifest, then run:\nreconcile plan"
    yield "Commit the new files, and push the commit."


def _on_github(repository: Repository) -> Iterator[str]:
    yield (
        "Write your own team into .github/CODEOWNERS in place of "
        f"@{repository.owner}/metadata-maintainers."
    )


def _quoted(root: Path) -> str:
    return shlex.quote(str(root))
