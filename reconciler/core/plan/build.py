"""Build the actions of a plan from diffs and studies: consent is judged, steps are made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.dicom.content import ContentDigests
from reconciler.core.dicom.shape import misshapen
from reconciler.core.model.ask import ImageSetAsk, Source
from reconciler.core.model.change import Block, Note
from reconciler.core.model.diff import Diff, SourcedChange, sources_of
from reconciler.core.model.hazard import Hazard
from reconciler.core.model.observed import Observed, Properties
from reconciler.core.model.plan import Action, HazardUse, Member, Status, Step
from reconciler.core.model.record import RULES_VERSION, Entry
from reconciler.core.model.settings import Datastore, Permission, Settings
from reconciler.core.plan.consent import change_hazards, judge, with_whole_lines
from reconciler.core.plan.notes import failed_version, with_notes
from reconciler.core.plan.split import TooLarge
from reconciler.core.plan.steps import own_steps, revert_step, study_steps
from reconciler.core.plan.study import Study, StudyWide, is_study_level, study_wide


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one data store.

    `managed` are the asks of all manifests by image set, also of those that the run leaves out.
    """

    datastore: Datastore
    diffs: Sequence[Diff]
    studies: Iterable[Study]
    managed: Mapping[str, ImageSetAsk]


def build(found: Found, settings: Settings) -> tuple[Action, ...]:
    """The actions of one data store, sorted by image set."""
    by_id = {diff.image_set_id: diff for diff in found.diffs}
    actions: list[Action] = []
    for study in found.studies:
        asked = [
            by_id[member.properties.image_set_id]
            for member in study.members
            if member.properties.image_set_id in by_id
        ]
        if any(moves_study(diff) for diff in asked):
            actions.append(_study_action(found, study, asked, settings))
            for diff in asked:
                del by_id[diff.image_set_id]
        elif settings.rules.revert_on_primary != Permission.ALLOW:
            by_id.update((diff.image_set_id, _guarded_revert(diff, study)) for diff in asked)
    actions += [
        _single_action(found.datastore, _with_study(diff), settings) for diff in by_id.values()
    ]
    actions = with_notes(with_whole_lines(actions, found.diffs), found.diffs)
    return tuple(sorted(actions, key=lambda action: (action.datastore, action.image_set_id)))


def needs_study(diff: Diff) -> bool:
    """Whether this image set can be planned only with its siblings."""
    return diff.is_primary and any(is_study_level(sourced.change) for sourced in diff.changes)


def moves_study(diff: Diff) -> bool:
    """Whether a study-wide call makes changes of this image set. A revert is never study-wide."""
    return needs_study(diff) and diff.ask.revert is None


def _with_study(diff: Diff) -> Diff:
    """Block Patient- and Study-level changes of a primary image set whose study is unknown."""
    if not moves_study(diff):
        return diff
    block = Block(
        diff.image_set_id,
        "its document has no StudyInstanceUID, so the other primary image sets of its study cannot "
        "be found",
        "Patient and Study attributes must change in all of them together. Change them on a "
        "non-primary image set, or contact AWS support.",
        diff.ask.place,
    )
    return _blocked(diff, block)


def _guarded_revert(diff: Diff, study: Study) -> Diff:
    """Block a revert that would make the primary image sets of a study differ.

    Source: https://docs.aws.amazon.com/healthimaging/latest/devguide/update-image-set-metadata.html
    """
    if diff.ask.revert is None or not needs_study(diff):
        return diff
    if len(study.members) > 1:
        block = Block(
            diff.image_set_id,
            "this revert would make Patient or Study attributes differ from those of the study's "
            "other primary image sets",
            "Ask for the old values with `present:`: that changes the whole study in one call. "
            f"{_LET_REVERT}",
            diff.ask.revert.place,
        )
        return _blocked(diff, block)
    unknown = _not_all_known(study, diff.image_set_id)
    hints = [f"{block.hint} {_LET_REVERT}" for block in unknown]
    return _blocked(
        diff,
        *(
            replace(block, hint=hint, place=diff.ask.revert.place)
            for block, hint in zip(unknown, hints, strict=True)
        ),
    )


