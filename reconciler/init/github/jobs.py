"""What jobs may do, and how long their artifacts are kept.

docs.github.com: REST API endpoints for GitHub Actions permissions, and for GitHub Actions OIDC.
"""

from __future__ import annotations

import math

from reconciler.init.github.finding import Finding, State
from reconciler.init.github.reading import Reader, Refusal, fields, refused

_DAY = 86400  # seconds


def token(reader: Reader) -> Finding:
    """What the token of a job may do, unless a workflow says otherwise."""
    subject = "token of jobs"
    path = f"{reader.base}/actions/permissions/workflow"
    answer = reader.read(path)
    if isinstance(answer, Refusal):
        return refused(subject, answer, ())
    problems = []
    if fields(answer).get("default_workflow_permissions") != "read":
        problems.append("it may write unless a workflow says otherwise")
    if fields(answer).get("can_approve_pull_request_reviews") is not False:
        problems.append("Actions may create pull requests and approve them")
    if not problems:
        message = "it may read, and Actions may not create or approve pull requests"
        return Finding(subject, State.OK, message)
    fix = (
        f"gh api -X PUT {path} -f default_workflow_permissions=read "
        "-F can_approve_pull_request_reviews=false"
    )
    return Finding(subject, State.WRONG, "; ".join(problems), (fix,))


def forks(reader: Reader) -> Finding:
    """What pull requests from forks of a private repository get.

    Those of a public repository never get secrets (docs.github.com: Secrets).
    """
    subject = "pull requests from forks"
    path = f"{reader.base}/actions/permissions/fork-pr-workflows-private-repos"
    answer = reader.read(path)
    if isinstance(answer, Refusal):
        return refused(subject, answer, ())
    sent = [
        name
        for key, name in (
            ("send_write_tokens_to_workflows", "tokens that may write"),
            ("send_secrets_and_variables", "secrets"),
        )
        if fields(answer).get(key)
    ]
    if not sent:
        return Finding(subject, State.OK, "they get no secrets and no token that may write")
    fix = (
        f"gh api -X PUT {path} -F run_workflows_from_fork_pull_requests=true "
        "-F send_write_tokens_to_workflows=false -F send_secrets_and_variables=false "
        "-F require_approval_for_fork_pr_workflows=true"
    )
    return Finding(subject, State.WRONG, f"they get {' and '.join(sent)}", (fix,))


def subject_claim(reader: Reader) -> Finding:
    """Whether the tokens have the form of `sub` that the trust policies expect."""
    subject = "claim `sub` of tokens for AWS"
    path = f"{reader.base}/actions/oidc/customization/sub"
    answer = reader.read(path)
    if isinstance(answer, Refusal):
        return refused(subject, answer, ())
    if fields(answer).get("use_default") is not False:
        return Finding(subject, State.OK, "it has the form of GitHub")
    message = "it is customized, so the trust policies of the roles refuse it"
    return Finding(subject, State.WRONG, message, (f"gh api -X PUT {path} -F use_default=true",))


def retention(reader: Reader, review_seconds: float) -> Finding:
    """Whether reviews, which are artifacts, are kept as long as they are valid."""
    subject = "retention of artifacts"
    path = f"{reader.base}/actions/permissions/artifact-and-log-retention"
    answer = reader.read(path)
    if isinstance(answer, Refusal):
        return refused(subject, answer, ())
    wanted = math.ceil(review_seconds / _DAY)
    days = int(fields(answer).get("days", 0))
    most = int(fields(answer).get("maximum_allowed_days", wanted))
    if days >= wanted:
        return Finding(subject, State.OK, f"{days} days, and a review is valid for {wanted}")
    message = f"{days} days, but a review is valid for {wanted}"
    if most < wanted:
        fix = f"The organization allows {most} days. Write: reviewExpiresAfter: {most}d"
    else:
        fix = f"gh api -X PUT {path} -F days={wanted}"
    return Finding(subject, State.WRONG, message, (fix,))
