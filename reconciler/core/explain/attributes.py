"""Explains a DICOM attribute: where it stands, what it may hold, and what AWS allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.core.dicom.constraints import force_reasons, never
from reconciler.core.dicom.content import KEY_UIDS
from reconciler.core.dicom.creators import creator_tag, is_creator
from reconciler.core.dicom.dictionary import Attribute, document_key, format_tag
from reconciler.core.dicom.levels import level_of
from reconciler.core.dicom.terms import is_defined, listed_terms
from reconciler.core.dicom.values import parse
from reconciler.core.dicom.vr import alternatives
from reconciler.core.diff.guards import primary_blocks
from reconciler.core.diff.hazards import hazards_of
from reconciler.core.explain.model import (
    AWS_CONSTRAINTS,
    AWS_LEVELS,
    AWS_UPDATES,
    Explanation,
    Kind,
)
from reconciler.core.explain.sample_manifest import manifest_of
from reconciler.core.explain.samples import PRIVATE_VR, VRS, Sample, node_of, sample
from reconciler.core.model.address import PATIENT, STUDY, Level, instance_at, series_at
from reconciler.core.model.change import Change, Op
from reconciler.core.model.settings import Rules
from reconciler.core.model.value import Json, Value
from reconciler.core.review.mask import HARMLESS

_ADDRESSES = {
    Level.PATIENT: PATIENT,
    Level.STUDY: STUDY,
    Level.SERIES: series_at("1.2"),
    Level.INSTANCE: instance_at("1.2", "1.3"),
}
# In place of the items of a sequence that are not known.
_SOME_ITEM: Json = [{"CodeMeaning": "TEXT"}]


def explain_attribute(attribute: Attribute) -> Explanation:
    """Return the explanation of one attribute, whether the dictionary has it or not."""
    found = Explanation(
        Kind.ATTRIBUTE,
        attribute.keyword or format_tag(attribute.tag),
        _summary(attribute),
        facts=tuple(_facts(attribute)),
        sources=("DICOM PS3.6 (data dictionary)", AWS_LEVELS, AWS_CONSTRAINTS, AWS_UPDATES),
        see=("private",) if attribute.is_private else ("level", "primary"),
    )
    why_never = never(document_key(attribute.tag))
    if why_never:
        return replace(found, facts=(*found.facts, ("Change", why_never)))
    return _with_change(found, attribute)


def _with_change(found: Explanation, attribute: Attribute) -> Explanation:
    """Add what AWS allows, the hazards, and a manifest that sets the attribute."""
    value = sample(attribute)
    change, removal = (_change(attribute, op, value) for op in (Op.UPDATE, Op.REMOVE))
    more = (*_permissions(change), *_hazards(change, removal), _output(attribute))
    found = replace(found, facts=(*found.facts, *more))
    if value is None:
        return replace(found, todo=_HOW_TO_EDIT_A_SEQUENCE)
    force = bool(change.force_reasons)
    return replace(found, manifest=manifest_of(attribute, value, change.hazards, force=force))


_HOW_TO_EDIT_A_SEQUENCE = """
A manifest states a sequence as a whole, with all its items. Print the live items with `reconcile
import --image-set ID --level instance`, then edit them.
"""


def _summary(attribute: Attribute) -> str:
    if attribute.is_private:
        if is_creator(attribute.tag):
            return "a private creator: it names the vendor of a block of private elements"
        return "a private element: only its vendor knows what it means"
    if not attribute.is_standard:
        return "not an attribute of the DICOM standard"
    return f"{attribute.name}{' (retired)' if attribute.retired else ''}"


def _facts(attribute: Attribute) -> Iterator[tuple[str, str]]:
    """What DICOM says, and where HealthImaging keeps it."""
    key = document_key(attribute.tag)
    yield "Tag", format_tag(attribute.tag)
    if key != attribute.keyword:
        newer = ": HealthImaging has the keywords of DICOM 2022b" if attribute.is_newer else ""
        yield "In manifests", f'"{key}"{newer}'
    yield "Level", level_of(attribute.tag).title
    if attribute.is_private:
        creator = creator_tag(attribute.tag)
        if creator is not None and not is_creator(attribute.tag):
            yield "Private creator", f"{format_tag(creator)} in the same block"
        yield "VR", "in no dictionary: DICOMVRs states it for a new element"
        return
    yield "VR", _vr(attribute.vr)
    if attribute.is_standard:
        yield "VM", f"{attribute.vm}{': write a list' if attribute.is_multi else ''}"
    if terms := _terms(attribute):
        yield "Defined terms", terms


def _vr(vr: str) -> str:
    """Return a VR with its name and how a value is written; of alternatives, no names."""
    texts = [VRS[one] for one in alternatives(vr)]
    written = ", or ".join(dict.fromkeys(text.written for text in texts))
    name = f", {texts[0].name}" if len(texts) == 1 else ""
    return f"{vr}{name}: {written}"


def _terms(attribute: Attribute) -> str:
    """The terms that the standard defines, as one text; "" without a list."""
    terms = listed_terms(attribute.keyword)
    if not terms and is_defined(attribute.keyword, "") is not None:
        return "a UID of PS3.6, table A-1. `reconcile explain UID` shows its name"
    return ", ".join(terms)


def _change(attribute: Attribute, op: Op, value: Sample | None) -> Change:
    """Return a change as a plan would make it: the value is set, or removed."""
    vr = PRIVATE_VR if attribute.is_private else attribute.vr
    raw = parse(attribute, vr, node_of(value)).value if value is not None else Value(_SOME_ITEM)
    assert raw is not None
    is_removal = op is Op.REMOVE
    change = Change(
        "",
        op,
        _ADDRESSES[level_of(attribute.tag)],
        document_key(attribute.tag),
        attribute.tag,
        vr,
        before=raw if is_removal else None,
        after=None if is_removal else raw,
        force_reasons=force_reasons(
            attribute,
            vr,
            raw.raw,
            removal=is_removal,
            removals_need_force=Rules().removals_need_force,
        ),
    )
    return replace(change, hazards=hazards_of(change, reverts=False))


def _permissions(change: Change) -> Iterator[tuple[str, str]]:
    """What AWS accepts on primary image sets, and on the others."""
    refused = next(primary_blocks([change], Rules()), None)
    if refused is not None:
        yield "Primary image sets", f"refused: {refused.message}. {refused.hint}"
    elif change.address.level <= Level.STUDY:
        yield "Primary image sets", "yes, in one call for all primary image sets of the study"
    else:
        yield "Primary image sets", "yes"
    yield "Other image sets", "yes"
    if change.force_reasons:
        yield "Needs `force: true`", f"yes: {', '.join(change.force_reasons)}"


def _hazards(change: Change, removal: Change) -> Iterator[tuple[str, str]]:
    if change.hazards:
        yield "Hazards", ", ".join(change.hazards)
    if change.tag in KEY_UIDS:
        yield "If it is removed", "an error: every study, series and instance needs its UID"
    elif more := [hazard for hazard in removal.hazards if hazard not in change.hazards]:
        yield "If it is removed", ", ".join(more)


def _output(attribute: Attribute) -> tuple[str, str]:
    harmless = attribute.tag in HARMLESS
    return "In stored output", "shown, if the value fits" if harmless else "masked"