_LET_REVERT = "`rules: {revertOnPrimary: allow}` in reconciler.yaml allows the revert."


def _not_all_known(study: Study, image_set_id: str) -> list[Block]:
    """Blocks of a study that may have more members than search listed."""
    if study.unread is not None:
        message = f"the other primary image sets of its study are unknown: {study.unread.message}"
        return [Block(image_set_id, message, study.unread.hint)]
    return [
        Block(
            name,
            "SearchImageSets does not list this image set yet, so other primary image sets of its "
            "study may be missing too",
            "The search index is not up to date: run `reconcile plan` again later.",
        )
        for name in study.unlisted
    ]


def _blocked(diff: Diff, *blocks: Block) -> Diff:
    if not blocks:
        return diff
    return replace(diff, status=Status.BLOCKED, blocks=(*diff.blocks, *blocks))


def _member(properties: Properties, diff: Diff | None, origin: str) -> Member:
    """One image set of an action, with what its record is made of."""
    member = Member(
        image_set_id=properties.image_set_id,
        pin=properties.version_id,
        is_primary=properties.is_primary,
        updated_at=properties.updated_at,
        origin_version_id=origin,
        created_at=properties.created_at,
        arn=properties.arn,
    )
    if diff is None:
        return member
    entry = diff.reading.entry
    return replace(
        member,
        ask_digest=diff.ask_digest,
        asked=diff.asked,
        previous_version_id=_recorded_before(entry, properties),
        recorded=entry is not None and _is_recorded(entry, diff, properties),
        is_whole=diff.ask.is_whole,
        released=diff.released,
        renamed=diff.renamed,
        refuted=diff.refuted,
    )


def _is_recorded(entry: Entry, diff: Diff, properties: Properties) -> bool:
    """Whether the record states all this already. An entry of an earlier form is written again."""
    baselines = dict(entry.asked)
    return (
        entry.is_dated
        and entry.arn == properties.arn
        and entry.rules_version == RULES_VERSION
        and entry.is_at(properties)
        and not diff.released
        and not diff.renamed
        and all(baselines.get(path) == properties.version_id for path in diff.asked)
        and (entry.ask_digest == diff.ask_digest or not diff.ask.is_whole)
    )


def _recorded_before(entry: Entry | None, properties: Properties) -> str:
    """The recorded version. If it is the current version, the version recorded before it.

    "" if the entry belongs to another history of the image set.
    """
    if entry is None or not entry.is_of(properties):
        return ""
    if entry.is_at(properties):
        return entry.previous_version_id
    is_earlier = int(entry.version_id) < int(properties.version_id or 0)
    return entry.version_id if is_earlier else ""


def _single_action(datastore: Datastore, diff: Diff, settings: Settings) -> Action:
    properties = diff.reading.properties
    known = properties or Properties(diff.image_set_id, "", "")
    hazards = change_hazards(diff.changes, [diff], settings.allow)
    blocks = list(diff.blocks)
    steps: tuple[Step, ...] = ()
    if diff.changes and not blocks:
        try:
            steps = _diff_steps(datastore, diff, known.version_id, settings)
        except TooLarge as large:
            blocks.append(_too_large(large, settings))
    if len(steps) > 1:
        hazards.append(_split_hazard(diff.image_set_id, sources_of(diff.changes), settings))
    action = Action(
        datastore=datastore.name,
        datastore_id=datastore.datastore_id,
        status=diff.status,
        members=(_member(known, diff, diff.reading.origin),),
        changes=tuple(sourced.change for sourced in diff.changes),
        notes=_notes(datastore, diff),
        released=diff.released,
    )
    return _decided(action, blocks, hazards, steps)


