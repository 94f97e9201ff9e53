"""The pipeline of GitLab: its schema, and decisions that its table in docs/gitlab.md states."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.loop.rendered import ACCOUNT, TEMPLATES, rendered
from tests.loop.test_workflows import BIN, tool

TEXT = rendered(TEMPLATES / "gitlab")[".gitlab-ci.yml"]


class _Loader(yaml.SafeLoader):
    """Knows GitLab's tag `!reference [job, key]`."""


def _reference(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> tuple[str, ...]:
    return tuple(loader.construct_sequence(node))


_Loader.add_constructor("!reference", _reference)
PIPELINE: dict[str, Any] = yaml.load(TEXT, _Loader)
JOBS = {
    name: job
    for name, job in PIPELINE.items()
    if isinstance(job, dict) and "stage" in job and not name.startswith(".")
}


def script(name: str) -> list[str]:
    """The lines that a job runs, with those of what it extends."""
    job = PIPELINE[name]
    before = job.get("before_script") or (
        PIPELINE[job["extends"]]["before_script"] if "extends" in job else []
    )
    lines: list[str] = []
    for line in (*before, *job.get("script", ())):
        lines += script(line[0]) if isinstance(line, tuple) else [line]
    return lines


def test_the_schema_of_gitlab_accepts_it(tmp_path: Path) -> None:
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(TEXT)
    tool(BIN / "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform",
         "gitlab-ci", path)  # fmt: skip


@pytest.mark.parametrize("name", JOBS)
def test_scripts_are_programs(name: str) -> None:
    text = "\n".join(script(name))
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0
    assert text.startswith("umask 077")


@pytest.mark.parametrize("name", JOBS)
def test_what_is_installed_is_what_the_base_locks(name: str) -> None:
    text = "\n".join(script(name))
    assert "--require-hashes --only-binary :all:" in text
    assert text.count("python") == text.count("python -I") + text.count('python" -I')


def test_the_apply_is_started_by_a_person_and_waits_for_others() -> None:
    apply = PIPELINE["apply"]
    assert apply["rules"][0]["when"] == "manual"
    assert apply["environment"] == {"name": "reconcile-apply"}
    assert apply["resource_group"] == f"reconcile-{ACCOUNT}-us-east-1"
    assert apply["needs"] == ["plan-merged"]
    assert PIPELINE["default"]["interruptible"] is False


def test_forks_get_no_token_of_aws() -> None:
    asking = [name for name, job in JOBS.items() if job["extends"] == ".aws"]
    assert asking == ["plan", "plan-merged", "apply"]
    assert (
        "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID"
        in PIPELINE["plan"]["rules"][0]["if"]
    )
