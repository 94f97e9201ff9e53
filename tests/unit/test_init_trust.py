"""The trust policies that `reconcile init` writes, evaluated against tokens of many jobs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from reconciler.init.answers import Answers, Forge, Repository, Store
from reconciler.init.scaffold import scaffold
from reconciler.init.templates import templates
from reconciler.init.trust import trust_policies
from tests import oidc

ACCOUNT = "123456789012"
STORE = Store("research", "12345678901234567890123456789012", "us-east-1", ACCOUNT)
HERE = Repository("hospital", "metadata", "123", "456")
PLAN, APPLY, DRIFT = "reconcile-plan.yml", "reconcile-apply.yml", "reconcile-drift.yml"
CALLER = "reconcile-pull-request.yml"
MAIN = "refs/heads/main"
PULL = "refs/pull/7/merge"
QUEUE = "refs/heads/gh-readonly-queue/main/pr-7-0123abcd"


def policies(branch: str = "main", forge: Forge = Forge.GITHUB) -> list[str]:
    """The files of the role that plans and of the role that applies."""
    answers = Answers((STORE,), ACCOUNT, "us-east-1", branch, forge, HERE)
    made = {file.template.path: file.content for file in scaffold(answers)}
    return [made["iam/trust-plan.json"], made["iam/trust-apply.json"]]


def accepts(policy: str, claims: oidc.Token, provider: str = oidc.GITHUB) -> bool:
    return oidc.accepts(policy, claims, ACCOUNT, provider)


def token(file: str, of: str, ref: str, **more: Any) -> oidc.Token:
    return oidc.token(file, of, ref, **{"repository": HERE, **more})


def test_each_workflow_that_is_trusted_is_a_template() -> None:
    found = set(re.findall(r"/(\.github/workflows/[^@\"]+)@", " ".join(policies())))
    assert found == {f".github/workflows/{name}" for name in (PLAN, APPLY, DRIFT)}
    assert found <= {one.path for one in templates(Forge.GITHUB)}


@pytest.mark.parametrize("numbered", [True, False])
def test_the_right_jobs_get_their_role_and_only_theirs(numbered: bool) -> None:
    plan, apply = policies()
    for file, of, ref in [
        (PLAN, MAIN, PULL),
        (PLAN, MAIN, QUEUE),
        (PLAN, MAIN, MAIN),
        (DRIFT, MAIN, MAIN),
    ]:
        reads = token(file, of, ref, numbered=numbered)
        assert accepts(plan, reads), reads
        assert not accepts(apply, reads), reads
    writes = token(APPLY, MAIN, MAIN, environment="reconcile-apply", numbered=numbered)
    assert accepts(apply, writes)
    assert not accepts(plan, writes)


FORK = Repository("mallory", "metadata", "666", "667")
AGAIN = Repository("hospital", "metadata", "123", "999")
RENAMED = Repository("hospital", "metadata", "666", "667")
WRONG = {
    "an edited caller": token(CALLER, PULL, PULL),
    "the caller of the branch": token(CALLER, MAIN, PULL),
    "a plan workflow that the pull request edits": token(PLAN, PULL, PULL),
    "a plan workflow of another branch": token(PLAN, "refs/heads/feature", PULL),
    "a plan workflow of a branch named after ours": token(PLAN, "refs/heads/main/x", PULL),
    "a plan workflow of a tag named like the branch": token(PLAN, "refs/tags/main", PULL),
    "a plan workflow by its commit": token(PLAN, "a" * 40, PULL),
    "another workflow of the repository": token("ci.yml", MAIN, MAIN),
    "another workflow, in a pull request": token("ci.yml", PULL, PULL),
    "a workflow whose name goes on": token(f"x{PLAN}", MAIN, MAIN),
    "the plan workflow on a branch of a person": token(PLAN, MAIN, "refs/heads/feature"),
    "the plan workflow on a tag": token(PLAN, MAIN, "refs/tags/v1"),
    "the queue of another branch": token(
        PLAN, MAIN, "refs/heads/gh-readonly-queue/release/pr-7-0123abcd"
    ),
    "a drift workflow in a pull request": token(DRIFT, MAIN, PULL),
    "a fork": token(PLAN, MAIN, PULL, repository=FORK),
    "a repository made again under the name": token(PLAN, MAIN, PULL, repository=AGAIN),
    "the same, with the earlier form": token(PLAN, MAIN, PULL, repository=AGAIN, numbered=False),
    "an owner made again under the name": token(
        APPLY, MAIN, MAIN, environment="reconcile-apply", repository=RENAMED, numbered=False
    ),
    "our workflow, called by another repository": {
        **token(PLAN, MAIN, PULL, repository=FORK),
        "job_workflow_ref": f"{HERE}/.github/workflows/{PLAN}@{MAIN}",
    },
    "an apply without its environment": token(APPLY, MAIN, MAIN),
    "an apply in the environment of the approval": token(
        APPLY, MAIN, MAIN, environment="reconcile-approve"
    ),
    "an edited apply in its environment": token(APPLY, PULL, PULL, environment="reconcile-apply"),
    "an apply of the branch, for a pull request": token(
        APPLY, MAIN, PULL, environment="reconcile-apply"
    ),
    "another workflow in the environment": token(
        "ci.yml", MAIN, MAIN, environment="reconcile-apply"
    ),
    "the plan workflow in the environment": token(PLAN, MAIN, MAIN, environment="reconcile-apply"),
    "a token for another audience": {**token(PLAN, MAIN, PULL), "aud": "https://github.com/x"},
}


@pytest.mark.parametrize("name", WRONG)
def test_other_jobs_get_no_role(name: str) -> None:
    assert not any(accepts(policy, WRONG[name]) for policy in policies())


@pytest.mark.parametrize("claim", ["aud", "sub", "repository_id", "job_workflow_ref"])
def test_a_token_without_a_claim_gets_no_role(claim: str) -> None:
    for right in (
        token(PLAN, MAIN, PULL),
        token(APPLY, MAIN, MAIN, environment="reconcile-apply"),
    ):
        without = {key: value for key, value in right.items() if key != claim}
        assert not any(accepts(policy, without) for policy in policies())


def test_the_branch_is_that_of_the_repository() -> None:
    plan, apply = policies("trunk")
    assert accepts(plan, token(PLAN, "refs/heads/trunk", PULL))
    assert not accepts(plan, token(PLAN, MAIN, PULL))
    assert not accepts(apply, token(APPLY, MAIN, MAIN, environment="reconcile-apply"))


def test_without_the_numbers_there_are_no_policies() -> None:
    unknown = Repository("hospital", "metadata")
    answers = Answers((STORE,), ACCOUNT, "us-east-1", "main", Forge.GITHUB, unknown)
    assert trust_policies(answers) is None


def test_no_condition_is_fulfilled_by_a_claim_that_is_missing() -> None:
    """`ForAllValues:` and `…IfExists` are (aws-actions/configure-aws-credentials, README)."""
    for policy in policies():
        for statement in json.loads(policy)["Statement"]:
            assert statement["Condition"].keys() <= {"StringEquals", "StringLike"}
            assert "*" not in json.dumps(statement["Condition"]["StringEquals"])


def gitlab(path: str, ref: str, kind: str = "branch") -> oidc.Token:
    return {"aud": "https://gitlab.com", "sub": f"project_path:{path}:ref_type:{kind}:ref:{ref}"}


@pytest.mark.parametrize(
    ("claims", "reads", "writes"),
    [
        (gitlab("hospital/metadata", "main"), True, True),
        (gitlab("hospital/metadata", "feature"), True, False),
        (gitlab("hospital/metadata", "main", "tag"), False, False),
        (gitlab("mallory/metadata", "main"), False, False),
        (gitlab("hospital/metadata-2", "main"), False, False),
        ({**gitlab("hospital/metadata", "main"), "aud": "sts.amazonaws.com"}, False, False),
    ],
)
def test_on_gitlab_a_branch_of_the_project_reads_and_the_default_branch_writes(
    claims: Any, reads: bool, writes: bool
) -> None:
    found = [accepts(policy, claims, "gitlab.com") for policy in policies(forge=Forge.GITLAB)]
    assert found == [reads, writes]