def _diff_steps(datastore: Datastore, diff: Diff, pin: str, settings: Settings) -> tuple[Step, ...]:
    reading = diff.reading
    if diff.ask.revert is not None:
        assert reading.target is not None
        return (
            revert_step(
                datastore.datastore_id, diff.image_set_id, pin, diff.ask.revert, reading.target
            ),
        )
    assert reading.document is not None
    return own_steps(
        datastore.datastore_id,
        diff.image_set_id,
        pin,
        reading.document,
        [sourced.change for sourced in diff.changes],
        settings.rules.payload_bytes,
        ContentDigests(),
    )


def _study_action(found: Found, study: Study, diffs: Sequence[Diff], settings: Settings) -> Action:
    datastore = found.datastore
    wide = study_wide(study, diffs, found.managed)
    pins = {
        member.properties.image_set_id: member.properties.version_id for member in study.members
    }
    own = {
        diff.image_set_id: [g for g in diff.changes if not is_study_level(g.change)]
        for diff in diffs
    }
    changes = [*wide.changes, *(sourced for some in own.values() for sourced in some)]
    blocks = [*wide.blocks, *(block for diff in diffs for block in diff.blocks)]
    blocks += _not_all_known(study, wide.anchor)
    blocks += _unready(study, diffs)
    hazards = change_hazards(changes, diffs, settings.allow)
    hazards.append(_wide_hazard(study, found.managed, wide, settings))
    steps: tuple[Step, ...] = ()
    if not blocks:
        try:
            steps, split_sets = _all_steps(datastore, study, wide, own, pins, settings)
            hazards += [
                _split_hazard(name, sources_of(own.get(name, [])) or wide.sources, settings)
                for name in split_sets
            ]
        except TooLarge as large:
            blocks.append(_too_large(large, settings))
    by_id = {diff.image_set_id: diff for diff in diffs}
    action = Action(
        datastore=datastore.name,
        datastore_id=datastore.datastore_id,
        status=_study_status(study, changes),
        members=tuple(
            sorted(
                _member(m.properties, by_id.get(m.properties.image_set_id), m.origin)
                for m in study.members
            )
        ),
        changes=tuple(
            sourced.change
            for sourced in sorted(
                changes,
                key=lambda g: (g.change.address, g.change.tag or 0, g.change.image_set_id),
            )
        ),
        notes=(
            *(note for diff in diffs for note in _notes(datastore, diff)),
            *_sibling_notes(datastore, study, by_id),
        ),
        released=tuple(sorted({path for diff in diffs for path in diff.released})),
    )
    return _decided(action, blocks, hazards, steps)


def _study_status(study: Study, changes: Sequence[SourcedChange]) -> Status:
    if any(member.properties.state == "LOCKED" for member in study.members):
        return Status.BUSY
    return Status.DRIFTED if any(g.change.drifted for g in changes) else Status.UPDATE


def _unready(study: Study, diffs: Sequence[Diff]) -> list[Block]:
    """A study changes as a whole: a member that is locked, gone or reverted blocks all of it."""
    asked = {diff.image_set_id: diff for diff in diffs}
    blocks = [
        _not_ready(member)
        for member in study.members
        if (member.document is None or member.unread is not None)
        and not _explains(asked.get(member.properties.image_set_id), member)
    ]
    blocks += [
        Block(
            member.properties.image_set_id,
            "the document of this primary image set of the study does not have the "
            f"documented structure at {odd}",
            "A study-wide update changes this image set too. Contact AWS support.",
        )
        for member in study.members
        if member.document is not None
        and member.properties.image_set_id not in asked
        and (odd := misshapen(member.document))
    ]
    blocks += [
        Block(
            diff.image_set_id,
            "a revert cannot be combined with a study-wide update of its study",
            "Apply one of the two manifests first.",
            diff.ask.revert.place,
        )
        for diff in diffs
        if diff.ask.revert is not None
    ]
    return blocks


def _explains(diff: Diff | None, member: Observed) -> bool:
    """Whether the member's own diff explains already why it blocks the study."""
    return diff is not None and (member.unread is None or diff.reading.unread is not None)


