"""One manifest document -> its asks, or every problem in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reconciler.core.ask import consent, selectors
from reconciler.core.ask.as_json import Path, to_json
from reconciler.core.ask.draft import Draft, TooManyError
from reconciler.core.ask.explain import near_miss
from reconciler.core.ask.ids import is_image_set_id, not_verbatim
from reconciler.core.ask.schema import Checker
from reconciler.core.ask.sections import read_claims
from reconciler.core.dicom.dictionary import by_tag
from reconciler.core.errors import Diagnostic, Place
from reconciler.core.model.api_version import API_VERSION
from reconciler.core.model.ask import Claim, ClaimKind, ImageSetAsk, Revert, Source
from reconciler.core.model.hazard import Consent
from reconciler.core.model.node import ListNode, MappingNode, Node, Scalar, shown
from reconciler.core.model.selector import Selector
from reconciler.core.model.settings import Settings

KIND = "ImageSet"
KINDS = (KIND, selectors.KIND)


def read(
    document: MappingNode, settings: Settings, checker: Checker
) -> tuple[tuple[ImageSetAsk, ...] | Selector, tuple[Diagnostic, ...]]:
    """Return the asks of a document, or its selector, or its problems."""
    foreign = _foreign(document)
    if foreign:
        return (), (foreign,)
    draft = Draft(document, Source(document.place))
    try:
        ids = _fill(draft, settings)
        problems = draft.problems + checker.check(document, draft.reported)
    except TooManyError:
        problems = draft.problems
    if problems:
        return (), tuple(sorted(set(problems)))
    if _selects(document):
        return selectors.read_selector(draft, _text(document.get("datastore"))), ()
    return _asks(draft, ids), ()


def _selects(document: MappingNode) -> bool:
    return _text(document.get("kind")) == selectors.KIND


def _fill(draft: Draft, settings: Settings) -> list[str]:
    """Read a document into a draft; return the image sets."""
    ids = _image_set_ids(draft)
    selects = _selects(draft.document)
    draft.source = _source(draft, None if selects else dict.fromkeys(ids))
    if selects:
        selectors.check_sections(draft)
    _check_datastore(draft, settings)
    read_claims(draft)
    _check_claims(draft)
    return ids


def _asks(draft: Draft, ids: list[str]) -> tuple[ImageSetAsk, ...]:
    datastore = _text(draft.document.get("datastore"))
    return tuple(
        ImageSetAsk(
            datastore=datastore,
            image_set_id=image_set_id,
            sources=(draft.source,),
            claims=tuple(draft.claims),
            revert=_revert(draft),
        )
        for image_set_id in ids
    )


def _foreign(document: MappingNode) -> Diagnostic | None:
    """Report a document of another kind or version; then nothing else in it is checked."""
    kind, version = document.get("kind"), document.get("apiVersion")
    if isinstance(version, Scalar) and not version.is_null and version.text != API_VERSION:
        message = f"apiVersion must be {API_VERSION}, not {shown(version.text)}"
        hint = f"Write `apiVersion: {API_VERSION}`. This version of reconcile reads no other."
        return Diagnostic(version.place, message, hint, version.replaced_by(API_VERSION))
    if not isinstance(kind, Scalar) or kind.is_null or kind.text in KINDS:
        return None
    meant = near_miss(kind.text, list(KINDS))
    hint = f"Did you mean {meant}?" if meant else f"Write `kind: {KIND}` or `kind: {KINDS[1]}`."
    right = kind.replaced_by(meant) if meant else None
    return Diagnostic(kind.place, f"unknown kind {shown(kind.text)}", hint, right)


def _source(draft: Draft, image_set_ids: Collection[str] | None) -> Source:
    """The source of a document; `image_set_ids` are None if it selects them."""
    document = draft.document
    force = document.get("force")
    return Source(
        place=document.place,
        reason=_text(document.get("reason")).strip(),
        force=force is not None and to_json(force) is True,
        allow=tuple(_consents(draft, document.get("allow"), image_set_ids)),
        own=next(iter(image_set_ids)) if image_set_ids and len(image_set_ids) == 1 else "",
    )


def _consents(
    draft: Draft, node: Node | None, image_set_ids: Collection[str] | None
) -> list[Consent]:
    found = []
    for number, item in enumerate(node.items if isinstance(node, ListNode) else ()):
        if not isinstance(item, Scalar) or item.is_null:
            continue
        parsed = consent.parse(item, image_set_ids)
        if isinstance(parsed, Diagnostic):
            draft.note(("allow", number), parsed)
        else:
            found.append(parsed)
    return sorted(set(found))


def _check_datastore(draft: Draft, settings: Settings) -> None:
    node = draft.document.get("datastore")
    names = [datastore.name for datastore in settings.datastores]
    if not isinstance(node, Scalar) or node.is_null or node.text in names:
        return
    meant = near_miss(node.text, names)
    hint = f"Did you mean {meant}?" if meant else f"Write one of: {', '.join(names)}."
    message = f"reconciler.yaml has no data store {shown(node.text)}"
    right = node.replaced_by(meant) if meant else None
    draft.problem(("datastore",), node.place, message, hint, right)


def _image_set_ids(draft: Draft) -> list[str]:
    single, several = (draft.document.get(key) for key in ("imageSetId", "imageSetIds"))
    ids = []
    if isinstance(single, Scalar) and not single.is_null:
        _check_verbatim(draft, ("imageSetId",), single)
        ids.append(single.text)
    seen: dict[str, Place] = {}
    for number, item in enumerate(several.items if isinstance(several, ListNode) else ()):
        if not isinstance(item, Scalar) or item.is_null:
            continue
        if item.text in seen:
            message = f"{shown(item.text)} is a duplicate of {seen[item.text]}"
            hint = "Remove one of the two."
            draft.problem(("imageSetIds", number), item.place, message, hint)
        _check_verbatim(draft, ("imageSetIds", number), item)
        seen.setdefault(item.text, item.place)
        ids.append(item.text)
    return ids


def _check_verbatim(draft: Draft, path: Path, node: Scalar) -> None:
    problem = not_verbatim(node) if is_image_set_id(node.text) else None
    if problem:
        draft.note(path, problem)


def _revert(draft: Draft) -> Revert | None:
    for key, node in draft.document.entries:
        if key.text == "revertToVersionId" and isinstance(node, Scalar):
            return Revert(node.text, key.place, draft.source)
    return None


def _check_claims(draft: Draft) -> None:
    """Report contradictions inside one document."""
    claims = draft.claims
    absent = [claim for claim in claims if claim.kind is ClaimKind.ABSENT]
    removals = [claim for claim in claims if claim.kind is ClaimKind.REMOVED]
    if absent:
        _check_absent(draft, absent)
    if removals:
        _check_removals(draft, removals)


def _check_absent(draft: Draft, absent: Sequence[Claim]) -> None:
    present = {
        (claim.tag, claim.address): claim
        for claim in draft.claims
        if claim.kind is ClaimKind.PRESENT
    }
    for claim in absent:
        rival = present.get((claim.tag, claim.address))
        if rival:
            label = by_tag(claim.tag or 0).label
            message = f"{label} is under `absent` here, but under `present` at {rival.place}"
            draft.problems.append(Diagnostic(claim.place, message, "Remove one of the two lines."))


def _check_removals(draft: Draft, removals: Sequence[Claim]) -> None:
    gone = {(claim.address.series, claim.address.instance): claim for claim in removals}
    seen: dict[tuple[str, str], Place] = {}
    for claim in draft.claims:
        address = claim.address
        if claim.kind is ClaimKind.REMOVED:
            key = (address.series, address.instance)
            if key in seen:
                message = f"the removal of {address.shown()} is a duplicate of {seen[key]}"
                hint = "Remove one of the two lines."
                draft.problems.append(Diagnostic(claim.place, message, hint))
            seen.setdefault(key, claim.place)
            continue
        above = gone.get((address.series, "")) or gone.get((address.series, address.instance))
        if above and address.series:
            message = f"this line is below {above.address.shown()}, which {above.place} removes"
            hint = "Remove this line, or the line that removes the series or instance."
            draft.problems.append(Diagnostic(claim.place, message, hint))


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
