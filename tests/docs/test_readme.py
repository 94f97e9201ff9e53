"""The console blocks of the documents, run from top to bottom as a newcomer would, in a copy of
the repository's manifests. Manifests that name their file are saved on the way.

A line `…` stands for any output. `UPDATE_CASES=1` writes what the commands print now.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.markdown import DOCUMENTS, REPOSITORY, Block, blocks, read
from tests.processes import bounded

# In this order: the first pages need untouched image sets, the last one a manifest of the README.
PAGES = ("docs/search.md", "docs/manifests.md", "README.md", "docs/apply.md")
UPDATE = bool(os.environ.get("UPDATE_CASES"))
_FILE = re.compile(r"# (manifests/[\w-]+\.yaml)\n")
_COMMIT = re.compile(r"\bcommit [0-9a-f]{7,40}\b")


@dataclass(frozen=True)
class Command:
    """A command line, and the screen after it."""

    typed: str
    expected: str

    def __str__(self) -> str:
        return f"$ {self.typed}\n{self.expected}"


def test_a_newcomer_sees_what_the_readme_shows(tmp_path: Path) -> None:
    place = _clone(tmp_path / "clone")
    for page in PAGES:
        text = _follow(page, place)
        if UPDATE:
            (REPOSITORY / page).write_text(text, encoding="utf-8")


def _follow(page: str, place: Path) -> str:
    """Run the commands of a page. Returns its text, with what the commands print now if UPDATE."""
    text = read(page)
    for block in blocks(page):
        if block.language == "yaml" and (name := _FILE.match(block.text)):
            (place / name[1]).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        for command in _commands(block):
            seen = _run(place, command)
            if UPDATE and not _matches(str(command), seen):
                text = text.replace(str(command), seen)
                continue
            assert _matches(str(command), seen), f"{page} shows\n{command}\nit prints\n{seen}"
    return text


def test_every_console_block_of_the_documentation_runs() -> None:
    """The blocks of `manifests/README.md` show no output; the README runs the same commands."""
    shown = {name for name in DOCUMENTS if blocks(name, "console")}
    assert shown - {"manifests/README.md"} == set(PAGES)


def test_an_output_that_changed_would_be_noticed() -> None:
    assert _matches("Plan: 1\n…\nEnd\n", "Plan: 1\nmore\nand more\nEnd\n")
    assert _matches("commit 0123456789ab.\n", "commit fedcba987654.\n")
    assert not _matches("Plan: 1\n…\nEnd\n", "Plan: 2\nmore\nEnd\n")


def _clone(place: Path) -> Path:
    """A clone, as far as the commands need it."""
    place.mkdir()
    shutil.copytree(REPOSITORY / "manifests", place / "manifests")
    shutil.copy(REPOSITORY / "reconciler.yaml", place)
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=N", "-c", "user.email=n@example.org", "commit", "--quiet", "-m", "Ask"],
    ):
        subprocess.run(["git", *arguments], cwd=place, check=True, env=_environment())
    return place


def _commands(block: Block) -> Iterator[Command]:
    for part in block.text.removeprefix("$ ").split("\n$ "):
        typed, _, expected = part.partition("\n")
        expected = expected if not expected or expected.endswith("\n") else f"{expected}\n"
        yield Command(typed, expected)


def _run(place: Path, command: Command) -> str:
    """The command and what it prints on a terminal without colours."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command.typed],
        cwd=place,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    os.close(theirs)
    with bounded(process):
        printed = b"".join(_until_closed(ours))
        assert process.stderr is not None
        complaint = process.stderr.read().decode()
        assert process.wait() == 0, f"{command.typed}\n{complaint}"
    return f"$ {command.typed}\n" + printed.decode().replace("\r\n", "\n")


def _until_closed(terminal: int) -> Iterator[bytes]:
    """The output until the last writer closes; Linux then answers EIO."""
    try:
        while chunk := os.read(terminal, 65536):
            yield chunk
    except OSError:
        pass
    finally:
        os.close(terminal)


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != "CI" and not name.startswith("GIT_")
    }
    here = str(Path(sys.executable).parent)
    return {
        **kept,
        "PATH": f"{here}{os.pathsep}{kept.get('PATH', '')}",
        "COLUMNS": "110",
        "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }


def _matches(expected: str, seen: str) -> bool:
    parts = [re.escape(part) for part in _COMMIT.sub("commit *", expected).split("…\n")]
    return re.fullmatch(".*".join(parts), _COMMIT.sub("commit *", seen), re.DOTALL) is not None
