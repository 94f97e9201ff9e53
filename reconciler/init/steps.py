"""What is left to do after `reconcile init`, in order, as commands where there are some."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from reconciler.edges import worktree
from reconciler.init.answers import Answers, Forge, Repository

TRUST = "iam/trust-plan.json"
# What --repository takes, made of what GitHub's API states about a repository.
_NUMBERS = r'"\(.owner.login)@\(.owner.id)/\(.name)@\(.id)"'

_IN_PULL_REQUESTS = (
    "If records are to be merged in pull requests: write `record: {mode: pull-request}` into "
    "reconciler.yaml. Make a GitHub App with the permissions Contents and Pull requests (write), "
    "install it in the repository, then give its client ID and its key to the job that applies:\n"
    "gh variable set RECONCILE_APP_CLIENT_ID --env reconcile-apply --body CLIENT-ID\n"
    "gh secret set RECONCILE_APP_PRIVATE_KEY --env reconcile-apply < KEY.pem"
)


def next_steps(answers: Answers, root: Path) -> Iterator[str]:
    """The steps. A step may have several lines: a sentence, then commands."""
    if worktree.find(root) is None:
        yield f"Make a git repository:\ngit init --initial-branch={answers.branch} {_quoted(root)}"
    if answers.forge is Forge.GITHUB and answers.repository:
        yield from _on_github(answers.repository, root)
    if answers.forge:
        yield "Make the two roles on AWS: iam/README.md has the commands."
        yield (
            "Add the wheel of reconcile to reconcile-requirements.txt: its first lines say how. "
            "Without it, no job can run reconcile."
        )
    else:
        yield "Give yourself the permissions in iam/policy-plan.json and iam/policy-apply.json."
    yield "Read manifests/README.md. Write the first manifest, then run:\nreconcile plan"
    yield "Commit the new files, and push the commit."
    if answers.forge is Forge.GITHUB:
        yield (
            "Check the settings on GitHub. Each line that is wrong has the command that fixes it:\n"
            f"{_command(root)} --check --github --repository {answers.repository}"
        )
        yield _IN_PULL_REQUESTS


def _on_github(repository: Repository, root: Path) -> Iterator[str]:
    if not repository.repository_id and not (root / TRUST).exists():
        yield (
            "The trust policies of the roles are not written: they need the numbers of the "
            "repository.\nWhen it is on GitHub, run:\n"
            f'{_command(root)} --github --repository "$({_numbers_of(repository)})"'
        )
    yield (
        "Write your own team into .github/CODEOWNERS in place of "
        f"@{repository.owner}/metadata-maintainers."
    )


def _numbers_of(repository: Repository) -> str:
    """The command that prints a repository with its numbers."""
    return f"gh api repos/{repository} --jq '{_NUMBERS}'"


def _command(root: Path) -> str:
    return "reconcile init" if root == Path() else f"reconcile init {_quoted(root)}"


def _quoted(root: Path) -> str:
    return shlex.quote(str(root))
