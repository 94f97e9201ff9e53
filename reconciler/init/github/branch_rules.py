"""The rules of a branch, from rulesets and from classic branch protection. Pure.

docs.github.com: REST API endpoints for rules; REST API endpoints for protected branches.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.init.github.reading import fields

# The job that the pull request workflow always runs.
REQUIRED_CHECK = "reconcile"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the rules of a branch require."""

    approvals: int = 0
    code_owners: bool = False
    last_push: bool = False
    checks: frozenset[str] = frozenset()
    up_to_date: bool = False
    merge_queue: bool = False
    no_force_push: bool = False
    no_deletion: bool = False

    def __or__(self, other: Rules) -> Rules:
        """All rules apply: the stricter one decides."""
        return Rules(
            max(self.approvals, other.approvals),
            self.code_owners or other.code_owners,
            self.last_push or other.last_push,
            self.checks | other.checks,
            self.up_to_date or other.up_to_date,
            self.merge_queue or other.merge_queue,
            self.no_force_push or other.no_force_push,
            self.no_deletion or other.no_deletion,
        )

    def lacking(self) -> Iterator[str]:
        """What is missing in the rules."""
        if not self.approvals:
            yield "an approval by another person"
        if not self.code_owners:
            yield "a review by code owners"
        if not self.last_push:
            yield "a new approval after the last push"
        if REQUIRED_CHECK not in self.checks:
            yield f"the check `{REQUIRED_CHECK}`"
        if not (self.up_to_date or self.merge_queue):
            yield "branches that are up to date, or a merge queue"
        if not self.no_force_push:
            yield "a block of force pushes"
        if not self.no_deletion:
            yield "a block of deletion"


def of_rulesets(rows: Any) -> Rules:
    """The rules that GET repos/OWNER/NAME/rules/branches/BRANCH returns."""
    rules = Rules()
    for row in map(fields, rows if isinstance(rows, list) else ()):
        rules |= _rule(str(row.get("type")), fields(row.get("parameters")))
    return rules


def _rule(kind: str, given: dict[str, Any]) -> Rules:
    match kind:
        case "pull_request":
            return Rules(
                approvals=given.get("required_approving_review_count", 0),
                code_owners=given.get("require_code_owner_review", False),
                last_push=_last_push(given, "dismiss_stale_reviews_on_push"),
            )
        case "required_status_checks":
            return Rules(
                checks=_contexts(given.get("required_status_checks")),
                up_to_date=given.get("strict_required_status_checks_policy", False),
            )
        case "merge_queue":
            return Rules(merge_queue=True)
        case "non_fast_forward":
            return Rules(no_force_push=True)
        case "deletion":
            return Rules(no_deletion=True)
    return Rules()


def of_protection(given: dict[str, Any]) -> Rules:
    """The rules that GET repos/OWNER/NAME/branches/BRANCH/protection returns."""
    reviews = fields(given.get("required_pull_request_reviews"))
    checks = fields(given.get("required_status_checks"))
    return Rules(
        approvals=reviews.get("required_approving_review_count", 0),
        code_owners=reviews.get("require_code_owner_reviews", False),
        last_push=_last_push(reviews, "dismiss_stale_reviews"),
        checks=frozenset(checks.get("contexts") or ()) | _contexts(checks.get("checks")),
        up_to_date=checks.get("strict", False),
        no_force_push=not fields(given.get("allow_force_pushes")).get("enabled", False),
        no_deletion=not fields(given.get("allow_deletions")).get("enabled", False),
    )


def _last_push(given: dict[str, Any], dismisses: str) -> bool:
    return bool(given.get("require_last_push_approval") or given.get(dismisses))


def _contexts(rows: Any) -> frozenset[str]:
    return frozenset(str(row.get("context")) for row in rows or ())


def command(repository: str, branch: str) -> str:
    """The command that adds a ruleset with all that `Rules.lacking` looks for."""
    ruleset = {
        "name": f"reconcile: {branch}",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {
                "type": "pull_request",
                "parameters": {
                    "required_approving_review_count": 1,
                    "require_code_owner_review": True,
                    "dismiss_stale_reviews_on_push": True,
                    "require_last_push_approval": True,
                    "required_review_thread_resolution": False,
                },
            },
            {
                "type": "required_status_checks",
                "parameters": {
                    "strict_required_status_checks_policy": True,
                    "required_status_checks": [{"context": REQUIRED_CHECK}],
                },
            },
        ],
    }
    return f"echo '{json.dumps(ruleset)}' | gh api -X POST repos/{repository}/rulesets --input -"
