"""What `reconcile explain` prints: one frozen value for every kind of word."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_GUIDE = "https://docs.aws.amazon.com/healthimaging/latest/devguide"
# Pages of the developer guide of AWS HealthImaging.
AWS_CONSTRAINTS = f"{_GUIDE}/dicom-metadata-constraints.html"
AWS_IMAGE_SETS = f"{_GUIDE}/understanding-image-sets.html"
AWS_LEVELS = f"{_GUIDE}/metadata-normalization.html"
AWS_QUOTAS = f"{_GUIDE}/endpoints-quotas.html"
AWS_THROTTLING = f"{_GUIDE}/throttling-limits.html"
AWS_TIERS = f"{_GUIDE}/cost-optimization.html"
AWS_UPDATES = f"{_GUIDE}/update-image-set-metadata.html"

_HEAD = """\
apiVersion: reconciler/v1
kind: ImageSet
datastore: research
imageSetId: ea92b0d8838c72a3f25d00d13616f87e
"""
_SELECTING = """\
apiVersion: reconciler/v1
kind: ImageSets
datastore: research
"""


class Kind(StrEnum):
    """The kind of a word, as a reader calls it."""

    HAZARD = "hazard"
    STATUS = "status of a plan"
    OUTCOME = "outcome of a call"
    RULE = "rule"
    KEY = "key of a manifest"
    WORD = "word"
    ATTRIBUTE = "DICOM attribute"
    VR = "value representation"
    UID = "registered UID"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one word means, and what to do about it.

    `meaning` and `todo` (what to do next) are texts of one or more `paragraphs`, wrapped as it
    suits the source. `facts` are pairs of a label and a text. `consent` says how a hazard is
    consented to, `consent_line` is the line that does it, "" if there is none. `manifest` and
    `settings` are whole examples: a manifest, and lines of reconciler.yaml. `sources` name a page
    of AWS, a part of the DICOM standard, or a decision of this project. `see` are other words,
    `aliases` other spellings of this one.
    """

    kind: Kind
    word: str
    summary: str = ""
    meaning: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    todo: str = ""
    consent: str = ""
    consent_line: str = ""
    manifest: str = ""
    settings: str = ""
    sources: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def paragraphs(text: str) -> tuple[str, ...]:
    """Split a text at its blank lines, and join the lines of each paragraph."""
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def example(body: str) -> str:
    """Return a whole manifest for one image set. `body` are its other lines."""
    return f"{_HEAD}{body.strip(chr(10))}\n"


def selecting(body: str) -> str:
    """Return a whole manifest of kind ImageSets. `body` are its other lines."""
    return f"{_SELECTING}{body.strip(chr(10))}\n"
