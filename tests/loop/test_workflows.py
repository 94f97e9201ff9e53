"""Rules for workflows, ours and those of `reconcile init`: auditors, schemas, and decisions."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.init.answers import Answers, Forge, Repository, Store
from reconciler.init.scaffold import scaffold
from reconciler.render import markdown, report_markdown
from tests.docs.markdown import REPOSITORY as OURS
from tests.loop.rendered import ACCOUNT, BRANCH, workflows

BIN = Path(sys.executable).parent
TEXTS = workflows()
OUR_WORKFLOWS = OURS / ".github" / "workflows"
ALL = {**TEXTS, **{path.name: path.read_text() for path in OUR_WORKFLOWS.glob("*.yml")}}
AUDITED = {**ALL, "action.yml": (OURS / "action.yml").read_text()}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as a team has it."""
    root = tmp_path_factory.mktemp("team")
    folder = root / ".github" / "workflows"
    folder.mkdir(parents=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    return root


def loaded(name: str) -> dict[str, Any]:
    return dict(yaml.load(ALL[name], yaml.BaseLoader))


def jobs(name: str) -> dict[str, dict[str, Any]]:
    return dict(loaded(name)["jobs"])


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in jobs(name).values():
        yield from job.get("steps", ())


def tool(*command: str | Path) -> None:
    """Run a tool that prints what it finds wrong."""
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_they_are_as_init_writes_them() -> None:
    store = Store("research", "1" * 32, "us-east-1", ACCOUNT)
    here = Repository("hospital", "metadata", "123", "456")
    answers = Answers((store,), ACCOUNT, "us-east-1", BRANCH, Forge.GITHUB, here)
    made = {Path(file.template.path): file.content for file in scaffold(answers)}
    assert {
        path.name: text for path, text in made.items() if path.parent.name == "workflows"
    } == TEXTS


def test_zizmor_finds_nothing(team: Path) -> None:
    """`pedantic` also reports what is merely not explained (docs.zizmor.sh)."""
    folders = (team, OUR_WORKFLOWS)
    tool(BIN / "zizmor", "--offline", "--persona", "pedantic", "--no-progress", *folders)


def test_the_schema_of_github_accepts_them(team: Path) -> None:
    found = [*(team / ".github" / "workflows").iterdir(), *OUR_WORKFLOWS.glob("*.yml")]
    tool(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *found)


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_finds_nothing(team: Path) -> None:
    tool("actionlint", *(team / ".github" / "workflows").iterdir(), *OUR_WORKFLOWS.glob("*.yml"))


@pytest.mark.parametrize("name", AUDITED)
def test_each_exception_is_explained_above_its_line(name: str) -> None:
    lines = AUDITED[name].splitlines()
    for before, line in pairwise(lines):
        if "zizmor: ignore" in line:
            assert before.strip().startswith("# "), line


@pytest.mark.parametrize("name", ALL)
def test_no_expression_stands_in_a_script(name: str) -> None:
    """Its value would be a part of the program: a branch can be named `$(…)`."""
    for step in steps(name):
        assert "${{" not in step.get("run", ""), step["run"]


@pytest.mark.parametrize("name", ALL)
def test_actions_are_pinned_to_commits(name: str) -> None:
    for line in ALL[name].splitlines():
        if "uses:" in line and "/.github/workflows/" not in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40}  # v[\d.]+$", line), line


@pytest.mark.parametrize("name", ALL)
def test_no_job_has_more_rights_than_it_states(name: str) -> None:
    assert loaded(name)["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in loaded(name)["on"]
    for job in jobs(name).values():
        assert "permissions" in job or name == "ci.yml"


@pytest.mark.parametrize("name", ALL)
def test_no_credentials_stay_in_the_clone(name: str) -> None:
    for step in steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


@pytest.mark.parametrize("name", TEXTS)
def test_what_the_tool_prints_is_no_command_of_the_workflow(name: str) -> None:
    """Each call stands between `::stop-commands::` and its end, and files are private."""
    for step in steps(name):
        script = step.get("run", "")
        calls = list(re.finditer(r"^\s*(if )?reconcile ", script, re.MULTILINE))
        if not calls:
            continue
        assert script.startswith("umask 077\n"), script
        assert script.index('echo "::stop-commands::$token"') < calls[0].start()
        ended = script.rindex('echo "::$token::"')
        assert ended > calls[-1].start() or "trap 'echo \"::$token::\"' EXIT" in script


@pytest.mark.parametrize("name", TEXTS)
def test_python_imports_nothing_of_the_tree(name: str) -> None:
    """`python -m` puts the current folder first: a pull request may have a pip.py there."""
    for step in steps(name):
        for found in re.finditer(r"python\"? -\S*", step.get("run", "")):
            assert found[0].endswith("-I"), found[0]


def test_a_fork_gets_no_rights() -> None:
    job = jobs("reconcile-pull-request.yml")["fork"]
    assert job["permissions"] == {"contents": "read"}
    assert "secrets." not in ALL["reconcile-pull-request.yml"]


def test_only_the_trusted_files_ask_for_a_token_of_aws() -> None:
    asking = {
        name: [key for key, job in jobs(name).items() if "id-token" in job.get("permissions", {})]
        for name in TEXTS
    }
    found = {name: keys for name, keys in asking.items() if keys}
    assert found == {
        "reconcile-apply.yml": ["apply"],
        "reconcile-drift.yml": ["drift"],
        "reconcile-plan.yml": ["plan"],
        "reconcile-pull-request.yml": ["plan"],
    }


def test_the_first_lines_of_comments_are_those_of_the_tool() -> None:
    found = {
        name: step["env"]["MARKER"]
        for name in TEXTS
        for step in steps(name)
        if "MARKER" in step.get("env", {})
    }
    assert found == {
        "reconcile-apply.yml": report_markdown.MARKER,
        "reconcile-drift.yml": "<!-- imageset-reconciler: drift -->",
        "reconcile-plan.yml": markdown.MARKER,
    }


def test_the_applies_of_an_account_and_region_wait_for_each_other() -> None:
    job = jobs("reconcile-apply.yml")["apply"]
    assert job["concurrency"] == {
        "group": f"reconcile-{ACCOUNT}-us-east-1",
        "cancel-in-progress": "false",
        "queue": "max",
    }
    assert "concurrency" not in jobs("reconcile-apply.yml")["approve"]


def test_the_push_token_is_given_to_the_steps_that_push_alone() -> None:
    found = [
        (name, step["name"])
        for name in TEXTS
        for step in steps(name)
        if "RECONCILE_PUSH_TOKEN" in step.get("env", {})
    ]
    assert found == [
        ("reconcile-apply.yml", "Fetch the reviews"),
        ("reconcile-apply.yml", "Apply"),
        ("reconcile-drift.yml", "Record what moved and holds what is asked for"),
    ]
    for name, _ in found:
        assert "RECONCILE_PUSH_TOKEN" not in loaded(name)["env"]
