"""What the files of a repository lack, compared with the scaffold of this version. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, assert_never

from reconciler import __version__
from reconciler.core.model.settings import RecordMode, Settings
from reconciler.init.answers import Forge
from reconciler.init.templates import PLACEHOLDER, Compare, Template

_PIN = re.compile(r"(\buses: [\w./-]+@)[0-9a-f]{40}( +#.*)?$")
# A line of a lock for the package itself, as a wheel or by its name. `-`, `_` and `.` are the same
# in a name (packaging.python.org: Names and normalization).
_TOOL = re.compile(r"[^#]*\bimageset[-_.]+reconciler(-\d|[\s=@\[])", re.IGNORECASE)
# The jobs read the records where the settings say: this value is compared.
_RECORD_BRANCH = "@@RECORD_BRANCH@@"
_UNKNOWN = "…"  # stands for a placeholder whose value the command was not given


@dataclass(frozen=True, slots=True)
class Lack:
    """A file of the repository that lacks something: a sentence, and the lines to add."""

    path: str
    message: str
    lines: tuple[str, ...] = ()


def lack(template: Template, path: str, content: str, known: Mapping[str, str]) -> Lack | None:
    """What a file lacks, None if nothing. `known` gives values for the lines to add."""
    match template.compare:
        case Compare.PRESENCE:
            return None
        case Compare.LINES:
            lines = tuple(_missing_lines(template, content, known))
            return Lack(path, "lacks these lines", lines) if lines else None
        case Compare.WHOLE:
            text = template.text.replace(_RECORD_BRANCH, known.get("RECORD_BRANCH", _RECORD_BRANCH))
            number = _first_difference(text, content)
            message = f"differs from the file of this version, first in line {number}"
            return Lack(path, message) if number else None
        case Compare.JSON:
            message = "is not the trust policy that this version writes for this repository"
            return Lack(path, message) if _is_other_json(template, content, known) else None
        case Compare.POLICY:
            missing = tuple(_missing_permissions(template, content, known))
            message = "does not allow these actions, or not on these data stores"
            return Lack(path, message, missing) if missing else None
        case Compare.LOCK:
            if _is_installed(content):
                return None
            wheel = f"./wheels/imageset_reconciler-{__version__}-py3-none-any.whl"
            line = f"{wheel} --hash=sha256:{_UNKNOWN}"
            return Lack(path, "lacks the line that installs reconcile", (line,))
        case other:
            assert_never(other)


def _is_installed(lock: str) -> bool:
    """Whether a lock has a line with a hash for `reconcile`: a wheel, an address or a version."""
    lines = lock.replace("\\\n", " ").splitlines()
    return any(_TOOL.match(line) and "--hash=sha256:" in line for line in lines)


def _missing_lines(template: Template, content: str, known: Mapping[str, str]) -> Iterator[str]:
    """The lines of a template that a file lacks, without its comments."""
    there = [line.strip() for line in content.splitlines()]
    for line in template.text.splitlines():
        shape = _shape(line.strip())
        if line.strip() and not line.startswith("#") and not any(map(shape.fullmatch, there)):
            yield PLACEHOLDER.sub(lambda found: known.get(found[1], _UNKNOWN), line)


def _first_difference(text: str, content: str) -> int:
    """The number of the first line that differs, 0 if none does."""
    expected, there = text.splitlines(), content.splitlines()
    for number, (line, one) in enumerate(zip(expected, there, strict=False), start=1):
        if line != one and not _shape(_without_pin(line)).fullmatch(_without_pin(one)):
            return number
    return 0 if len(expected) == len(there) else min(len(expected), len(there)) + 1


def _without_pin(line: str) -> str:
    """The line without the commit of an action, which Dependabot raises."""
    return _PIN.sub(r"\1", line)


def _shape(line: str) -> re.Pattern[str]:
    """What a line with placeholders may be in a file. Spaces in it may be more or fewer."""
    parts = (re.escape(part) for part in PLACEHOLDER.split(line)[::2])
    return re.compile(r"[^\r\n]+".join(re.sub(r"(?:\\ )+", r"\\s+", part) for part in parts))


def _is_other_json(template: Template, content: str, known: Mapping[str, str]) -> bool:
    """Whether a file differs, however it is indented. False if a value is not known."""
    if not template.placeholders <= known.keys():
        return False
    try:
        there: Any = json.loads(content)
    except ValueError:
        return True
    return bool(there != json.loads(template.rendered(known)))


def _missing_permissions(
    template: Template, content: str, known: Mapping[str, str]
) -> Iterator[str]:
    """The actions and resources of the policy of this version that a file does not allow."""
    for key in ("Action", "Resource"):
        allowed = [one.lower() for one in _allowed(content, key)]
        for one in dict.fromkeys(_allowed(template.rendered(known), key)):
            if not any(fnmatchcase(one.lower(), pattern) for pattern in allowed):
                yield one


def _allowed(policy: str, key: str) -> Iterator[str]:
    """The actions or resources that a policy allows, nothing if it is no policy.

    `Statement`, `Action` and `Resource` may be one or a list (docs.aws.amazon.com: Grammar of the
    IAM JSON policy language).
    """
    try:
        document: Any = json.loads(policy)
    except ValueError:
        return
    for statement in _several(document.get("Statement") if isinstance(document, dict) else None):
        if isinstance(statement, dict) and statement.get("Effect") == "Allow":
            yield from (one for one in _several(statement.get(key)) if isinstance(one, str))


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def record_mode(forge: Forge | None) -> RecordMode:
    """Where the records of a new repository go: a host protects the default branch."""
    return RecordMode.BRANCH if forge else RecordMode.COMMIT


def of_settings(settings: Settings, forge: Forge | None) -> Lack | None:
    """What the settings lack for plans and applies in a CI system."""
    lines = [
        f'datastores: {{{store.name}: {{accountId: "…"}}}}'
        for store in settings.datastores
        if not store.endpoint and not store.account_id
    ]
    if settings.record_mode is None:
        lines.append(f"record: {{mode: {record_mode(forge)}}}")
    return Lack(settings.file, "lacks these settings", tuple(lines)) if lines else None
