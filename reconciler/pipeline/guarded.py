"""Decides by the guardrails of today whether an apply may begin. Nothing was sent before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.core.errors import GuardrailError
from reconciler.core.model.guardrail import Stop
from reconciler.core.model.plan import Plan
from reconciler.core.model.record import Entry
from reconciler.core.model.reviewed import ReviewedChange
from reconciler.core.model.settings import Settings
from reconciler.core.plan.guardrails import first_of_each, left, stops
from reconciler.core.review.phrases import stopped
from reconciler.core.reviewed import Judgement, Made
from reconciler.pipeline.record_branch import entries_of

_LESS = (
    "If all of it is intended, raise the limit on that line, in a commit of its own. Otherwise "
    "apply fewer manifests at a time, or use `--limit`."
)
_REVIEWED = (
    "If all of it is intended, raise the limit on that line, in a commit of its own: its apply "
    "goes on with these reviews. Otherwise revert a part of the merged changes."
)


def stops_of(settings: Settings, plan: Plan, limit: int | None, *, saved: bool) -> tuple[Stop, ...]:
    """The guardrails that an apply of this plan exceeds, with `--limit` if it is given.

    A plan that was `saved` may be partly applied: what is made already does not count. The records
    show it, and they are read only if all of the plan exceeds a guardrail.
    """
    found = stops(plan.runnable, plan.recorded, settings.guardrails)
    if not found:
        return ()
    actions = left(plan.runnable, _entries(settings, plan)) if saved else plan.runnable
    return stops(first_of_each(actions, limit), plan.recorded, settings.guardrails)


def stops_of_reviews(
    settings: Settings, plan: Plan, judgement: Judgement, made: Sequence[Made]
) -> tuple[Stop, ...]:
    """The guardrails that an apply of reviews exceeds.

    All that the reviews hold counts, whatever `--limit` is and whatever earlier runs of them made.
    `made` are versions of lost runs, which no record states yet.
    """
    actions, rails = judgement.reviewed, settings.guardrails
    found = stops(actions, plan.recorded, rails, judgement.begun)
    if not (found and judgement.begun):
        return found
    earlier = _made_earlier(judgement.begun, plan, _entries(settings, plan), made)
    return stops(actions, plan.recorded, rails, earlier)


def refuse_stopped(found: Sequence[Stop], *, reviewed: bool = False) -> None:
    """Raise GuardrailError if a guardrail is exceeded; one error states all of them."""
    if found:
        exceeded = "\n".join(map(stopped, found))
        raise GuardrailError(
            f"nothing was sent: a guardrail stops this apply\n{exceeded}",
            _REVIEWED if reviewed else _LESS,
        )


def _made_earlier(
    rows: Iterable[ReviewedChange],
    plan: Plan,
    entries: Mapping[str, Mapping[str, Entry]],
    made: Sequence[Made],
) -> Iterator[ReviewedChange]:
    """Those of some reviewed changes that a run has made: the image set is beyond their version.

    What no manifest asks for any more was never made.
    """
    names = {identity: name for name, identity in plan.datastores}
    landed = {(one.datastore, one.landed.image_set_id) for one in made}
    for row in rows:
        name = names.get(row.datastore_id, "")
        entry = entries.get(name, {}).get(row.image_set_id)
        is_beyond = entry is not None and int(entry.version_id) > int(row.pin)
        if is_beyond or (name, row.image_set_id) in landed:
            yield row


def _entries(settings: Settings, plan: Plan) -> Mapping[str, Mapping[str, Entry]]:
    names = {name for name, _ in plan.datastores}
    return entries_of(settings, [one for one in settings.datastores if one.name in names])
