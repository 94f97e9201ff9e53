"""Where in a metadata document an attribute lives."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

WILDCARD = "*"
# PS3.5 section 9.1, with more than one component: `19700101` may be a date.
_UID = re.compile(r"(?=.{3,64}$)[0-2](?:\.(?:0|[1-9][0-9]*))+")


class Level(IntEnum):
    """The four levels of HealthImaging's normalized metadata, outermost first."""

    PATIENT = 1
    STUDY = 2
    SERIES = 3
    INSTANCE = 4

    @property
    def title(self) -> str:
        """The level's name as it stands in documents and manifests."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A block of a document. In an ask, `series` and `instance` may be `"*"`.

    `series` is a SeriesInstanceUID, `instance` a SOPInstanceUID (the key in the document).
    """

    level: Level
    series: str = ""
    instance: str = ""

    @property
    def is_pattern(self) -> bool:
        """Whether this stands for several blocks."""
        return WILDCARD in (self.series, self.instance)

    def wider(self) -> tuple[Address, ...]:
        """The patterns that cover this: each stands for every block that this one stands for."""
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
            parts += ["Series", self.series]
        if self.level is Level.INSTANCE:
            parts += ["Instances", self.instance]
        return "/".join(parts)

    def shown(self) -> str:
        """The path as a message may show it: a UID that is not well-formed may be a name."""
        return Address(self.level, shown_uid(self.series), shown_uid(self.instance)).path()


def is_uid(text: str) -> bool:
    """Whether this is a well-formed UID. Any other key of a series or instance is live text."""
    return bool(_UID.fullmatch(text))


def shown_uid(uid: str) -> str:
    """The key of a series or instance as a message may show it: a UID, or its length."""
    return uid if uid == WILDCARD or is_uid(uid) else f"<text({len(uid)})>"


PATIENT = Address(Level.PATIENT)
STUDY = Address(Level.STUDY)


def series_at(series: str) -> Address:
    """The block of one series."""
    return Address(Level.SERIES, series)


def instance_at(series: str, instance: str) -> Address:
    """The block of one SOP instance."""
    return Address(Level.INSTANCE, series, instance)
