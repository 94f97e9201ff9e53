"""Runs the workflows of a repository: every `run:` step, in the order and environment of its job.

Installation is replaced: the tool under test is on PATH already. Sources: docs.github.com, Workflow
syntax; Contexts; Variables; Reusing workflows.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cli.outside import git
from tests.loop.actions import ActionError, Job, use
from tests.loop.commands import commands
from tests.loop.expressions import Progress, filled, holds
from tests.loop.host import NOW, SERVER, Host
from tests.loop.rendered import BRANCH, HOSPITAL, REPOSITORY
from tests.processes import bounded

INSTALL = "Install reconcile"
FOLDER = ".github/workflows"


@dataclass(frozen=True)
class Event:
    """What starts a run. `sha` is the commit, `ref` its name, `payload` what the event states."""

    name: str
    sha: str
    ref: str
    payload: Mapping[str, Any]

    @property
    def head(self) -> Mapping[str, Any]:
        """The head of the pull request."""
        return dict(self.payload.get("pull_request", {}).get("head", {}))

    @property
    def is_fork(self) -> bool:
        return bool(self.head) and self.head["repo"]["full_name"] != REPOSITORY


@dataclass(frozen=True)
class Step:
    """How a step ended. `commands` are those that the runner took from its output."""

    name: str
    outcome: str
    output: str = ""

    @property
    def commands(self) -> list[str]:
        return commands(self.output)


@dataclass
class Ran:
    """How a run ended: the result of each job, its steps, and the summaries of all steps."""

    id: int
    results: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    summary: str = ""

    @property
    def conclusion(self) -> str:
        return "failure" if "failure" in self.results.values() else "success"

    def step(self, name: str) -> Step:
        return next(one for one in self.steps if one.name == name)

    @property
    def log(self) -> str:
        return "".join(f"--- {one.name}: {one.outcome}\n{one.output}" for one in self.steps)


def loaded(repository: Path, commit: str, name: str) -> dict[str, Any]:
    """A workflow of a commit."""
    text = git(repository, "show", f"{commit}:{FOLDER}/{name}")
    return dict(yaml.load(text, yaml.BaseLoader))


@dataclass
class Runner:
    """Machines of a host. `tools` is a folder on PATH; each job has a new machine in `folder`."""

    host: Host
    tools: Path
    folder: Path
    approves: bool = True
    vars: Mapping[str, str] = field(default_factory=dict)

    def run(self, name: str, event: Event) -> Ran:
        """Run the workflow file of the commit of the event."""
        path = f"{FOLDER}/{name}"
        row = {"head_sha": event.head.get("sha", event.sha), "event": event.name, "path": path}
        repository = event.head.get("repo", {"full_name": REPOSITORY})
        branch = event.head.get("ref", event.ref.removeprefix("refs/heads/"))
        ran = Ran(self.host.start(**row, head_repository=repository, head_branch=branch))
        workflow = loaded(self.host.bare, event.sha, name)
        contexts = {"github": self._github(event, ran.id), "vars": self.vars, "secrets": {}}
        self._jobs(_Source(name, event.ref, workflow), contexts, event, ran)
        self.host.end(ran.id, ran.conclusion)
        return ran

    def _github(self, event: Event, run: int) -> dict[str, Any]:
        return {
            "event": event.payload,
            "event_name": event.name,
            "sha": event.sha,
            "ref": event.ref,
            "repository": REPOSITORY,
            "server_url": SERVER,
            "run_id": run,
        }

    def _jobs(
        self, source: _Source, contexts: dict[str, Any], event: Event, ran: Ran, limit: Any = None
    ) -> bool:
        """Run the jobs of a file. `limit` are the rights of the job that calls it."""
        needs: dict[str, Any] = {}
        for key, job in source.workflow["jobs"].items():
            wanted = job.get("needs", [])
            mine = {one: needs[one] for one in ([wanted] if isinstance(wanted, str) else wanted)}
            progress = Progress(any(one["result"] != "success" for one in mine.values()))
            known = {**contexts, "needs": mine}
            result, outputs = "skipped", dict[str, str]()
            if holds(job.get("if"), known, progress):
                result, outputs = self._job(key, job, source, known, event, ran, limit)
            needs[key] = {"result": result, "outputs": outputs}
            ran.results[key if limit is None else f"{source.file}/{key}"] = result
        return all(one["result"] != "failure" for one in needs.values())

    def _job(
        self,
        key: str,
        job: Mapping[str, Any],
        source: _Source,
        contexts: dict[str, Any],
        event: Event,
        ran: Ran,
        limit: Any,
    ) -> tuple[str, dict[str, str]]:
        rights = dict(job.get("permissions") or source.workflow["permissions"] or {})
        if limit is not None:
            assert all(limit.get(name) == level for name, level in rights.items()), rights
        if "uses" in job:
            called = self._called(job["uses"])
            ok = self._jobs(called, contexts, event, ran, rights)
            return ("success" if ok else "failure"), {}
        if event.is_fork:
            rights = {name: "read" for name in rights if name != "id-token"}
        environment = job.get("environment", "")
        if environment and not self.approves:
            return "failure", {}
        machine = self._machine(ran.id, key, source, rights, environment, event.ref)
        contexts["github"] = {**contexts["github"], "token": self.host.token(rights)}
        return _Steps(self, job, source, machine, contexts, event, ran).all()

    def _called(self, uses: str) -> _Source:
        """A workflow of a repository at a branch: `owner/name/.github/workflows/file@branch`."""
        path, _, branch = uses.partition("@")
        assert path.startswith(f"{REPOSITORY}/{FOLDER}/"), uses
        name = path.rpartition("/")[2]
        return _Source(name, f"refs/heads/{branch}", loaded(self.host.bare, branch, name))

    def _machine(
        self,
        run: int,
        key: str,
        source: _Source,
        rights: Mapping[str, str],
        environment: str,
        started_for: str,
    ) -> Job:
        place = self.folder / f"run-{run}-{key}"
        for name in ("work", "temp", "home"):
            (place / name).mkdir(parents=True)
        return Job(
            self.host,
            run,
            source.file,
            source.ref,
            started_for,
            place / "work",
            place / "temp",
            rights,
            environment,
        )


@dataclass(frozen=True)
class _Source:
    """A workflow file at a ref."""

    file: str
    ref: str
    workflow: Mapping[str, Any]


@dataclass
class _Steps:
    """The steps of one job."""

    runner: Runner
    job: Mapping[str, Any]
    source: _Source
    machine: Job
    contexts: dict[str, Any]
    event: Event
    ran: Ran

    def all(self) -> tuple[str, dict[str, str]]:
        """Run them; return the result of the job and its outputs."""
        has_failed = False
        outputs: dict[str, Any] = {}
        for number, step in enumerate(self.job["steps"]):
            context = self._context(outputs)
            if not holds(step.get("if"), context, Progress(has_failed)):
                continue
            name = step.get("name", step.get("uses", "").partition("@")[0])
            outcome, output, found = self._step(number, step, context)
            self.ran.steps.append(Step(name, outcome, output))
            outputs[step.get("id", f"_{number}")] = {"outputs": found, "outcome": outcome}
            has_failed = has_failed or outcome == "failure"
        context = self._context(outputs)
        stated = {key: filled(text, context) for key, text in self.job.get("outputs", {}).items()}
        return ("failure" if has_failed else "success"), stated

    def _context(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        runner = {"temp": str(self.machine.temp)}
        known = {**self.contexts, "runner": runner, "steps": outputs}
        env: dict[str, str] = {}
        for level in (self.source.workflow, self.job):
            env |= {key: filled(text, known) for key, text in level.get("env", {}).items()}
        return {**known, "env": env}

    def _step(
        self, number: int, step: Mapping[str, Any], context: dict[str, Any]
    ) -> tuple[str, str, dict[str, str]]:
        if "uses" in step:
            given = {key: filled(text, context) for key, text in step.get("with", {}).items()}
            try:
                return "success", "", use(self.machine, step["uses"].partition("@")[0], given)
            except ActionError as error:
                return "failure", f"Error: {error}\n", {}
        if step["name"].startswith(INSTALL):
            return "success", "", {}
        return self._script(number, step, context)

    def _script(
        self, number: int, step: Mapping[str, Any], context: dict[str, Any]
    ) -> tuple[str, str, dict[str, str]]:
        files = {
            name: self.machine.temp / f"_{number}_{name.lower()}"
            for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV", "GITHUB_PATH")
        }
        for path in files.values():
            path.touch()
        env = {key: filled(text, context) for key, text in step.get("env", {}).items()}
        environment = {
            **self._base(),
            **context["env"],
            **self.machine.env,
            **{name: str(path) for name, path in files.items()},
            **env,
        }
        code, output = _bash(step["run"], self.machine.workspace, environment)
        self.ran.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        self.machine.env |= dict(_assignments(files["GITHUB_ENV"].read_text()))
        found = dict(_assignments(files["GITHUB_OUTPUT"].read_text()))
        return ("failure" if code else "success"), output, found

    def _base(self) -> dict[str, str]:
        payload = self.machine.temp / "event.json"
        repository = {"private": True, "visibility": "private", "full_name": REPOSITORY}
        payload.write_text(json.dumps({**self.event.payload, "repository": repository}))
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_REPOSITORY_OWNER": REPOSITORY.partition("/")[0],
            "GITHUB_REPOSITORY_ID": HOSPITAL.repository_id,
            "GITHUB_SERVER_URL": SERVER,
            "GITHUB_EVENT_NAME": self.event.name,
            "GITHUB_EVENT_PATH": str(payload),
            "GITHUB_SHA": self.event.sha,
            "GITHUB_REF": self.event.ref,
            "GITHUB_REF_NAME": self.event.ref.removeprefix("refs/heads/"),
            "GITHUB_RUN_ID": str(self.ran.id),
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_WORKSPACE": str(self.machine.workspace),
            "RUNNER_TEMP": str(self.machine.temp),
            "HOME": str(self.machine.temp.parent / "home"),
            "PATH": f"{self.runner.tools}:/usr/bin:/bin",
            "GH_STATE": str(self.runner.host.file),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LANG": "C.UTF-8",
        }


def _bash(script: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """As GitHub runs a step without `shell:` on Linux (docs.github.com, Workflow syntax)."""
    process = subprocess.Popen(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    with bounded(process):
        output, _ = process.communicate()
    return process.returncode, output


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """`name=value`, or `name<<DELIMITER` with lines up to the delimiter."""
    lines = iter(text.splitlines())
    for line in lines:
        name, sign, value = line.partition("=")
        if "<<" in name:
            name, _, end = line.partition("<<")
            value = "\n".join(iter(lines.__next__, end))
        else:
            assert sign, f"not an assignment: {line}"
        yield name, value


def pull_request(host: Host, number: int) -> Event:
    """The event of a pull request that was opened or pushed to: its test merge is checked out."""
    payload = {"number": number, "pull_request": host.pull(number), "action": "synchronize"}
    ref = f"refs/pull/{number}/merge"
    return Event("pull_request", host.tip(ref), ref, payload)


def push(host: Host, before: str) -> Event:
    """The event of a push to the branch, which is now at its tip."""
    after = host.tip()
    payload = {"before": before, "after": after, "head_commit": {"id": after, "timestamp": NOW}}
    return Event("push", after, f"refs/heads/{BRANCH}", payload)


def merge_group(payload: Mapping[str, Any]) -> Event:
    """The event of a group of the merge queue."""
    group = payload["merge_group"]
    return Event("merge_group", group["head_sha"], group["head_ref"], payload)


def schedule(host: Host) -> Event:
    """The event of a schedule, at the default branch."""
    return Event("schedule", host.tip(), f"refs/heads/{BRANCH}", {"schedule": "0 5 * * *"})
