"""Explains hazards, statuses, outcomes, rules, DICOM attributes and our own words. Pure."""

from __future__ import annotations

from reconciler.core.explain.find import explain, known_words, words_beginning
from reconciler.core.explain.mentions import mentioned
from reconciler.core.explain.model import Explanation, Kind

__all__ = ["Explanation", "Kind", "explain", "known_words", "mentioned", "words_beginning"]
