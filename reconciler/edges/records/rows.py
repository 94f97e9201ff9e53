"""One entry of a record file: its row, checked, and the entry that it stands for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from sys import intern
from typing import Any, TypeAlias

import orjson

from reconciler.core.errors import RecordError
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.record import (
    UNREADABLE,
    Baselines,
    Entry,
    SelectedBy,
    StudyMembers,
    Unverified,
    as_baselines,
)
from reconciler.edges.files import conflict_in

KIND = "Record"

Row: TypeAlias = dict[str, Any]

RESTORE = (
    "Only `reconcile` writes records. Restore them with `git checkout -- records`, or during a "
    "merge with `git checkout --theirs -- records`. If the change is committed, find the last good "
    "commit with `git log -- records`, then run `git checkout COMMIT -- records`. You can also "
    "delete the file: its image sets are then read again, and count as never reviewed."
)


def rows_of(content: bytes, name: str) -> list[Row]:
    """Return the entries of a file after checking each of them; `name` is that of the file.

    Raises `RecordError` with every problem.
    """
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if line := conflict_in(content):
            problem = f"{name}:{line}: a merge left a conflict in this file"
            raise RecordError(problem, RESTORE) from None
        raise RecordError(f"{name}:{error.lineno}: the file is damaged", RESTORE) from None
    entries = record.get("entries") if isinstance(record, dict) else None
    if not isinstance(entries, list) or record.get("apiVersion") != API_VERSION:
        raise RecordError(f"{name}: is not a record of {API_VERSION}", RESTORE)
    problems = [
        f"{name}{_line(content, row)}: {problem}"
        for row in entries
        if (problem := _problem(row, Path(name).stem))
    ]
    if problems:
        raise RecordError("\n".join(problems), RESTORE)
    return entries


def unchecked_rows_of(content: bytes) -> list[Row]:
    """Return the entries of a file for a report. Invalid content gives no entries."""
    try:
        record = orjson.loads(content)
        rows: list[Row] = [row for row in record["entries"] if _has_fields(row)]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
    return rows


def content_of(rows: Mapping[str, Row]) -> bytes:
    """Return the content of the file, or b"" to remove it: empty files are not kept."""
    if not rows:
        return b""
    content = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "entries": [rows[image_set_id] for image_set_id in sorted(rows)],
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def row_of(entry: Entry) -> Row:
    """Return the row of an entry, with its digest."""
    row: Row = {
        "datastoreId": entry.datastore_id,
        "imageSetId": entry.image_set_id,
        "imageSetArn": entry.arn,
        "versionId": entry.version_id,
        "previousVersionId": entry.previous_version_id,
        "updatedAt": _moment(entry.updated_at),
        "createdAt": _moment(entry.created_at),
        "asked": dict(sorted(entry.asked)),
        "released": dict(sorted(entry.released)),
        "askDigest": entry.ask_digest,
        "rulesVersion": entry.rules_version,
    }
    if not entry.is_dated:
        del row["createdAt"]
    if entry.unverified:
        row["unverified"] = [
            {
                "versionId": one.version_id,
                "paths": list(one.paths),
                "requests": dict(sorted(one.requests)),
                **({"left": True} if one.is_left else {}),
            }
            for one in entry.unverified
        ]
    if entry.study is not None:
        row["study"] = {
            "studyInstanceUID": entry.study.study_instance_uid,
            "members": dict(sorted(entry.study.versions)),
        }
    if entry.selected_by:
        row["selectedBy"] = dict(sorted(entry.selected_by))
    if entry.run:
        row["run"] = entry.run
    if entry.applied_commit:
        row["appliedCommit"] = entry.applied_commit
    row["digest"] = _row_digest(row)
    return row


def entry_of(row: Row) -> Entry:
    """Return the entry of a row."""
    return Entry(
        datastore_id=row["datastoreId"],
        image_set_id=row["imageSetId"],
        version_id=row["versionId"],
        previous_version_id=row["previousVersionId"],
        updated_at=_seconds(row["updatedAt"]),
        created_at=_seconds(row.get("createdAt")),
        is_dated="createdAt" in row,
        asked=_baselines(row["asked"], row["versionId"]),
        released=_baselines(row.get("released", {}), row["versionId"]),
        ask_digest=row["askDigest"],
        rules_version=row["rulesVersion"],
        arn=row.get("imageSetArn", ""),
        unverified=tuple(sorted(_unverified(one) for one in row.get("unverified", ()))),
        study=_study(row.get("study")),
        selected_by=_selectors(row.get("selectedBy", {})),
        run=row.get("run", ""),
        applied_commit=row.get("appliedCommit", ""),
    )


def _unverified(held: dict[str, Any]) -> Unverified:
    return Unverified(
        held["versionId"],
        tuple(sorted(held["paths"])),
        as_baselines(held["requests"]),
        held.get("left", False),
    )


def _study(held: dict[str, Any] | None) -> StudyMembers | None:
    if held is None:
        return None
    return StudyMembers(held["studyInstanceUID"], as_baselines(held["members"]))


def _selectors(held: dict[str, str]) -> SelectedBy:
    """A million entries may have the same digest: it is held once."""
    return tuple(sorted((intern(name), intern(digest)) for name, digest in held.items()))


def _baselines(held: list[str] | dict[str, str], version_id: str) -> Baselines:
    """Entries of the first form list their paths: all of them were seen at the entry's version."""
    return as_baselines(dict.fromkeys(held, version_id) if isinstance(held, list) else held)


