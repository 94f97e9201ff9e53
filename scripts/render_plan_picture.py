"""Render `docs/plan.svg`: what `reconcile plan` really prints on a terminal.

The command runs in a pseudo-terminal on some of this repository's manifests, with the embedded
emulator and its default data. Run it again when the look of a plan changes, and look at the result.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from reconciler.demo.story import REMOVES

REPOSITORY = Path(__file__).parents[1]
PICTURE = REPOSITORY / "docs" / "plan.svg"
COLUMNS = 104
SHOWN = ("acr-nema-dates.yaml", "doe-peter-ct.yaml", "dose-frames.yaml", "file-set-burned-in.yaml")
_MONOSPACE = "ui-monospace, Menlo, Consolas, DejaVu Sans Mono"
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(REPOSITORY / "reconciler.yaml", folder)
        manifests = folder / "manifests"
        manifests.mkdir()
        for manifest in SHOWN:
            shutil.copy(REPOSITORY / "manifests" / manifest, manifests)
        # A removal without consent, so that the picture shows a refusal, too.
        (manifests / "bone-scan.yaml").write_text(REMOVES, encoding="utf-8")
        printed = _on_terminal(folder, "plan")
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(_svg("$ reconcile plan\n\n" + printed), encoding="utf-8")


def _on_terminal(folder: Path, *arguments: str) -> str:
    """The output of a command on a terminal, including escape sequences."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        environment = {**os.environ, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
        environment.pop("NO_COLOR", None)
        command = [sys.executable, "-m", "reconciler", *arguments]
        os.execve(sys.executable, command, environment)
    printed = b""
    while chunk := _read(terminal):
        printed += chunk
    _, status = os.waitpid(pid, 0)
    text = printed.decode().replace("\r\n", "\n")
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(text)
    return text


def _read(terminal: int) -> bytes:
    """The next bytes, or none once the command has ended (Linux then answers EIO)."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def _svg(printed: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(printed.rstrip()))
    svg = console.export_svg(title="reconcile plan", theme=MONOKAI, unique_id="plan")
    # Without the web font: a picture in a repository fetches nothing from anywhere.
    return _FONTS.sub("", svg).replace("Fira Code,", f"{_MONOSPACE},")


if __name__ == "__main__":
    main()
