"""The address of a block in a metadata document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from reconciler.core.model.value import length_class

WILDCARD = "*"
# PS3.5 section 9.1, with at least two components, because `19700101` may be a date.
_UID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_LONGEST_UID = 64


# The keys of documents and manifests whose own keys are UIDs.
UIDS_BELOW = frozenset({"Series", "Instances"})
# The keys of sections, which no manifest takes for a UID.
SECTIONS = frozenset({"DICOM", "DICOMVRs", "Patient", "Study", "Series", "Instances"})
# What has a meaning in a path, and what encodes it.
_ENCODED = {"%": "%25", "/": "%2F", WILDCARD: "%2A"}
_ENCODING = str.maketrans(_ENCODED)


class Level(IntEnum):
    """The four levels of HealthImaging's normalized metadata, outermost first."""

    PATIENT = 1
    STUDY = 2
    SERIES = 3
    INSTANCE = 4

    @property
    def title(self) -> str:
        """The name of the level in documents and manifests."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A block of a document. In an ask, `series` and `instance` may be `"*"`.

    `series` is a SeriesInstanceUID, `instance` a SOPInstanceUID: the keys in the document, which
    need not be well-formed.
    """

    level: Level
    series: str = ""
    instance: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether this may match several blocks."""
        return WILDCARD in (self.series, self.instance)

    @property
    def rank(self) -> tuple[int, bool]:
        """The order in which addresses decide: a named UID comes before `"*"`."""
        stars = (self.series == WILDCARD) + (self.instance == WILDCARD)
        return stars, self.instance == WILDCARD

    def wider(self) -> tuple[Address, ...]:
        """Return the patterns that match every block that this address matches."""
        patterns = {
            Address(self.level, series, instance)
            for series in {self.series, self.series and WILDCARD}
            for instance in {self.instance, self.instance and WILDCARD}
        }
        return tuple(sorted(patterns - {self}))

    def path(self) -> str:
        """`Patient`, `Study`, `Study/Series/1.2.3` or `Study/Series/1.2.3/Instances/1.2.3.4`."""
        if self.level is Level.PATIENT:
            return "Patient"
        parts = ["Study"]
        if self.level >= Level.SERIES:
            parts += ["Series", path_part(self.series)]
        if self.level is Level.INSTANCE:
            parts += ["Instances", path_part(self.instance)]
        return "/".join(parts)

    @property
    def is_well_formed(self) -> bool:
        """Whether it has no malformed UID, which may contain a name."""
        return all(uid in ("", WILDCARD) or is_uid(uid) for uid in (self.series, self.instance))

    def shown(self) -> str:
        """Return the path for a message, without malformed UIDs: they may contain a name."""
        return Address(self.level, shown_uid(self.series), shown_uid(self.instance)).path()


def is_uid(text: str) -> bool:
    """Whether this is a well-formed UID. Any other key may contain a value."""
    return len(text) <= _LONGEST_UID and bool(_UID.fullmatch(text))


def path_part(uid: str) -> str:
    """Return the key of a series or instance as part of a path.

    A malformed UID may contain any character. Those with a meaning in paths are percent-encoded.
    """
    return uid if uid == WILDCARD else uid.translate(_ENCODING)


def uid_of_part(part: str) -> str:
    """Return the key of a series or instance from its part of a path."""
    for character, code in _ENCODED.items():
        if character != "%":
            part = part.replace(code, character)
    return part.replace("%25", "%")


def shown_uid(uid: str) -> str:
    """Return the key of a series or instance for a message: the UID, or only its length."""
    return uid if uid == WILDCARD or is_uid(uid) else f"<{length_class(uid)}>"


PATIENT = Address(Level.PATIENT)
STUDY = Address(Level.STUDY)


def series_at(series: str) -> Address:
    """Return the address of a series."""
    return Address(Level.SERIES, series)


def instance_at(series: str, instance: str) -> Address:
    """Return the address of an instance."""
    return Address(Level.INSTANCE, series, instance)