# Entries of earlier forms do not have these. They are rewritten when the image set is next seen.
_LATER_FIELDS = frozenset({"createdAt", "imageSetArn", "released"})
# Only an entry that has something to say has these. `run` and `appliedCommit` are missing in
# entries of earlier forms too, and come with the next change: a rewrite without a change would
# list the image set in the commit message as moved.
_RARE_FIELDS = frozenset({"unverified", "study", "selectedBy", "run", "appliedCommit"})


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_run(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[0-9a-z-]{1,64}", value) is not None


def _is_commit(value: object) -> bool:
    """The ID of a commit with SHA-1 or SHA-256. It is given to git, so nothing else will do."""
    return isinstance(value, str) and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", value) is not None


def _is_version(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdecimal()


def _are_baselines(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_text, value))
    return isinstance(value, dict) and all(
        version == UNREADABLE or _is_version(version) for version in value.values()
    )


def _are_unverified(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(one, dict)
        and set(one) | {"left"} == {"versionId", "paths", "requests", "left"}
        and _is_version(one["versionId"])
        and isinstance(one["paths"], list)
        and all(map(_is_text, one["paths"]))
        and isinstance(one["requests"], dict)
        and all(map(_is_text, one["requests"].values()))
        and isinstance(one.get("left", False), bool)
        for one in value
    )


def _is_study(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"studyInstanceUID", "members"}
        and _is_text(value["studyInstanceUID"])
        and isinstance(value["members"], dict)
        and all(map(_is_version, value["members"].values()))
    )


def _are_selectors(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_moment(value: object) -> bool:
    try:
        return value is None or (
            isinstance(value, str) and bool(datetime.fromisoformat(value).tzinfo)
        )
    except ValueError:
        return False


_FIELDS: dict[str, Callable[[object], bool]] = {
    "datastoreId": _is_text,
    "imageSetId": _is_text,
    "imageSetArn": _is_text,
    "versionId": _is_version,
    "previousVersionId": _is_text,
    "updatedAt": _is_moment,
    "createdAt": _is_moment,
    "asked": _are_baselines,
    "released": _are_baselines,
    "askDigest": _is_text,
    "rulesVersion": lambda value: isinstance(value, int),
    "unverified": _are_unverified,
    "study": _is_study,
    "selectedBy": _are_selectors,
    "run": _is_run,
    "appliedCommit": _is_commit,
    "digest": _is_text,
}


_ALL_FORMS = _FIELDS.keys() - _LATER_FIELDS - _RARE_FIELDS


def _line(content: bytes, row: object) -> str:
    """Return the line of an entry as `:12`, "" if it is unknown."""
    title = row.get("imageSetId") if isinstance(row, dict) else None
    at = content.find(title.encode()) if isinstance(title, str) and title else -1
    newlines = content.count(b"\n", 0, at) if at >= 0 else 0
    return f":{newlines + 1}" if at >= 0 else ""


def _problem(row: object, prefix: str) -> str:
    if not isinstance(row, dict) or not _has_fields(row):
        title = row.get("imageSetId") if isinstance(row, dict) else None
        return f"the entry {title or '(without imageSetId)'} has missing or unknown fields"
    title = f"image set {row['imageSetId']}"
    wrong = [name for name, value in row.items() if not _FIELDS[name](value)]
    if wrong:
        return f"{title}: {', '.join(wrong)} has an invalid value"
    if not row["imageSetId"].startswith(prefix):
        return f"{title}: the entry is in the wrong file"
    if row["digest"] != _row_digest(row):
        return f"{title}: the entry was edited (its digest does not match)"
    return ""


def _has_fields(row: Row) -> bool:
    return row.keys() >= _ALL_FORMS and row.keys() <= _FIELDS.keys()


def _row_digest(row: Row) -> str:
    fields = {name: value for name, value in row.items() if name != "digest"}
    text = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _moment(seconds: float | None) -> str | None:
    """Format a time as ISO 8601 in UTC with milliseconds, the precision of the service."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(round(seconds, 3), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    return round(datetime.fromisoformat(text).timestamp(), 3)
