"""The environments of the jobs that approve and apply.

docs.github.com: REST API endpoints for deployment environments.
"""

from __future__ import annotations

from typing import Any

from reconciler.init.github.finding import Finding, State
from reconciler.init.github.reading import NOT_THERE, Reader, Refusal, fields, refused
from reconciler.init.trust import APPLY_ENVIRONMENT

APPROVE_ENVIRONMENT = "reconcile-approve"

_ONLY_TRUST = (
    f"In its place, the trust policy of the role accepts {APPLY_ENVIRONMENT} only from the "
    "workflow that applies, on the default branch.",
)
_APPROVED_BEFORE = (
    "In its place, the rules of the branch require an approval before the merge. What was approved "
    "there is all that an apply executes.",
)


def apply_environment(reader: Reader) -> Finding:
    """Whether only the branch that is applied may use the environment of the apply."""
    subject = f"environment {APPLY_ENVIRONMENT}"
    path = f"{reader.base}/environments/{APPLY_ENVIRONMENT}"
    answer = reader.read(path)
    fix = (
        f"gh api -X PUT {path} -F 'deployment_branch_policy[protected_branches]=false' "
        "-F 'deployment_branch_policy[custom_branch_policies]=true'",
        f"gh api -X POST {path}/deployment-branch-policies -f name={reader.branch}",
    )
    if isinstance(answer, Refusal):
        if answer.is_for_another_plan or answer.status != NOT_THERE:
            return refused(subject, answer, _ONLY_TRUST)
        return Finding(subject, State.WRONG, "it does not exist", fix)
    policy = fields(fields(answer).get("deployment_branch_policy"))
    if not policy.get("custom_branch_policies"):
        return Finding(subject, State.WRONG, "more than one branch may use it", fix)
    listed = reader.read(f"{path}/deployment-branch-policies")
    if isinstance(listed, Refusal):
        return refused(subject, listed, _ONLY_TRUST)
    rows = [fields(row) for row in fields(listed).get("branch_policies", ())]
    allowed = {(str(row.get("name")), str(row.get("type", "branch"))) for row in rows}
    if allowed == {(reader.branch, "branch")}:
        return Finding(subject, State.OK, f"only branch {reader.branch} may use it")
    message = f"these branches and tags may use it: {_names(allowed)}"
    return Finding(subject, State.WRONG, message, _only(path, rows, reader.branch))


def approve_environment(reader: Reader, is_private: bool, plan: str) -> Finding:
    """Whether an apply waits for the approval of another person."""
    subject = f"environment {APPROVE_ENVIRONMENT}"
    path = f"{reader.base}/environments/{APPROVE_ENVIRONMENT}"
    answer = reader.read(path)
    rows = [fields(row) for row in fields(answer).get("protection_rules") or ()]
    reviewers = next((row for row in rows if row.get("type") == "required_reviewers"), None)
    if reviewers and reviewers.get("prevent_self_review"):
        return Finding(subject, State.OK, "it requires a reviewer other than the author")
    if not reviewers and is_private and plan and plan != "enterprise":
        message = "required reviewers in a private repository need GitHub Enterprise"
        return Finding(subject, State.NOT_OFFERED, message, _APPROVED_BEFORE)
    if isinstance(answer, Refusal) and answer.status != NOT_THERE:
        return refused(subject, answer, _APPROVED_BEFORE)
    message = "a reviewer may approve an apply of their own merge"
    if not reviewers:
        message = "it requires no reviewer"
    kind, reviewer = "Team", f"orgs/{reader.repository.owner}/teams/metadata-maintainers"
    if plan == "user":
        kind, reviewer = "User", "users/NAME_OF_A_COLLEAGUE"
    fix = (
        f"id=$(gh api {reviewer} --jq .id)",
        f"gh api -X PUT {path} -F prevent_self_review=true "
        f"-f 'reviewers[][type]={kind}' -F \"reviewers[][id]=$id\"",
    )
    return Finding(subject, State.WRONG, message, fix)


def _only(path: str, rows: list[dict[str, Any]], branch: str) -> tuple[str, ...]:
    """The commands that leave one branch in the list of an environment."""
    is_ours = {(row.get("name"), row.get("type", "branch")): row for row in rows}
    ours = is_ours.pop((branch, "branch"), None)
    add = () if ours else (f"gh api -X POST {path}/deployment-branch-policies -f name={branch}",)
    others = (
        f"gh api -X DELETE {path}/deployment-branch-policies/{row.get('id')}"
        for row in is_ours.values()
    )
    return (*add, *others)


def _names(allowed: set[tuple[str, str]]) -> str:
    return ", ".join(f"{kind} {name}" for name, kind in sorted(allowed)) or "none"
