"""The output of the commands with --json. Values are masked as they are in text.

A plan is in `plan_json`, the report of an apply in `core/report`.
"""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.results import Checked
from reconciler.core.model.settings import Datastore
from reconciler.core.model.value import Json
from reconciler.core.review.search import ShownImageSet


def _place(place: Place | None) -> Json:
    return {"file": place.file, "line": place.line, "column": place.column} if place else None


def problems(diagnostics: Iterable[Diagnostic], *, shows_values: bool) -> Json:
    """The problems of invalid files, with what to write instead where that is obvious."""
    return {
        "valid": False,
        "problems": [_problem(found, shows_values) for found in diagnostics],
    }


def _problem(found: Diagnostic, shows_values: bool) -> Json:
    row: dict[str, Json] = {
        "place": _place(found.place),
        "message": found.message,
        "hint": found.hint,
    }
    right = found.replacement
    if right and (shows_values or not right.holds_value):
        row["suggestion"] = {
            "place": _place(right.place),
            "endColumn": right.place.column + right.length,
            "text": right.text,
        }
    return row


def checked(found: Checked, notes: Iterable[Diagnostic], warnings: Iterable[Diagnostic]) -> Json:
    """The image sets that valid files ask for, and the notes and warnings about them."""
    selections: Json = [
        {"datastore": one.datastore, "name": one.name, "place": _place(one.place)}
        for one in found.selectors
    ]
    return {
        "valid": True,
        "files": found.files,
        "imageSets": [
            {"datastore": ask.datastore, "imageSetId": ask.image_set_id, "place": _place(ask.place)}
            for ask in found.asks
        ],
        **({"selections": selections} if selections else {}),
        "problems": [],
        "warnings": [
            {"place": _place(one.place), "message": one.message, "hint": one.hint}
            for one in warnings
        ],
        "notes": [{"place": _place(note.place), "message": note.message} for note in notes],
    }


def datastores(found: Iterable[Datastore]) -> Json:
    """The data stores of the settings."""
    return [
        {
            "name": store.name,
            "datastoreId": store.datastore_id,
            "region": store.region,
            "accountId": store.account_id,
            "endpoint": store.endpoint,
        }
        for store in found
    ]


def image_sets(found: Iterable[ShownImageSet]) -> Json:
    """Rows of SearchImageSets.

    A masked value is null, and `masked` names it: the shape of a value would look like a value.
    """
    return [
        {
            "datastore": image_set.datastore,
            "imageSetId": image_set.image_set_id,
            "versionId": image_set.version_id,
            "isPrimary": image_set.is_primary,
            "createdAt": image_set.created_at,
            "updatedAt": image_set.updated_at,
            "lastAccessedAt": image_set.last_accessed_at,
            "storageTier": image_set.storage_tier,
            "tags": {
                name: None if value.is_hidden else value.plain
                for name, value in image_set.tags.items()
            },
            "masked": list(image_set.masked),
        }
        for image_set in found
    ]