def _not_ready(member: Observed) -> Block:
    name, unread = member.properties.image_set_id, member.unread
    if unread is not None:
        message = f"a study-wide call may change this image set of the study: {unread.message}"
        return Block(name, message, unread.hint)
    return Block(
        name,
        f"this primary image set of the study is {member.properties.state}",
        "A study-wide update changes all of them. Run `reconcile plan` again when it is ACTIVE.",
    )


def _notes(datastore: Datastore, diff: Diff) -> tuple[Note, ...]:
    reading = diff.reading
    return (*diff.notes, *failed_version(datastore, reading.properties, reading.good_version))


def _sibling_notes(datastore: Datastore, study: Study, asked: Mapping[str, Diff]) -> Iterator[Note]:
    """Notes about failed versions of members that have no diff of their own."""
    for member in study.members:
        name = member.properties.image_set_id
        if member.good_version and name not in asked:
            yield from failed_version(datastore, member.properties, member.good_version)


def _all_steps(
    datastore: Datastore,
    study: Study,
    wide: StudyWide,
    own: Mapping[str, Sequence[SourcedChange]],
    pins: Mapping[str, str],
    settings: Settings,
) -> tuple[tuple[Step, ...], list[str]]:
    """The study-wide calls, then each member's own calls; and the image sets with split changes."""
    limit, digests = settings.rules.payload_bytes, ContentDigests()
    steps, after = study_steps(
        datastore.datastore_id, wide.anchor, pins, study.documents, wide.sent, limit, digests
    )
    split_sets = [wide.anchor] if len(steps) > 1 else []
    calls = len(steps)
    for image_set_id, sourced in sorted(own.items()):
        pin = str(int(pins[image_set_id]) + calls)
        mine = own_steps(
            datastore.datastore_id,
            image_set_id,
            pin,
            after[image_set_id],
            [each.change for each in sourced],
            limit,
            digests,
        )
        if len(mine) > 1:
            split_sets.append(image_set_id)
        steps += mine
    return steps, sorted(set(split_sets))


def _wide_hazard(
    study: Study, named: Collection[str], wide: StudyWide, settings: Settings
) -> HazardUse:
    """None to consent to when manifests name every image set that the call moves."""
    if all(member.properties.image_set_id in named for member in study.members):
        return HazardUse(Hazard.STUDY_WIDE, wide.anchor, True)
    return judge(Hazard.STUDY_WIDE, wide.anchor, wide.sources, settings.allow)


def _split_hazard(image_set_id: str, sources: Sequence[Source], settings: Settings) -> HazardUse:
    return judge(Hazard.SPLIT_UPDATE, image_set_id, sources, settings.allow)


def _too_large(large: TooLarge, settings: Settings) -> Block:
    change = large.change
    return Block(
        change.image_set_id,
        f"this value alone exceeds the payload limit of {settings.rules.payload_bytes} bytes",
        "Ask AWS for a higher quota (L-A880A4C2), then set `rules: {payloadBytes: …}`.",
        change.place,
        change.path(),
    )


def _decided(
    action: Action,
    blocks: Sequence[Block],
    hazards: Sequence[HazardUse],
    steps: tuple[Step, ...],
) -> Action:
    """Keep the steps only if every hazard has consent and nothing blocks the action."""
    uses = sorted(
        hazards, key=lambda use: (use.image_set_id, list(Hazard).index(use.hazard), str(use.place))
    )
    refused = [use for use in uses if not use.consented]
    status = action.status
    if status is not Status.BUSY and (
        blocks or any(use.hazard is not Hazard.OVERWRITES_DRIFT for use in refused)
    ):
        status = Status.BLOCKED
    runs = not refused and not blocks and status.is_runnable
    return replace(
        action,
        status=status,
        blocks=tuple(blocks),
        hazards=tuple(uses),
        steps=steps if runs else (),
    )
