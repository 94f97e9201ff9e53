"""Answers -> the files of a scaffold. Deterministic: the same answers give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler import __version__
from reconciler.init import policies
from reconciler.init.answers import Answers, Repository, Store
from reconciler.init.check import record_mode
from reconciler.init.templates import Template, templates
from reconciler.init.trust import trust_policies

PLAN_ROLE = "reconcile-plan"
APPLY_ROLE = "reconcile-apply"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the scaffold with its content, and its template."""

    template: Template
    content: str


def scaffold(answers: Answers) -> tuple[File, ...]:
    """The files for these answers, by path. The key is not among them: it is random."""
    known = values(answers)
    return tuple(
        File(template, template.rendered(known))
        for template in templates(answers.forge)
        if template.placeholders <= known.keys()
    )


def values(answers: Answers) -> dict[str, str]:
    """What the placeholders stand for."""
    found = {
        "DATASTORES": "\n".join(map(_settings_of, answers.stores)),
        "DATASTORE": answers.stores[0].name if answers.stores else "research",
        "DEFAULT_BRANCH": answers.branch,
        "ACCOUNT": answers.account,
        "REGION": answers.region,
        "VERSION": __version__,
        "RECORD_MODE": record_mode(answers.forge),
        "RECORD_BRANCH": answers.record_branch,
        "PLAN_ROLE": PLAN_ROLE,
        "APPLY_ROLE": APPLY_ROLE,
        "PLAN_ROLE_ARN": f"arn:aws:iam::{answers.account}:role/{PLAN_ROLE}",
        "APPLY_ROLE_ARN": f"arn:aws:iam::{answers.account}:role/{APPLY_ROLE}",
        "PLAN_POLICY": policies.plan_policy(answers.stores),
        "APPLY_POLICY": policies.apply_policy(answers.stores),
    }
    if trust := trust_policies(answers):
        found["PLAN_TRUST"], found["APPLY_TRUST"] = trust
    if answers.repository:
        found |= {"REPOSITORY": str(answers.repository), "TEAM": _team(answers.repository)}
    return found


def _team(repository: Repository) -> str:
    return f"@{repository.owner}/metadata-maintainers"


def _settings_of(store: Store) -> str:
    return (
        f"  {store.name}:\n"
        f'    datastoreId: "{store.datastore_id}"\n'
        f"    region: {store.region}\n"
        f'    accountId: "{store.account}"'
    )
