"""A data store that the command line reaches over HTTP, and other programs that write to it."""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.emulator.http.options import Options
from reconciler.emulator.http.server import Emulator
from reconciler.emulator.rules.behaviours import Behaviours
from tests.cli.conftest import Command
from tests.documents import IMAGE_SET_ID

DEFAULTS = Behaviours()
STORE = "12345678901234567890123456789012"
HEAD = "apiVersion: reconciler/v1\nkind: ImageSet\ndatastore: research\n"


@dataclass(frozen=True)
class World:
    """A repository, and a data store whose service behaves in its own way."""

    root: Path
    emulator: Emulator
    reconcile: Command

    def apply(self, *arguments: str, code: int = 0) -> str:
        """What an apply prints that ends with this exit code."""
        ran = self.reconcile("apply", "--auto-approve", *arguments)
        assert ran.code == code, ran.out + ran.err
        return ran.out

    def action(self) -> dict[str, Any]:
        """The only action of a plan."""
        ran = self.reconcile("plan", "--json")
        assert ran.code == 0, ran.err
        (action,) = json.loads(ran.out)["actions"]
        return dict(action)

    def unchanged(self) -> int:
        """How many image sets a plan without any action counts."""
        ran = self.reconcile("plan", "--json")
        plan = json.loads(ran.out)
        assert (ran.code, plan["actions"]) == (0, []), ran.err
        return sum(one["imageSets"] for one in plan["unchanged"])

    def entry(self, image_set_id: str = IMAGE_SET_ID) -> dict[str, Any]:
        """The row of the record of an image set."""
        rows = [
            row
            for path in (self.root / "records" / STORE).glob("??.json")
            for row in json.loads(path.read_text())["entries"]
        ]
        return dict(next(row for row in rows if row["imageSetId"] == image_set_id))

    def version(self, image_set_id: str = IMAGE_SET_ID) -> str:
        """The latest version of an image set."""
        address = {"datastoreId": STORE, "imageSetId": image_set_id}
        return str(self.emulator.service.call("GetImageSet", address)["versionId"])


@contextmanager
def world(folder: Path, reconcile: Command, **switches: Any) -> Iterator[World]:
    """A repository, which becomes the current folder, and a service with these switches."""
    with repository(folder, behaviours=Behaviours(**switches)) as (root, emulator):
        yield World(root, emulator, reconcile)


@contextmanager
def repository(
    folder: Path, update_seconds: float = 0.0, behaviours: Behaviours = DEFAULTS
) -> Iterator[tuple[Path, Emulator]]:
    """The root of a repository, which becomes the current folder, and its empty data store."""
    root = folder / "repository"
    root.mkdir()
    options = Options(update_seconds=update_seconds, behaviours=behaviours)
    with chdir(root), Emulator(folder / "store", options) as emulator:
        emulator.service.ensure_datastore(STORE, "research")
        settings(root, emulator)
        yield root, emulator


def settings(root: Path, emulator: Emulator, more: str = "") -> None:
    """reconciler.yaml with the emulator as its data store."""
    (root / "reconciler.yaml").write_text(
        "lockTimeout: 1m\ndatastores:\n  research:\n"
        f'    datastoreId: "{STORE}"\n    region: us-east-1\n    endpoint: {emulator.endpoint}\n'
        f"{more}"
    )


def manifest(root: Path, name: str, body: str, *image_set_ids: str) -> Path:
    """Write a manifest; replaces one of the same name."""
    path = root / "manifests" / name
    path.parent.mkdir(exist_ok=True)
    ids = "".join(f"  - {one}\n" for one in image_set_ids or (IMAGE_SET_ID,))
    path.write_text(f"{HEAD}imageSetIds:\n{ids}{body}", encoding="utf-8")
    return path


def imported(emulator: Emulator, content: dict[str, Any], *, primary: bool = False) -> None:
    """An image set at version 1."""
    emulator.service.load(
        STORE, copy.deepcopy(content), image_set_id=content["ImageSetID"], primary=primary
    )


def write(
    emulator: Emulator, image_set_id: str, updates: dict[str, Any], *, force: bool = False
) -> None:
    """Make an update as another program would, complete at once."""
    service = emulator.service
    address = {"datastoreId": STORE, "imageSetId": image_set_id}
    latest = service.call("GetImageSet", address)["versionId"]
    blob = json.dumps({"SchemaVersion": 1.1, **updates}).encode()
    service.call(
        "UpdateImageSetMetadata",
        {
            **address,
            "latestVersion": latest,
            "latestVersionId": latest,
            **({"force": True} if force else {}),
            "updateImageSetMetadataUpdates": {"DICOMUpdates": {"updatableAttributes": blob}},
        },
    )


def git(root: Path, *arguments: str) -> str:
    """Run git as a person; return what it prints."""
    identity = ("-c", "user.name=Steward", "-c", "user.email=steward@example.org")
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def in_the_first_form(root: Path, **fields: Any) -> None:
    """The entry as commit dc76416 wrote it: paths alone, in a folder by the data store's name."""
    (path,) = (root / "records" / STORE).glob("??.json")
    path = path.parent.rename(root / "records" / "research") / path.name
    content = json.loads(path.read_text())
    (row,) = content["entries"]
    for name in ("createdAt", "imageSetArn", "released"):
        row.pop(name)
    row["asked"] = sorted(row["asked"])
    row.update(fields)
    rest = {key: value for key, value in row.items() if key != "digest"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    row["digest"] = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(content, indent=2) + "\n")
