"""What a CI job may do: one table of commands and rules.

A job runs with credentials, its output is stored, and a pull request may have changed its files. A
person at a terminal decides for herself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from reconciler.core.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.core.model.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


class Rule(Enum):
    """A rule for one command in a CI job."""

    REFUSED = auto()  # it does not run
    ACCOUNTS = auto()  # each data store on AWS states its account
    COMMITTED = auto()  # the commit holds all that is read, as regular files
    BASE = auto()  # the settings of a commit that is not merged yet are those of its base
    RECORDS = auto()  # the records and the key of a pull request are those of its base
    MERGED = auto()  # it does not run on a commit that is not merged yet


RULES: Mapping[str, frozenset[Rule]] = {
    "validate": frozenset({Rule.RECORDS}),  # a fork gets no plan, which refuses other records
    "plan": frozenset({Rule.ACCOUNTS, Rule.COMMITTED, Rule.BASE}),
    "show": frozenset(),
    "apply": frozenset({Rule.ACCOUNTS, Rule.COMMITTED, Rule.MERGED}),
    "record": frozenset({Rule.ACCOUNTS, Rule.COMMITTED, Rule.MERGED}),
    "reviews": frozenset(),
    "search": frozenset({Rule.ACCOUNTS, Rule.MERGED}),
    "import": frozenset({Rule.REFUSED}),
    "datastores": frozenset(),
    "explain": frozenset(),
    "schema": frozenset(),
    "init": frozenset(),
    "demo": frozenset(),
    "emulator": frozenset(),
}


def guarded(name: str, command: Callable[P, T]) -> Callable[P, T]:
    """The command; in a CI job it raises ReconcilerError if the table refuses it there."""
    if Rule.REFUSED not in RULES[name]:
        return command

    @wraps(command)
    def refusing(*arguments: P.args, **options: P.kwargs) -> T:
        from reconciler.edges import ci

        if ci.job().is_ci:
            raise ReconcilerError(
                f"`reconcile {name}` is refused in a CI job: its output is stored",
                "Run the command on your machine, and open a pull request with the result. Unset "
                "CI if this is your machine.",
            )
        return command(*arguments, **options)

    return refusing


def check(name: str, settings: Settings, paths: Sequence[Path] = (), *, base: str = "") -> None:
    """Raise ReconcilerError if the rules of a command do not hold in this CI job.

    `base` is the commit whose settings are used, "" if they are those of the working tree.
    """
    from reconciler import pipeline
    from reconciler.edges import ci

    job, rules = ci.job(), RULES[name]
    if not job.is_ci:
        return
    if Rule.MERGED in rules and job.is_proposed:
        raise ReconcilerError(
            f"`reconcile {name}` is refused in a job for a pull request or a merge queue",
            "Run it after the merge, in a workflow for pushes to the default branch.",
        )
    if Rule.BASE in rules and job.is_proposed and not base:
        raise ReconcilerError(
            "this job tests a pull request, and its base is not known: the commit that is checked "
            "out is not a merge with it",
            "Check out the test merge with its parents: use actions/checkout with `fetch-depth: 0` "
            "and without `ref`. Or name the base with `--base`.",
        )
    if Rule.RECORDS in rules and job.tests_pull_request:
        pipeline.trusted(settings, None)
    if Rule.ACCOUNTS in rules:
        _refuse_unstated_accounts(settings)
    if Rule.COMMITTED in rules:
        pipeline.refuse_uncommitted(settings, paths)


def _refuse_unstated_accounts(settings: Settings) -> None:
    names = [one.name for one in settings.datastores if one.is_aws and not one.account_id]
    if names:
        raise ReconcilerError(
            f"{settings.file} does not state the AWS account of data store {', '.join(names)}",
            'Add the account, such as `accountId: "123456789012"`. A CI job needs it, so that it '
            "makes no call with the credentials of another account.",
        )
