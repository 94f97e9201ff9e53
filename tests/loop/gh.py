"""A stand-in for `gh api`, over the state of the host. Its calls are recorded.

Flags that it does not know end with an error, as those of gh do, and so does a call that the token
does not permit. Sources: `gh api --help` (cli.github.com/manual/gh_api); docs.github.com, REST API.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs, unquote

import jq

_STATE = Path(os.environ["GH_STATE"])
_PREFIX = "repos/hospital/metadata/"
BOT = "github-actions[bot]"
_PAGE = 30  # the default of GitHub; `per_page` allows up to 100


def main() -> None:
    given = _parsed()
    state = json.loads(_STATE.read_text())
    token = state["tokens"].get(os.environ.get("GH_TOKEN", ""))
    if token is None:
        _fail("gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN variable")
    path, _, query = given.endpoint.removeprefix("/").partition("?")
    state["calls"].append([given.method, given.endpoint])
    fields = dict(_field(one) for one in given.field) | dict(
        one.partition("=")[::2] for one in given.raw_field
    )
    call = Call(state, token, {key: rows[0] for key, rows in parse_qs(query).items()}, fields)
    found = call.answer(given.method, path)
    _STATE.write_text(json.dumps(state, indent=1))
    if isinstance(found, bytes):
        sys.stdout.buffer.write(found)
    elif not given.silent:
        _print(_pages(found, call.query, given.paginate), given.jq)


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("endpoint")
    parser.add_argument("--hostname", choices=["github.com"])
    parser.add_argument("-X", "--method")
    parser.add_argument("-F", "--field", action="append", default=[])
    parser.add_argument("-f", "--raw-field", action="append", default=[])
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-q", "--jq")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--slurp", action="store_true")
    parser.add_argument("--silent", action="store_true")
    given = parser.parse_args()
    # gh sends POST as soon as there are fields.
    given.method = given.method or ("POST" if given.field or given.raw_field else "GET")
    if given.slurp and (given.jq or not given.paginate):
        _fail("the `--slurp` option needs `--paginate` and no `--jq`")
    return given


@dataclass
class Call:
    """A call with the state, the token's rights, the query and the fields of the body."""

    state: dict[str, Any]
    token: dict[str, Any]
    query: dict[str, str]
    fields: dict[str, Any]

    def answer(self, method: str, path: str) -> Any:
        if not f"{path}/".startswith(_PREFIX):
            _fail("gh: Not Found (HTTP 404)")
        rest = f"{path}/".removeprefix(_PREFIX).rstrip("/")
        for wanted, shape, right, handler in _CALLS:
            found = re.fullmatch(shape, rest)
            if method == wanted and found:
                self._check(right)
                return handler(self, *map(unquote, found.groups()))
        return _fail("gh: Not Found (HTTP 404)")

    def _check(self, right: str) -> None:
        name, _, level = right.partition(":")
        if name == "metadata":  # each token may read it
            return
        held = self.token["permissions"].get(name, "none")
        if held not in (level, "write"):
            _fail("gh: Resource not accessible by integration (HTTP 403)")

    def repository(self) -> Any:
        name = _PREFIX.removeprefix("repos/").rstrip("/")
        owner, _, short = name.partition("/")
        return {
            "id": 4711,
            "name": short,
            "full_name": name,
            "owner": {"login": owner, "id": 815},
            "default_branch": "main",
        }

    def comments(self, number: str) -> Any:
        return self.state["comments"].get(number, [])

    def comment(self, number: str) -> Any:
        count = sum(map(len, self.state["comments"].values()))
        row = {"id": 100 + count, "user": {"login": self.token["login"]}, **self.fields}
        self.state["comments"].setdefault(number, []).append(row)
        return row

    def edit_comment(self, number: str) -> Any:
        rows = [one for rows in self.state["comments"].values() for one in rows]
        return _one(rows, "id", number) | self._updated(_one(rows, "id", number))

    def _updated(self, row: dict[str, Any]) -> dict[str, Any]:
        row.update(self.fields)
        return row

    def compare(self, before: str, after: str) -> Any:
        """The commits between two, each with the account of its author, and the files.

        The files are those since their common ancestor: what the later commit lacks of the earlier
        one is not among them (docs.github.com/rest/commits/commits, Compare two commits).
        """
        start = _git("merge-base", before, after).strip()
        span = f"{before}..{after}"
        lines = _git("log", "--format=%H %ae", span).splitlines()
        commits = [
            {"sha": line[:40], "author": {"login": BOT} if BOT in line else {"login": "steward"}}
            for line in lines
        ]
        files = [
            _file(row) for row in _git("diff", "--name-status", "-M", start, after).splitlines()
        ]
        status = "ahead" if start == before else "behind" if start == after else "diverged"
        return {
            "status": status,
            "total_commits": len(commits),
            "commits": commits,
            "files": files,
        }

    def pulls_of(self, commit: str) -> Any:
        return [
            one
            for one in self.state["pulls"]
            if commit in (*one["commits"], one["head"]["sha"], one["merge_commit_sha"])
        ]

    def pulls(self) -> Any:
        """The pull requests of a branch: `head` is `owner:branch`."""
        owner, _, branch = self.query["head"].partition(":")
        return [
            one
            for one in self.state["pulls"]
            if one["state"] == self.query["state"]
            and one["base"]["ref"] == self.query["base"]
            and one["head"]["ref"] == branch
            and one["head"]["repo"]["full_name"].startswith(f"{owner}/")
        ]

    def open_pull(self) -> Any:
        """Note what is proposed. `Host.open` makes the pull request of it."""
        row = {**self.fields, "user": {"login": self.token["login"]}}
        self.state.setdefault("proposed", []).append(row)
        return row

    def pull(self, number: str) -> Any:
        return _one(self.state["pulls"], "number", number)

    def changed_files(self, number: str) -> Any:
        row = _one(self.state["pulls"], "number", number)
        span = f"{row['base']['sha']}...{row['head']['sha']}"
        names = _git("diff", "--name-only", span).splitlines()
        return [{"filename": name} for name in names]

    def events(self, number: str) -> Any:
        return _one(self.state["pulls"], "number", number).get("events", [])

    def role(self, login: str) -> Any:
        role = self.state.get("roles", {}).get(login, "read")
        return {"permission": role, "role_name": role}

    def runs(self, workflow: str = "") -> Any:
        wanted = {"head_sha": "head_sha", "event": "event", "branch": "head_branch"}
        rows = [
            one
            for one in self.state["runs"]
            if one["path"].endswith(f"/{workflow}" if workflow else "")
            and all(self.query.get(key) in (None, one[name]) for key, name in wanted.items())
            and self.query.get("status") in (None, one["status"], one["conclusion"])
        ]
        return {"total_count": len(rows), "workflow_runs": rows[::-1]}

    def run(self, number: str) -> Any:
        return _one(self.state["runs"], "id", number)

    def artifacts(self, run: str) -> Any:
        rows = [one for one in self.state["artifacts"] if str(one["run"]) == run]
        name = self.query.get("name")
        rows = [one for one in rows if name in (None, one["name"])]
        return {"total_count": len(rows), "artifacts": rows}

    def artifact(self, number: str) -> bytes:
        return (_STATE.parent / f"artifact-{number}.zip").read_bytes()

    def issues(self) -> Any:
        wanted = self.query.get("state", "open")
        label = self.query.get("labels")
        return [
            one
            for one in self.state["issues"]
            if wanted in ("all", one["state"]) and label in (None, *one["labels"])
        ]

    def open_issue(self) -> Any:
        labels = self.fields.pop("labels[]", None)
        row = {
            "number": 100 + len(self.state["issues"]),
            "user": {"login": self.token["login"]},
            "state": "open",
            "labels": [labels] if labels else [],
            **self.fields,
        }
        self.state["issues"] = [*self.state["issues"], row]
        return row

    def edit_issue(self, number: str) -> Any:
        return self._updated(_one(self.state["issues"], "number", number))


