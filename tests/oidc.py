"""The tokens that jobs of GitHub Actions get, and AWS's answer to them, for the tests.

The claims of the tokens: docs.github.com, OpenID Connect reference. How conditions combine:
docs.aws.amazon.com, IAM JSON policy elements: Condition.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

from reconciler.init.answers import Repository

GITHUB = "token.actions.githubusercontent.com"
Token = dict[str, str]


def accepts(policy: str, token: Token, account: str, provider: str = GITHUB) -> bool:
    """Whether AssumeRoleWithWebIdentity succeeds: any statement whose conditions all hold."""
    principal = {"Federated": f"arn:aws:iam::{account}:oidc-provider/{provider}"}
    return any(
        statement["Effect"] == "Allow"
        and statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        and statement["Principal"] == principal
        and all(
            holds(operator, token.get(key.removeprefix(f"{provider}:")), wanted)
            for operator, keys in statement["Condition"].items()
            for key, wanted in keys.items()
        )
        for statement in json.loads(policy)["Statement"]
    )


def holds(operator: str, value: str | None, wanted: str | list[str]) -> bool:
    """A claim that the token lacks fulfils no condition; of several values one is enough."""
    if value is None:
        return False
    several = [wanted] if isinstance(wanted, str) else wanted
    match operator:
        case "StringEquals":
            return value in several
        case "StringLike":
            return any(fnmatchcase(value, one.replace("[", "[[]")) for one in several)
    raise AssertionError(operator)


def token(
    file: str,
    of: str,
    ref: str,
    *,
    numbered: bool = True,
    environment: str = "",
    repository: Repository,
) -> Token:
    """The token of a job of a workflow file as it is at `of`, in a run for `ref`."""
    name = str(repository)
    shown = (
        f"{repository.owner}@{repository.owner_id}/{repository.name}@{repository.repository_id}"
        if numbered
        else name
    )
    if environment:
        context = f"environment:{environment}"
    else:
        context = "pull_request" if ref.startswith("refs/pull/") else f"ref:{ref}"
    return {
        "aud": "sts.amazonaws.com",
        "sub": f"repo:{shown}:{context}",
        "ref": ref,
        "repository": name,
        "repository_id": repository.repository_id,
        "job_workflow_ref": f"{name}/.github/workflows/{file}@{of}",
        **({"environment": environment} if environment else {}),
    }
