"""Who can read a repository, and what the rules of its branch require before a merge.

docs.github.com: REST API endpoints for repositories, for rules, and for protected branches.
"""

from __future__ import annotations

from typing import Any

from reconciler.init.github import branch_rules as rulesets
from reconciler.init.github.branch_rules import Rules
from reconciler.init.github.finding import Finding, State
from reconciler.init.github.reading import ASK, Reader, Refusal, fields, refused

_WITHOUT_RULES = (
    "Without rules, everyone who may push can merge without a review. Give few people write "
    "permission, and agree that a colleague approves each pull request.",
)
_UNPROTECTED = "Branch not protected"


def visibility_of(about: dict[str, Any]) -> str:
    """`private`, `internal` or `public`."""
    return str(about.get("visibility", "private" if about.get("private") else "public"))


def visibility(reader: Reader, found: str) -> Finding:
    """Who can read the manifests."""
    if found == "private":
        return Finding("visibility", State.OK, found)
    readers = "everyone" if found == "public" else "every member of the enterprise"
    message = f"{found}: {readers} can read the manifests, which hold patient data"
    command = f"gh repo edit {reader.repository} --visibility private"
    fix = (f"{command} --accept-visibility-change-consequences",)
    return Finding("visibility", State.WRONG, message, fix)


def default_branch(reader: Reader, about: dict[str, Any]) -> Finding:
    """Whether the workflows are for the default branch."""
    found = str(about.get("default_branch"))
    if found == reader.branch:
        return Finding("default branch", State.OK, found)
    message = f"it is {found}, and the workflows are for {reader.branch}"
    fix = (f"gh repo edit {reader.repository} --default-branch {reader.branch}",)
    return Finding("default branch", State.WRONG, message, fix)


def read_rules(reader: Reader) -> Rules | Refusal:
    """The rules of rulesets and of classic protection, which only administrators can read."""
    answer = reader.read(f"{reader.base}/rules/branches/{reader.branch}?per_page=100")
    if isinstance(answer, Refusal):
        return answer
    rules = rulesets.of_rulesets(answer)
    classic = reader.read(f"{reader.base}/branches/{reader.branch}/protection")
    if not isinstance(classic, Refusal):
        return rules | rulesets.of_protection(fields(classic))
    if any(rules.lacking()) and classic.said != _UNPROTECTED:
        return classic  # classic protection may require the rest
    return rules


def branch_rules(reader: Reader, rules: Rules | Refusal) -> Finding:
    """What the rules require before a merge."""
    subject = f"rules of branch {reader.branch}"
    if isinstance(rules, Refusal):
        return refused(subject, rules, _WITHOUT_RULES)
    if lacking := list(rules.lacking()):
        message = f"missing: {'; '.join(lacking)}"
        fix = rulesets.command(str(reader.repository), reader.branch)
        return Finding(subject, State.WRONG, message, (fix,))
    return Finding(subject, State.OK, "they require an approval and the check of the plan")


def merge_queue(rules: Rules | Refusal, is_private: bool, plan: str) -> Finding:
    """Whether merges wait in a queue (docs.github.com: Managing a merge queue)."""
    subject = "merge queue"
    if isinstance(rules, Rules) and rules.merge_queue:
        return Finding(subject, State.OK, "each merge is planned once more, in its order")
    instead = "In its place, the rules of the branch require branches that are up to date."
    if plan == "user" or (is_private and plan and plan != "enterprise"):
        message = "it needs a public repository of an organization, or GitHub Enterprise Cloud"
        return Finding(subject, State.NOT_OFFERED, message, (instead,))
    return Finding(subject, State.OK, f"none. {instead}")


def auto_merge(reader: Reader, about: dict[str, Any], rules: Rules | Refusal) -> Finding:
    """Whether a pull request may merge by itself, and only after an approval."""
    subject = "auto-merge"
    is_on = about.get("allow_auto_merge")
    if is_on is None:
        return Finding(subject, State.UNSEEN, "GitHub shows it to administrators only", ASK)
    if is_on and not (isinstance(rules, Rules) and rules.approvals):
        message = "on, but no rule requires an approval: a pull request could merge unseen"
        fix = (f"gh repo edit {reader.repository} --enable-auto-merge=false",)
        return Finding(subject, State.WRONG, message, fix)
    return Finding(subject, State.OK, "on, after an approval" if is_on else "off")


def code_owners(reader: Reader) -> Finding:
    """Whether GitHub accepts the file CODEOWNERS of the branch."""
    subject = "code owners"
    answer = reader.read(f"{reader.base}/codeowners/errors?ref={reader.branch}")
    if isinstance(answer, Refusal):
        message = f"the branch {reader.branch} has no file CODEOWNERS"
        fix = "Commit .github/CODEOWNERS, which `reconcile init` writes."
        return Finding(subject, State.WRONG, message, (fix,))
    errors = [fields(one) for one in fields(answer).get("errors", ())]
    if not errors:
        return Finding(subject, State.OK, "GitHub finds no error in the file")
    lines = ", ".join(str(one.get("line")) for one in errors)
    message = f"GitHub ignores these lines of {errors[0].get('path')}: {lines}"
    fix = "Write teams and people there who exist and may write to the repository."
    return Finding(subject, State.WRONG, message, (fix,))
