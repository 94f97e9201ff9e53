"""`reconcile init --check --github`: how each setting of a repository is judged."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest

from reconciler.core.errors import GitHubError
from reconciler.init.answers import Repository
from reconciler.init.github import findings, read_about
from reconciler.init.github.finding import Finding, State, is_complete
from reconciler.init.github.reading import Reader
from tests.init_github import ADMIN_ONLY, COMPLETE, NOT_THERE, UPGRADE, at

DAYS = 86400.0


class Answers:
    """GitHub's API as a table: an answer, or a status with what GitHub says."""

    def __init__(self, table: dict[str, Any]) -> None:
        self._table = table

    def get(self, path: str) -> Any:
        answer = self._table.get(path, NOT_THERE)
        if isinstance(answer, tuple):
            status, said = answer
            raise GitHubError(f"HTTP {status}", status=status, said=said)
        return answer


def found(changes: dict[str, Any] | None = None, seconds: float = 14 * DAYS) -> dict[str, Finding]:
    """The findings by subject; `changes` replace answers of a repository that is complete."""
    table = {**COMPLETE, **{at(path): answer for path, answer in (changes or {}).items()}}
    reader = Reader(Answers(table), Repository("hospital", "metadata"), "main")
    return {one.subject: one for one in findings(reader, read_about(reader), seconds)}


def test_a_complete_repository() -> None:
    assert is_complete(found().values())
    assert {one.state for one in found().values()} == {State.OK}


ABOUT = COMPLETE[at("")]
RULES = COMPLETE[at("/rules/branches/main?per_page=100")]
APPLY = "/environments/reconcile-apply"
APPROVE = "/environments/reconcile-approve"
PERMISSIONS = "/actions/permissions"
WRONG = [
    ("visibility", {"": {**ABOUT, "visibility": "public"}}, "everyone can read", "--visibility"),
    ("visibility", {"": {**ABOUT, "visibility": "internal"}}, "member", "--visibility private"),
    ("default branch", {"": {**ABOUT, "default_branch": "x"}}, "it is x", "--default-branch main"),
    (
        "auto-merge",
        {"": {**ABOUT, "allow_auto_merge": True}, "/rules/branches/main?per_page=100": []},
        "no rule requires an approval",
        "--enable-auto-merge=false",
    ),
    (
        "rules of branch main",
        {"/rules/branches/main?per_page=100": []},
        "an approval by another person; a review by code owners",
        "repos/hospital/metadata/rulesets",
    ),
    (
        "rules of branch main",
        {"/rules/branches/main?per_page=100": [r for r in RULES if r["type"] != "deletion"]},
        "missing: a block of deletion",
        '"type": "deletion"',
    ),
    (
        "code owners",
        {"/codeowners/errors?ref=main": {"errors": [{"line": 4, "path": ".github/CODEOWNERS"}]}},
        ".github/CODEOWNERS: 4",
        "Write teams",
    ),
    ("code owners", {"/codeowners/errors?ref=main": NOT_THERE}, "no file CODEOWNERS", "Commit"),
    (f"environment {APPLY[14:]}", {APPLY: NOT_THERE}, "it does not exist", f"PUT {at(APPLY)}"),
    (
        f"environment {APPLY[14:]}",
        {APPLY: {"deployment_branch_policy": None}},
        "more than one branch",
        "custom_branch_policies]=true",
    ),
    (
        f"environment {APPLY[14:]}",
        {
            f"{APPLY}/deployment-branch-policies": {
                "branch_policies": [
                    {"id": 1, "name": "*", "type": "branch"},
                    {"id": 2, "name": "main", "type": "tag"},
                ]
            }
        },
        "branch *, tag main",
        f"DELETE {at(APPLY)}/deployment-branch-policies/2",
    ),
    (f"environment {APPROVE[14:]}", {APPROVE: NOT_THERE}, "requires no reviewer", "reviewers[]"),
    (
        f"environment {APPROVE[14:]}",
        {APPROVE: {"protection_rules": [{"type": "required_reviewers"}]}},
        "of their own merge",
        "prevent_self_review=true",
    ),
    (
        "token of jobs",
        {
            f"{PERMISSIONS}/workflow": {
                "default_workflow_permissions": "write",
                "can_approve_pull_request_reviews": True,
            }
        },
        "may write unless a workflow says otherwise; Actions may create pull requests",
        "can_approve_pull_request_reviews=false",
    ),
    (
        "pull requests from forks",
        {
            f"{PERMISSIONS}/fork-pr-workflows-private-repos": {
                "send_write_tokens_to_workflows": True,
                "send_secrets_and_variables": True,
            }
        },
        "tokens that may write and secrets",
        "send_secrets_and_variables=false",
    ),
    (
        "claim `sub` of tokens for AWS",
        {"/actions/oidc/customization/sub": {"use_default": False}},
        "customized",
        "use_default=true",
    ),
    (
        "retention of artifacts",
        {f"{PERMISSIONS}/artifact-and-log-retention": {"days": 7, "maximum_allowed_days": 400}},
        "7 days, but a review is valid for 14",
        "-F days=14",
    ),
    (
        "retention of artifacts",
        {f"{PERMISSIONS}/artifact-and-log-retention": {"days": 7, "maximum_allowed_days": 10}},
        "7 days",
        "reviewExpiresAfter: 10d",
    ),
]


@pytest.mark.parametrize(("subject", "changes", "message", "fix"), WRONG)
def test_a_setting_that_is_wrong_has_a_fix(
    subject: str, changes: dict[str, Any], message: str, fix: str
) -> None:
    finding = found(changes)[subject]
    assert finding.state is State.WRONG
    assert message in finding.message
    assert fix in "\n".join(finding.fix)
    assert not is_complete(found(changes).values())


