"""A host of repositories, as far as the loop needs one: a bare repository, and what an API holds.

Pull requests are merged as the host merges them, without a working tree of a person. The state is a
file that the stand-in for `gh` reads and writes, too.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.cli.outside import git
from tests.loop.rendered import BRANCH, REPOSITORY

SERVER = "https://github.com"
BOT = "github-actions[bot]"
STEWARD = "steward"
APP = "reconcile-records[bot]"  # a GitHub App
NOW = "2026-11-28T09:00:00Z"


@dataclass
class Host:
    """`host.git`, and `host.json` with pull requests, comments, runs and artifacts.

    `has_numbered_subjects` is the form of the claim `sub` since July 2026, for new repositories.
    """

    folder: Path
    has_numbered_subjects: bool = True
    bare: Path = field(init=False)
    file: Path = field(init=False)

    def __post_init__(self) -> None:
        self.bare, self.file = self.folder / "host.git", self.folder / "host.json"
        git(self.folder, "init", "-q", "--bare", "-b", BRANCH, str(self.bare))
        # As GitHub: a job fetches the commit of its event, whatever its branch holds by then.
        git(self.bare, "config", "uploadpack.allowAnySHA1InWant", "true")
        state = dict.fromkeys(("pulls", "issues", "runs", "artifacts"), ())
        self.file.write_text(json.dumps({**state, "comments": {}, "tokens": {}, "calls": []}))

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self.file.read_text()))

    @contextmanager
    def changed(self) -> Iterator[dict[str, Any]]:
        """The state, which is written when the block ends."""
        state = self.state
        yield state
        self.file.write_text(json.dumps(state, indent=1))

    def tip(self, ref: str = BRANCH) -> str:
        return git(self.bare, "rev-parse", ref)

    def open(self, branch: str, repository: str = REPOSITORY, author: str = STEWARD) -> int:
        """Open a pull request, or update the one of this branch; return its number."""
        with self.changed() as state:
            pulls = state["pulls"]
            known = [one for one in pulls if one["head"]["ref"] == branch and not one["merged_at"]]
            number = known[0]["number"] if known else 12 + len(pulls)
            row: dict[str, Any] = {
                "number": number,
                "head": {"ref": branch, "sha": self.tip(branch), "repo": {"full_name": repository}},
                "base": {"ref": BRANCH, "sha": self.tip(), "repo": {"full_name": REPOSITORY}},
                "merge_commit_sha": None,
                "merged_at": None,
                "state": "open",
                "commits": [],
                "user": {"login": author, "type": "Bot" if author.endswith("[bot]") else "User"},
            }
            state["pulls"] = [one for one in pulls if one["number"] != number] + [row]
        self._test_merge(number, branch)
        return number

    def _test_merge(self, number: int, branch: str) -> None:
        merged = self._joined(self.tip(), self.tip(branch), "test merge")
        git(self.bare, "update-ref", f"refs/pull/{number}/head", self.tip(branch))
        git(self.bare, "update-ref", f"refs/pull/{number}/merge", merged)

    def _joined(self, base: str, head: str, message: str) -> str:
        tree = git(self.bare, "merge-tree", "--write-tree", base, head)
        return git(self.bare, "commit-tree", tree, "-p", base, "-p", head, "-m", message)

    def pull(self, number: int) -> dict[str, Any]:
        return next(dict(one) for one in self.state["pulls"] if one["number"] == number)

    def merge(self, number: int, method: str = "merge") -> str:
        """Merge a pull request into the branch; return the new tip."""
        head = self.pull(number)["head"]["sha"]
        before = self.tip()
        made = {"merge": self._merged, "squash": self._squashed, "rebase": self._rebased}[method]
        after = made(before, head, number)
        git(self.bare, "update-ref", f"refs/heads/{BRANCH}", after, before)
        self._close(number, after, git(self.bare, "rev-list", f"{before}..{after}").split())
        return after

    def _merged(self, base: str, head: str, number: int) -> str:
        return self._joined(base, head, f"Merge pull request #{number}")

    def _squashed(self, base: str, head: str, number: int) -> str:
        tree = git(self.bare, "merge-tree", "--write-tree", base, head)
        return git(self.bare, "commit-tree", tree, "-p", base, "-m", f"Change (#{number})")

    def _rebased(self, base: str, head: str, number: int) -> str:
        clone = self.folder / f"rebase-{number}"
        git(self.folder, "clone", "-q", str(self.bare), clone.name)
        git(clone, "fetch", "-q", "origin", head)
        git(clone, "checkout", "-q", head)
        git(clone, "rebase", "-q", base)
        git(clone, "push", "-q", "origin", f"HEAD:refs/rebased/{number}")
        return self.tip(f"refs/rebased/{number}")

    def _close(self, number: int, after: str, commits: Sequence[str]) -> None:
        with self.changed() as state:
            (row,) = (one for one in state["pulls"] if one["number"] == number)
            row |= {"merged_at": NOW, "state": "closed", "merge_commit_sha": after}
            row["commits"] = list(commits)

    def hook(self, script: str) -> None:
        """What the host does before it takes a push: "" for nothing, `exit 1` to refuse it."""
        path = self.bare / "hooks" / "pre-receive"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def queue(self, *numbers: int) -> dict[str, Any]:
        """A group of the merge queue: its event. The branch is not moved yet."""
        base = at = self.tip()
        for number in numbers:
            at = self._merged(at, self.pull(number)["head"]["sha"], number)
        ref = f"refs/heads/gh-readonly-queue/{BRANCH}/pr-{numbers[-1]}-{base}"
        git(self.bare, "update-ref", ref, at)
        group = {
            "head_sha": at,
            "head_ref": ref,
            "base_sha": base,
            "base_ref": f"refs/heads/{BRANCH}",
        }
        return {"action": "checks_requested", "merge_group": group}

    def merge_group(self, event: Mapping[str, Any], *numbers: int) -> str:
        """The queue moves the branch to the commit that was checked."""
        group = event["merge_group"]
        before, after = group["base_sha"], group["head_sha"]
        git(self.bare, "update-ref", f"refs/heads/{BRANCH}", after, before)
        for row in git(self.bare, "rev-list", "--first-parent", "--parents", after).splitlines():
            merge, *parents = row.split()
            for number in numbers:
                if self.pull(number)["head"]["sha"] in parents[1:]:
                    span = f"{parents[0]}..{merge}"
                    self._close(number, merge, git(self.bare, "rev-list", span).split())
        return str(after)

    def start(self, **row: Any) -> int:
        """Note a run; return its ID."""
        with self.changed() as state:
            number = 9000 + len(state["runs"])
            # The time of the machine: a step compares it with `date`.
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            fixed = {
                "id": number,
                "status": "in_progress",
                "conclusion": None,
                "created_at": now,
                "run_started_at": now,
                "run_attempt": 1,
                "triggering_actor": {"login": "steward"},
            }
            state["runs"] = [*state["runs"], {**fixed, **row}]
        return number

    def end(self, run: int, conclusion: str) -> None:
        with self.changed() as state:
            (row,) = (one for one in state["runs"] if one["id"] == run)
            row |= {"status": "completed", "conclusion": conclusion}

    def token(self, permissions: Mapping[str, str], login: str = BOT) -> str:
        """A token of a job, which the stand-in for `gh` checks."""
        made = f"ghs_{secrets.token_hex(8)}"
        with self.changed() as state:
            state["tokens"][made] = {"permissions": dict(permissions), "login": login}
        return made

    def upload(self, run: int, name: str, files: Mapping[str, bytes]) -> int:
        """Keep an artifact; return its ID. The digest is that of its zip file."""
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            for path, content in sorted(files.items()):
                archive.writestr(zipfile.ZipInfo(path), content)
        with self.changed() as state:
            number = 500 + len(state["artifacts"])
            (self.folder / f"artifact-{number}.zip").write_bytes(data.getvalue())
            digest = f"sha256:{hashlib.sha256(data.getvalue()).hexdigest()}"
            row = {"id": number, "name": name, "digest": digest, "expired": False, "run": run}
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            row |= {"size_in_bytes": len(data.getvalue()), "created_at": now}
            state["artifacts"] = [*state["artifacts"], row]
        return number

    def comments(self, number: int) -> list[tuple[str, str]]:
        """The author and the text of each comment of a pull request or an issue."""
        rows = self.state["comments"].get(str(number), ())
        return [(row["user"]["login"], row["body"]) for row in rows]
