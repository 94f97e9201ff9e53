"""The double of AWS answers a job as the trust policies of `reconcile init` say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.init.answers import Repository
from tests import oidc
from tests.loop.actions import ActionError, Job, token, use
from tests.loop.host import Host
from tests.loop.rendered import ACCOUNT, ANSWERS, ROLES, trust

MAIN, PULL = "refs/heads/main", "refs/pull/7/merge"
PLAN, APPLY = "reconcile-plan.yml", "reconcile-apply.yml"


def made(folder: Path, file: str, ref: str, started_for: str, environment: str = "") -> Job:
    """A job that may ask for a token."""
    rights = {"id-token": "write"}
    return Job(Host(folder), 1, file, ref, started_for, folder, folder, rights, environment)


def roles(job: Job) -> list[str]:
    """The roles that a job gets."""
    return [role for role in ROLES if _gets(job, ANSWERS[f"{role.upper()}_ROLE_ARN"])]


def _gets(job: Job, role: str) -> bool:
    given = {
        "role-to-assume": role,
        "role-session-name": "test",
        "allowed-account-ids": ACCOUNT,
        "aws-region": "us-east-1",
    }
    try:
        use(job, "aws-actions/configure-aws-credentials", given)
    except ActionError:
        return False
    return True


@pytest.mark.parametrize("is_numbered", [True, False])
@pytest.mark.parametrize(
    ("file", "ref", "started_for", "environment", "expected"),
    [
        pytest.param(PLAN, MAIN, PULL, "", ["plan"], id="the plan workflow"),
        pytest.param(APPLY, MAIN, MAIN, "reconcile-apply", ["apply"], id="the apply"),
        pytest.param("reconcile-pull-request.yml", PULL, PULL, "", [], id="an edited caller"),
        pytest.param(PLAN, PULL, PULL, "", [], id="an edited plan workflow"),
        pytest.param("ci.yml", MAIN, MAIN, "", [], id="another workflow"),
        pytest.param(APPLY, MAIN, MAIN, "", [], id="an apply without its environment"),
        pytest.param("ci.yml", MAIN, MAIN, "reconcile-apply", [], id="another in the environment"),
    ],
)
def test_which_jobs_get_which_role(
    tmp_path: Path,
    file: str,
    ref: str,
    started_for: str,
    environment: str,
    expected: list[str],
    is_numbered: bool,
) -> None:
    job = made(tmp_path, file, ref, started_for, environment)
    job.host.has_numbered_subjects = is_numbered
    assert roles(job) == expected


def test_a_job_that_may_not_ask_for_a_token_gets_no_role(tmp_path: Path) -> None:
    job = replace(made(tmp_path, PLAN, MAIN, PULL), permissions={"contents": "read"})
    assert roles(job) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"repository_id": "9999"},
        {"aud": "https://github.com/hospital"},
        {"sub": "repo:mallory/metadata:pull_request"},
        oidc.token(PLAN, MAIN, PULL, repository=Repository("mallory", "metadata", "6", "7")),
    ],
    ids=["another repository ID", "another audience", "another subject", "a fork"],
)
def test_a_token_that_differs_in_one_claim_is_refused(tmp_path: Path, changed: oidc.Token) -> None:
    right = token(made(tmp_path, PLAN, MAIN, PULL))
    policies = trust().values()
    assert any(oidc.accepts(policy, right, ACCOUNT) for policy in policies)
    assert not any(oidc.accepts(policy, {**right, **changed}, ACCOUNT) for policy in policies)