def test_classic_protection_counts_as_well() -> None:
    protection = {
        "required_pull_request_reviews": {
            "required_approving_review_count": 1,
            "require_code_owner_reviews": True,
            "dismiss_stale_reviews": True,
        },
        "required_status_checks": {"strict": True, "checks": [{"context": "reconcile"}]},
        "allow_force_pushes": {"enabled": False},
        "allow_deletions": {"enabled": False},
    }
    without: dict[str, Any] = {"/rules/branches/main?per_page=100": []}
    classic = "/branches/main/protection"
    subject = "rules of branch main"
    assert found({**without, classic: protection})[subject].state is State.OK
    weaker = {**protection, "allow_force_pushes": {"enabled": True}}
    assert "a block of force pushes" in found({**without, classic: weaker})[subject].message


def test_classic_protection_that_cannot_be_seen_may_have_the_rules() -> None:
    changes = {"/rules/branches/main?per_page=100": [], "/branches/main/protection": NOT_THERE}
    assert found(changes)["rules of branch main"].state is State.UNSEEN
    changes["/branches/main/protection"] = (404, "Branch not protected")
    assert found(changes)["rules of branch main"].state is State.WRONG


@pytest.mark.parametrize(
    ("subject", "path"),
    [
        ("token of jobs", f"{PERMISSIONS}/workflow"),
        ("pull requests from forks", f"{PERMISSIONS}/fork-pr-workflows-private-repos"),
        ("retention of artifacts", f"{PERMISSIONS}/artifact-and-log-retention"),
        ("claim `sub` of tokens for AWS", "/actions/oidc/customization/sub"),
        ("environment reconcile-approve", APPROVE),
        ("environment reconcile-apply", APPLY),
        ("environment reconcile-apply", f"{APPLY}/deployment-branch-policies"),
    ],
)
def test_what_cannot_be_seen_is_not_complete(subject: str, path: str) -> None:
    findings = found({path: ADMIN_ONLY})
    assert findings[subject].state is State.UNSEEN
    assert not is_complete(findings.values())


def test_auto_merge_is_shown_to_administrators_only() -> None:
    about = {key: value for key, value in ABOUT.items() if key != "allow_auto_merge"}
    assert found({"": about})["auto-merge"].state is State.UNSEEN


def test_what_the_plan_does_not_offer_names_what_takes_its_place() -> None:
    no_queue = [rule for rule in RULES if rule["type"] != "merge_queue"]
    findings = found(
        {
            "/../../../orgs/hospital": {"plan": {"name": "team"}},
            "/rules/branches/main?per_page=100": no_queue,
            APPROVE: {"protection_rules": []},
        }
    )
    for subject in ("merge queue", "environment reconcile-approve"):
        assert findings[subject].state is State.NOT_OFFERED
        assert "In its place" in findings[subject].fix[0]
    assert is_complete(findings.values())
    free = found({"/rules/branches/main?per_page=100": UPGRADE})["rules of branch main"]
    assert free.state is State.NOT_OFFERED
    assert "Give few people write permission" in free.fix[0]


def test_a_repository_of_a_person() -> None:
    findings = found({"": {**ABOUT, "owner": {**ABOUT["owner"], "type": "User"}}, APPROVE: {}})
    assert findings["environment reconcile-approve"].state is State.NOT_OFFERED
    public = {**ABOUT, "owner": {**ABOUT["owner"], "type": "User"}, "visibility": "public"}
    assert "User" in "".join(found({"": public, APPROVE: {}})["environment reconcile-approve"].fix)
    assert "pull requests from forks" not in found({"": public})


def test_a_public_repository_has_required_reviewers_on_every_plan() -> None:
    changes = {
        "": {**ABOUT, "visibility": "public"},
        "/../../../orgs/hospital": {"plan": {"name": "free"}},
        APPROVE: {"protection_rules": []},
    }
    assert found(changes)["environment reconcile-approve"].state is State.WRONG


@pytest.mark.parametrize("answer", [(500, ""), (0, ""), (403, "API rate limit exceeded for x")])
def test_without_an_answer_nothing_is_judged(answer: tuple[int, str]) -> None:
    with pytest.raises(GitHubError):
        found({f"{PERMISSIONS}/workflow": answer})


def test_a_repository_that_is_not_there() -> None:
    with pytest.raises(GitHubError, match="GitHub has no repository hospital/metadata"):
        found({"": NOT_THERE})


ODD_ANSWERS = [[], None, 7, "text", {}, [7], {"errors": [7], "branch_policies": [7]}]


@pytest.mark.parametrize("answer", ODD_ANSWERS)
def test_an_answer_of_another_form_is_no_bug(answer: Any) -> None:
    for path in COMPLETE:
        rest = path.removeprefix("repos/hospital/metadata")
        assert found({rest: answer}) if path != rest else True


def test_a_review_that_is_valid_for_hours_needs_a_day() -> None:
    assert "valid for 1" in found(seconds=3600.0)["retention of artifacts"].message


def test_the_ruleset_of_the_fix_has_all_that_is_looked_for() -> None:
    """As a shell runs it: the rules that GitHub would then return."""
    (fix,) = found({"/rules/branches/main?per_page=100": []})["rules of branch main"].fix
    echo, ruleset, pipe, *gh = shlex.split(fix)
    assert (echo, pipe) == ("echo", "|")
    assert gh == ["gh", "api", "-X", "POST", "repos/hospital/metadata/rulesets", "--input", "-"]
    rules = json.loads(ruleset)["rules"]
    after = found({"/rules/branches/main?per_page=100": rules})["rules of branch main"]
    assert after.state is State.OK