_N = r"(\d+)"
_SHA = "([0-9a-f]{40})"
_CALLS: list[tuple[str, str, str, Callable[..., Any]]] = [
    ("GET", "", "metadata:read", Call.repository),
    ("GET", rf"pulls/{_N}/files", "pull-requests:read", Call.changed_files),
    ("GET", rf"issues/{_N}/events", "pull-requests:read", Call.events),
    ("GET", r"collaborators/([\w%.-]+)/permission", "metadata:read", Call.role),
    ("GET", rf"issues/{_N}/comments", "pull-requests:read", Call.comments),
    ("POST", rf"issues/{_N}/comments", "pull-requests:write", Call.comment),
    ("PATCH", rf"issues/comments/{_N}", "pull-requests:write", Call.edit_comment),
    ("GET", rf"compare/{_SHA}\.\.\.{_SHA}", "contents:read", Call.compare),
    ("GET", rf"commits/{_SHA}/pulls", "pull-requests:read", Call.pulls_of),
    ("GET", rf"pulls/{_N}", "pull-requests:read", Call.pull),
    ("GET", r"pulls", "pull-requests:read", Call.pulls),
    ("POST", r"pulls", "pull-requests:write", Call.open_pull),
    ("GET", r"actions/runs", "actions:read", Call.runs),
    ("GET", r"actions/workflows/([\w.-]+)/runs", "actions:read", Call.runs),
    ("GET", rf"actions/runs/{_N}", "actions:read", Call.run),
    ("GET", rf"actions/runs/{_N}/artifacts", "actions:read", Call.artifacts),
    ("GET", rf"actions/artifacts/{_N}/zip", "actions:read", Call.artifact),
    ("GET", r"issues", "issues:read", Call.issues),
    ("POST", r"issues", "issues:write", Call.open_issue),
    ("PATCH", rf"issues/{_N}", "issues:write", Call.edit_issue),
]


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    folder = _STATE.parent / "host.git"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        _fail("gh: Not Found (HTTP 404)")
    return done.stdout


