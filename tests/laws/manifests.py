"""The manifests of the state machine: which file asks for which attribute, and its consents."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.laws.stage import COMMENTS, DESCRIPTION, IDS, PRIMARY, Attributes, series_of

# The two files that an image set has at first. Either may be renamed.
MAIN, MORE = 0, 1


@dataclass(frozen=True)
class Line:
    """A line that asks for a value, and the name of its file."""

    value: str
    file: str


@dataclass(frozen=True)
class Commit:
    """The manifests at one moment.

    `lines` are by image set and attribute. `consents` give for a file and an image set the version
    whose values the file permits to overwrite.
    """

    lines: Mapping[tuple[str, str], Line] = field(default_factory=dict)
    consents: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def names(self) -> set[str]:
        """The image sets of which a manifest asks something."""
        return {name for name, _ in self.lines}

    def only(self, files: Collection[str]) -> Commit:
        """What a run on these files carries; all of it for no files."""
        if not files:
            return self
        chosen = {where: line for where, line in self.lines.items() if line.file in files}
        return Commit(chosen, {key: at for key, at in self.consents.items() if key[0] in files})

    def own(self, name: str) -> dict[str, str]:
        """What the manifests ask of an image set by its name."""
        return {key: line.value for (one, key), line in self.lines.items() if one == name}

    def asked(self, name: str) -> dict[str, str]:
        """The same, with what they ask of its study."""
        return {key: lines[0].value for key in KEYS if (lines := self.asking(name, key))}

    def asking(self, name: str, key: str) -> list[Line]:
        """The lines that ask for an attribute; all of them ask for the same value."""
        owners = PRIMARY if key == DESCRIPTION and name in PRIMARY else (name,)
        return [self.lines[owner, key] for owner in owners if (owner, key) in self.lines]

    def consented(self, name: str, key: str) -> set[int]:
        """The versions whose value of an attribute a manifest that asks for it may overwrite."""
        files = {line.file for line in self.asking(name, key)}
        return {at for (file, one), at in self.consents.items() if file in files and one == name}


KEYS = (DESCRIPTION, *COMMENTS)


class Manifests:
    """The manifests of a working tree. Every change is written at once."""

    def __init__(self, root: Path) -> None:
        self.datastore = "research"
        self._folder = root / "manifests"
        self._folder.mkdir()
        self._lines: dict[tuple[str, str], Line] = {}
        self._consents: dict[tuple[str, str], int] = {}
        self._names = {name: [name[0], f"{name[0]}-more"] for name in IDS}

    def commit(self) -> Commit:
        """The manifests as they are now."""
        return Commit(dict(self._lines), dict(self._consents))

    def check_out(self, commit: Commit) -> None:
        """Replace the manifests by those of a commit."""
        self._lines, self._consents = dict(commit.lines), dict(commit.consents)
        self._write()

    def ask(self, name: str, wanted: Mapping[str, str], which: int = MAIN) -> None:
        """Ask for these values in a manifest; a line of another manifest moves to it."""
        file = self._names[name][which]
        for key, value in wanted.items():
            self._lines[name, key] = Line(value, file)
            for other in PRIMARY if key == DESCRIPTION and name in PRIMARY else ():
                # Two image sets of a study cannot ask for two descriptions.
                if (other, key) in self._lines:
                    self._lines[other, key] = Line(value, self._lines[other, key].file)
        self._write()

    def release(self, name: str, keys: Collection[str], which: int | None = None) -> None:
        """Delete lines; those of one file alone where it is given."""
        file = None if which is None else self._names[name][which]
        for key in keys:
            line = self._lines.get((name, key))
            if line and file in (None, line.file):
                del self._lines[name, key]
        self._write()

    def consent(self, name: str, which: int, target: str, version: int) -> None:
        """Consent in a manifest to overwrite the values of a version of an image set."""
        self._consents[self._names[name][which], target] = version
        self._write()

    def rename(self, name: str, which: int) -> None:
        """Give a manifest another name."""
        old = self._names[name][which]
        new = self._names[name][which] = f"{old}'" if len(old) < 9 else old.rstrip("'")
        self._lines = {
            where: Line(line.value, new) if line.file == old else line
            for where, line in self._lines.items()
        }
        self._consents = {
            (new if file == old else file, target): version
            for (file, target), version in self._consents.items()
        }
        self._write()

    def rename_data_store(self) -> None:
        """Give the data store another name in every manifest."""
        self.datastore = "teaching" if self.datastore == "research" else "research"
        self._write()

    def files(self, chosen: Collection[tuple[str, int]]) -> frozenset[str]:
        """Those of some manifests that are there."""
        there = {line.file for line in self._lines.values()}
        return frozenset(self._names[name][which] for name, which in chosen) & there

    def path(self, file: str) -> Path:
        """Where a manifest lies."""
        return self._folder / f"{file}.yaml"

    def _write(self) -> None:
        files = {line.file: name for (name, _), line in self._lines.items()}
        for path in self._folder.iterdir():
            if path.stem not in files:
                path.unlink()
        for file, name in files.items():
            self.path(file).write_text(self._text(file, name))

    def _text(self, file: str, name: str) -> str:
        values = {key: line.value for (_, key), line in self._lines.items() if line.file == file}
        drift = [
            f"OVERWRITES_DRIFT@{version}:{target}"
            for (one, target), version in self._consents.items()
            if one == file
        ]
        return json.dumps(
            {
                "apiVersion": "reconciler/v1",
                "kind": "ImageSet",
                "datastore": self.datastore,
                "imageSetId": name,
                "present": attributes(name, values),
                "allow": ["STUDY_WIDE", "SPLIT_UPDATE", *drift],
            }
        )


def attributes(name: str, values: Mapping[str, str]) -> Attributes:
    """These values where a manifest and an update have them."""
    own = series_of(name)
    instances = {
        f"{own}.{key}": {"DICOM": {"ImageComments": value}}
        for key, value in values.items()
        if key in COMMENTS
    }
    study: Attributes = {"Series": {own: {"Instances": instances}}} if instances else {}
    if DESCRIPTION in values:
        study["DICOM"] = {"StudyDescription": values[DESCRIPTION]}
    return {"Study": study}


def attribute_of(name: str, path: str) -> str:
    """The attribute that a path of a record names."""
    if path == "Study/StudyDescription":
        return DESCRIPTION
    own = series_of(name)
    (key,) = (
        one for one in COMMENTS if path == f"Study/Series/{own}/Instances/{own}.{one}/ImageComments"
    )
    return key
