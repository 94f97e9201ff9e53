"""Flawed ways to keep and to read baselines, each a plausible bug that launders drift.

Each replaces a value on its way between two stages, or amends the records after a run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import replace
from pathlib import Path

from reconciler.core.model.ask import Source
from reconciler.core.model.form import Asks
from reconciler.core.model.hazard import Consent
from reconciler.core.model.observed import Properties
from reconciler.core.model.plan import Plan
from reconciler.core.model.record import Entry, as_baselines, ranked
from reconciler.core.model.results import Checked
from reconciler.edges import records
from tests.entries import always
from tests.fakes import EPOCH
from tests.laws.mutants import Mutant, PassingPort

# More versions than any image set of an example has.
_VERSIONS = range(1, 100)
Amend = Callable[[Entry, Plan], Entry]


def _amended(amend: Amend) -> Callable[[Path, str, Plan], None]:
    """Amend every entry of the data store after a run."""

    def record(root: Path, datastore_id: str, plan: Plan) -> None:
        _write(root, datastore_id, lambda entry: amend(entry, plan))

    return record


def _write(root: Path, datastore_id: str, amend: Callable[[Entry], Entry]) -> None:
    for name, entry in records.read(root, datastore_id).items():
        after = amend(entry)
        if after != entry:
            records.write(root, datastore_id, {name: [always(after)]})


# --- what is recorded -----------------------------------------------------------------------------


def _at_the_version_of_the_entry(entry: Entry, plan: Plan) -> Entry:
    return replace(entry, asked=tuple((path, entry.version_id) for path, _ in entry.asked))


def _without_released(entry: Entry, plan: Plan) -> Entry:
    return replace(entry, released=())


def _at_the_plan(entry: Entry, plan: Plan) -> Entry:
    """The baselines as the plan knew them, though a newer run has raised them."""
    for action in plan.actions:
        for member in action.members:
            if member.image_set_id == entry.image_set_id and member.pin:
                return replace(entry, asked=_lowered(entry, member.pin, member.asked))
    return entry


def _lowered(entry: Entry, pin: str, paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    later = str(int(pin) + 1)
    return tuple(
        (path, later if path in paths and ranked(at) > ranked(later) else at)
        for path, at in entry.asked
    )


def _as_planned(entry: Entry, plan: Plan) -> Entry:
    """Each baseline at the version that the plan means to make, whatever came of it."""
    for action in plan.actions:
        made = [step for step in action.steps if entry.image_set_id in dict(step.expected)]
        for member in action.members if made else ():
            if member.image_set_id == entry.image_set_id:
                at = str(int(member.pin) + len(made))
                asked = dict.fromkeys(member.asked, at)
                return replace(entry, asked=as_baselines({**dict(entry.asked), **asked}))
    return entry


def _drop_with_the_file(root: Path, datastore_id: str, plan: Plan) -> None:
    """What a manifest asked goes from the records together with the manifest."""
    now = {path.name: "" for path in (root / "manifests").iterdir()}
    gone = _remembered(root, now).keys() - now.keys()
    _write(root, datastore_id, lambda entry: _without(entry, gone))


def _without(entry: Entry, files: Set[str]) -> Entry:
    """The name of a file begins as that of its image set does."""
    owners = {file[0] for file in files}
    return replace(entry, asked=()) if entry.image_set_id[0] in owners else entry


def _drop_with_the_name(root: Path, datastore_id: str, plan: Plan) -> None:
    """Records are those of a data store of this name."""
    now = {one.datastore: "" for one in plan.actions}
    if now and _remembered(root, now).keys() - now.keys():
        _write(root, datastore_id, lambda entry: replace(entry, asked=(), released=()))


def _remembered(root: Path, now: Mapping[str, str]) -> dict[str, str]:
    """What the run before has seen."""
    path = root / "remembered.json"
    before: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(now))
    return before


# --- what is planned ------------------------------------------------------------------------------


def _consented_for_every_version(checked: Checked) -> Checked:
    return _with_consents(
        checked, lambda own: {one for consent in own for one in _everywhen(consent)}
    )


def _everywhen(consent: Consent) -> Iterator[Consent]:
    yield consent
    if consent.version_id:
        yield from (replace(consent, version_id=str(at)) for at in _VERSIONS)


def _consented_by_any(checked: Checked) -> Checked:
    everyone = {one for ask in checked.managed for source in ask.sources for one in source.allow}
    return _with_consents(checked, lambda _: everyone)


def _with_consents(
    checked: Checked, given: Callable[[tuple[Consent, ...]], set[Consent]]
) -> Checked:
    def of(source: Source) -> Source:
        return replace(source, allow=tuple(sorted(given(source.allow))))

    asks = tuple(
        replace(
            ask,
            sources=tuple(map(of, ask.sources)),
            claims=tuple(replace(claim, source=of(claim.source)) for claim in ask.claims),
            left_out=frozenset(map(of, ask.left_out)),
        )
        for ask in checked.managed
    )
    return replace(checked, managed=Asks(asks))


def _carrying_all(checked: Checked) -> Checked:
    asks = tuple(replace(ask, left_out=frozenset()) for ask in checked.managed)
    return replace(checked, managed=Asks(asks))


def _without_first_changes(plan: Plan) -> Plan:
    """An image set without a record counts as reviewed."""
    return replace(
        plan,
        actions=tuple(
            replace(
                action,
                changes=tuple(
                    change if change.baseline else replace(change, baseline="1")
                    for change in action.changes
                ),
            )
            for action in plan.actions
        ),
    )


class _OneStore(PassingPort):
    """Image sets with equal IDs are the same image sets, whenever they were made."""

    def get(self, image_set_id: str, version_id: str | None = None) -> Properties:
        seen = self._port.get(image_set_id, version_id)
        return replace(seen, updated_at=EPOCH, created_at=EPOCH)


ALL = (
    # It keeps one version for each image set, and so moves what a run did not carry.
    Mutant("one-version-per-image-set", record=_amended(_at_the_version_of_the_entry)),
    # It drops the baseline of a line that was deleted.
    Mutant("drops-released-lines", record=_amended(_without_released)),
    # A run with an older plan lowers baselines that a newer run has raised.
    Mutant("lowers-baselines", record=_amended(_at_the_plan)),
    # It records a version as soon as it means to make it.
    Mutant("records-what-it-planned", record=_amended(_as_planned)),
    # It keeps baselines by manifest.
    Mutant("drops-records-with-the-file", record=_drop_with_the_file),
    # It keeps records by the name in reconciler.yaml.
    Mutant("drops-records-with-the-name", record=_drop_with_the_name),
    # It reads OVERWRITES_DRIFT without its version.
    Mutant("consents-for-ever", checked=_consented_for_every_version),
    # It takes the consent of one manifest for the change of another.
    Mutant("consents-for-others", checked=_consented_by_any),
    # `apply PATHS` carries what the other manifests ask, too.
    Mutant("carries-what-was-not-selected", checked=_carrying_all),
    # It takes what is in no record for reviewed.
    Mutant("hides-first-changes", plan=_without_first_changes),
    # It takes the image sets of a trial for those of the real data store.
    Mutant("takes-a-trial-for-the-store", _OneStore),
    # It executes a saved plan without the manifests of today.
    Mutant("trusts-saved-plans", judges_again=False),
)