def _file(row: str) -> dict[str, str]:
    """A row of git diff: a file that was moved has its old name, too."""
    _, *old, new = row.split("\t")
    return {"filename": new, **({"previous_filename": old[0]} if old else {})}


def _one(rows: list[dict[str, Any]], key: str, value: str) -> dict[str, Any]:
    for row in rows:
        if str(row[key]) == value:
            return row
    return _fail("gh: Not Found (HTTP 404)")


def _field(text: str) -> tuple[str, Any]:
    """`-F name=@file` takes the content of a file as it is; numbers and truth values are typed."""
    name, _, value = text.partition("=")
    if value.startswith("@"):
        return name, Path(value[1:]).read_text()
    return name, json.loads(value) if re.fullmatch(r"\d+|true|false|null", value) else value


def _pages(found: Any, query: dict[str, str], all_of_them: bool) -> list[Any]:
    if not isinstance(found, list):
        return [found]
    size = min(100, int(query.get("per_page", _PAGE)))
    pages = [found[at : at + size] for at in range(0, len(found), size)] or [[]]
    return pages if all_of_them else pages[:1]


def _print(pages: list[Any], expression: str | None) -> None:
    """`--jq` is applied to each page; a text is printed without quotes."""
    for page in pages:
        for value in jq.compile(expression or ".").input_value(page):
            print(value if isinstance(value, str) else json.dumps(value))


def _fail(message: str) -> NoReturn:
    print(json.dumps({"message": message.removeprefix("gh: ").partition(" (HTTP")[0]}))
    print(message, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    main()
