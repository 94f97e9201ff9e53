"""reconciler.yaml -> settings.

The file is read like a manifest: text with places, checked by the published schema, with all
problems in one report. The schema check comes before text is converted to numbers.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from reconciler.core.ask import consent
from reconciler.core.ask.as_json import Path as KeyPath
from reconciler.core.ask.as_json import place_of, to_json
from reconciler.core.ask.schema import Checker
from reconciler.core.errors import MAX_PROBLEMS, Diagnostic, InputError, Place
from reconciler.core.model.duration import in_seconds
from reconciler.core.model.file_kind import SETTINGS
from reconciler.core.model.guardrail import Amount, Guardrail
from reconciler.core.model.hazard import Consent
from reconciler.core.model.node import ListNode, MappingNode, Scalar
from reconciler.core.model.settings import (
    Comment,
    Datastore,
    Permission,
    RecordMode,
    Redact,
    Rules,
    Settings,
)
from reconciler.edges import schemas
from reconciler.edges.manifests import Loaded, read_content
from reconciler.edges.manifests import read as read_file
from reconciler.edges.places import SETTINGS_FILE

# A request signature needs a region. The emulator accepts any region.
EMULATOR_REGION = "us-east-1"

Problems = Iterator[tuple[KeyPath, Diagnostic]]


def read_settings(path: Path) -> Settings:
    """Read the settings from a file. Raises InputError with every problem in it."""
    # Places are relative to the folder of the file. A file that does not exist is in no folder.
    name = path.name if os.path.isfile(path) else str(path)  # noqa: PTH113 - never raises
    loaded = read_file(path, name, SETTINGS)
    if loaded.problems:
        raise InputError(loaded.problems, loaded.sources)
    return _read(path, loaded, name, path.read_bytes())


def parse_settings(path: Path, content: bytes) -> Settings:
    """The settings that a file with this content would have. Raises InputError like a file."""
    return _read(path, read_content(content, path.name, SETTINGS), path.name, content)


def _read(path: Path, loaded: Loaded, name: str, content: bytes) -> Settings:
    document = _document(loaded, name)
    found = dict(islice(_problems(document), MAX_PROBLEMS + 1))
    checker = Checker(schemas.load("reconciler"), SETTINGS_FILE)
    problems = (*found.values(), *checker.check(document, found.keys()))
    if problems:
        raise InputError(problems, loaded.sources)
    return replace(_settings(path.absolute(), document), digest=digest_of(content))


def digest_of(content: bytes) -> str:
    """`sha256:…` over the bytes of reconciler.yaml, which holds no DICOM value."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _document(loaded: Loaded, name: str) -> MappingNode:
    if loaded.problems:
        raise InputError(loaded.problems, loaded.sources)
    if len(loaded.documents) == 1:
        return loaded.documents[0]
    if loaded.documents:
        message, hint = "contains several documents, not one", "Remove the line `---` between them."
    else:
        message, hint = "is empty", "Add at least one data store under `datastores:`."
    raise InputError((Diagnostic(Place(name), message, hint),))


def _problems(document: MappingNode) -> Problems:
    """Yield the problems that the schema check cannot find or cannot explain as well."""
    yield from _folder_problems(document)
    yield from _consent_problems(document)
    yield from _datastore_problems(document)


def _folder_problems(document: MappingNode) -> Problems:
    folder = document.get("manifests")
    if isinstance(folder, Scalar) and ".." in PurePosixPath(folder.text).parts:
        message = "manifests is not a folder of this repository: it contains `..`"
        hint = "Write a path relative to reconciler.yaml, without `..`."
        yield ("manifests",), Diagnostic(folder.place, message, hint)


def _consent_problems(document: MappingNode) -> Problems:
    allow = document.get("allow")
    for number, item in enumerate(allow.items if isinstance(allow, ListNode) else ()):
        if isinstance(item, Scalar) and not item.is_null:
            found = consent.parse_default(item)
            if isinstance(found, Diagnostic):
                yield ("allow", number), found


