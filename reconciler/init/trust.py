"""The trust policies of the two roles: which jobs of the CI system get them.

GitHub's tokens name the workflow file of the job and the branch that it is from, in
`job_workflow_ref`. AWS compares that claim, and others, with conditions (docs.aws.amazon.com: IAM
and AWS STS condition context keys, Available keys for AWS OIDC federation). A claim that a token
lacks fulfils no condition. So each statement fails closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.core.model.value import Json
from reconciler.init.answers import Answers, Forge, Repository
from reconciler.init.policies import policy_text

AUDIENCE = "sts.amazonaws.com"
_GITLAB_AUDIENCE = "https://gitlab.com"  # as .gitlab-ci.yml asks for it
APPLY_ENVIRONMENT = "reconcile-apply"
_GITHUB = "token.actions.githubusercontent.com"
# A GitLab of one's own has its own name here.
_GITLAB = "gitlab.com"

_Condition: TypeAlias = Mapping[str, Json]  # claims, each with the value or the values allowed


def trust_policies(answers: Answers) -> tuple[str, str] | None:
    """The policies of the role that plans and of the role that applies.

    None if there is no CI system, or if the account or GitHub's numbers of the repository are not
    known.
    """
    repository = answers.repository
    if not answers.account:
        return None
    if answers.forge is Forge.GITLAB and repository:
        return _on_gitlab(repository, answers)
    if answers.forge is Forge.GITHUB and repository and repository.repository_id:
        trust = _GitHub(repository, answers.account, answers.branch)
        return policy_text(trust.plan()), policy_text(trust.apply())
    return None


@dataclass(frozen=True, slots=True)
class _GitHub:
    """A repository on GitHub whose jobs get roles of an account."""

    repository: Repository
    account: str
    branch: str

    def plan(self) -> list[Json]:
        """Pull requests and merge queues through the reusable workflow, and runs on the branch.

        A merge queue makes branches below the name of the branch that it merges into
        (docs.github.com: Managing a merge queue).
        """
        plans = self._workflow("reconcile-plan.yml")
        queue = self._subjects(f"ref:refs/heads/gh-readonly-queue/{self.branch}/*")
        on_branch: _Condition = {
            "job_workflow_ref": [plans, self._workflow("reconcile-drift.yml")],
            "sub": self._subjects(f"ref:refs/heads/{self.branch}"),
        }
        in_pull_request: _Condition = {
            "job_workflow_ref": plans,
            "sub": self._subjects("pull_request"),
        }
        return [
            self._statement("PullRequest", in_pull_request),
            self._statement("MergeQueue", {"job_workflow_ref": plans}, {"sub": queue}),
            self._statement("Branch", on_branch),
        ]

    def apply(self) -> list[Json]:
        """The workflow that applies, of the branch and on the branch, in its environment.

        `sub` names the environment. `ref` holds even where the environment has no rules.
        """
        equal: _Condition = {
            "ref": f"refs/heads/{self.branch}",
            "job_workflow_ref": self._workflow("reconcile-apply.yml"),
            "sub": self._subjects(f"environment:{APPLY_ENVIRONMENT}"),
        }
        return [self._statement("Apply", equal)]

    def _workflow(self, file: str) -> str:
        return f"{self.repository}/.github/workflows/{file}@refs/heads/{self.branch}"

    def _subjects(self, rest: str) -> list[Json]:
        """Both forms of `sub`: with the numbers in it since July 2026, without them before.

        A repository keeps the form that it has until it is renamed or opts in (docs.github.com:
        OpenID Connect, Immutable subject claims).
        """
        one = self.repository
        with_numbers = f"{one.owner}@{one.owner_id}/{one.name}@{one.repository_id}"
        return [f"repo:{name}:{rest}" for name in (with_numbers, str(one))]

    def _statement(self, sid: str, equal: _Condition, like: _Condition | None = None) -> Json:
        own: _Condition = {"aud": AUDIENCE, "repository_id": self.repository.repository_id}
        return _statement(sid, self.account, _GITHUB, {**own, **equal}, like or {})


def _on_gitlab(repository: Repository, answers: Answers) -> tuple[str, str]:
    """Any branch may plan, since GitLab's tokens do not name the file of the pipeline.

    (docs.gitlab.com: Configure OpenID Connect in AWS)
    """
    path = f"project_path:{repository}:ref_type:branch:ref:"
    audience: _Condition = {"aud": _GITLAB_AUDIENCE}
    plan = _statement("Plan", answers.account, _GITLAB, audience, {"sub": f"{path}*"})
    on_branch: _Condition = {**audience, "sub": f"{path}{answers.branch}"}
    apply = _statement("Apply", answers.account, _GITLAB, on_branch, {})
    return policy_text([plan]), policy_text([apply])


def _statement(sid: str, account: str, provider: str, equal: _Condition, like: _Condition) -> Json:
    """Let tokens of a provider take the role if every claim fulfils its condition."""
    conditions = {"StringEquals": equal, "StringLike": like}
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{provider}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            operator: {f"{provider}:{claim}": value for claim, value in claims.items()}
            for operator, claims in conditions.items()
            if claims
        },
    }
