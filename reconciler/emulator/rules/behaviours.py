"""Every choice where AWS is silent, each a named switch with a conservative default.

The developer guide, the API reference and the model of botocore leave these open. A user who knows
what the service really does sets the switch. Nothing else in the emulator makes such a choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any


def _switch(default: Any, source: str, *choices: str) -> Any:
    return field(default=default, metadata={"source": source, "choices": choices})


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviours:
    """The switches. `source` in the metadata of a field states what is undocumented and why."""

    constraint_errors: str = _switch(
        "update-failed",
        "Whether a violated DICOM metadata constraint ends in an "
        "asynchronous UPDATE_FAILED or in a synchronous ValidationException is not documented; "
        "the guide says to read `message`, so it is asynchronous here.",
        "update-failed",
        "validation",
    )
    locked_before_pin: bool = _switch(
        True,
        "Whether a LOCKED image set answers 409 before the expected version is checked is not "
        "documented; off, a stale version answers 404 first.",
    )
    pin_checked_with_force: bool = _switch(
        True,
        "Whether force skips the check of latestVersionId as it skips other checks is not "
        "documented; off, a forced update is applied to whatever version is the latest.",
    )
    removal_value_must_match: bool = _switch(
        True,
        '"Attribute key and value must match the existing attribute" (the guide\'s SDK examples); '
        "what happens otherwise is not documented: UPDATE_FAILED here, off removes anyway.",
    )
    schema_version_required: bool = _switch(
        False,
        "Every documented payload has SchemaVersion; whether it is mandatory is not documented.",
    )
    schema_version_types: tuple[str, ...] = _switch(
        ("number", "text"),
        "The guide's payloads have the number 1.1, real documents and one example of CopyImageSet "
        "the string; whether both are accepted is not documented: 400 for others.",
        "number",
        "text",
    )
    rekey_on_uid_change: bool = _switch(
        True,
        "Whether a changed SOPInstanceUID or SeriesInstanceUID moves the block to a new key is "
        "not documented; on, it does, and the DICOM value is set, too; off, only the DICOM value "
        "is set.",
    )
    remove_last: bool = _switch(
        False,
        "Removing the last instance of a series or the last series is not documented: "
        "UPDATE_FAILED here, on allows it.",
    )
    remove_series: bool = _switch(
        True,
        "The guide of 2025 says that a Series can be removed, that of 2026 names SOP Instances "
        "only, and no payload shows it; off, it ends in UPDATE_FAILED.",
    )
    payload_limit_bytes: int = _switch(
        10_000,
        "The quota of the UpdateImageSetMetadata payload is 10 KB; how it counts and what error "
        "it raises is not documented: both blobs after base64 here, 402 above the limit.",
    )
    primary_bans: bool = _switch(
        True,
        "The 2025 guide bans Patient- and Series-level elements and UID changes on primary image "
        "sets; whether that is still true with includeStudyImageSets is not documented.",
    )
    study_wide_levels: tuple[str, ...] = _switch(
        ("Patient", "Study"),
        "Which levels includeStudyImageSets takes is not documented; others end in UPDATE_FAILED.",
        "Patient",
        "Study",
        "Series",
        "Instance",
    )
    siblings_of_study_wide: str = _switch(
        "changed",
        "What includeStudyImageSets does if the service does not know or not honour it is not "
        "documented: it changes all primary image sets of the study here; else the requested one "
        "alone.",
        "changed",
        "left",
    )
    siblings_of_failed: str = _switch(
        "left",
        "A study-wide update is atomic; what its failure leaves of the siblings is not documented: "
        "no new version here; else a failed version, or the new content.",
        "left",
        "failed",
        "changed",
    )
    missing_datastore_code: str = _switch(
        "ResourceNotFoundException",
        "A data store that does not exist has been seen to answer 404 as well as 403 "
        "(AccessDeniedException) on image set operations.",
        "ResourceNotFoundException",
        "AccessDeniedException",
    )
    removals_need_force: bool = _switch(
        True,
        "Whether the constraints on sequences and multi-valued attributes also bind removals is "
        "not documented.",
    )
    first_version_has_updated_at: bool = _switch(
        True,
        "The guide's ListImageSetVersions example shows no updatedAt on the first version.",
    )
    is_primary_in: tuple[str, ...] = _switch(
        ("GetImageSet", "ListImageSetVersions", "SearchImageSets"),
        "The model requires isPrimary in no answer; which of these operations always show it is "
        "not documented.",
        "GetImageSet",
        "ListImageSetVersions",
        "SearchImageSets",
    )
    update_makes_version: bool = _switch(
        True,
        "That updates make a version is documented; off, an update changes the content and "
        "updatedAt of the latest version, so that a client can be tested against it.",
    )
    equal_update_makes_version: bool = _switch(
        True,
        "Whether an update that changes nothing makes a version is not documented; off, it makes "
        "none, also on the siblings of a study-wide update.",
    )
    failed_update_makes_version: bool = _switch(
        True,
        "AWS's example of ListImageSetVersions shows that a failed copy made a version; whether a "
        "failed update does is not documented; off, the latest version becomes UPDATE_FAILED.",
    )
    failed_version_metadata: str = _switch(
        "previous",
        "What GetImageSetMetadata answers for a version that ended in UPDATE_FAILED is not "
        "documented: the content of the version before it here; else 404.",
        "previous",
        "missing",
    )
    number_lag_seconds: float = _switch(
        0.0,
        "How soon GetImageSet and ListImageSetVersions show a new version is not documented; 0 is "
        "at once.",
    )
    content_lag_seconds: float = _switch(
        0.0,
        "How soon GetImageSetMetadata answers with the content of a version that is ACTIVE is not "
        "documented; 0 is at once.",
    )
    content_until_then: str = _switch(
        "previous",
        "What GetImageSetMetadata answers during `content_lag_seconds`: the content of the version "
        "before; else 404.",
        "previous",
        "missing",
    )
    versions_order: str = _switch(
        "newest-first",
        "The guide's example of ListImageSetVersions is newest first; the order is not documented.",
        "newest-first",
        "oldest-first",
    )
    undescribed_fields: bool = _switch(
        False,
        "Fields that no documentation describes have appeared in metadata documents, such as "
        "ChecksumType; on, a new version has some more, at the top and in each instance.",
    )
    search_filters: int = _switch(
        2,
        "The model takes up to two filters in SearchImageSets and its text says that the maximum "
        "is 1; AWS's own example sends two.",
    )
    search_lag_seconds: float = _switch(
        0.0,
        "How far SearchImageSets lags behind a change is not documented; 0 is consistent, and a "
        "summary then shows the version that an update in progress produces.",
    )
    study_totals: str = _switch(
        "all",
        "DICOMNumberOfStudyRelatedSeries and DICOMNumberOfStudyRelatedInstances are the totals of "
        "the study (service model); whether image sets that are not primary count is not "
        "documented: all count here.",
        "all",
        "primary",
    )
    unversioned_read_while_updating: str = _switch(
        "last-completed",
        "What GetImageSetMetadata answers without a version while the "
        "image set is LOCKED is not documented.",
        "last-completed",
        "conflict",
    )
    same_key_twice: str = _switch(
        "reject",
        "The order of application when one call updates and removes the "
        "same attribute is not documented: 400 here; else the removal comes first.",
        "reject",
        "update-wins",
    )
    null_in_updates: str = _switch(
        "stored",
        "What null does in updatableAttributes is not documented: the attribute is there and is "
        "empty here; else the attribute is removed.",
        "stored",
        "removes",
    )
    stored_text: str = _switch(
        "as-sent",
        "Whether text is stored byte for byte is not documented: it is here; else its padding is "
        "removed, or its letters become capital letters.",
        "as-sent",
        "trimmed",
        "capitals",
    )
    removals_take_effect: bool = _switch(
        True,
        "No answer states what an update has changed; off, an update ends as UPDATED and nothing "
        "that it removes is gone.",
    )
    applied_of_two: tuple[str, ...] = _switch(
        ("removableAttributes", "updatableAttributes"),
        "Whether one call may both update and remove is not documented: it may here; else only "
        "this part of a call that has both takes effect.",
        "removableAttributes",
        "updatableAttributes",
    )

    keeps_empty: bool = _switch(
        True,
        "No answer states what an update has changed; off, an update also removes every attribute "
        "that is there and empty.",
    )
    service_fields: str = _switch(
        "kept",
        "Whether an update changes what HealthImaging itself adds to a document is not documented: "
        "it does not here; else it adds a field to every instance, or changes the checksums of "
        "frames.",
        "kept",
        "added",
        "changed",
    )

    concurrency_error: str = _switch(
        "ServiceQuotaExceededException",
        "What a write answers when as many of its kind are in progress as the quota of the data "
        "store allows (`--quotas`) is not documented.",
        "ServiceQuotaExceededException",
        "ThrottlingException",
        "ConflictException",
    )

    def __post_init__(self) -> None:
        """Raise ValueError where a switch has a value that it does not take."""
        for switch in fields(self):
            choices = switch.metadata["choices"]
            value = getattr(self, switch.name)
            values = value if isinstance(value, tuple) else (value,)
            if choices and not set(values) <= set(choices):
                raise ValueError(f"{switch.name} must be one of: {', '.join(choices)}")


def with_settings(settings: Iterable[str]) -> Behaviours:
    """The switches, with some of them set as `name=value`.

    Raises ValueError with the wrong setting.
    """
    defaults = {switch.name: switch.default for switch in fields(Behaviours)}
    given: dict[str, Any] = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if name not in defaults or not separator:
            raise ValueError(f"{setting} is not a switch and its value, like remove_last=true")
        given[name] = _value(name, text, defaults[name])
    return Behaviours(**given)


def _value(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text not in ("true", "false"):
            raise ValueError(f"{name} must be true or false")
        return text == "true"
    if isinstance(default, int | float):
        try:
            number = type(default)(text)
        except ValueError:
            number = -1
        if not 0 <= number < math.inf:
            raise ValueError(f"{name} must be a number of 0 or more")
        return number
    if isinstance(default, tuple):
        return tuple(part for part in text.split(",") if part)
    return text


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch as `emulator behaviours` lists it.

    `default` and `choices` in the spelling of `--set`.
    """

    name: str
    default: str
    choices: tuple[str, ...]
    source: str


def describe() -> tuple[Switch, ...]:
    """Every switch, in the order of the class."""
    return tuple(
        Switch(
            switch.name,
            _text(switch.default),
            ("true", "false") if isinstance(switch.default, bool) else switch.metadata["choices"],
            switch.metadata["source"],
        )
        for switch in fields(Behaviours)
    )


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