def _datastore_problems(document: MappingNode) -> Problems:
    stores: Any = to_json(document)
    stores = stores.get("datastores")
    seen: dict[str, Place] = {}
    for name, fields in stores.items() if isinstance(stores, dict) else ():
        if not isinstance(fields, dict) or not _is_text(fields):
            continue  # the schema check reports it
        path: KeyPath = ("datastores", name)
        place = place_of(document, path, key=True)
        store = _datastore(name, fields)
        if not store.region:
            message = f"the data store {name} has no region"
            hint = "Add the region of the data store, such as `region: us-east-1`."
            yield (*path, "region"), Diagnostic(place, message, hint)
        # Also in another region or at another endpoint: records and attempts use the ID alone.
        identity = store.datastore_id
        if identity in seen:
            message = f"{name} has the same datastoreId as the data store at {seen[identity]}"
            hint = "Remove one of the two, or correct its datastoreId."
            yield (*path, "datastoreId"), Diagnostic(place, message, hint)
        if store.datastore_id:
            seen.setdefault(identity, place)


def _is_text(fields: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in fields.values())


def _settings(file: Path, document: MappingNode) -> Settings:
    """Build settings from a document that passed the schema check."""
    data: Any = to_json(document)
    defaults = Settings(file.parent, "manifests", ())
    accounts = data.get("accounts", {})
    return Settings(
        root=file.parent,
        file=file.name,
        manifests=data.get("manifests", defaults.manifests),
        datastores=tuple(_datastore(*item) for item in sorted(data["datastores"].items())),
        quotas=_quotas(data.get("quotas", {})),
        account_quotas=tuple((key, _quotas(accounts[key]["quotas"])) for key in sorted(accounts)),
        allow=tuple(sorted({_consent(name) for name in data.get("allow", ())})),
        redact=Redact(data.get("redact", defaults.redact)),
        comment=Comment(data["comment"]) if "comment" in data else None,
        record_mode=_record_mode(data.get("record", {})),
        record_branch=data.get("record", {}).get("branch", defaults.record_branch),
        rules=_rules(data.get("rules", {})),
        lock_timeout_seconds=in_seconds(data.get("lockTimeout", "15m")),
        guardrails=_guardrails(document, data.get("guardrails", {})),
        review_seconds=in_seconds(data.get("reviewExpiresAfter", "14d")),
        fingerprint_key=data.get("fingerprintKey", defaults.fingerprint_key),
    )


def _record_mode(fields: dict[str, str]) -> RecordMode | None:
    """None if the file does not state it."""
    return RecordMode(fields["mode"]) if "mode" in fields else None


def _datastore(name: str, fields: dict[str, str]) -> Datastore:
    endpoint = fields.get("endpoint", "")
    return Datastore(
        name=name,
        datastore_id=fields.get("datastoreId", ""),
        region=fields.get("region", EMULATOR_REGION if endpoint else ""),
        account_id=fields.get("accountId", ""),
        endpoint=endpoint,
    )


def _quotas(quotas: dict[str, str]) -> tuple[tuple[str, float], ...]:
    return tuple((operation, float(rate)) for operation, rate in sorted(quotas.items()))


def _consent(name: str) -> Consent:
    found = consent.parse_default(Scalar(name, Place(SETTINGS_FILE), plain=True))
    assert isinstance(found, Consent)
    return found


def _rules(rules: dict[str, Any]) -> Rules:
    defaults = Rules()
    return Rules(
        series_on_primary=Permission(rules.get("seriesOnPrimary", defaults.series_on_primary)),
        uids_on_primary=Permission(rules.get("uidsOnPrimary", defaults.uids_on_primary)),
        remove_last=Permission(rules.get("removeLast", defaults.remove_last)),
        revert_on_primary=Permission(rules.get("revertOnPrimary", defaults.revert_on_primary)),
        service_fields=Permission(rules.get("serviceFields", defaults.service_fields)),
        removals_need_force=rules.get("removalsNeedForce", defaults.removals_need_force),
        payload_bytes=int(rules.get("payloadBytes", defaults.payload_bytes)),
    )


def _guardrails(document: MappingNode, rails: dict[str, str]) -> tuple[Guardrail, ...]:
    """The stated guardrails with their lines. A guardrail that is not stated sets no limit."""
    return tuple(
        Guardrail(one, float(rails[one]), place_of(document, ("guardrails", str(one))))
        for one in Amount
        if one in rails
    )
