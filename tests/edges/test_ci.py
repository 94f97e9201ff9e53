"""What a job of a CI system states about itself."""

from __future__ import annotations

import pytest

from reconciler.edges.ci import job

GITHUB = {"CI": "true", "GITHUB_REPOSITORY": "hospital/metadata"}
GITLAB = {"CI": "true", "CI_PROJECT_URL": "https://gitlab.com/hospital/metadata"}


@pytest.mark.parametrize(
    ("environment", "run"),
    [
        (GITHUB | {"GITHUB_RUN_ID": "1658821493", "GITHUB_RUN_ATTEMPT": "2"}, "1658821493-2"),
        (GITLAB | {"CI_JOB_ID": "4711"}, "4711"),
    ],
)
def test_the_run_is_that_of_the_system(environment: dict[str, str], run: str) -> None:
    system = "github" if "GITHUB_REPOSITORY" in environment else "gitlab"
    assert job(environment).run == f"{system}-{run}"


@pytest.mark.parametrize("number", ["", "x", "1\n2", "1" * 21, "²"])
def test_what_is_no_number_is_no_run(number: str) -> None:
    assert job(GITHUB | {"GITHUB_RUN_ID": number, "GITHUB_RUN_ATTEMPT": "1"}).run == ""
    assert job(GITLAB | {"CI_JOB_ID": number}).run == ""
    assert job({}).run == ""


@pytest.mark.parametrize(
    ("environment", "branch"),
    [
        (GITHUB | {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/a/b"}, "a/b"),
        (GITHUB | {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/v1"}, ""),
        (GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/7/merge"}, ""),
        # The base branch of the pull request, whose commit is not what is checked out.
        (GITHUB | {"GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_REF": "refs/heads/m"}, ""),
        (GITHUB | {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REF": "refs/heads/gh-x"}, ""),
        (GITHUB | {"GITHUB_REF": "refs/heads/main", "CI": ""}, ""),
        (GITLAB | {"CI_COMMIT_BRANCH": "main"}, "main"),
        (GITLAB | {"CI_COMMIT_TAG": "v1"}, ""),
        (GITLAB | {"CI_COMMIT_BRANCH": "main", "CI": ""}, ""),
        ({"CI": "true"}, ""),
    ],
)
def test_the_branch_that_a_job_runs_for(environment: dict[str, str], branch: str) -> None:
    assert job(environment).branch == branch
