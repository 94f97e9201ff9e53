"""Doubles of the actions that the workflows use: what they do to a job, as far as it relies on it.

Inputs that a double does not know are an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from tests import oidc
from tests.cli.outside import git
from tests.loop.host import APP, SERVER, Host
from tests.loop.rendered import ACCOUNT, BRANCH, HOSPITAL, REPOSITORY, trust


@dataclass
class Job:
    """What the steps of a job share.

    `file` is the workflow that defines it, at `ref`. `started_for` is the ref of the event.
    """

    host: Host
    run: int
    file: str
    ref: str
    started_for: str
    workspace: Path
    temp: Path
    permissions: Mapping[str, str]
    environment: str = ""
    env: dict[str, str] = field(default_factory=dict)


class ActionError(Exception):
    """An action failed, as its step would."""


def use(job: Job, name: str, given: dict[str, str]) -> dict[str, str]:
    """Do what an action does; return its outputs."""
    found = dict(_ACTIONS[name](job, given))
    assert not given, f"{name}: not known to its double: {given}"
    return found


def _checkout(job: Job, given: dict[str, str]) -> dict[str, str]:
    """actions/checkout: a branch is checked out as a branch, a commit without one."""
    assert given.pop("persist-credentials") == "false"
    assert given.pop("fetch-depth") in ("0", "2")
    ref = given.pop("ref")
    root = job.workspace
    git(root, "init", "-q", "-b", "none")
    git(root, "remote", "add", "origin", str(job.host.bare))
    git(root, "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", ref)
    what = ("-B", BRANCH, f"refs/remotes/origin/{BRANCH}") if ref == BRANCH else ("--detach", ref)
    try:
        git(root, "checkout", "-q", *what)
    except CalledProcessError as error:
        raise ActionError(error.stderr.strip()) from None
    return {"commit": git(root, "rev-parse", "HEAD")}


def _setup_python(job: Job, given: dict[str, str]) -> dict[str, str]:
    assert given.pop("python-version")
    return {}


def _credentials(job: Job, given: dict[str, str]) -> dict[str, str]:
    """configure-aws-credentials, and what the trust policy of each role says of the token."""
    if job.permissions.get("id-token") != "write":
        raise ActionError("Credentials could not be loaded: no ID token")
    role = given.pop("role-to-assume")
    assert given.pop("allowed-account-ids") == ACCOUNT
    given.pop("role-session-name")
    if not oidc.accepts(trust()[role], token(job), ACCOUNT):
        raise ActionError("Not authorized to perform sts:AssumeRoleWithWebIdentity")
    job.env |= {
        "AWS_REGION": given.pop("aws-region"),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_SESSION_TOKEN": role,
    }
    return {}


def token(job: Job) -> oidc.Token:
    """What GitHub states about a job to AWS."""
    return oidc.token(
        job.file,
        job.ref,
        job.started_for,
        numbered=job.host.has_numbered_subjects,
        environment=job.environment,
        repository=HOSPITAL,
    )


def _upload(job: Job, given: dict[str, str]) -> dict[str, str]:
    assert int(given.pop("retention-days")) > 0
    missing = given.pop("if-no-files-found")
    path = Path(given.pop("path"))
    is_zip = given.pop("archive", "true") == "true"
    name = given.pop("name") if is_zip else path.name
    if not path.is_file():
        if missing == "error":
            raise ActionError(f"No files were found with the provided path: {path}")
        return {}
    number = job.host.upload(job.run, name, {path.name: path.read_bytes()})
    url = f"{SERVER}/{REPOSITORY}/actions/runs/{job.run}/artifacts/{number}"
    return {"artifact-id": str(number), "artifact-url": url}


def _app_token(job: Job, given: dict[str, str]) -> dict[str, str]:
    given.pop("client-id")
    given.pop("private-key")
    wanted = {key.removeprefix("permission-"): given.pop(key) for key in list(given)}
    return {"token": job.host.token(wanted, login=APP)}


_ACTIONS: dict[str, Callable[[Job, dict[str, str]], dict[str, Any]]] = {
    "actions/checkout": _checkout,
    "actions/setup-python": _setup_python,
    "actions/upload-artifact": _upload,
    "actions/create-github-app-token": _app_token,
    "aws-actions/configure-aws-credentials": _credentials,
}
