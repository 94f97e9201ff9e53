"""What a job of GitHub Actions or GitLab CI states about itself, in variables and files.

Sources: docs.github.com, Variables reference; docs.gitlab.com, Predefined CI/CD variables.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

# The branch of a group: it names the last pull request in it.
_GROUP = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-(\d{1,18})-[0-9a-f]{40,64}", re.ASCII)
_BRANCH = "refs/heads/"
_MERGE_REQUESTS = frozenset({"merge_request_event", "external_pull_request_event"})


@dataclass(frozen=True, slots=True)
class Job:
    """The job that this process is part of. Most systems set `CI=true`.

    `is_private` says that only chosen people can read the repository and its pull requests; False
    also where the job does not state it. `tests_pull_request` says that the commit is the merge
    that GitHub makes to test a pull request. `run` is the ID of the job as records state it, "" for
    other systems. `is_proposed` says that the commit is not merged yet: it is that of a pull
    request or of a merge queue. `base` is the commit that a merge queue merges it into, "" for any
    other job. `group_pull` is the number of the pull request that its branch names, 0 if none.
    `is_by_person` says that a person opened the pull request that the job is for; True also if the
    job does not state its author.
    `branch` is the branch that the job runs for, "" for a commit that is not merged yet, for a tag,
    and where the job does not state it.
    """

    is_ci: bool
    is_private: bool = False
    files_url: str = ""
    tests_pull_request: bool = False
    run: str = ""
    is_proposed: bool = False
    base: str = ""
    group_pull: int = 0
    is_by_person: bool = False
    branch: str = ""

    def link(self, commit: str, folder: str) -> str:
        """The address of the files of a folder at a commit, "" where the job states none."""
        if not (self.files_url and commit):
            return ""
        return "/".join(filter(None, (self.files_url, commit, quote(folder.strip("./")))))


def job(environment: Mapping[str, str] = os.environ) -> Job:
    """Read the variables of this process."""
    is_ci = environment.get("CI", "").lower() == "true"
    if environment.get("GITHUB_REPOSITORY"):
        server = environment.get("GITHUB_SERVER_URL", "https://github.com")
        files_url = f"{server}/{environment['GITHUB_REPOSITORY']}/blob"
        event = environment.get("GITHUB_EVENT_NAME", "") if is_ci else ""
        is_proposed = event.startswith("pull_request") or event == "merge_group"
        ref = environment.get("GITHUB_REF", "") if is_ci and not is_proposed else ""
        return Job(
            is_ci,
            _is_private_on_github(environment),
            files_url,
            tests_pull_request=event == "pull_request",
            run=_run("github", environment, "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT"),
            is_proposed=is_proposed,
            base=_of_merge_group(environment, "base_sha") if event == "merge_group" else "",
            group_pull=_pull_of_group(environment) if event == "merge_group" else 0,
            is_by_person=event.startswith("pull_request") and not _is_by_bot(environment),
            branch=ref.removeprefix(_BRANCH) if ref.startswith(_BRANCH) else "",
        )
    if environment.get("CI_PROJECT_URL"):
        is_private = environment.get("CI_PROJECT_VISIBILITY") == "private"
        is_proposed = environment.get("CI_PIPELINE_SOURCE") in _MERGE_REQUESTS
        return Job(
            is_ci,
            is_private,
            f"{environment['CI_PROJECT_URL']}/-/blob",
            run=_run("gitlab", environment, "CI_JOB_ID"),
            is_proposed=is_ci and is_proposed,
            is_by_person=is_ci and is_proposed,
            # Pipelines of merge requests and of tags do not have it.
            branch=environment.get("CI_COMMIT_BRANCH", "") if is_ci and not is_proposed else "",
        )
    return Job(is_ci)


def _run(system: str, environment: Mapping[str, str], *names: str) -> str:
    """`github-123-1`, "" unless all parts are numbers: this text goes into records."""
    parts = [environment.get(name, "") for name in names]
    are_numbers = all(part.isascii() and part.isdecimal() and len(part) <= 20 for part in parts)
    return "-".join((system, *parts)) if are_numbers else ""


def _pull_of_group(environment: Mapping[str, str]) -> int:
    found = _GROUP.fullmatch(_of_merge_group(environment, "head_ref"))
    return int(found[1]) if found else 0


def _of_merge_group(environment: Mapping[str, str], name: str) -> str:
    """A value of the group that a merge queue tests (webhook event `merge_group`)."""
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_bytes())
        return str(event["merge_group"][name])
    except (KeyError, OSError, ValueError, TypeError):
        return ""


def _is_by_bot(environment: Mapping[str, str]) -> bool:
    """Whether GitHub states that a bot opened the pull request (webhook event `pull_request`).

    The author of a commit proves nothing: any person may write the address of a bot into it.
    """
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_bytes())
        return bool(event["pull_request"]["user"]["type"] == "Bot")
    except (KeyError, OSError, ValueError, TypeError):
        return False


def _is_private_on_github(environment: Mapping[str, str]) -> bool:
    """Whether the event that started the workflow states a private repository."""
    try:
        event = json.loads(Path(environment["GITHUB_EVENT_PATH"]).read_bytes())
        visibility = event["repository"].get("visibility")
        return bool(event["repository"]["private"]) and visibility in (None, "private")
    except (KeyError, OSError, ValueError, TypeError, AttributeError):
        return False
