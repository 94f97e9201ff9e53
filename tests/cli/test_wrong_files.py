"""Every argument and option that takes a file gets each kind of file, as golden text."""

from __future__ import annotations

from pathlib import Path

import pytest

import reconciler
from tests.cli.conftest import Command, expect

MANIFEST = "manifests/acr-nema-dates.yaml"
INPUTS = {
    "validate": ("validate",),
    "plan": ("plan",),
    "apply": ("apply", "--auto-approve"),
    "show": ("show",),
    "config": ("validate", "--config"),
}
OUTPUTS = {
    "out": ("plan", "--out"),
    "report": ("apply", "--auto-approve", "--report"),
}
# One of each kind, and which of the inputs take it.
GOOD = {
    "reconciler.yaml": {"config"},
    MANIFEST: {"validate", "plan", "apply"},
    "plan.json": {"show", "apply"},
    "manifests": {"validate", "plan", "apply"},
    "empty.json": {"validate", "plan"},  # as many manifests as it holds
}
FILES = (
    *GOOD,
    "printed.json",
    "cut.json",
    "version.json",
    "format.json",
    "report.json",
    "record.json",
    "ready.json",
    "text.txt",
    "windows.yaml",
    "missing.yaml",
    "missing.json",
    "missing/file.json",
)


@pytest.fixture
def folder(workspace: Path, reconcile: Command) -> Path:
    """A repository with a file of every kind."""
    assert reconcile("plan", MANIFEST, "--out", "plan.json").code == 0
    plan = (workspace / "plan.json").read_text()
    texts = {
        "printed.json": reconcile("plan", MANIFEST, "--json").out,
        "cut.json": plan[:400],
        "version.json": plan.replace(
            f'"toolVersion": "{reconciler.__version__}"', '"toolVersion": "0.0.9"'
        ),
        "format.json": plan.replace("reconciler/v1", "reconciler/v9", 1),
        "report.json": '{"apiVersion": "reconciler/v1", "kind": "Report", "outcomes": []}',
        "record.json": '{"apiVersion": "reconciler/v1", "kind": "Record", "entries": []}',
        "ready.json": '{"endpoint": "http://127.0.0.1:8080", "pid": 12}\n',
        "empty.json": "",
        "text.txt": "Please change the name of the patient.\n",
    }
    for name, text in texts.items():
        (workspace / name).write_text(text)
    manifest = (workspace / MANIFEST).read_text()
    (workspace / "windows.yaml").write_bytes(manifest.encode("utf-16-le"))
    return workspace


def refused(reconcile: Command, arguments: tuple[str, ...], file: str) -> str:
    ran = reconcile(*arguments, file)
    assert (ran.code, ran.out) == (1, "")
    text = ran.err.replace(f"version {reconciler.__version__}", "version VERSION")
    return f"$ reconcile {' '.join((*arguments, file))}\n{text}"


@pytest.mark.parametrize("name", INPUTS)
def test_a_file_of_another_kind_is_refused_by_its_kind(
    folder: Path, reconcile: Command, name: str
) -> None:
    texts = [
        refused(reconcile, INPUTS[name], file) for file in FILES if name not in GOOD.get(file, ())
    ]
    expect(f"wrong-files-{name}.txt", "\n".join(texts))
    assert not (folder / "records").exists()


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_file_of_another_kind_is_not_replaced(
    folder: Path, reconcile: Command, name: str
) -> None:
    plans = {"plan.json", "printed.json", "cut.json", "version.json", "format.json"}
    replaced = plans if name == "out" else {"report.json"}
    left = [file for file in FILES if file not in {*replaced, "missing.yaml", "missing.json"}]
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    expect(
        f"wrong-files-{name}.txt",
        "\n".join(refused(reconcile, OUTPUTS[name], file) for file in left),
    )
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("name", ["plan.yaml", "plan.yml", "plan"])
def test_a_saved_plan_is_known_by_its_content(
    workspace: Path, reconcile: Command, name: str
) -> None:
    assert reconcile("plan", MANIFEST, "--out", name).code == 0
    assert "1 converged" in reconcile("apply", name).out


def test_a_manifest_is_known_by_its_content(workspace: Path, reconcile: Command) -> None:
    (workspace / MANIFEST).rename(workspace / "dates")
    assert "1 converged" in reconcile("apply", "--auto-approve", "dates").out
