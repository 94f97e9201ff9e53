"""What GitHub's API answers about a repository that is set up as `reconcile init` wants it.

Sources: docs.github.com, REST API endpoints for repositories, rules, deployment environments, and
GitHub Actions permissions.
"""

from __future__ import annotations

import posixpath
from typing import Any

NOT_THERE = (404, "Not Found")
ADMIN_ONLY = (403, "Must have admin rights to Repository.")
UPGRADE = (
    403,
    "Upgrade to GitHub Pro or make this repository public to enable this feature.",
)


def at(path: str) -> str:
    """The path in the API of something of the repository."""
    return posixpath.normpath(f"repos/hospital/metadata{path}")


COMPLETE: dict[str, Any] = {
    at(""): {
        "visibility": "private",
        "private": True,
        "default_branch": "main",
        "allow_auto_merge": False,
        "id": 456,
        "name": "metadata",
        "owner": {"type": "Organization", "id": 123, "login": "hospital"},
    },
    "orgs/hospital": {"plan": {"name": "enterprise"}},
    at("/rules/branches/main?per_page=100"): [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "merge_queue", "parameters": {}},
        {
            "type": "pull_request",
            "parameters": {
                "required_approving_review_count": 1,
                "require_code_owner_review": True,
                "require_last_push_approval": True,
                "dismiss_stale_reviews_on_push": False,
            },
        },
        {
            "type": "required_status_checks",
            "parameters": {
                "strict_required_status_checks_policy": True,
                "required_status_checks": [{"context": "reconcile", "integration_id": 15368}],
            },
        },
    ],
    at("/branches/main/protection"): (404, "Branch not protected"),
    at("/codeowners/errors?ref=main"): {"errors": []},
    at("/environments/reconcile-apply"): {
        "protection_rules": [{"type": "branch_policy"}],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    },
    at("/environments/reconcile-apply/deployment-branch-policies"): {
        "branch_policies": [{"id": 7, "name": "main", "type": "branch"}]
    },
    at("/environments/reconcile-approve"): {
        "protection_rules": [
            {"type": "required_reviewers", "prevent_self_review": True, "reviewers": []}
        ]
    },
    at("/actions/permissions/workflow"): {
        "default_workflow_permissions": "read",
        "can_approve_pull_request_reviews": False,
    },
    at("/actions/permissions/fork-pr-workflows-private-repos"): {
        "run_workflows_from_fork_pull_requests": True,
        "send_write_tokens_to_workflows": False,
        "send_secrets_and_variables": False,
        "require_approval_for_fork_pr_workflows": True,
    },
    at("/actions/oidc/customization/sub"): {"use_default": True},
    at("/actions/permissions/artifact-and-log-retention"): {
        "days": 90,
        "maximum_allowed_days": 400,
    },
}
